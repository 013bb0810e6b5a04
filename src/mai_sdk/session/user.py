"""What the user says in a session: where it begins and ends, and what it was. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.session.answers import Question
from mai_sdk.session.history import Line
from mai_sdk.session.refusals import error_of
from mai_sdk.session.written import Written
from mai_sdk.wire import live_events as live
from mai_sdk.wire.session_events import Failed, Other, SpeechEnded, SpeechStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.session.hearing import Hearing, Said
    from mai_sdk.session.history import History
    from mai_sdk.wire.session_events import SessionEvent, UserTranscript

__all__ = ["User"]

_ITEMS = 256


class User:
    """The user's side of a conversation, as the service hears it."""

    def __init__(
        self, hearing: Hearing, history: History, *, emit: Callable[[SessionEvent], None]
    ) -> None:
        self.hearing = hearing
        self.ended_at: float | None = None
        """When the user last ended, on the clock of the session."""
        self._history = history
        self._emit = emit
        self._written = Written()
        self._unanswered: list[Said] = []
        self._takes: dict[type[live.ServerEvent], Callable[[Any, float], None]] = {
            live.InputAudioBufferSpeechStarted: self._started,
            live.InputAudioBufferSpeechStopped: self._stopped,
            live.InputAudioBufferCommitted: self._committed,
            live.InputAudioTranscriptionFailed: self._failed,
        }

    def read(self, event: live.ServerEvent, now: float) -> bool:
        """Take an event about the user, and return whether it was one."""
        written = self._written.read(event)
        if written is not None:
            if written.final:
                self._completed(written)
            self._emit(written)
            return True
        take = self._takes.get(type(event))
        if take is not None:
            take(event, now)
        return take is not None

    def question(self) -> Question:
        """Return what an answer that begins now is to."""
        said, self._unanswered = tuple(self._unanswered), []
        samples = sum((one.end or one.start) - one.start for one in said)
        ended_at, self.ended_at = self.ended_at, None
        return Question(said, ended_at, self.hearing.ms(samples))

    @property
    def unanswered_ms(self) -> float:
        """How much of what the user said was not answered."""
        open_ones = [one for one in self.hearing.said if one not in self._unanswered]
        end = self.hearing.buffer.end
        said = (*self._unanswered, *open_ones)
        return self.hearing.ms(sum((end if o.end is None else o.end) - o.start for o in said))

    def ask_again(self, question: Question) -> None:
        """Take back the question of an answer that was lost."""
        self._unanswered[:0] = question.said
        self.ended_at = self.ended_at or question.ended_at

    def asked(self, *, since: float) -> bool:
        """Whether words of a turn the service found, and ended since then, wait for an answer."""
        if self.ended_at is None or self.ended_at < since:
            return False
        lines = (self._history.find(one.item_id) for one in self._unanswered if not one.by_us)
        return any(line is not None and line.text for line in lines)

    def restart(self) -> None:
        """Forget what will be heard again, on another connection."""
        self._written.clear()
        self._unanswered = [one for one in self._unanswered if one.is_kept]

    def _started(self, event: live.InputAudioBufferSpeechStarted, now: float) -> None:
        del now
        start = self.hearing.started(event.audio_start_ms, item_id=event.item_id)
        self._emit(SpeechStarted(offset_ms=self.hearing.ms(start), item_id=event.item_id))

    def _stopped(self, event: live.InputAudioBufferSpeechStopped, now: float) -> None:
        end = self.hearing.stopped(event.audio_end_ms, item_id=event.item_id)
        given = self.hearing.given_at(end)
        self.ended_at = now if given is None else min(given, now)
        self._emit(SpeechEnded(offset_ms=self.hearing.ms(end), item_id=event.item_id))

    def _committed(self, event: live.InputAudioBufferCommitted, now: float) -> None:
        del now
        said = self.hearing.committed(event.item_id)
        if said is not None and said not in self._unanswered:
            self._unanswered.append(said)
            del self._unanswered[:-_ITEMS]
        if event.item_id is not None:
            self._history.add(Line("user", event.item_id))
        self._emit(Other(type=event.type, raw=event))

    def _completed(self, written: UserTranscript) -> None:
        if written.item_id is not None:
            self._history.add(Line("user", written.item_id)).text = written.text
        self.hearing.kept(written.item_id)

    def _failed(self, event: live.InputAudioTranscriptionFailed, now: float) -> None:
        del now
        self._written.forget(event.item_id)
        self.hearing.failed(event.item_id)
        error = error_of(event.error, surface="voice-live")
        self._emit(Failed(error=error, item_id=event.item_id, raw=event))
