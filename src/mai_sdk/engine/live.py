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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mai_sdk.engine.connecting import Unconnected, connecting
from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import CallFailed, InvalidRequest
from mai_sdk.session.endings import after_close
from mai_sdk.session.pace import Pulse, pause_before
from mai_sdk.wire.closes import failure_from_close

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mai_sdk.config import Secret
    from mai_sdk.engine.connecting import Line
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket
    from mai_sdk.session.endings import Remedy
    from mai_sdk.session.machine import Machine
    from mai_sdk.session.pace import ConnectionPace
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Endurance", "Live"]

_MUCH: Final = 256 * 1024
"""Bytes that may wait to be sent before `room` waits, too."""
_MANY: Final = 20_000
"""Events that may wait to be taken before nothing more is received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """How long a session holds out."""

    silence_seconds: float = 8.0
    """Without any sign of life, an answer to a ping included, a line is dead."""
    reconnect_seconds: float = 60.0
    """How long to go without a connection that works before the session fails."""
    connections_per_minute: int = 30
    """The quota of new connections; reconnections keep to it, all sessions of a client together."""
    drain_seconds: float = 15.0
    """How long closing may wait for the last words."""


_STEADY: Final = 5.0
"""Seconds after which a connection that is only alive has proven itself."""
_REPLACED: Final = "it was replaced before the service would have ended it"


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a connection ended."""

    why: str
    remedy: Remedy
    failure: CallFailed


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
        self._line = line
        self._driver = driver
        self._dialler = dialler
        self._pace = pace
        self._endurance = endurance
        self._observe = observe
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._chance = chance
        self._token: Secret | None = None
        self._task: asyncio.Task[None] | None = None
        self._events: deque[SessionEvent] = deque()
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._drained = asyncio.Event()
        self._is_over = False
        self._is_pinging = False
        self._socket: AsyncWebSocket | None = None
        self._next: AsyncWebSocket | None = None
        self._tries = 0
        self._is_doubted = False
        self._good_at = self._began_at = 0.0
        self._code: int | None = None
        """The close code of the last connection, if it had one."""

    async def start(self) -> None:
        """Return once the first connection stands; the session then runs by itself.

        Raises:
            CallFailed: No connection stood; what another try could mend was tried again.
        """
        self._good_at = self.clock()
        try:
            socket = await self._connect_within(None)
        except CallFailed:
            self._is_over = True
            raise
        self._task = asyncio.create_task(self._run(socket))

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
        elif frames := self.machine.take_frames():
            with contextlib.suppress(TransportFailed):  # whoever receives is told, too
                await self._socket.send(*frames)
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
        """
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
            with contextlib.suppress(asyncio.CancelledError):
                await task
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
                socket = await self._connect_within(ending)
        except Exception as error:  # noqa: BLE001 - whoever waits for events must be told
            self.failure = error
            with contextlib.suppress(Exception):
                self._end(type(error).__name__)

    async def _serve(self, socket: AsyncWebSocket) -> _Ending:
        """Use the connection until it ends, and say how."""
        machine, now = self.machine, self.clock()
        pulse = Pulse(limit=self._endurance.silence_seconds, now=now)
        socket.on_sign = lambda payload: self._sign(pulse, payload)
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
            self._tries, self._good_at, self._is_doubted = 0, self.clock(), False
        error = next((each for each in outcomes if isinstance(each, Exception)), None)
        self._code = error.code if isinstance(error, SocketClosed) else None
        ending = _SILENT if error is None else _ending_of(error)
        why = ending.why if self._next is None else _REPLACED
        machine.disconnected(why, now=self.clock())
        self._sent.set()
        self._drain()
        return ending

    async def _receive(self, socket: AsyncWebSocket) -> None:
        machine = self.machine
        while machine.failure is None:
            frame = await socket.receive(within=None)
            machine.receive(frame, now=self.clock())
            self._drain()
            if machine.pending_bytes:
                self._work.set()
            while len(self._events) > _MANY:
                self._taken.clear()
                await self._taken.wait()

    async def _pump(self, socket: AsyncWebSocket) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            frames = self.machine.take_frames()
            if frames:
                await socket.send(*frames)
                self._sent.set()
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
            if self.machine.wants_rollover(now) and not self._pace.wait(now, limit=self._quota):
                with contextlib.suppress(Unconnected):
                    self._next = await self._connect(None)
                    return

    def _sign(self, pulse: Pulse, payload: bytes | None) -> None:
        now = self.clock()
        pulse.heard(now)
        if payload is not None:
            self.machine.pong(payload)
            if now - self._began_at > _STEADY:
                self.machine.is_proven = True

    def _drain(self) -> None:
        for event in self.machine.take_events():
            self._events.append(self._observe(event))
            self._news.set()
        if self.machine.is_drained:
            self._drained.set()

    # Connecting.

    @property
    def _quota(self) -> int:
        return self._endurance.connections_per_minute

    async def _connect(self, rejected: Secret | None) -> AsyncWebSocket:
        self._pace.begin(self.clock())
        flow = connecting(self._line, self._dialler, rejected=rejected)
        socket, self._token = await self._driver.run(flow)
        return socket

    async def _connect_within(self, ending: _Ending | None) -> AsyncWebSocket:
        """Return another connection, or raise why there is none."""
        is_first, asked_for = ending is None, 0.0
        while True:
            rejected, wait = None, 0.0
            if ending is not None and ending.remedy == "reauthenticate":
                if self._token is None or self._is_doubted:
                    raise ending.failure
                rejected, self._is_doubted = self._token, True
            else:
                self._tries += 1
                wait = max(pause_before(self._tries, chance=self._chance()), asked_for)
            if not is_first:
                wait = max(wait, self._pace.wait(self.clock(), limit=self._quota))
            if ending is not None and self._gives_up(wait, is_first=is_first):
                raise ending.failure
            if wait:
                await self._sleep(wait)
            try:
                return await self._connect(rejected)
            except Unconnected as error:
                failure, remedy, self._token = error.failure, error.remedy, error.token
            if remedy == "fail":
                raise failure from None
            asked_for = failure.retry_after or 0.0
            ending = _Ending(failure.message, remedy, failure)

    def _gives_up(self, wait: float, *, is_first: bool) -> bool:
        if is_first:
            return self._tries > self._line.max_retries + 1
        return self.clock() + wait - self._good_at > self._endurance.reconnect_seconds

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


def _ending_of(error: Exception) -> _Ending:
    if isinstance(error, SocketClosed):
        failure = failure_from_close(error.code, error.reason, before="the end of the session")
        said = f": {error.reason}" if error.reason else ""
        return _Ending(f"close code {error.code}{said}", after_close(error.code), failure)
    if isinstance(error, TransportFailed):
        failure = failure_from_close(1006, "", before="the end of the session")
        return _Ending(error.detail, "resume", failure)
    if isinstance(error, CallFailed):  # a message longer than is taken
        return _Ending(error.message, "fail", error)
    raise error


_SILENT: Final = _Ending(
    "nothing came over the line, not even an answer to a ping",
    "resume",
    failure_from_close(1006, "", before="the end of the session"),
)
