"""The two drivers: the only code that waits for HTTP.

A driver does what a flow asks and sends back what came of it. Whatever goes wrong is thrown
into the flow, cancellation included, so the flow can settle its attempt before it is passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.steps import (
    Await,
    Kept,
    Pause,
    Read,
    Send,
    Together,
    Token,
    TransportFailed,
    Work,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from mai_sdk.engine.auth import AsyncTokens, Tokens
    from mai_sdk.engine.socket import AsyncDialler
    from mai_sdk.engine.steps import AsyncResponse, AsyncTransport, Response, Step, Transport
    from mai_sdk.engine.timeouts import Pace
    from mai_sdk.metering.writer import Ticket

__all__ = ["AsyncDriver", "Driver", "adrain", "anext_chunk", "drain", "kept", "next_chunk"]

T = TypeVar("T")

_DRAIN_SECONDS = 0.25
_DRAIN_READS = 4


class Driver:
    """Drives flows on the calling thread. Any number of threads may share one."""

    __slots__ = ("_sleep", "_tokens", "_transport")

    def __init__(
        self,
        transport: Transport,
        tokens: Tokens,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._sleep = sleep

    def over(self, transport: Transport) -> Driver:
        """Return a driver that sends over `transport`; tokens stay shared."""
        return Driver(transport, self._tokens, sleep=self._sleep)

    def run(self, flow: Generator[Step, Any, T]) -> T:
        """Drive `flow` to its end and return what it returns."""
        try:
            step = next(flow)
            while True:
                result: Any = None
                failed: BaseException | None = None
                try:
                    if type(step) is Send:
                        result = self._transport.send(step.request, step.limits)
                    elif type(step) is Read:
                        result = _read(step)
                    elif type(step) is Kept:
                        step.ticket.block()
                    elif type(step) is Pause:
                        self._sleep(step.seconds)
                    elif type(step) is Token:
                        result = self._tokens.get(
                            step.credential, step.scope, rejected=step.rejected
                        )
                    elif type(step) is Work:
                        result = step.do()
                    elif type(step) is Together:
                        result = self._together(step)
                    elif type(step) is Await:
                        result = step.act()
                except BaseException as error:  # noqa: BLE001 - the flow settles, then raises it
                    failed = error
                # Outside the block, so that nothing the library held hangs on what is raised.
                step = flow.send(result) if failed is None else flow.throw(failed)
        except StopIteration as end:
            returned: T = end.value
            return returned

    def _together(self, step: Together) -> list[Any]:
        """Drive flows side by side: the first on this thread, others on threads of their own.

        If this thread is interrupted, flows that have not begun never do; those that are on their
        way end, and settle, on their own. What interrupts another thread is raised here. Where the
        system gives no more threads, those there are do the work.
        """
        waiting = deque(enumerate(step.flows))
        outcomes: list[Any] = [None] * len(step.flows)
        interrupted: list[BaseException] = []

        def work() -> None:
            while waiting:
                try:
                    place, flow = waiting.popleft()
                except IndexError:  # another thread was quicker
                    return
                try:
                    outcomes[place] = self.run(flow)
                except Exception as error:  # noqa: BLE001 - an outcome like any other
                    outcomes[place] = error

        def work_beside() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised where somebody waits
                waiting.clear()
                interrupted.append(error)

        beside: list[threading.Thread] = []
        try:
            with contextlib.suppress(RuntimeError):  # there are no more threads
                for _ in range(min(step.at_once, len(step.flows)) - 1):
                    thread = threading.Thread(target=work_beside, name="mai-beside", daemon=True)
                    thread.start()
                    beside.append(thread)
            work()
            for thread in beside:
                thread.join()
        finally:
            waiting.clear()
        for error in interrupted:
            raise error
        return outcomes

    def close(self) -> None:
        """Close the transport's connections."""
        self._transport.close()


class AsyncDriver:
    """See `Driver`; drives flows on the running event loop."""

    __slots__ = ("_dialler", "_sleep", "_tokens", "_transport")

    def __init__(
        self,
        transport: AsyncTransport,
        tokens: AsyncTokens,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._sleep = sleep
        self._dialler: AsyncDialler | None = None

    @property
    def dialler(self) -> AsyncDialler:
        """What opens WebSockets; made when it is first asked for, and closed with the rest."""
        if self._dialler is None:
            from mai_sdk.engine.socket import AsyncDialler

            self._dialler = AsyncDialler()
        return self._dialler

    def over(self, transport: AsyncTransport) -> AsyncDriver:
        """See `Driver.over`."""
        return AsyncDriver(transport, self._tokens, sleep=self._sleep)

    async def run(self, flow: Generator[Step, Any, T]) -> T:
        """See `Driver.run`."""
        try:
            step = next(flow)
            while True:
                result: Any = None
                failed: BaseException | None = None
                try:
                    if type(step) is Send:
                        result = await self._transport.send(step.request, step.limits)
                    elif type(step) is Read:
                        result = await _aread(step)
                    elif type(step) is Kept:
                        await kept(step.ticket)
                    elif type(step) is Pause:
                        await self._sleep(step.seconds)
                    elif type(step) is Token:
                        result = await self._tokens.get(
                            step.credential, step.scope, rejected=step.rejected
                        )
                    elif type(step) is Work:
                        result = await _in_thread(step)
                    elif type(step) is Together:
                        result = await self._together(step)
                    elif type(step) is Await:
                        result = await step.act()
                except BaseException as error:  # noqa: BLE001 - the flow settles, then raises it
                    failed = error
                # Outside the block, so that nothing the library held hangs on what is raised.
                step = flow.send(result) if failed is None else flow.throw(failed)
        except StopIteration as end:
            returned: T = end.value
            return returned

    async def _together(self, step: Together) -> list[Any]:
        """Drive flows side by side; a cancellation is passed on to every one, and each settles."""
        room = asyncio.Semaphore(step.at_once)

        async def work(flow: Generator[Step, Any, Any]) -> Any:
            async with room:
                try:
                    return await self.run(flow)
                except Exception as error:  # noqa: BLE001 - an outcome like any other
                    return error

        if len(step.flows) == 1:
            return [await work(step.flows[0])]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(flow)) for flow in step.flows]
        return [task.result() for task in tasks]

    async def aclose(self) -> None:
        """See `Driver.close`."""
        await self._transport.aclose()
        if self._dialler is not None:
            await self._dialler.aclose()


