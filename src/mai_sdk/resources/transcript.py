"""What a transcription gives back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.subtitles import make_cues, to_srt, to_vtt
from mai_sdk.value import Value

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from mai_sdk.resources.subtitles import Cue

__all__ = ["Piece", "Segment", "Transcript", "Word"]


class Word(Value):
    """One word, with its punctuation."""

    text: str
    offset_ms: int | None
    """From the beginning of the audio; None where the service gave no time."""
    duration_ms: int | None


class Segment(Value):
    """A stretch of speech in one language and, where speakers are told apart, of one speaker."""

    text: str
    offset_ms: int | None = None
    """From the beginning of the audio; None where the service gave no time."""
    duration_ms: int | None = None
    words: tuple[Word, ...] = Field(default=(), repr=False)
    """There are some only where they were asked for: `timestamps="word"`."""
    speaker: str | None = None
    """The service's number for who speaks, "1"; it means nothing outside this transcript. Of audio
    sent in pieces, "2.1" is speaker 1 of piece 2, who may or may not be speaker 1 of another."""
    language: str | None = None
    """As the service spells it: "en-us" as well as "en-US"."""
    confidence: float | None = None
    """Up to 1. MAI models give none."""
    channel: int | None = None


class Piece(Value):
    """One of the parts that long audio was sent in: a call of its own."""

    offset_ms: int
    """Where it begins in the audio."""
    duration_ms: int
    call_id: str | None
    """The key into the ledger; None where it was not sent, because another had failed."""
    receipt: Receipt | None = Field(default=None, repr=False)
    error: str | None = None
    """The class of the error it ended with; None where it was transcribed."""


class Transcript(Value):
    """What was said, and what it took to hear it."""

    text: str
    """Everything that was said; empty for silence. Of audio whose channels were asked for apart,
    a line for each."""
    segments: tuple[Segment, ...] = Field(default=(), repr=False)
    """The same in the order it was said, with times where the service gave them."""
    duration_ms: int | None = None
    """Of the audio; None where neither the service nor the file said it."""
    usage: Usage
    """What the call used, over all its attempts and pieces."""
    cost: Cost
    """What it cost, over all of them."""
    model: str | None
    """The catalog's name, from the route."""
    deployment: str | None
    """The name that was sent."""
    call_id: str
    """Our id: the key into the ledger. Of audio sent in pieces, that of the first; see `pieces`."""
    request_id: str | None
    """The service's id for the last attempt: quote it to support."""
    attempts: int
    """How many requests it took."""
    timing: Timing
    receipt: Receipt = Field(repr=False)
    """Usage and cost attempt by attempt, of all pieces."""
    pieces: tuple[Piece, ...] = Field(default=(), repr=False)
    """The parts it was sent in; empty where it was sent whole."""
    raw: Any = Field(default=None, repr=False)
    """What the service said, untouched; of pieces, a list with an answer, or None, for each."""

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word; empty unless they were asked for with `timestamps="word"`."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, in the order they are first heard; empty unless `diarize` was asked for."""
        return _distinct(segment.speaker for segment in self.segments)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages spoken, in the order they are first heard."""
        return _distinct(segment.language for segment in self.segments)

    @property
    def audio_seconds(self) -> int | None:
        """How many seconds the audio lasts; a begun second counts whole, as it is billed."""
        return None if self.duration_ms is None else math.ceil(self.duration_ms / 1000)

    def to_text(self) -> str:
        """Return the text as lines to read: one a turn, with the speaker, where there are any."""
        if not self.speakers:
            return f"{self.text}\n" if self.text else ""
        lines: list[str] = []
        speaker: str | None = None
        for segment in self.segments:
            if lines and segment.speaker == speaker:
                lines[-1] += f" {segment.text}"
            else:
                speaker = segment.speaker
                lines.append(f"{_named(speaker)}: {segment.text}" if speaker else segment.text)
        return "".join(f"{line}\n" for line in lines)

    def to_srt(self) -> str:
        """Return the transcript as SubRip subtitles: two lines at most, never two at once.

        A long segment becomes several cues: at its words' own times where there are any, else its
        time is shared out by the length of the text.

        Raises:
            InvalidRequest: Something is said and the service gave no times. Ask for them with
                `timestamps="segment"`.
        """
        return to_srt(self._cues())

    def to_vtt(self) -> str:
        """Return the transcript as WebVTT subtitles; see `to_srt`."""
        return to_vtt(self._cues())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the transcript to a file, in UTF-8, as its suffix says, and return the path.

        .txt is `to_text`, .srt and .vtt are subtitles, .json is everything, the answer included.
        A file that is there is written over.

        Raises:
            InvalidRequest: The suffix is another, or there are no times for subtitles.
            OSError: The file cannot be written.
        """
        to = Path(path)
        text = self.to(to.suffix.lower().removeprefix("."))
        to.write_text(text, encoding="utf-8", newline="\n")
        return to

    def to(self, form: str) -> str:
        """Return the transcript as "txt", "srt", "vtt" or "json".

        Raises:
            InvalidRequest: It is another form, or there are no times for subtitles.
        """
        if form == "txt":
            return self.to_text()
        if form == "srt":
            return self.to_srt()
        if form == "vtt":
            return self.to_vtt()
        if form == "json":
            return self.model_dump_json(indent=2) + "\n"
        raise InvalidRequest(
            f"A transcript cannot be written as {form or 'a file without suffix'!r}: use .txt, "
            ".srt, .vtt or .json."
        )

    def _cues(self) -> list[Cue]:
        return make_cues(
            self.segments,
            duration_ms=self.duration_ms,
            names={speaker: _named(speaker) for speaker in self.speakers},
        )


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    """Each value once, the case aside, as it was first spelled."""
    found: dict[str, str] = {}
    for value in values:
        if value:
            found.setdefault(value.casefold(), value)
    return tuple(found.values())


def _named(speaker: str) -> str:
    return f"Speaker {speaker}"
