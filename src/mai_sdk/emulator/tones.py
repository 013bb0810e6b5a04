"""A tone for each word: speech's rhythm without a voice. Pure, and cheap.

A word's pitch comes from its letters, on a scale whose notes all go together, so that the same
word always sounds the same and a sentence is not unpleasant to hear.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from mai_sdk.emulator.pcm import to_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["say"]

_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)
"""Semitones of a pentatonic scale."""
_LOWEST = 165.0
_LOUDNESS = 0.22
_FADE = 0.010
_GAP = 0.045
_PAUSES = {".": 0.34, "!": 0.34, "?": 0.34, "。": 0.34, "！": 0.34, "？": 0.34, "…": 0.4}
_PAUSE = 0.16
"""After any other mark."""


def say(
    tokens: Sequence[tuple[int, str]],
    *,
    pitch: int,
    sample_rate: int,
    rate: float,
    max_seconds: float,
) -> tuple[bytes, list[tuple[int, float]]]:
    """Return the samples, and for each word its place in the text and when it begins.

    Args:
        tokens: Words and punctuation marks, with their places.
        pitch: Any number; moves the whole scale by up to an octave.
        sample_rate: Samples a second.
        rate: 1.0 is ordinary.
        max_seconds: No word begins later.
    """
    pieces: list[bytes] = []
    starts: list[tuple[int, float]] = []
    samples = 0
    for place, word in tokens:
        if samples >= max_seconds * sample_rate:
            break
        starts.append((place, samples / sample_rate))
        if word[0].isalnum():
            tone = _word(word.casefold(), pitch % 12, sample_rate, max(rate, 0.1))
        else:
            pause = max((_PAUSES.get(mark, _PAUSE) for mark in word), default=_PAUSE)
            tone = bytes(2 * int(pause / max(rate, 0.1) * sample_rate))
        pieces.append(tone)
        samples += len(tone) // 2
    return b"".join(pieces), starts


@lru_cache(maxsize=4096)
def _word(word: str, shift: int, sample_rate: int, rate: float) -> bytes:
    """Return one word's tone, faded in and out, and the gap after it."""
    note = _SCALE[blake2b(word.encode("utf-8", "replace"), digest_size=1).digest()[0] % len(_SCALE)]
    period = _period(round(sample_rate / (_LOWEST * 2 ** ((note + shift) / 12))))
    length = int((0.09 + 0.045 * min(len(word), 14)) / rate * sample_rate)
    tone = array("h", (period * (length // len(period) + 1))[:length])
    fade = min(int(_FADE * sample_rate), length // 2)
    for at in range(fade):
        tone[at] = tone[at] * at // fade
        tone[-1 - at] = tone[-1 - at] * at // fade
    return to_bytes(tone) + bytes(2 * int(_GAP / rate * sample_rate))


@lru_cache(maxsize=512)
def _period(samples: int) -> array[int]:
    """Return one wave of that many samples: a sine with a little of its octave and twelfth."""
    step = 2 * math.pi / samples
    peak = 32_767 * _LOUDNESS / 1.4
    overtones = ((1, 1.0), (2, 0.3), (3, 0.1))
    wave = (
        sum(part * math.sin(step * at * times) for times, part in overtones)
        for at in range(samples)
    )
    return array("h", [round(peak * height) for height in wave])
