"""An answer as it comes: a thin loop, sync or async, around a pure reader (`reading.py`)."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from mai_sdk.engine.drive import adrain, anext_chunk, drain, next_chunk
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.errors import InvalidRequest, MAIError
from mai_sdk.resources.reading import cut_off
from mai_sdk.resources.reply import Reply
from mai_sdk.wire.events import Event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
    from types import AsyncGeneratorType, TracebackType

    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.engine.steps import Response
    from mai_sdk.metering.receipt import Receipt
    from mai_sdk.resources.reading import Reading

__all__ = [
    "AsyncOpenStream",
    "AsyncReplyStream",
    "AsyncStream",
    "OpenStream",
    "ReplyStream",
    "Stream",
]

ParsedT = TypeVar("ParsedT")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class _Shell(Generic[ItemT, ResultT]):
    """The part of both stream classes that is the same word for word."""

    def __init__(self, reading: Reading[ItemT, ResultT]) -> None:
        self._reading = reading
        # Settles at garbage collection and at interpreter exit, whichever comes first.
        self._finalizer = weakref.finalize(self, reading.abandoned)

    @property
    def call_id(self) -> str:
        """Our own id for the call, known from the start."""
        return self._reading.tab.call_id

    @property
    def receipt(self) -> Receipt:
        """What the call has used and cost so far; complete once it was read, or left."""
        return self._reading.tab.receipt()

    def _result(self, name: str) -> ResultT:
        if self._reading.result is None:
            raise InvalidRequest(f"The {name} is complete only when the stream has been read.")
        return self._reading.result


class OpenStream(_Shell[ItemT, ResultT]):
    """What comes of one call, while it is open; how it is read lies with the class below."""

    def __init__(self, reading: Reading[ItemT, ResultT], driver: Driver) -> None:
        super().__init__(reading)
        self._driver = driver
        self._response: Any = None

    def __enter__(self) -> Self:
        reading = self._reading
        reading.enter()
        response = self._driver.run(reading.following())
        try:
            reading.open(response.headers)
        except MAIError as error:
            failure = reading.failed(error)
        else:
            self._hold(response)
            return self
        response.close()
        raise failure

    def _hold(self, response: Any) -> None:
        self._response = response
        self._finalizer.detach()
        self._finalizer = weakref.finalize(self, partial(_forgotten, self._reading, response))

    def _read_items(self) -> Iterator[ItemT]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        clock = reading.tab.engine.clock
        try:
            while True:
                while (data := next_chunk(response, reading.pace, clock=clock)) is not None:
                    yield from reading.take(data)
                    if reading.is_over:
                        break
                items = reading.end()
                self._driver.run(reading.complete())
                yield from items
                drain(response)
                response.close()
                following = self._driver.run(reading.following())
                if following is None:
                    break
                response = following
                self._hold(response)
                reading.open(response.headers)
        except (MAIError, TransportFailed) as error:
            failure = reading.failed(error)
        except GeneratorExit:
            reading.abandoned()
            raise
        except BaseException as error:
            reading.settle(error)
            raise
        else:
            return
        finally:
            response.close()
        raise self._driver.run(reading.told(failure))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; settle what was not."""
        if error is not None:
            self._reading.settle(error)
        self._reading.left()
        if self._response is not None:
            self._response.close()

    def read(self) -> ResultT:
        """Read to the end without looking, and return the whole."""
        for _ in self._read_items():
            pass
        return self._result("result")


class Stream(OpenStream[ItemT, ResultT]):
    """What comes of one call, in order; open it with `with`, read it with `for`."""

    def __iter__(self) -> Iterator[ItemT]:
        return self._read_items()


