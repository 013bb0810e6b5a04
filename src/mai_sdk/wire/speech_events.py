"""What speech is made of while it comes, besides its audio: where each word and mouth shape stands.

Frozen, slotted and unvalidated. Times are milliseconds from the start of the audio; places in the
text are characters from its start, None where the text does not have the word as it was said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from mai_sdk.wire.events import Unrecognised

__all__ = [
    "AudioChunk",
    "Bookmark",
    "SentenceBoundary",
    "SpeechEnd",
    "SpeechEvent",
    "Viseme",
    "WordBoundary",
]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """The next piece of audio, in the format that was asked for."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordBoundary:
    """A word, or a punctuation mark, begins to be heard."""

    text: str = field(repr=False)
    offset_ms: float
    duration_ms: float
    text_offset: int | None = None
    is_punctuation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceBoundary:
    """A sentence begins to be heard."""

    text: str = field(repr=False)
    offset_ms: float
    duration_ms: float
    text_offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Viseme:
    """The mouth takes a shape: one of 22, numbered from 0, which is silence."""

    id: int
    offset_ms: float
    animation: str = field(default="", repr=False)
    """SVG or blend shapes as the service wrote them; empty unless SSML asked for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A `<bookmark mark="..."/>` of the SSML is reached."""

    name: str
    offset_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnd:
    """The audio is complete, and this long."""

    offset_ms: float


SpeechEvent: TypeAlias = (
    AudioChunk | WordBoundary | SentenceBoundary | Viseme | Bookmark | SpeechEnd | Unrecognised
)
