"""Answers into transcripts: one, or those of all pieces of a recording put together. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.transcript import Piece, Segment, Transcript, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mai_sdk.engine.tab import Tab
    from mai_sdk.errors import CallFailed
    from mai_sdk.wire.transcription import Answer, Phrase

__all__ = ["Done", "build_transcript", "stitch"]


@dataclass(slots=True, kw_only=True)
class Done:
    """What became of one piece; neither an answer nor an error where it was not sent."""

    place: int
    offset_ms: int
    duration_ms: int
    tab: Tab
    answer: Answer | None = None
    error: CallFailed | None = None


def build_transcript(answer: Answer, tab: Tab, *, duration_ms: int | None) -> Transcript:
    """Return an answer as callers see it, with what it took.

    Args:
        answer: What the service heard.
        tab: What it used.
        duration_ms: How long the audio is, where the file says so and the service does not.
    """
    receipt = tab.receipt()
    return Transcript(
        text=answer.text,
        segments=tuple(_segment(phrase) for phrase in answer.phrases),
        duration_ms=duration_ms if answer.duration_ms is None else answer.duration_ms,
        usage=receipt.usage,
        cost=receipt.cost,
        model=tab.route.model,
        deployment=tab.route.deployment,
        call_id=tab.call_id,
        request_id=tab.request_id,
        attempts=len(receipt.attempts),
        timing=tab.timing(),
        receipt=receipt,
        raw=answer.raw,
    )


def stitch(pieces: Sequence[Done]) -> Transcript:
    """Return one transcript of all pieces that were heard, in their order, on one time line."""
    first, last = pieces[0].tab, pieces[-1].tab
    segments = [
        _segment(phrase, later_ms=piece.offset_ms, prefix=f"{piece.place + 1}.")
        for piece in pieces
        if piece.answer is not None
        for phrase in piece.answer.phrases
    ]
    receipt = _receipt([piece.tab.receipt() for piece in pieces])
    return Transcript(
        text=_joined(piece.answer.text for piece in pieces if piece.answer is not None),
        segments=tuple(segments),
        duration_ms=pieces[-1].offset_ms + pieces[-1].duration_ms,
        usage=receipt.usage,
        cost=receipt.cost,
        model=first.route.model,
        deployment=first.route.deployment,
        call_id=first.call_id,
        request_id=last.request_id,
        attempts=len(receipt.attempts),
        timing=_timing([piece.tab.timing() for piece in pieces]),
        receipt=receipt,
        pieces=tuple(_piece(piece) for piece in pieces),
        raw=[None if piece.answer is None else piece.answer.raw for piece in pieces],
    )


def _segment(phrase: Phrase, *, later_ms: int = 0, prefix: str = "") -> Segment:
    return Segment(
        text=phrase.text,
        offset_ms=_later(phrase.offset_ms, later_ms),
        duration_ms=phrase.duration_ms,
        words=tuple(
            Word(text=w.text, offset_ms=_later(w.offset_ms, later_ms), duration_ms=w.duration_ms)
            for w in phrase.words
        ),
        speaker=None if phrase.speaker is None else f"{prefix}{phrase.speaker}",
        language=phrase.language,
        confidence=phrase.confidence,
        channel=phrase.channel,
    )


def _later(offset_ms: int | None, by: int) -> int | None:
    return None if offset_ms is None else offset_ms + by


def _piece(done: Done) -> Piece:
    receipt = done.tab.receipt()
    return Piece(
        offset_ms=done.offset_ms,
        duration_ms=done.duration_ms,
        call_id=done.tab.call_id if receipt.attempts else None,
        receipt=receipt if receipt.attempts else None,
        error=None if done.error is None else type(done.error).__name__,
    )


def _receipt(receipts: Sequence[Receipt]) -> Receipt:
    """One receipt over all; its attempts are numbered through, and their ids say whose they are."""
    attempts = [attempt for receipt in receipts for attempt in receipt.attempts]
    return receipts[0].model_copy(
        update={
            "attempts": tuple(
                attempt.model_copy(update={"number": number})
                for number, attempt in enumerate(attempts, 1)
            ),
            "usage": Usage.sum(attempt.usage for attempt in attempts),
            "cost": Cost.sum(attempt.cost for attempt in attempts),
            "unrecorded": next((each.unrecorded for each in receipts if each.unrecorded), None),
        }
    )


def _timing(timings: Sequence[Timing]) -> Timing:
    return Timing(
        queued=min(each.queued for each in timings),
        first_byte=_soonest(each.first_byte for each in timings),
        first_content=_soonest(each.first_content for each in timings),
        total=max(each.total for each in timings),
    )


def _soonest(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _joined(texts: Iterable[str]) -> str:
    """With spaces between, but none between two ideographs."""
    made = ""
    for text in texts:
        wide = made and text and {east_asian_width(made[-1]), east_asian_width(text[0])} <= {"W"}
        made += text if not made or not text or wide else f" {text}"
    return made
