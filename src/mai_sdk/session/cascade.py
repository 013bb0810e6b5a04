"""A conversation of ears, brain and mouth put together, as a state machine. Pure.

It is told what the ears heard, what the brain wrote, which sound the mouth made, what was played
and when somebody interrupts; it says what to do next (`take_work`) and what the user is told
(`take_events`). What holds whatever comes, and in whatever order: one answer is made at a time, and
not over the user's voice; each answer that was begun ends with one `TurnDone`, once brain and mouth
are done with it or were left; nothing of an answer that was interrupted is given out afterwards;
and the brain is told of such an answer what was heard of it (see `spoken`), no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mai_sdk.errors import InvalidRequest
from mai_sdk.session.agent import Agent
from mai_sdk.session.asking import Asking
from mai_sdk.session.calls import Calls
from mai_sdk.session.history import History
from mai_sdk.session.interruption import interrupt
from mai_sdk.session.making import Leave, Making, Think
from mai_sdk.session.questions import Questions
from mai_sdk.session.telling import messages_of
from mai_sdk.wire.live_client_events import ResponseCreate
from mai_sdk.wire.live_parts import Response
from mai_sdk.wire.session_events import (
    Ended,
    Failed,
    SessionStarted,
    ToolAnswered,
    TurnDone,
    UserTranscript,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from mai_sdk.errors import MAIError
    from mai_sdk.session.answers import Latency
    from mai_sdk.session.making import Work
    from mai_sdk.wire.events import ToolCall
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Cascade"]

_REMEMBERED: Final = 32
"""Answers that are over and may still play."""


class Cascade:
    """See the module.

    Args:
        sample_rate: Of the mouth's 16-bit samples.
        brain: What thinks, as `SessionStarted` names it.
        barge_in_ms: How much the user has to speak before the agent is stopped, words not yet
            known: a cough does not do.
        given_at: When the user's audio at a place in ms was given; None if nobody knows.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 24_000,
        brain: str | None = None,
        barge_in_ms: float = 240.0,
        given_at: Callable[[float], float | None] = lambda offset_ms: None,
    ) -> None:
        self.history = History()
        self.questions = Questions(self.history, emit=self.emit, given_at=given_at)
        self.agent = Agent(
            self.history,
            sample_rate=sample_rate,
            sample_bytes=2,
            emit=self.emit,
            question=self.questions.question,
        )
        self.calls = Calls(self.history)
        self.is_closing = False
        self._bytes_per_ms = sample_rate * 2 / 1000
        self._brain = brain
        self._barge_in_ms = barge_in_ms
        self._asking = Asking()
        self._makings: dict[str, Making] = {}
        self._events: list[SessionEvent] = []
        self._work: list[Work] = []
        self._has_ended = False
        self._count = 0
        self._code: int | None = None

    # What is to be done, and told.

    def take_work(self) -> list[Work]:
        """Return what is to be done, in order."""
        work, self._work = self._work, []
        return work

    def take_events(self) -> list[SessionEvent]:
        """Return what the user is to be told, in order."""
        events, self._events = self._events, []
        return events

    def emit(self, event: SessionEvent) -> None:
        """Tell the user; nobody listens any more once the session has ended."""
        if self._has_ended:
            return
        if isinstance(event, TurnDone) and event.response_id is not None:
            making = self._makings.get(event.response_id)
            event = replace(event, raw=making.heard if making is not None else ())
        self._events.append(event)

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """How long the last answers took."""
        return tuple(self.agent.answers.latencies)

    # What the ears say.

    def heard(self, event: SessionEvent, *, now: float) -> None:
        """Take what the ears tell. Their `TurnDone` is a question to be answered."""
        if isinstance(event, TurnDone):
            self._written(event, now)
            return
        if isinstance(event, Ended):
            self._code = event.code
            return
        if isinstance(event, SessionStarted):
            event = replace(event, model=self._brain)
        self.emit(event)
        self.questions.read(event, now)
        has_words = isinstance(event, UserTranscript) and bool(event.text.strip())
        if has_words and not self.questions.is_known(getattr(event, "item_id", None)):
            self._stop("user")

    def speech(self, spoken_ms: float) -> None:
        """Note how much speech there is in what the user says just now."""
        if spoken_ms >= self._barge_in_ms:
            self._stop("user")

    def send_text(self, text: str, *, respond: bool = True, now: float) -> None:
        """Say something in writing, and ask for an answer."""
        self.questions.write(text, now)
        if respond:
            self.respond(now=now)

    def respond(self, *, instructions: str | None = None, now: float) -> None:
        """Ask for an answer, as soon as none is under way and the user is silent.

        Raises:
            InvalidRequest: There is nothing that it could be to.
        """
        if instructions is None and not any(line.text for line in self.history.lines):
            raise InvalidRequest("Nothing was said yet: say what to begin with in instructions.")
        self._asking.want(ResponseCreate(additional_instructions=instructions))
        self._ask(now)

    # What the brain says.

    def wrote(self, response_id: str, text: str, *, now: float) -> None:
        """Take the next piece of the answer's text."""
        making = self._open(response_id)
        if making is None or not making.thinks or not text:
            return
        self.agent.read(making.write(text), now)
        self._go_on(making, now)

    def called(self, response_id: str, call: ToolCall, *, now: float) -> None:
        """Take a function that the brain wants called."""
        making = self._open(response_id)
        if making is None or not making.thinks:
            return
        self._count += 1
        own = f"call-{self._count}"
        called = self.calls.read(making.call(call.id or own, call))
        if called is None:  # some services number the calls of each answer from 0
            called = self.calls.read(making.call(own, call))
        if called is not None:
            if self.questions.ended_at is None:  # what follows answers it, too
                self.questions.ended_at = making.answer.question.ended_at
            self.emit(called)

    def thought(
        self,
        response_id: str,
        *,
        now: float,
        finish_reason: str | None = None,
        error: MAIError | None = None,
    ) -> None:
        """Note that the brain is done with the answer, failed at it, or left it."""
        making = self._makings.get(response_id)
        if making is None or not making.thinks:
            return
        is_left = making.answer.is_stopped
        making.thought(is_whole=error is None and not is_left)
        if error is not None and not is_left:
            making.status, making.reason = "failed", type(error).__name__
            self.emit(Failed(error=error, response_id=response_id))
        elif not is_left:
            if finish_reason in _INCOMPLETE:
                making.status, making.reason = "incomplete", _INCOMPLETE[finish_reason]
            if making.text:
                self.agent.read(making.whole(), now)
        self._go_on(making, now)

    def answer_call(self, call_id: str, output: str, *, failed: bool = False, now: float) -> None:
        """Give the brain what a function returned; it goes on once all of an answer are there."""
        name, goes_on = self.calls.answered(call_id, output)
        self.emit(ToolAnswered(call_id=call_id, name=name, output=output, failed=failed))
        if goes_on:
            self.respond(now=now)

    # What the mouth says.

    def spoke(self, response_id: str, number: int, pcm: bytes, *, now: float) -> None:
        """Take the next piece of the voice; of an answer that was stopped it is dropped."""
        making = self._makings.get(response_id)
        if making is None or number != making.saying or not pcm:
            return
        if not making.answer.is_stopped:
            making.spoken.audio(number, len(pcm) / self._bytes_per_ms)
        self.agent.read(making.sound(pcm), now)

    def said(
        self, response_id: str, number: int, *, now: float, error: MAIError | None = None
    ) -> None:
        """Note that the mouth is done with a sentence, failed at it, or left it.

        Where it failed the answer goes on in writing.
        """
        making = self._makings.get(response_id)
        if making is None or not making.said(number):
            return
        if error is not None and not making.answer.is_stopped:
            making.mute()
            self.emit(Failed(error=error, item_id=making.item_id, response_id=response_id))
        self._go_on(making, now)

    # What the listener does.

    def interrupt(self) -> bool:
        """Stop the agent; False where it neither speaks nor is about to."""
        if not self._stop("caller"):
            return False
        self._asking.drop()
        return True

    def played(self, *, ms: float | None = None, size: int | None = None, now: float) -> None:
        """Note that so much more came out of the loudspeaker."""
        self.agent.played(ms=ms, size=size, now=now)

    def close(self) -> None:
        """Note that the session is being ended: answers under way are left, none is begun."""
        if self.is_closing:
            return
        self.is_closing = True
        self._asking.drop()
        for making in self._makings.values():
            if not making.is_over and not making.answer.is_stopped:
                self._leave(making, "session_closed")
        self.questions.dismiss()

    def ended(self, reason: str, *, now: float) -> None:
        """Note that the session is over: nothing more comes, also of what should have."""
        if self._has_ended:
            return
        self.close()
        for making in tuple(self._makings.values()):
            if not making.is_over:
                making.thinks, making.saying = False, None
                self._finish(making, now)
        self.questions.dismiss()
        self.emit(Ended(reason=reason, code=self._code))
        self._has_ended = True

    # Inside.

    def _written(self, turn: TurnDone, now: float) -> None:
        """Take what the user said, now that it is written down."""
        if self.questions.is_known(turn.item_id):
            return
        text = (turn.user_text or "").strip()
        if text:
            self._stop("user")
            self.questions.take(turn, text, now)
            self._asking.want()
        elif turn.status != "completed":
            self.questions.close(turn, turn.status, turn.reason)
        elif not self.is_closing:  # else it is what was given after the last turn: silence
            self.questions.close(turn, "incomplete", "no_words")
        if self.is_closing:
            self.questions.dismiss()
        self._ask(now)

    def _ask(self, now: float) -> None:
        """Begin the answer that is wanted, if this is the time for it."""
        if self.is_closing:
            return
        under_way = any(not each.is_stopped for each in self.agent.answers.open.values())
        wanted = self._asking.take(
            under_way=under_way, speaking=self.questions.is_speaking, now=now
        )
        if wanted is None:
            return
        self._asking.began()
        self._count += 1
        response_id = f"answer-{self._count}"
        answer = self.agent.answer(response_id)
        if answer is None:
            return
        making = Making(answer, f"{response_id}-item", self.questions.turns())
        self._makings[response_id] = making
        self._forget()
        extra = wanted.additional_instructions
        messages = messages_of(self.history.lines)
        if not any(each["role"] == "user" for each in messages):
            messages.insert(0, {"role": "user", "content": extra or "Go on."})
            extra = None
        self._work.append(Think(response_id=response_id, messages=messages, extra=extra))

    def _open(self, response_id: str) -> Making | None:
        """Return the answer, if it may still be given out."""
        making = self._makings.get(response_id)
        if making is None or making.is_over or making.answer.is_stopped:
            return None
        return making

    def _go_on(self, making: Making, now: float) -> None:
        """See to what comes next of an answer: another sentence, or its end."""
        if not making.answer.is_stopped:
            following = making.next()
            if following is not None:
                self._work.append(following)
        if making.is_done:
            self._finish(making, now)

    def _finish(self, making: Making, now: float) -> None:
        making.is_over = True
        details = {"reason": making.reason} if making.reason is not None else None
        response = Response(id=making.id, status=making.status, status_details=details)
        self.agent.finish(making.answer, response, reason=None)
        if self.calls.ended(making.id, was_stopped=making.answer.is_stopped):
            self._asking.want()
        self._ask(now)

    def _stop(self, by: Literal["user", "caller"]) -> bool:
        stopped = interrupt(self.agent, by=by, is_asked=False)
        if stopped is None:
            return False
        told, _ = stopped
        self.emit(told)
        for making in self._makings.values():
            if not making.is_over and making.status != "cancelled":
                self._leave(making, "turn_detected" if by == "user" else "client_cancelled")
            if not making.is_cut:
                self._cut(making)
        return True

    def _leave(self, making: Making, reason: str) -> None:
        making.answer.is_stopped = True
        making.status, making.reason = "cancelled", reason
        making.hush()
        self._work.append(Leave(response_id=making.id))

    def _cut(self, making: Making) -> None:
        """Let the brain believe that it said what was heard."""
        heard = self.agent.playback.heard(making.item_id)
        heard_ms = heard.heard_ms if heard is not None else 0.0
        was_heard = making.is_over and heard_ms >= making.answer.received_ms
        making.is_cut = True
        line = self.history.find(making.item_id)
        if line is None or (was_heard and not making.answer.is_stopped):
            return
        knows = self.agent.reports_playback
        line.text = making.remembered(heard_ms=heard_ms if knows else None)

    def _forget(self) -> None:
        over = [each.id for each in self._makings.values() if each.is_over]
        for response_id in over[:-_REMEMBERED]:
            making = self._makings.pop(response_id)
            self.agent.playback.forget(making.item_id)


_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
