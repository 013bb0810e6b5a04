"""The audio of a live session: what came in and was not answered, and speech on its way out."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from mai_sdk.emulator.pcm import to_bytes
from mai_sdk.emulator.sound import encode
from mai_sdk.wire.formats import audio_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.emulator.utterance import SpokenWord, Utterance

__all__ = ["Failed", "InputAudio", "Speech", "Words", "decoded"]

_SLACK: Final = 2
"""Silence is dropped in steps, so that not every piece moves what is kept."""


@dataclass(slots=True)
class InputAudio:
    """What the client appended since the last turn, and where in all its audio that lies."""

    sample_rate: int
    pcm: bytearray = field(default_factory=bytearray)
    base_ms: float = 0.0
    """Where `pcm` begins."""

    @property
    def end_ms(self) -> float:
        """How much audio there was in all."""
        return self.base_ms + self.length_ms

    @property
    def length_ms(self) -> float:
        """How much is here."""
        return len(self.pcm) * 500 / self.sample_rate

    def take(self, begin_ms: float | None = None, end_ms: float | None = None) -> bytes:
        """Return the audio between two points in time; what comes before the end is gone."""
        begin = 0 if begin_ms is None else self._place(begin_ms)
        end = len(self.pcm) if end_ms is None else self._place(end_ms)
        taken = bytes(self.pcm[begin:end])
        self._drop(end)
        return taken

    def keep_last(self, ms: float) -> None:
        """Forget what is older: silence that no turn will have in it."""
        if self.length_ms > _SLACK * ms:
            self._drop(self._place(self.end_ms - ms))

    def clear(self, *, sample_rate: int | None = None) -> None:
        """Forget it all; what comes next may have another rate."""
        self._drop(len(self.pcm))
        self.sample_rate = sample_rate or self.sample_rate

    def _place(self, ms: float) -> int:
        place = round((ms - self.base_ms) * self.sample_rate / 1000) * 2
        return min(max(place, 0), len(self.pcm))

    def _drop(self, end: int) -> None:
        self.base_ms += end * 500 / self.sample_rate
        del self.pcm[:end]


@dataclass(frozen=True, slots=True)
class Speech:
    """A text spoken, in the format in which it is sent."""

    utterance: Utterance
    data: bytes = field(repr=False)
    bytes_per_ms: int

    @classmethod
    def of(cls, utterance: Utterance, name: str) -> Speech:
        """Return the utterance in that format, by its name in speech."""
        kind = audio_format(name)
        size = (kind.sample_rate or utterance.sample_rate) * (2 if kind.encoding == "pcm" else 1)
        return cls(utterance, encode(utterance.pcm, kind), size // 1000)

    @property
    def milliseconds(self) -> float:
        """How long it plays."""
        return len(self.data) / self.bytes_per_ms


class Failed(Exception):
    """A response fails; the text says why.

    Args:
        message: What went wrong.
        code: The service's name for it.
    """

    def __init__(self, message: str, *, code: str = "speech_synthesis_failed") -> None:
        super().__init__(message)
        self.code = code


class Words:
    """The words of a speech, each with the part of the text that it stands for."""

    def __init__(self, text: str, speech: Speech) -> None:
        words = speech.utterance.words
        cuts = [0, *(word.text_offset for word in words[1:]), len(text)]
        self._text = text
        self._words = words
        self._cuts = cuts
        self._at = 0
        self.ends = [
            (word.offset_ms + word.duration_ms, end)
            for word, end in zip(words, cuts[1:], strict=False)
        ]
        """When each is over, in milliseconds, and where it ends in the text."""

    def before(self, until_ms: float) -> Iterator[tuple[str, SpokenWord | None]]:
        """Yield the pieces of text whose words begin before that, each once."""
        while self._at < len(self._words) and self._words[self._at].offset_ms < until_ms:
            at, self._at = self._at, self._at + 1
            yield self._text[self._cuts[at] : self._cuts[at + 1]], self._words[at]
        if not self._words and not self._at:  # nothing in it is heard
            self._at = 1
            yield self._text, None


def decoded(data: bytes, coding: str) -> bytes:
    """Return audio of a session's input format as 16-bit samples; an odd last byte is dropped."""
    if coding == "pcm16":
        return data[: len(data) - len(data) % 2]
    table = _expansion(coding)
    return to_bytes(array("h", [table[one] for one in data]))


@cache
def _expansion(coding: str) -> tuple[int, ...]:
    return tuple(map(_from_mulaw if coding == "g711_ulaw" else _from_alaw, range(256)))


def _from_mulaw(byte: int) -> int:
    """ITU-T G.711, mu-law."""
    byte = ~byte & 0xFF
    level = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 0x07)) - 0x84
    return -level if byte & 0x80 else level


def _from_alaw(byte: int) -> int:
    """ITU-T G.711, A-law."""
    byte ^= 0x55
    exponent = byte >> 4 & 0x07
    level = (byte & 0x0F) << 4 | 8
    if exponent:
        level = level + 0x100 << exponent - 1
    return level if byte & 0x80 else -level
