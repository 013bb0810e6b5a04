"""The acts of the demo that listen: a recording to text and subtitles, and a long one in pieces."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Final

from mai_sdk.wire.wav import wav_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.cli.demo_stage import Stage

__all__ = ["TRANSCRIPT_ACTS"]

_RATE: Final = 8000
_SAID: Final = "Good afternoon, everyone. Sales rose by a fifth. Are there any questions?"


def _tone(seconds: float, *, pause: float = 0.0) -> bytes:
    """Return a sound for the emulator to be told about: a tone, then silence."""
    heard = array("h", (round(9000 * math.sin(n / 4)) for n in range(round(seconds * _RATE))))
    return heard.tobytes() + bytes(2 * round(pause * _RATE))


def _wav(samples: bytes) -> bytes:
    return wav_header(len(samples), sample_rate=_RATE) + samples


def transcribed(stage: Stage) -> None:
    """A recording, as text and as subtitles."""
    with stage.act(
        "A recording to text, and to subtitles",
        'client.transcribe.create("meeting.wav", timestamps="segment").to_srt()',
        "transcript",
    ):
        stage.emulator.reply(_SAID)  # a tone says nothing, so the emulator is told what it hears
        made = stage.client.transcribe.create(_wav(_tone(6)), timestamps="segment")
        stage.say(made.text)
        stage.say(made.to_srt(), lines=6)
        stage.took(made)


def transcribed_in_pieces(stage: Stage) -> None:
    """A long recording, cut in its pauses and sent side by side."""
    with stage.act(
        "A long recording, cut in its pauses, its pieces sent side by side",
        'client.transcribe.create("day.wav", chunks=6)',
        *(f"long, piece {number}" for number in (1, 2, 3)),
    ):
        stage.emulator.reply("One piece.", times=3)
        long = _wav(b"".join(_tone(5, pause=0.4) for _ in range(3)))
        made = stage.client.transcribe.create(long, chunks=6)
        ends = ", ".join(f"{(p.offset_ms + p.duration_ms) / 1000:.1f}" for p in made.pieces)
        stage.say(f"{len(made.pieces)} pieces, ending at {ends} s: {made.text}")
        stage.took(made)


TRANSCRIPT_ACTS: Final[tuple[Callable[[Stage], None], ...]] = (transcribed, transcribed_in_pieces)
"""All of them, in the order they are played."""
