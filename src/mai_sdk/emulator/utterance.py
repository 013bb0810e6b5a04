"""What was spoken: samples, and which word stands where. Values only.

The mouth (text to utterance) makes these and the ears (samples to text) remember them, so that a
transcript of the emulator's own speech is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["SpokenWord", "Utterance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """One word or punctuation mark, where the text has it and when it is heard."""

    text: str
    offset_ms: float
    """From the start of the utterance."""
    duration_ms: float
    text_offset: int
    """Its first character's place in `Utterance.text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Speech as samples: 16 bits, little-endian, one channel."""

    text: str
    pcm: bytes = field(repr=False)
    sample_rate: int
    words: tuple[SpokenWord, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.pcm) / (2 * self.sample_rate)
