"""The loop around a session's state machine: one connection after the other, until it is closed.

The machine (`session/`) decides what is sent, kept, sent again and told; here is only waiting:
for frames, for room, for the next beat, for another connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from mai_sdk.engine.ending import SILENT, Ending, ending_of
from mai_sdk.engine.redial import Redial
from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import CallFailed, InvalidRequest
from mai_sdk.session.endurance import Endurance
from mai_sdk.session.pace import Pulse
from mai_sdk.wire.session_events import AudioChunk, Interrupted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mai_sdk.engine.connecting import Line
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket
    from mai_sdk.session.machine import Machine
    from mai_sdk.session.pace import ConnectionPace
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Endurance", "Live"]

_MUCH: Final = 256 * 1024
"""Bytes that may wait to be sent before `out` waits, too."""
_SLICE: Final = 64 * 1024
"""Bytes that are sent before the next ping may be: a slow line is not a dead one."""
_MANY: Final = 20_000
"""Events that may wait to be taken before nothing more is received."""


_STEADY: Final = 5.0
"""Seconds after which a connection that is only alive has proven itself."""
_REPLACED: Final = "it was replaced before the service would have ended it"


class Live:
    """A session that runs. Belongs to one event loop."""

    def __init__(
        self,
        machine: Machine,
        line: Line,
        *,
        driver: AsyncDriver,
        dialler: AsyncDialler,
        pace: ConnectionPace,
        endurance: Endurance,
        observe: Callable[[SessionEvent], SessionEvent],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.machine = machine
        self.clock = clock
        self.failure: Exception | None = None
        """Why the session is over, if it failed."""
        self._redial = Redial(
            line,
            driver=driver,
            dialler=dialler,
            pace=pace,
            endurance=endurance,
            clock=clock,
            sleep=sleep,
            chance=chance,
        )
        self._endurance = endurance
        self._observe = observe
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._events: deque[SessionEvent] = deque()
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._drained = asyncio.Event()
        self._is_new, self._is_over = True, False
        self._is_pinging = False
        self._socket: AsyncWebSocket | None = None
        self._next: AsyncWebSocket | None = None
        self._began_at = 0.0
        self._code: int | None = None
        """The close code of the last connection, if it had one."""

    async def start(self) -> None:
        """Return once the first connection stands; the session then runs by itself.

        Raises:
            CallFailed: No connection stood; what another try could mend was tried again.
            InvalidRequest: It was started before.
        """
        if not self._is_new:
            raise InvalidRequest("A session is opened once. Ask the client for another one.")
        self._is_new = False
        try:
            socket = await self._redial.connect(None)
        except CallFailed:
            self._is_over = True
            raise
        self._task = asyncio.create_task(self._run(socket))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What proves who is calling."""
        return self._redial.secrets

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has neither failed nor been closed."""
        return self.failure is None and self._task is not None and not self._is_over

    def wake(self) -> None:
        """See to it that what the machine has to send and to tell goes out."""
        self._drain()
        self._work.set()

    async def out(self) -> None:
        """Send what the machine has to send; return when not much of it waits.

        Where nobody waits for the line it goes out from here: another task's turn costs more.
        Raises what `check` does where the session ended meanwhile.
        """
        self._drain()
        if self._socket is None or self._socket.is_writing:
            self._work.set()
        elif frames := self.machine.take_frames(_SLICE):
            if self.machine.pending_bytes:
                self._work.set()
            try:  # noqa: SIM105 - `suppress` costs, fifty times a second
                await self._socket.send(*frames)
            except TransportFailed:
                pass  # whoever receives is told, too
        while self.machine.is_connected and self.machine.pending_bytes > _MUCH:
            self._sent.clear()
            await self._sent.wait()
            self.check()

    def check(self) -> None:
        """Return while the session runs.

        Raises:
            MAIError: It failed.
            InvalidRequest: It is not open.
        """
        if self.failure is not None:
            raise self.failure
        if not self.is_running:
            raise InvalidRequest("The session is not open. Use it inside `async with`.")

    async def next(self) -> SessionEvent | None:
        """Return the next event; None at the end.

        Raises:
            MAIError: The session failed; all events that came before were given.
            InvalidRequest: It was never started, so nothing would ever come.
        """
        if self._is_new:
            self.check()
        while not self._events:
            if self.failure is not None:
                raise self.failure
            if self._is_over:
                return None
            self._news.clear()
            await self._news.wait()
        self._taken.set()
        return self._events.popleft()

    async def aclose(self, *, reason: str, drain: bool) -> None:
        """End the session; with `drain`, once the last words are there. Safe to call twice."""
        task, self._task = self._task, None
        if task is None:
            return
        try:
            if not task.done():
                self.machine.close()
                self.wake()
                if drain:
                    await self._until_drained(task)
        finally:
            task.cancel()
            try:
                self._end(reason)
            finally:  # not `await task`: its being cancelled would hide that we are
                await asyncio.wait((task,))

    def abandon(self, reason: str) -> None:
        """End the session here and now: what it stands on is being closed."""
        if self._task is not None:
            self._task.cancel()
            self._end(reason)

    # Running.

    async def _run(self, socket: AsyncWebSocket) -> None:
        try:
            while True:
                ending = await self._serve(socket)
                if self._next is not None:
                    socket, self._next = self._next, None
                    continue
                if self.machine.failure is not None:
                    raise self.machine.failure
                if ending.remedy == "fail":
                    raise ending.failure
                socket = await self._redial.connect(ending)
        except asyncio.CancelledError:  # by a loop that ends, where nobody has closed it
            self._end("cancelled")
            if self._next is not None:
                await self._next.aclose()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for events must be told
            self.failure = error
            with contextlib.suppress(Exception):
                self._end(type(error).__name__)

    async def _serve(self, socket: AsyncWebSocket) -> Ending:
        """Use the connection until it ends, and say how."""
        machine, now = self.machine, self.clock()
        pulse = Pulse(limit=self._endurance.silence_seconds, now=now)
        socket.on_sign, socket.on_pong = pulse.heard, self._pong
        self._is_pinging, self._began_at = False, now
        machine.connected(now=now, wall=self._wall_clock())
        self._socket = socket
        self.wake()
        tasks = [
            asyncio.create_task(work)
            for work in (self._receive(socket), self._pump(socket), self._beat(pulse))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._socket = None
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            await socket.aclose(1000 if self._task is None or self._next is not None else 1001)
        if machine.is_proven:
            self._redial.worked()
        error = next((each for each in outcomes if isinstance(each, Exception)), None)
        self._code = error.code if isinstance(error, SocketClosed) else None
        ending = SILENT if error is None else ending_of(error)
        why = ending.why if self._next is None else _REPLACED
        machine.disconnected(why, now=self.clock())
        self._sent.set()
        self._drain()
        return ending

    async def _receive(self, socket: AsyncWebSocket) -> None:
        while self.machine.failure is None:
            await socket.listen(self._hear)
            while len(self._events) > _MANY:
                self._taken.clear()
                await self._taken.wait()

    def _hear(self, frame: str | bytes) -> bool:
        """Take what came, and return whether more is wanted now."""
        machine = self.machine
        machine.receive(frame, now=self.clock())
        self._drain()
        if machine.pending_bytes:
            self._work.set()
        return machine.failure is None and len(self._events) <= _MANY

    async def _pump(self, socket: AsyncWebSocket) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            frames = self.machine.take_frames(_SLICE)
            if frames:
                await socket.send(*frames)
                self._sent.set()
                if self.machine.pending_bytes:
                    self._work.set()
            if self._is_pinging:
                self._is_pinging = False
                await socket.ping(self.machine.ping())

    async def _beat(self, pulse: Pulse) -> None:
        while True:
            await self._sleep(pulse.every)
            now = self.clock()
            self.machine.tick(now)
            self._is_pinging |= pulse.beat(now, listening=len(self._events) <= _MANY)
            self.wake()
            if pulse.is_dead:
                return
            if self.machine.wants_rollover(now):
                self._next = await self._redial.beforehand()
                if self._next is not None:
                    return

    def _pong(self, payload: bytes) -> None:
        self.machine.pong(payload)
        if self.clock() - self._began_at > _STEADY:
            self.machine.is_proven = True

    def _drain(self) -> None:
        for event in self.machine.take_events():
            if isinstance(event, AudioChunk):  # nearly all there is, and nothing to observe in it
                self._events.append(event)
            else:
                if isinstance(event, Interrupted):
                    self._hush()
                self._events.append(self._observe(event))
            self._news.set()
        if self.machine.is_closing and self.machine.is_drained:
            self._drained.set()

    def _hush(self) -> None:
        """Take back the voice nobody has taken yet: it would be heard after the interruption."""
        kept = [event for event in self._events if not isinstance(event, AudioChunk)]
        self._events.clear()
        self._events.extend(kept)

    # Ending.

    async def _until_drained(self, task: asyncio.Task[None]) -> None:
        waiting = asyncio.ensure_future(self._drained.wait())
        try:
            await asyncio.wait(
                (waiting, task),
                timeout=self._endurance.drain_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()

    def _end(self, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self.machine.close()
        self.machine.ended(reason, code=self._code, now=self.clock())
        try:
            self._drain()
        finally:
            self._news.set()
            self._sent.set()
