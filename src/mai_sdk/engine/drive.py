"""The two drivers: the only code that waits for HTTP.

A driver does what a flow asks and sends back what came of it. Whatever goes wrong is thrown
into the flow, cancellation included, so the flow can settle its attempt before it is passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.steps import Pause, Read, Send, Token, TransportFailed
from mai_sdk.engine.timeouts import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

    from mai_sdk.engine.auth import AsyncTokens, Tokens
    from mai_sdk.engine.steps import AsyncTransport, Response, Step, Transport

__all__ = ["AsyncDriver", "Driver", "adrain", "anext_chunk", "drain", "next_chunk"]

T = TypeVar("T")

_DRAIN_SECONDS = 0.25


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

    def run(self, flow: Generator[Step, Any, T]) -> T:
        """Drive `flow` to its end and return what it returns."""
        try:
            step = next(flow)
            while True:
                result: Any = None
                try:
                    if type(step) is Send:
                        result = self._transport.send(step.request, step.limits)
                    elif type(step) is Read:
                        result = _read(step)
                    elif type(step) is Pause:
                        self._sleep(step.seconds)
                    elif type(step) is Token:
                        result = self._tokens.get(
                            step.credential, step.scope, rejected=step.rejected
                        )
                except BaseException as error:  # noqa: BLE001 - the flow settles, then raises it
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as end:
            return cast("T", end.value)

    def close(self) -> None:
        """Close the transport's connections."""
        self._transport.close()


class AsyncDriver:
    """See `Driver`; drives flows on the running event loop."""

    __slots__ = ("_sleep", "_tokens", "_transport")

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

    async def run(self, flow: Generator[Step, Any, T]) -> T:
        """See `Driver.run`."""
        try:
            step = next(flow)
            while True:
                result: Any = None
                try:
                    if type(step) is Send:
                        result = await self._transport.send(step.request, step.limits)
                    elif type(step) is Read:
                        result = await _aread(step)
                    elif type(step) is Pause:
                        await self._sleep(step.seconds)
                    elif type(step) is Token:
                        result = await self._tokens.get(
                            step.credential, step.scope, rejected=step.rejected
                        )
                except BaseException as error:  # noqa: BLE001 - the flow settles, then raises it
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as end:
            return cast("T", end.value)

    async def aclose(self) -> None:
        """See `Driver.close`."""
        await self._transport.aclose()


def _read(step: Read) -> bytes:
    response: Any = step.response
    try:
        body = Assembler(
            encoding=response.headers.get("content-encoding"), max_bytes=step.max_bytes
        )
        pieces: list[bytes] = []
        for data in response:
            pieces.append(body.feed(data))
            _check_deadline(step.deadline)
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
        async for data in response:
            pieces.append(body.feed(data))
            _check_deadline(step.deadline)
        body.close()
    finally:
        await response.aclose()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def next_chunk(
    chunks: Iterator[bytes], pace: Pace, response: Response, *, clock: Callable[[], float]
) -> bytes | None:
    """Return the next piece of an open stream, or None at its end.

    The socket's own limit covers the ordinary wait. A shorter one, after keep-alives or near the
    deadline, is kept by a timer that aborts the read.

    Raises:
        TransportFailed: The connection broke, or a limit passed.
    """
    left = pace.start_waiting(clock())
    failure: TransportFailed | None
    if left is None:
        return next(chunks, None)
    timer = threading.Timer(left, response.abort)
    timer.daemon = True
    timer.start()
    try:
        data = next(chunks, None)
    except TransportFailed as error:
        failure = _timed_out(pace, clock()) or error
    else:
        # An aborted read can look like an end; and some transports cannot abort one at all.
        failure = _timed_out(pace, clock())
        if failure is None:
            return data
    finally:
        timer.cancel()
    raise failure from None


async def anext_chunk(
    chunks: AsyncIterator[bytes], pace: Pace, *, clock: Callable[[], float]
) -> bytes | None:
    """See `next_chunk`."""
    left = pace.start_waiting(clock())
    if left is None:
        return await anext(chunks, None)
    try:
        async with asyncio.timeout(left):
            return await anext(chunks, None)
    except TransportFailed as error:
        failure = _timed_out(pace, clock()) or error
    except TimeoutError:
        failure = _timed_out(pace, clock()) or TransportFailed(
            "no content in time", certainty="unknown", phase="between_chunks"
        )
    raise failure from None


def drain(chunks: Iterator[bytes], response: Response, *, clock: Callable[[], float]) -> None:
    """Read what little follows a finished answer, so that its connection can be used again.

    Nothing depends on it: if the end of the body is not there in a moment, the connection is
    closed instead.
    """
    now = clock()
    pace = Pace(between_chunks=None, deadline=now + _DRAIN_SECONDS, now=now)
    with contextlib.suppress(TransportFailed):
        while next_chunk(chunks, pace, response, clock=clock) is not None:
            pass


async def adrain(chunks: AsyncIterator[bytes], *, clock: Callable[[], float]) -> None:
    """See `drain`."""
    now = clock()
    pace = Pace(between_chunks=None, deadline=now + _DRAIN_SECONDS, now=now)
    with contextlib.suppress(TransportFailed):
        while await anext_chunk(chunks, pace, clock=clock) is not None:
            pass


def _timed_out(pace: Pace, now: float) -> TransportFailed | None:
    phase = pace.overdue(now)
    if phase is None:
        return None
    return TransportFailed("no content in time", certainty="unknown", phase=phase)


def _check_deadline(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TransportFailed("total limit passed", certainty="unknown", phase="total")
