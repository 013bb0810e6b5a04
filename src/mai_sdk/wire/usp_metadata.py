"""`audio.metadata` of a synthesis turn: where words, sentences and mouth shapes stand. Pure.

The wire has times in ticks of 100 ns and no place in the text, so that is found here, word after
word, as the official client does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.events import Unrecognised
from mai_sdk.wire.shapes import as_int, as_list, as_object
from mai_sdk.wire.speech_events import (
    Bookmark,
    SentenceBoundary,
    SpeechEnd,
    Viseme,
    WordBoundary,
)

if TYPE_CHECKING:
    from mai_sdk.wire.speech_events import SpeechEvent

__all__ = ["TICKS_PER_MS", "MetadataReader"]

TICKS_PER_MS = 10_000
_LATEST = 2**53


class MetadataReader:
    """Reads the metadata of one turn, and finds each word in the text spoken."""

    __slots__ = ("_sentence_at", "_word_at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        """The text as far as it is known; it may grow."""
        self._word_at = 0
        self._sentence_at = 0

    def read(self, body: Any) -> list[SpeechEvent]:
        """Return the events of one `audio.metadata` body, parsed; what is not known is kept."""
        return [self._event(as_object(one)) for one in as_list(as_object(body).get("Metadata"))]

    def _event(self, raw: dict[str, Any]) -> SpeechEvent:
        data = as_object(raw.get("Data"))
        offset = _ms(data.get("Offset"))
        match raw.get("Type"):
            case "WordBoundary":
                said, where, kind = self._place(data, sentence=False)
                return WordBoundary(
                    text=said,
                    offset_ms=offset,
                    duration_ms=_ms(data.get("Duration")),
                    text_offset=where,
                    is_punctuation=kind == "PunctuationBoundary",
                )
            case "SentenceBoundary":
                said, where, _ = self._place(data, sentence=True)
                return SentenceBoundary(
                    text=said,
                    offset_ms=offset,
                    duration_ms=_ms(data.get("Duration")),
                    text_offset=where,
                )
            case "Viseme":
                shape = str(data.get("AnimationChunk") or "")
                number = as_int(data.get("VisemeId"), default=0)
                return Viseme(id=number, offset_ms=offset, animation=shape)
            case "Bookmark":
                return Bookmark(name=str(data.get("Bookmark") or ""), offset_ms=offset)
            case "SessionEnd":
                return SpeechEnd(offset_ms=offset)
            case _:
                return Unrecognised(raw)

    def _place(self, data: dict[str, Any], *, sentence: bool) -> tuple[str, int | None, Any]:
        told = as_object(data.get("text"))
        said = str(told.get("Text") or "")
        where = self.text.find(said, self._sentence_at if sentence else self._word_at)
        if said and where >= 0:
            if sentence:
                self._sentence_at = where + len(said)
            else:
                self._word_at = where + len(said)
        return said, where if said and where >= 0 else None, told.get("BoundaryType")


def _ms(ticks: Any) -> float:
    """Ticks as milliseconds; what can be no time is 0."""
    sane = isinstance(ticks, (int, float)) and 0 <= ticks < _LATEST
    return ticks / TICKS_PER_MS if sane else 0.0
