"""A conversation of ears, brain and mouth, each a call of the same client; a loop around `Cascade`.

Async only, because all three work at once. Retries, reconnection and receipts are theirs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from mai_sdk.engine.running import Changes, Inbox, Tasks
from mai_sdk.errors import CallFailed, InvalidRequest, MAIError
from mai_sdk.resources.tools import call_tool, split_tools, tool_result
from mai_sdk.session.making import Speak, Think
from mai_sdk.wire.events import TextDelta, ToolCall
from mai_sdk.wire.session_events import Ended, SessionEvent, ToolCalled, TurnDone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from mai_sdk.metering.receipt import Receipt
    from mai_sdk.resources.cascade_bill import CascadeBill
    from mai_sdk.resources.cascade_settings import Roles
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.stream import AsyncReplyStream
    from mai_sdk.resources.tools import Tool
    from mai_sdk.resources.transcribe_session import TranscribeSession
    from mai_sdk.resources.voice import AsyncVoice
    from mai_sdk.session.answers import Latency
    from mai_sdk.session.cascade import Cascade

__all__ = ["CascadeSession"]

_MANY: Final = 2_000
"""Events that may wait to be taken before brain and mouth wait, too."""
_AHEAD_MS: Final = 10_000.0
"""Voice that may wait to be played before another sentence is made: all that is made is billed, and
of an answer that is interrupted no more than this and a sentence was made in vain."""


class CascadeSession:
    """A conversation. Open it with `async with`, read it with `async for`, speak with `send`.

    What comes is in `mai_sdk.live`, as of a `VoiceSession`. The ears replace a lost connection by
    themselves, and `Reconnected` says so. An answer that fails is told by `Failed` and the session
    goes on; if the ears fail for good that is raised from the loop.
    """

    def __init__(
        self,
        machine: Cascade,
        ears: TranscribeSession,
        core: Core,
        *,
        roles: Roles,
        functions: Mapping[str, Tool],
        bill: CascadeBill,
        think: Callable[..., AsyncReplyStream[Any]],
        mouth: AsyncVoice,
        spoken_ms: Callable[[], float],
    ) -> None:
        self._machine = machine
        self._ears = ears
        self._core = core
        self._roles = roles
        self._functions = dict(functions)
        self._bill = bill
        self._think_with = think
        self._mouth = mouth
        self._spoken_ms = spoken_ms
        self._clock = core.engine.clock
        self._inbox = Inbox[SessionEvent]()
        self._playback = Changes()
        self._reported_at = 0.0
        self._hearing, self._work = Tasks(), Tasks()
        self._leaves: dict[str, list[Callable[[], object]]] = {}
        self._is_open = self._is_closing = False

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """One receipt for each turn that is over; after the end, one for what was in no turn."""
        return tuple(self._bill.receipts)

    @property
    def total(self) -> Receipt:
        """What all turns so far used and cost: the sum of `receipts`."""
        return self._bill.total

    @property
    def connections(self) -> int:
        """How many connections the ears have had."""
        return self._ears.connections

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """How long each of the last answers took."""
        return self._machine.latencies

    @property
    def unheard_ms(self) -> float:
        """How much of the agent's audio has arrived and was not played yet."""
        return self._machine.agent.playback.unheard_ms

    async def send(self, pcm: bytes) -> None:
        """Give the next piece of the user's audio; see `VoiceSession.send`."""
        self._check()
        await self._ears.send(pcm)
        self._machine.speech(self._spoken_ms())
        self._act()

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Say something in writing; the answer follows once the one under way has ended.

        Raises:
            InvalidRequest: The text is empty, or the session is not open.
        """
        self._check()
        if not text.strip():
            raise InvalidRequest("The text is empty, so there is nothing to be said.")
        self._machine.send_text(text, respond=respond, now=self._clock())
        self._act()

    async def respond(self, *, instructions: str | None = None) -> None:
        """Ask for an answer now, or as soon as the one under way has ended: a greeting, say.

        Raises:
            InvalidRequest: Nothing was said yet, and no instructions were given.
        """
        self._check()
        self._machine.respond(instructions=instructions, now=self._clock())
        self._act()

    async def commit(self) -> bool:
        """End the user's turn here, for push-to-talk (`turn_detection=None`).

        Returns False, and does nothing, where no audio was given since the last one.
        """
        self._check()
        return await self._ears.commit()

    async def interrupt(self) -> bool:
        """Stop the agent, as the user's voice does; False where it was silent anyway.

        Stop your own playback, too. The brain remembers what was heard, by what `played` said.
        """
        self._check()
        stopped = self._machine.interrupt()
        self._act()
        return stopped

    async def update(self, **changes: Any) -> None:
        """Change who thinks or speaks, or how, from the next answer or sentence on.

        By name: brain, voice, model, instructions, tools, and the fields of `CascadeSettings`
        that are not fixed with the session.

        Raises:
            NotConfigured: No route leads to the new one.
            InvalidRequest: There is no such setting, or its value is wrong as it stands.
        """
        self._check()
        functions = self._functions
        if "tools" in changes:
            functions, changes["tools"] = split_tools(changes["tools"])
        roles = self._roles.changed(changes)
        roles.check(self._core)
        self._roles, self._functions = roles, functions

    async def answer(self, call_id: str, result: Any, *, failed: bool = False) -> None:
        """Give the brain what a function returned, for a call that no given function answers."""
        self._check()
        output = tool_result(ToolCall(id=call_id, name="", arguments=""), result)["content"]
        self._machine.answer_call(call_id, output, failed=failed, now=self._clock())
        self._act()

    async def played(self, ms: float) -> None:
        """Say that so many more milliseconds came out of the loudspeaker.

        Without it nobody knows what was heard, and the brain believes that all of it was. With
        it the mouth makes no more than ten seconds and a sentence in advance.
        """
        self._played(ms=ms)

    async def played_bytes(self, size: int) -> None:
        """Say that so many more bytes of `AudioChunk.pcm` came out of the loudspeaker."""
        self._played(size=size)

    def _played(self, *, ms: float | None = None, size: int | None = None) -> None:
        self._reported_at = self._clock()
        self._machine.played(ms=ms, size=size, now=self._reported_at)
        self._playback.note()

    async def close(self) -> None:
        """End the session: answers are left, what was said last is still written down.

        Every turn is settled then. Events that were not read can still be read; the last one is
        `Ended`. Leaving the `async with` block does the same, except after an exception, when
        nothing is waited for.
        """
        await self._close(None, None, None)

    async def __aenter__(self) -> Self:
        try:
            await self._ears.__aenter__()
        except CallFailed as error:
            self._bill.close(self._ears.receipts)
            raise self._with_receipt(error) from None
        self._is_open = True
        self._hearing.start(self._hear(), then=self._heard)
        self._work.start(self._warm())
        self._core.open_streams.add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close(kind, error, trace)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionEvent:
        try:
            event = await self._inbox.next()
        except CallFailed as error:
            raise self._with_receipt(error) from None
        if event is None:
            raise StopAsyncIteration
        return event

    def left(self) -> None:
        """Leave what is under way: the client is closed, and the session with it."""
        self._machine.close()
        self._act()

    # What the machine wants done.

    def _act(self) -> None:
        for work in self._machine.take_work():
            if isinstance(work, Think):
                over = partial(self._machine.thought, work.response_id)
                self._start(work.response_id, self._think(work), over)
            elif isinstance(work, Speak):
                over = partial(self._machine.said, work.response_id, work.number)
                self._start(work.response_id, self._speak(work), over)
            else:
                for leave in self._leaves.pop(work.response_id, ()):
                    leave()
        for event in self._machine.take_events():
            self._inbox.put(self._observe(event))

    def _start(self, response_id: str, work: Any, over: Callable[..., None]) -> None:
        """Let brain or mouth work at an answer; however that ends, the machine is told."""

        def then(error: BaseException | None) -> None:
            failure = error if isinstance(error, MAIError) else None
            over(error=failure, now=self._clock())
            self._act()
            if error is not None and failure is None:
                self._fall(error)

        self._leaves.setdefault(response_id, []).append(self._work.start(work, then=then))

    async def _warm(self) -> None:
        """Spare the first answer the mouth's handshake."""
        with suppress(MAIError):  # the first sentence will tell
            await self._mouth.prewarm(model=self._roles.model)

    async def _think(self, work: Think) -> None:
        asked = self._roles.ask(work.messages, extra=work.extra)
        stream = self._think_with(self._roles.modality(self._core), **asked)
        self._bill.made(work.response_id, stream)
        async with stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    self._machine.wrote(work.response_id, event.text, now=self._clock())
                elif isinstance(event, ToolCall):
                    self._machine.called(work.response_id, event, now=self._clock())
                else:
                    continue  # thoughts are not spoken
                self._act()
                await self._inbox.room(limit=_MANY)
        reason = stream.reply.finish_reason
        self._machine.thought(work.response_id, finish_reason=reason, now=self._clock())
        self._act()

    async def _speak(self, work: Speak) -> None:
        while (seconds := self._seconds_ahead()) > 0:
            await self._playback.next(within=seconds)
        stream = self._mouth.stream([work.text], **self._roles.say())
        self._bill.made(work.response_id, stream)
        async with stream:
            async for pcm in stream:
                self._machine.spoke(work.response_id, work.number, pcm, now=self._clock())
                self._act()
                await self._inbox.room(limit=_MANY)

    def _seconds_ahead(self) -> float:
        """Return how long the mouth has to wait for the loudspeaker, as far as anybody knows.

        What was reported last is taken to go on playing, so that an answer ends also where no
        report follows: in an app that reports what it played only when the next piece comes.
        """
        agent = self._machine.agent
        if not agent.reports_playback:
            return 0
        ahead = (agent.playback.unheard_ms - _AHEAD_MS) / 1000
        return ahead - (self._clock() - self._reported_at)

    async def _run(self, tool: Tool, called: ToolCalled) -> None:
        call = ToolCall(id=called.call_id, name=called.name, arguments=called.arguments)
        output, failed = await call_tool(tool, call)
        self._machine.answer_call(called.call_id, output, failed=failed, now=self._clock())
        self._act()

    def _observe(self, event: SessionEvent) -> SessionEvent:
        """Give an event what it costs, on its way to the user."""
        if isinstance(event, ToolCalled) and event.name in self._functions:
            self._work.start(self._run(self._functions[event.name], event))
        elif isinstance(event, TurnDone):
            self._leaves.pop(event.response_id or "", None)
            heard = tuple(turn.receipt for turn in event.raw if turn.receipt is not None)
            receipt = self._bill.settle(event.response_id, heard)
            return replace(event, receipt=receipt, raw=tuple(turn.raw for turn in event.raw))
        elif isinstance(event, Ended):
            self._bill.close(self._ears.receipts)
            return replace(event, receipt=self.total)
        return event

    # The ears.

    async def _hear(self) -> None:
        async for event in self._ears:
            self._machine.heard(event, now=self._clock())
            self._act()

    def _heard(self, error: BaseException | None) -> None:
        if error is not None:
            self._fall(error)

    # The end.

    def _fall(self, error: BaseException) -> None:
        """End the session with what went wrong, once everything is settled."""
        if not self._is_closing:
            self._is_closing = True
            self._hearing.start(self._end(type(error).__name__, error))

    async def _close(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_closing or not self._is_open:
            await self._work.join()
            await self._hearing.join()
            return
        self._is_closing = True
        reason = "closed by the caller" if kind is None else f"left by {kind.__name__}"
        await self._end(reason, None, leave=(kind, error, trace))

    async def _end(
        self, reason: str, failure: BaseException | None, *, leave: Any = (None, None, None)
    ) -> None:
        self._machine.close()
        self._act()
        try:
            await self._work.stop()
            await self._ears.__aexit__(*leave)
            await self._hearing.join()
        finally:
            self._machine.ended(reason, now=self._clock())
            self._act()
            self._inbox.end(failure)
            self._core.open_streams.discard(self)

    def _check(self) -> None:
        if self._inbox.failure is not None:
            raise self._inbox.failure
        if not self._is_open or self._is_closing:
            raise InvalidRequest("The session is not open. Use it inside `async with`.")

    def _with_receipt(self, error: CallFailed) -> CallFailed:
        error.call_id, error.receipt = self.total.call_id, self.total
        return error
