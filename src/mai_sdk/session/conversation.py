"""A conversation over Voice Live, as a state machine. Pure.

What holds whatever comes, and in whatever order: audio the user gave is sent in order, and again
after a connection was lost, unless it is acknowledged; the agent's answer is cut where the
listener stopped hearing it, once, and nothing of it is given out afterwards; an answer is asked
for while none is under way; every event of the service reaches the user, as one of ours or as
`Other`, except late audio of an interrupted answer, which is counted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.session.agent import Agent
from mai_sdk.session.asking import Asking
from mai_sdk.session.calls import Calls
from mai_sdk.session.hearing import Hearing
from mai_sdk.session.history import History, Line
from mai_sdk.session.interruption import interrupt
from mai_sdk.session.realtime import RealtimeMachine
from mai_sdk.session.refusals import error_of, refusal_of
from mai_sdk.session.settings import Settings
from mai_sdk.session.user import User
from mai_sdk.wire import live_client_events as ask
from mai_sdk.wire import live_events as live
from mai_sdk.wire import live_response_events as say
from mai_sdk.wire.live_parts import Item
from mai_sdk.wire.live_tool_events import ResponseMcpCallCompleted, ResponseMcpCallFailed
from mai_sdk.wire.session_events import (
    Failed,
    Other,
    Reconnected,
    SessionStarted,
    ToolAnswered,
    Warned,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from mai_sdk.session.answers import Answer, Latency
    from mai_sdk.wire.live_codec import Received
    from mai_sdk.wire.live_parts import Response

__all__ = ["Conversation"]

_RECENT: Final = 10.0
"""Seconds that an answer to what was said may take to begin."""
_REMOTE_DONE: Final = (ResponseMcpCallCompleted, ResponseMcpCallFailed)


class Conversation(RealtimeMachine):
    """See the module."""

    def __init__(
        self,
        session: Mapping[str, Any],
        *,
        sample_rate: int,
        output_rate: int,
        sample_bytes: int = 2,
        output_bytes: int = 2,
        buffer_seconds: float = 300.0,
        lifetime_seconds: float = 3600.0,
        continues_remote_calls: bool = True,
    ) -> None:
        hearing = Hearing(sample_rate, buffer_seconds, sample_bytes=sample_bytes)
        super().__init__(hearing, lifetime_seconds=lifetime_seconds)
        self.settings = Settings(session)
        self.history = History()
        self.user = User(hearing, self.history, emit=self.emit)
        self.agent = Agent(
            self.history,
            sample_rate=output_rate,
            sample_bytes=output_bytes,
            emit=self.emit,
            question=self.user.question,
        )
        self.calls = Calls(self.history)
        self._continues_remote_calls = continues_remote_calls
        self._has_started = False
        self._created: live.SessionCreated | None = None
        self.asking = Asking()
        self._stops_next = False

    # What the user says.

    def send_audio(self, audio: bytes, *, now: float) -> None:
        """Take the next piece of the user's audio.

        Raises:
            InvalidRequest: Its last sample is cut in two.
            AudioOverflow: Too much is not acknowledged.
        """
        self.hearing.give(audio, now=now)
        if self.is_connected:
            self._append(audio)

    def send_text(self, text: str, *, respond: bool = True, now: float) -> None:
        """Say something in writing, and ask for an answer."""
        self.user.ended_at = now
        item = self.history.add(Line("user", text=text)).item()
        if item is not None:
            self.add(item)
        if respond:
            self.respond(now=now)

    def add(self, item: Item) -> None:
        """Add an item to the conversation; without a connection it is not sent."""
        self.send(ask.ConversationItemCreate(item=item))

    def respond(self, *, instructions: str | None = None, now: float) -> None:
        """Ask for an answer, as soon as none is under way."""
        self.asking.want(ask.ResponseCreate(additional_instructions=instructions))
        self._ask(now)

    def commit(self, *, respond: bool = True, now: float) -> bool:
        """End the user's turn here; False, and nothing done, where there is no audio in it."""
        said = self.hearing.commit()
        if said is None:
            return False
        self.user.ended_at = now
        self.send(ask.InputAudioBufferCommit())
        if respond:
            self.respond(now=now)
        return True

    def clear(self) -> None:
        """Take back the audio that is not committed."""
        self.hearing.clear()
        self.send(ask.InputAudioBufferClear())

    def interrupt(self, *, now: float) -> bool:
        """Stop the agent; False where it neither speaks nor is about to."""
        del now
        under_way = [each for each in self.agent.answers.open.values() if not each.is_stopped]
        asked = self.asking.asked is not None
        if not self._stop("caller"):
            return False
        if under_way or asked:
            self._stops_next = asked and not under_way
            self.send(ask.ResponseCancel(response_id=under_way[0].id if under_way else None))
        self.asking.drop()
        return True

    def update(self, changes: Mapping[str, Any]) -> None:
        """Change the session's settings, for this connection and all that follow."""
        self.send(self.settings.change(changes))

    def answer_call(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """Give the model what a function returned; it goes on once all are answered."""
        name, goes_on = self.calls.answered(call_id, output)
        self.add(Item(type="function_call_output", call_id=call_id, output=output))
        self.emit(ToolAnswered(call_id=call_id, name=name, output=output, failed=failed))
        if goes_on:
            self.respond(now=now)

    def played(self, *, ms: float | None = None, size: int | None = None, now: float) -> None:
        """Note that so much more came out of the loudspeaker."""
        self.agent.played(ms=ms, size=size, now=now)

    def close(self) -> None:
        """Note that the caller ends the session: answers under way have no end any more."""
        super().close()
        for answer in tuple(self.agent.answers.open.values()):
            self.agent.finish(answer, None, reason="session_closed")

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """How long the last answers took."""
        return tuple(self.agent.answers.latencies)

    # The connection.

    @property
    def detects_turns(self) -> bool:
        """Whether the service finds turns by itself."""
        return self.settings.detects_turns

    @property
    def words(self) -> tuple[str, ...]:
        """See `Machine`."""
        told = self.settings.session.get("instructions")
        return (*self.history.texts(), *([told] if isinstance(told, str) else []))

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks, nothing is asked, and no function runs."""
        waits = self.agent.answers.open or self.calls.waiting or self.hearing.is_open
        return self.asking.is_idle and not waits

    def tick(self, now: float) -> None:
        """Note that time has passed."""
        self._ask(now)

    def _open(self, now: float) -> None:
        self.send(self.settings.whole())
        items = self.history.items()
        for item in items:
            self.add(item)
        resent = self._send_again()
        if self._news is not None:
            self._news = replace(
                self._news, resent_ms=self.hearing.ms(resent), replayed_items=len(items)
            )
        self._ask(now)

    def _send_again(self) -> int:
        """Send what is not acknowledged, and return how much it is."""
        before = self._queued_to
        for each in self.hearing.restart():
            if isinstance(each, bytes):
                self._append(each)
            else:
                self.send(ask.InputAudioBufferCommit())
        return self._queued_to - before

    def _lost(self, now: float) -> None:
        lost = False
        for answer in tuple(self.agent.answers.open.values()):
            lost = lost or not answer.is_stopped
            self._give_up(answer)
        self.agent.answers.forget()
        self.asking.lost()
        self._stops_next = False
        self.user.restart()
        heard_again = any(not (one.is_kept or one.by_us) for one in self.hearing.said)
        by_itself = self.settings.answers_by_itself and not heard_again
        if by_itself and self.user.asked(since=now - _RECENT):
            self.asking.want()  # the service had not begun, and will not hear it again
        lost = lost or (self._news is not None and self._news.response_lost)
        self._news = Reconnected(why=self._why, connections=0, response_lost=lost)

    def _give_up(self, answer: Answer) -> None:
        """Settle an answer whose connection is gone, and decide whether to ask for it again."""
        again = [one for one in answer.question.said if not one.is_kept]
        called = self.calls.made_by(answer.id)
        goes_on = self.calls.ended(answer.id, was_stopped=answer.is_stopped)
        has_begun = answer.has_begun or called  # what it called is told again, and goes on then
        if not has_begun or (again and not answer.has_begun):
            self.user.ask_again(answer.question)
        if again:  # the service will hear the question again
            for item_id in answer.items:
                self.history.forget(item_id)
        by_itself = any(not one.by_us for one in again)
        if not (answer.is_stopped or by_itself) and (again or goes_on or not has_begun):
            self.asking.want()
        self.agent.finish(answer, None, reason="connection_lost")

    def _ask(self, now: float) -> None:
        if not self.is_connected:
            return
        event = self.asking.take(
            under_way=bool(self.agent.answers.open),
            speaking=self.hearing.is_open and self.settings.answers_by_itself,
            now=now,
        )
        if event is not None:
            self.send(event)

    # What the service says.

    def _read(self, event: Received, now: float) -> None:
        if isinstance(event, live.UnrecognisedEvent):
            self.emit(Other(type=event.type, raw=event))
            return
        if self.agent.read(event, now):
            self.is_proven = True
            return
        if isinstance(event, live.SessionCreated):
            self._created = event
            self._take_expiry(event)
            self.emit(Other(type=event.type, raw=event))
            self._returned(now)
            return
        if isinstance(event, live.SessionUpdated):
            self._updated(event)
            return
        if isinstance(event, live.ServerError):
            self._refused(event, now)
            return
        self.is_proven = True
        if self.user.read(event, now):
            if isinstance(event, live.InputAudioBufferSpeechStarted) and self.settings.yields:
                self._stop("user")
            return
        self._read_rest(event, now)

    def _read_rest(self, event: live.ServerEvent, now: float) -> None:
        if isinstance(event, say.ResponseCreated):
            self._begun(event)
        elif isinstance(event, say.ResponseDone):
            self._done(event, now)
        elif isinstance(event, live.ServerWarning):
            said = event.warning
            self.emit(
                Warned(message=said.message or "", code=said.code, param=said.param, raw=event)
            )
        else:
            called = self.calls.read(event)
            if called is not None and called.response_id is not None:
                answer = self.agent.answer(called.response_id)
                if answer is not None and self.user.ended_at is None:
                    self.user.ended_at = answer.question.ended_at  # what follows answers it, too
            self.emit(called or Other(type=event.type, raw=event))
            if self._continues_remote_calls and isinstance(event, _REMOTE_DONE):
                self.respond(now=now)

    def _updated(self, event: live.SessionUpdated) -> None:
        if self._has_started:
            self.emit(Other(type=event.type, raw=event))
            return
        self._has_started = True
        created = self._created.session if self._created is not None else event.session
        self.emit(
            SessionStarted(
                session_id=event.session.id or created.id,
                model=event.session.model or created.model,
                expires_at=event.session.expires_at or created.expires_at,
                raw=event.session,
            )
        )

    def _begun(self, event: say.ResponseCreated) -> None:
        stops = self._stops_next and self.asking.asked is not None  # else what was is not to come
        self.asking.began()
        answer = self.agent.answer(event.response.id) if event.response.id else None
        if answer is not None and stops:
            answer.is_stopped = True
        self._stops_next = False
        self.emit(Other(type=event.type, raw=event))

    def _done(self, event: say.ResponseDone, now: float) -> None:
        self.asking.ended()
        answer = self.agent.answer(event.response.id) if event.response.id else None
        if answer is None:
            self.emit(Other(type=event.type, raw=event))
        else:
            under_way = tuple(self.agent.answers.open.values())
            for older in under_way[: under_way.index(answer)]:
                self._finish(older, None)  # one is made at a time: the end of that one is missing
            self._finish(answer, event.response)
        self._ask(now)

    def _finish(self, answer: Answer, response: Response | None) -> None:
        self.agent.finish(answer, response, reason=None if response else "end_missing")
        self.hearing.answered(answer.question.said)
        if self.calls.ended(answer.id, was_stopped=answer.is_stopped):
            self.asking.want()

    def _refused(self, event: live.ServerError, now: float) -> None:
        problem, refusal = event.error, refusal_of(event.error)
        if refusal == "busy":
            self.asking.refused(now)
        if refusal in ("benign", "busy"):
            self.emit(Warned(message=problem.message or "", code=problem.code, raw=event))
            return
        if refusal == "expired":
            self._ends_at = now
        error = error_of(problem, surface="voice-live")
        self.emit(Failed(error=error, raw=event))
        if self.settings.refused(problem.event_id):
            self.failure = error  # it would go on without its instructions and tools

    def _stop(self, by: Literal["user", "caller"]) -> bool:
        stopped = interrupt(self.agent, by=by, is_asked=self.asking.asked is not None)
        if stopped is None:
            return False
        told, truncations = stopped
        self.emit(told)
        if by == "caller" or not self.settings.truncates:
            for each in truncations:
                self.send(each)
        return True
