"""An answer as it comes: a thin loop, sync or async, around a pure reader.

Only a complete answer ends the loop. Whatever else ends it (the line breaks, the caller breaks,
time runs out, the object is forgotten) closes the connection and settles the receipt with what had
arrived, marked as a lower bound.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.drive import adrain, anext_chunk, drain, next_chunk
from mai_sdk.engine.flow import attach, interrupted, opened
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.timeouts import Pace
from mai_sdk.errors import AnswerTooLarge, CallFailed, InvalidRequest, MAIError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import TracebackType
    from weakref import WeakSet

    from mai_sdk.engine.call import Call
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.engine.tab import Tab
    from mai_sdk.metering.usage import Usage
    from mai_sdk.resources.core import OpenStream
    from mai_sdk.resources.reply import Reply
    from mai_sdk.wire.answer import Answer
    from mai_sdk.wire.chat import ChatReader
    from mai_sdk.wire.events import Event
    from mai_sdk.wire.responses import ResponsesReader

__all__ = ["AsyncReplyStream", "ReplyStream"]

ParsedT = TypeVar("ParsedT")


class Reading(Generic[ParsedT]):
    """What both streams share: the reader, the tab, and how they end. Does no I/O."""

    def __init__(
        self,
        call: Call[Answer],
        tab: Tab,
        reader: ChatReader | ResponsesReader,
        *,
        estimate: Callable[[Answer], Usage],
        build: Callable[[Answer, Tab], Reply[ParsedT]],
        parse: Callable[[Reply[ParsedT]], Reply[ParsedT]],
        open_streams: WeakSet[OpenStream],
    ) -> None:
        self.call = call
        self.tab = tab
        self.reader = reader
        self.estimate = estimate
        self.build = build
        self.parse = parse
        self.open_streams = open_streams
        self.begun = False
        self.ended = False
        self.reply: Reply[ParsedT] | None = None
        self.pace = Pace(between_chunks=None, deadline=None, now=0.0)
        self.body: Assembler | None = None
        self.left = call.max_body_bytes
        """How many more bytes may come; a compressed stream is counted by its Assembler."""

    def open(self, headers: Any) -> None:
        """Take over an open stream."""
        self.open_streams.add(self)
        encoding = headers.get("content-encoding")
        if encoding:
            self.body = Assembler(encoding=encoding, max_bytes=self.call.max_body_bytes)
        self.pace = Pace(
            between_chunks=self.call.timeouts.between_chunks,
            deadline=self.tab.deadline,
            now=self.tab.engine.clock(),
        )

    def begin(self, *, is_open: bool) -> None:
        """Note that someone reads the events.

        Raises:
            InvalidRequest: The stream is not open, or someone has begun before.
        """
        if not is_open:
            raise InvalidRequest("Open the stream first: `with client....stream(...) as stream:`.")
        if self.begun:
            raise InvalidRequest("The stream was read already: its events come only once.")
        self.begun = True

    def take(self, data: bytes) -> list[Event]:
        """Return the events in `data`.

        Raises:
            AnswerTooLarge: More came in all than a stream may hold.
        """
        if self.body is not None:
            data = self.body.feed(data)
        self.left -= len(data)
        if self.left < 0:
            raise AnswerTooLarge(
                f"The stream is longer than {self.call.max_body_bytes} bytes in all."
            )
        events = self.reader.feed(data)
        if events:
            self.pace.fresh = True
            if self.tab.first_content is None:
                self.tab.first_content = self.tab.elapsed()
        return events

    def end(self) -> list[Event]:
        """Note that the body has ended; return the last events and build the reply.

        Raises:
            StreamTruncated: It was not complete.
        """
        if self.body is not None and not self.reader.is_over:
            self.body.close()
        events = self.reader.close()
        self.settle(None)
        self.reply = self.parse(self.partial())
        return events

    def partial(self) -> Reply[ParsedT]:
        """Return the reply as far as it came."""
        return self.build(self.reader.answer, self.tab)

    def settle(self, error: BaseException | None) -> None:
        """Write down what was used, once: exactly, if the service said so of the whole answer.

        Without that, a whole answer is estimated, and a broken one cost at least what arrived.
        """
        if self.ended:
            return
        self.ended = True
        self.open_streams.discard(self)
        exact = self.reader.has_final_usage
        answer = self.reader.answer
        if exact:
            usage = self.call.usage_of(answer)
        else:
            usage = self.estimate(answer)
            if error is None:
                usage = usage.model_copy(update={"basis": "estimated"})
        self.tab.settle(
            usage,
            state="settled_exact" if exact else "settled_estimated",
            status=200,
            error=None if error is None else type(error).__name__,
        )

    def failed(self, error: MAIError | TransportFailed) -> MAIError:
        """Settle, and return the error to raise, with the partial reply and the receipt on it."""
        raised = interrupted(error, self.call.url) if isinstance(error, TransportFailed) else error
        self.settle(raised)
        if isinstance(raised, CallFailed):
            raised.request_id = raised.request_id or self.tab.request_id
            if raised.status is None and not isinstance(error, TransportFailed):
                raised.status = 200
            raised.partial = self.partial()
            attach(raised, self.tab, self.call)
        return raised

    def abandoned(self) -> None:
        """Settle a stream that nobody will read any further."""
        if not self.ended:
            self.settle(Abandoned())


class Abandoned(Exception):
    """The caller stopped reading. Never raised: its name is what the ledger shows."""


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
        self._response = self._driver.run(opened(reading.call, reading.tab))
        reading.open(self._response.headers)
        return self

    def __iter__(self) -> Iterator[Event]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        chunks = iter(response)
        pace, clock = reading.pace, reading.tab.engine.clock
        try:
            while (data := next_chunk(chunks, pace, response, clock=clock)) is not None:
                yield from reading.take(data)
                if reading.reader.is_over:
                    break
            yield from reading.end()
            drain(chunks, response, clock=clock)
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
        self._response = await self._driver.run(opened(reading.call, reading.tab))
        reading.open(self._response.headers)
        return self

    def __aiter__(self) -> AsyncIterator[Event]:
        self._events = self._read_events()
        return self._events  # type: ignore[no-any-return]  # kept to be closed in order

    async def _read_events(self) -> AsyncIterator[Event]:
        reading, response = self._reading, self._response
        reading.begin(is_open=response is not None)
        chunks = aiter(response)
        pace, clock = reading.pace, reading.tab.engine.clock
        try:
            while (data := await anext_chunk(chunks, pace, clock=clock)) is not None:
                for event in reading.take(data):
                    yield event
                if reading.reader.is_over:
                    break
            for event in reading.end():
                yield event
            await adrain(chunks, clock=clock)
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
        await self._response.aclose()

    async def read(self) -> Reply[ParsedT]:
        """See `ReplyStream.read`."""
        async for _ in self:
            pass
        return self.reply