class AsyncOpenStream(_Shell[ItemT, ResultT]):
    """See `OpenStream`."""

    def __init__(self, reading: Reading[ItemT, ResultT], driver: AsyncDriver) -> None:
        super().__init__(reading)
        self._driver = driver
        self._response: Any = None
        self._items: _Items[ItemT] | None = None

    async def __aenter__(self) -> Self:
        reading = self._reading
        reading.enter()
        response = await self._driver.run(reading.following())
        try:
            reading.open(response.headers)
        except MAIError as error:
            failure = reading.failed(error)
        else:
            self._hold(response)
            return self
        await response.aclose()
        raise failure

    def _hold(self, response: Any) -> None:
        self._response = response

    def _begin_items(self) -> AsyncIterator[ItemT]:
        items = _Items(self._read_items(), self._reading)
        self._items = self._items or items
        return items

    async def _read_items(self) -> AsyncGenerator[ItemT, None]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        clock = reading.tab.engine.clock
        try:
            while True:
                while (data := await anext_chunk(response, reading.pace, clock=clock)) is not None:
                    for item in reading.take(data):
                        yield item
                    if reading.is_over:
                        break
                items = reading.end()
                await self._driver.run(reading.complete())
                for item in items:
                    yield item
                await adrain(response)
                await response.aclose()
                following = await self._driver.run(reading.following())
                if following is None:
                    break
                response = following
                self._hold(response)
                reading.open(response.headers)
        except (MAIError, TransportFailed) as error:
            failure = reading.failed(error)
        except GeneratorExit:
            reading.abandoned()
            raise
        except BaseException as error:
            reading.settle(error)
            raise
        else:
            return
        finally:
            await response.aclose()
        raise await self._driver.run(reading.told(failure))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See `Stream.__exit__`."""
        if error is not None:
            self._reading.settle(error)
        self._reading.left()
        if self._items is not None:
            await self._items.aclose()
        if self._response is not None:
            await self._response.aclose()

    async def read(self) -> ResultT:
        """See `Stream.read`."""
        async for _ in self._begin_items():
            pass
        return self._result("result")


class AsyncStream(AsyncOpenStream[ItemT, ResultT]):
    """See `Stream`; opened with `async with`, read with `async for`."""

    def __aiter__(self) -> AsyncIterator[ItemT]:
        return self._begin_items()


class ReplyStream(Stream[Event, Reply[ParsedT]]):
    """The events of one answer, in order; open it with `with`, read it with `for`.

    Events are TextDelta, ReasoningDelta, ToolCall (whole), Finished, and Unrecognised for what
    this version does not know. Leaving the block early closes the connection and settles the call
    with what had arrived. Not for use by two threads at once.

    Raises:
        CallFailed: From the `with` line if the call is not answered, after retries; from the loop
            if the answer breaks off (`StreamTruncated`, `TimedOut`, `ConnectionFailed`), is
            stopped (`ContentFiltered`, `RateLimited`), or cannot be read (`UnreadableAnswer`).
            `error.partial` is the reply as far as it came. Nothing is retried once it has begun.
    """

    @property
    def reply(self) -> Reply[ParsedT]:
        """The whole reply, once the stream has finished.

        Raises:
            InvalidRequest: The stream has not been read to its end.
        """
        return self._result("reply")


class AsyncReplyStream(AsyncStream[Event, Reply[ParsedT]]):
    """See `ReplyStream`; opened with `async with`, read with `async for`."""

    @property
    def reply(self) -> Reply[ParsedT]:
        """See `ReplyStream.reply`."""
        return self._result("reply")


class _Items(Generic[ItemT]):
    """Items of an async stream, whose end says whether they were all.

    Leaving the block closes the generator, so that its connection is closed in order and at once;
    a closed generator just ends, and one that another task is reading cannot be closed.
    """

    def __init__(self, items: AsyncGenerator[ItemT, None], reading: Reading[ItemT, Any]) -> None:
        self._items = cast("AsyncGeneratorType[ItemT, None]", items)
        self._reading = reading

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[ItemT]:
        if self._reading.is_cut:
            raise self._reading.failed(cut_off())
        return self._items.__anext__()

    async def aclose(self) -> None:
        """Close the generator, unless a task waits in it: closing the connection ends that."""
        if not self._items.ag_running:
            await self._items.aclose()


def _forgotten(reading: Reading[Any, Any], response: Response) -> None:
    """Settle and close a stream that was dropped without leaving its block."""
    reading.abandoned()
    response.close()