async def _in_thread(work: Work) -> Any:
    """Do it in a thread; if this is cancelled meanwhile, what comes of it is undone."""
    undo = work.undo
    if undo is None:
        return await asyncio.to_thread(work.do)
    lock, made, left = threading.Lock(), list[Any](), False

    def do() -> Any:
        result = work.do()
        with lock:
            if not left:
                made.append(result)
                return result
        return undo(result)

    try:
        return await asyncio.to_thread(do)
    except BaseException:
        with lock:
            left = True
        for result in made:
            undo(result)
        raise


async def kept(ticket: Ticket[Any]) -> None:
    """Return once the ticket is done; other tasks go on meanwhile."""
    if ticket.is_done:
        return
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def call() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell)

    ticket.when_done(call)
    await waiter


def _read(step: Read) -> bytes:
    response: Any = step.response
    try:
        body = Assembler(
            encoding=response.headers.get("content-encoding"), max_bytes=step.max_bytes
        )
        pieces: list[bytes] = []
        while (data := response.read(within=_left(step))) is not None:
            pieces.append(body.feed(data))
        body.close()
    finally:
        response.close()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _aread(step: Read) -> bytes:
    response: Any = step.response
    try:
        body = Assembler(
            encoding=response.headers.get("content-encoding"), max_bytes=step.max_bytes
        )
        pieces: list[bytes] = []
        while (data := await response.read(within=_left(step))) is not None:
            pieces.append(body.feed(data))
        body.close()
    finally:
        await response.aclose()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _left(step: Read) -> float | None:
    left = step.within()
    if left is not None and left <= 0:
        raise TransportFailed("total limit passed", certainty="unknown", phase="total")
    return None if left is None or (step.limit is not None and left >= step.limit) else left


def next_chunk(response: Response, pace: Pace, *, clock: Callable[[], float]) -> bytes | None:
    """Return the next piece of an open stream, or None at its end.

    The socket's own limit covers the ordinary wait; a shorter one holds after keep-alives, which
    are no content, and near the deadline.

    Raises:
        TransportFailed: The connection broke, or a limit passed.
    """
    left = pace.start_waiting(clock())
    if left is None:
        return response.read(within=None)
    failure: TransportFailed | None
    try:
        data = response.read(within=left)
    except TransportFailed as error:
        failure = _timed_out(pace, clock()) or error
    else:
        failure = _timed_out(pace, clock())  # for a transport that cannot keep the shorter limit
        if failure is None:
            return data
    raise failure from None


def anext_chunk(
    response: AsyncResponse, pace: Pace, *, clock: Callable[[], float]
) -> Awaitable[bytes | None]:
    """See `next_chunk`; to be awaited at once."""
    left = pace.start_waiting(clock())
    if left is None:  # a chunk should not pass through one coroutine more than it has to
        return response.read(within=None)
    return _anext_within(response, pace, left, clock)


async def _anext_within(
    response: AsyncResponse, pace: Pace, left: float, clock: Callable[[], float]
) -> bytes | None:
    failure: TransportFailed | None
    try:
        data = await response.read(within=left)
    except TransportFailed as error:
        failure = _timed_out(pace, clock()) or error
    else:
        failure = _timed_out(pace, clock())
        if failure is None:
            return data
    raise failure from None


def drain(response: Response) -> None:
    """Read what little follows a finished answer, so that its connection can be used again.

    Nothing depends on it: if the end of the body is not there in a moment, the connection is
    closed instead.
    """
    with contextlib.suppress(TransportFailed):
        for _ in range(_DRAIN_READS):
            if response.read(within=_DRAIN_SECONDS) is None:
                return


async def adrain(response: AsyncResponse) -> None:
    """See `drain`."""
    with contextlib.suppress(TransportFailed):
        for _ in range(_DRAIN_READS):
            if await response.read(within=_DRAIN_SECONDS) is None:
                return


def _timed_out(pace: Pace, now: float) -> TransportFailed | None:
    phase = pace.overdue(now)
    if phase is None:
        return None
    return TransportFailed("no content in time", certainty="unknown", phase=phase)
