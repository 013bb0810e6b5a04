"""A real recogniser for speech that is not the emulator's own: pocketsphinx, where installed.

It comes with an American English model and needs no network. What it hears of a clear voice is
often wrong; it is here so that a true recording gives words in about the right places.
"""

from __future__ import annotations

import re
import sys
from array import array
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["recognise"]

_RATE: Final = 16_000
_FRAME_MS: Final = 10.0
_MOST_SECONDS: Final = 20
"""It listens about as long as the audio takes: longer recordings are left alone."""
_VARIANT: Final = re.compile(r"\(\d+\)$")
_lock = Lock()


def recognise(
    pcm: bytes | bytearray | memoryview, sample_rate: int
) -> list[tuple[str, float, float]] | None:
    """Return words with offset and duration in milliseconds; None if nobody can listen."""
    too_long = len(pcm) > 2 * sample_rate * _MOST_SECONDS
    if too_long or find_spec("pocketsphinx") is None:
        return None
    samples = _resampled(bytes(pcm), sample_rate)
    with _lock:
        decoder: Any = import_module("pocketsphinx").Decoder(samprate=_RATE, loglevel="FATAL")
        decoder.start_utt()
        decoder.process_raw(samples, full_utt=True)
        decoder.end_utt()
        heard: Sequence[Any] = list(decoder.seg() or ())
    return [
        (
            _VARIANT.sub("", part.word),
            part.start_frame * _FRAME_MS,
            (part.end_frame - part.start_frame + 1) * _FRAME_MS,
        )
        for part in heard
        if part.word[:1] not in "<[" and not part.word.startswith("++")
    ]


def _resampled(pcm: bytes, sample_rate: int) -> bytes:
    """Return the samples at the model's rate, each the nearest: good enough to listen to."""
    if sample_rate == _RATE:
        return pcm
    given = array("h", pcm)
    if sys.byteorder == "big":
        given.byteswap()
    count = len(given) * _RATE // sample_rate
    made = array("h", (given[number * sample_rate // _RATE] for number in range(count)))
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()
