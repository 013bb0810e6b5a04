"""An answer as it comes: a thin loop, sync or async, around a pure reader (`reading.py`)."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from mai_sdk.engine.drive import adrain, anext_chunk, drain, next_chunk
from mai_sdk.engine.flow import opened
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.errors import InvalidRequest, MAIError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.engine.steps import Response
    from mai_sdk.resources.reading import Reading
    from mai_sdk.resources.reply import Reply
    from mai_sdk.wire.events import Event

__all__ = ["AsyncReplyStream", "ReplyStream"]

ParsedT = TypeVar("ParsedT")


class _Shell(Generic[ParsedT]):
    """The part of both stream classes that is the same word for word."""

    def __init__(self, reading: Reading[ParsedT]) -> None:
        self._reading = reading
        # Settles at garbage collection and at interpreter exit, whichever comes first.
        self._finalizer = weakref.finalize(self, reading.abandoned)

    @property
    def reply(self) -> Reply[ParsedT]:
        """The whole reply, once the stream has finished.

        Raises:
            InvalidRequest: The stream has not been read to its end.
        """
        if self._reading.reply is None:
            raise InvalidRequest("The reply is complete only when the stream has been read.")
        return self._reading.reply

    @property
    def call_id(self) -> str:
        """Our own id for the call, known from the start."""
        return self._reading.tab.call_id


class ReplyStream(_Shell[ParsedT]):
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

    def __init__(self, reading: Reading[ParsedT], driver: Driver) -> None:
        super().__init__(reading)
        self._driver = driver
        self._response: Any = None

    def __enter__(self) -> Self:
        reading = self._reading
        reading.enter()
        response = self._driver.run(opened(reading.call, reading.tab))
        try:
            reading.open(response.headers)
        except MAIError as error:
            failure = reading.failed(error)
        else:
            self._response = response
            self._finalizer.detach()
            self._finalizer = weakref.finalize(self, partial(_forgotten, reading, response))
            return self
        response.close()
        raise failure

    def __iter__(self) -> Iterator[Event]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        pace, clock = reading.pace, reading.tab.engine.clock
        try:
            while (data := next_chunk(response, pace, clock=clock)) is not None:
                yield from reading.take(data)
                if reading.reader.is_over:
                    break
            yield from reading.end()
            drain(response)
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
        raise failure

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; settle what was not."""
        if error is not None:
            self._reading.settle(error)
        self._reading.abandoned()
        if self._response is not None:
            self._response.close()

    def read(self) -> Reply[ParsedT]:
        """Read to the end without looking, and return the reply."""
        for _ in self:
            pass
        return self.reply


class AsyncReplyStream(_Shell[ParsedT]):
    """See `ReplyStream`; opened with `async with`, read with `async for`."""

    def __init__(self, reading: Reading[ParsedT], driver: AsyncDriver) -> None:
        super().__init__(reading)
        self._driver = driver
        self._response: Any = None
        self._events: Any = None

    async def __aenter__(self) -> Self:
        reading = self._reading
        reading.enter()
        response = await self._driver.run(opened(reading.call, reading.tab))
        try:
            reading.open(response.headers)
        except MAIError as error:
            failure = reading.failed(error)
        else:
            self._response = response
            return self
        await response.aclose()
        raise failure

    def __aiter__(self) -> AsyncIterator[Event]:
        self._events = self._read_events()
        return self._events  # type: ignore[no-any-return]  # kept to be closed in order

    async def _read_events(self) -> AsyncIterator[Event]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        pace, clock = reading.pace, reading.tab.engine.clock
        try:
            while (data := await anext_chunk(response, pace, clock=clock)) is not None:
                for event in reading.take(data):
                    yield event
                if reading.reader.is_over:
                    break
            for event in reading.end():
                yield event
            await adrain(response)
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
        raise failure

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See `ReplyStream.__exit__`."""
        if error is not None:
            self._reading.settle(error)
        self._reading.abandoned()
        if self._events is not None:
            await self._events.aclose()
        if self._response is not None:
            await self._response.aclose()

    async def read(self) -> Reply[ParsedT]:
        """See `ReplyStream.read`."""
        async for _ in self:
            pass
        return self.reply


def _forgotten(reading: Reading[Any], response: Response) -> None:
    """Settle and close a stream that was dropped without leaving its block."""
    reading.abandoned()
    response.close()
