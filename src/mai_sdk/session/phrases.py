"""What a recogniser's user is told of a phrase: that it began, what it may be, what it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.failures import failure_from_event
from mai_sdk.wire.session_events import (
    Failed,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.wire.session_events import SessionEvent
    from mai_sdk.wire.usp_stt import Hypothesis, Phrase

__all__ = ["Phrases"]


class Phrases:
    """The phrases of a session, one after the other; the service names none, so they are counted.

    Args:
        tells_speech: Whether speech is told here, and not by a detector.
    """

    def __init__(self, *, tells_speech: bool) -> None:
        self.hypothesis = ""
        """What the phrase may be that is being said."""
        self._tells_speech = tells_speech
        self._written = 0
        self._has_begun = self._has_stopped = False

    @property
    def item_id(self) -> str:
        """The name of the phrase that is being said, also over another connection."""
        return f"phrase-{self._written + 1}"

    def begun(self, offset_ms: float | None) -> Iterator[SessionEvent]:
        """Note that somebody speaks."""
        if not self._has_begun:
            self._has_begun, self._has_stopped = True, False
            if self._tells_speech:
                yield SpeechStarted(offset_ms=offset_ms, item_id=self.item_id)

    def stopped(self, offset_ms: float | None) -> Iterator[SessionEvent]:
        """Note that nobody speaks any more."""
        if self._has_begun and not self._has_stopped:
            self._has_stopped = True
            if self._tells_speech:
                yield SpeechEnded(offset_ms=offset_ms, item_id=self.item_id)

    def supposed(self, said: Hypothesis, *, raw: Any) -> Iterator[SessionEvent]:
        """Note what the phrase may be."""
        if said.text:
            self.hypothesis = said.text
            yield UserTranscript(
                text=said.text, final=False, item_id=self.item_id, locale=said.locale, raw=raw
            )

    def written(
        self,
        said: Phrase,
        *,
        raw: Any,
        request_id: str,
        listened_ms: float,
        first_text_ms: float | None,
    ) -> Iterator[SessionEvent]:
        """Note what the phrase is, or that it could not be written down."""
        if said.is_failure:
            error = failure_from_event({"error": {"code": said.status}}, surface="speech")
            yield Failed(error=error, item_id=self.item_id, raw=raw)
        else:
            yield UserTranscript(
                text=said.text,
                final=True,
                settled=len(said.text),
                item_id=self.item_id,
                locale=said.locale,
                raw=raw,
            )
        yield TurnDone(
            status="failed" if said.is_failure else "completed",
            user_text=None if said.is_failure else said.text,
            item_id=self.item_id,
            response_id=request_id,
            listened_ms=listened_ms,
            first_text_ms=first_text_ms,
            raw=raw,
        )
        self._next()

    def given_up(self, *, request_id: str) -> Iterator[SessionEvent]:
        """Note that no final text comes."""
        yield TurnDone(
            status="incomplete",
            reason="no_final_text",
            user_text=self.hypothesis or None,
            item_id=self.item_id,
            response_id=request_id,
        )
        self._next()

    def _next(self) -> None:
        self._written += 1
        self.hypothesis, self._has_begun = "", False
