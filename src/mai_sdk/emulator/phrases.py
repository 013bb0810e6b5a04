"""What was heard, in the phrases, words and fields a transcription answers with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.ears import NOBODY_LISTENED, HeardWord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Listened", "phrases_of", "scripted"]

_UMS: Final = frozenset({"um", "uh", "uhm", "er", "erm", "hmm"})
_ENDS: Final = (".", "!", "?", "\u3002", "\uff01", "\uff1f")
_PAUSE_MS: Final = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """What was heard in one recording."""

    text: str
    words: tuple[HeardWord, ...]
    """Empty where only the text is known."""
    duration_ms: float | None
    """None where nobody knows."""

    def cleaned(self) -> Listened:
        """Return the same without ums."""
        kept: list[HeardWord] = []
        text = ""
        for number, word in enumerate(self.words):
            if word.text.strip(".,!?").lower() in _UMS:
                continue
            until = self.words[number + 1].text_offset if number + 1 < len(self.words) else None
            kept.append(replace(word, text_offset=len(text)))
            text += self.text[word.text_offset : until]
        return replace(self, text=text.rstrip(), words=tuple(kept)) if kept else self


def scripted(text: str | None, *, duration_ms: float | None) -> Listened:
    """Return a text as if it had been heard, its words evenly over the time; None is not heard."""
    if text is None:
        return Listened(text=NOBODY_LISTENED, words=(), duration_ms=duration_ms)
    said = text.split()
    each = (duration_ms or 400.0 * len(said)) / max(len(said), 1)
    words: list[HeardWord] = []
    at = 0
    for number, word in enumerate(said):
        at = text.index(word, at)
        words.append(
            HeardWord(text=word, offset_ms=number * each, duration_ms=each, text_offset=at)
        )
        at += len(word)
    return Listened(text=text, words=tuple(words), duration_ms=duration_ms)


def phrases_of(
    heard: Listened, *, locale: str, times: str, speakers: int | None, confidence: float
) -> list[dict[str, Any]]:
    """Return the phrases as JSON.

    Args:
        heard: What was heard.
        locale: As it is written here.
        times: "none", "segment" or "word".
        speakers: How many are told apart, each utterance having the next; None for no speakers.
        confidence: Of every phrase.
    """
    made: list[dict[str, Any]] = []
    for text, words, turn in _sentences(heard):
        phrase: dict[str, Any] = {}
        if speakers is not None:
            phrase["speaker"] = turn % speakers + 1
        if times != "none":
            phrase |= _times(words, heard)
        phrase["text"] = text
        if times == "word" and words:
            phrase["words"] = [
                {
                    "text": word.text,
                    "offsetMilliseconds": round(word.offset_ms),
                    "durationMilliseconds": round(word.duration_ms),
                }
                for word in words
            ]
        made.append({**phrase, "locale": locale, "confidence": confidence})
    return made


def _sentences(heard: Listened) -> Iterator[tuple[str, Sequence[HeardWord], int]]:
    """Yield text and words from one end of a sentence, pause or speaker to the next."""
    if not heard.words:
        if heard.text:
            yield heard.text, (), 0
        return
    first = 0
    for number, word in enumerate(heard.words):
        after = heard.words[number + 1] if number + 1 < len(heard.words) else None
        paused = after is not None and (
            after.offset_ms - word.offset_ms - word.duration_ms > _PAUSE_MS
            or after.turn != word.turn
        )
        if after is None or paused or word.text.endswith(_ENDS):
            begin = heard.words[first].text_offset
            text = heard.text[begin : after.text_offset if after is not None else None]
            yield text.strip(), heard.words[first : number + 1], word.turn
            first = number + 1


def _times(words: Sequence[HeardWord], heard: Listened) -> dict[str, int]:
    if not words:
        return {"offsetMilliseconds": 0, "durationMilliseconds": round(heard.duration_ms or 0)}
    offset = round(words[0].offset_ms)
    end = round(words[-1].offset_ms + words[-1].duration_ms)
    return {"offsetMilliseconds": offset, "durationMilliseconds": end - offset}
