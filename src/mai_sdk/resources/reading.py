"""One stream while it is read: bytes to items, and how it ends. Does no I/O.

Only a complete answer ends well. Whatever else ends it (the line breaks, the caller breaks off,
time runs out, the object is forgotten) settles the receipt with what is then known to be used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.flow import attach, interrupted, opened
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.timeouts import Pace
from mai_sdk.errors import (
    AnswerTooLarge,
    CallFailed,
    ConnectionFailed,
    InvalidRequest,
    MAIError,
    StreamTruncated,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from weakref import WeakSet

    from mai_sdk.engine.call import Call
    from mai_sdk.engine.steps import Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.metering.usage import Usage
    from mai_sdk.resources.core import OpenStream

__all__ = ["Abandoned", "Reading", "cut_off"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Reading(ABC, Generic[ItemT, ResultT]):
    """What the streams of both worlds share: the tab, the limits, and how they end."""

    def __init__(self, call: Call[Any], tab: Tab, *, open_streams: WeakSet[OpenStream]) -> None:
        self.call = call
        self.tab = tab
        self.open_streams = open_streams
        self.entered = False
        self.requested = False
        self.begun = False
        self.ended = False
        self.is_left = False
        """Whether the block was left, and the connection closed with it."""
        self.result: ResultT | None = None
        """The whole of it; None as long as more may be to come."""
        self.pace = Pace(between_chunks=None, deadline=None, now=0.0)
        self.body: Assembler | None = None
        self.room = call.max_body_bytes
        """How many more bytes may come; a compressed stream is counted by its Assembler."""

    @property
    @abstractmethod
    def is_over(self) -> bool:
        """Whether the answer is complete, so that no more of its body need be read."""

    @abstractmethod
    def feed(self, data: bytes) -> list[ItemT]:
        """Return the items in the decoded bytes."""

    @abstractmethod
    def close(self) -> list[ItemT]:
        """Note that the body has ended; return the last items, or raise if more was to come."""

    @abstractmethod
    def used(self, error: BaseException | None) -> Usage:
        """Return what the answer used, which `error` has ended; None ended it well."""

    @abstractmethod
    def partial(self) -> ResultT:
        """Return the result as far as it came."""

    def finished(self) -> ResultT:
        """Return the whole result."""
        return self.partial()

    def request(self) -> Generator[Step, Any, Any]:
        """Make the next request: a flow that returns its open answer, or None after the last."""
        if self.requested and not self.go_on():
            return None
        self.result = None
        self.check_left()
        self.requested = True
        return (yield from opened(self.call, self.tab))

    def following(self) -> Generator[Step, Any, Any]:
        """Make the next request as `request` does; after the last, or a failure, it is all over."""
        try:
            response = yield from self.request()
        except InvalidRequest:
            raise
        except BaseException as error:
            self.tab.over(type(error).__name__)
            raise
        if response is None:
            self.tab.over()
        return response

    def go_on(self) -> bool:
        """Turn to the next request, where one stream takes several; False after the last."""
        return False

    def enter(self) -> None:
        """Note that the call is about to be made.

        Raises:
            InvalidRequest: It was made before; entering twice would be a second, paid call.
        """
        if self.entered:
            raise InvalidRequest("The stream was opened already. Ask for a new one.")
        self.entered = True

    def open(self, headers: Any) -> None:
        """Take over an open stream.

        Raises:
            StreamTruncated: The block was left while it was opened.
        """
        self.ended = False
        self.open_streams.add(self)
        self.room = self.call.max_body_bytes
        encoding = headers.get("content-encoding")
        self.body = (
            Assembler(encoding=encoding, max_bytes=self.call.max_body_bytes) if encoding else None
        )
        self.pace = Pace(
            between_chunks=self.call.timeouts.between_chunks,
            deadline=self.tab.deadline,
            now=self.tab.engine.clock(),
        )
        self.check_left()

    def begin(self, *, is_open: bool) -> None:
        """Note that someone reads the items.

        Raises:
            InvalidRequest: The stream is not open, or someone has begun before.
        """
        if not is_open:
            raise InvalidRequest("Open the stream first: `with client....stream(...) as stream:`.")
        if self.begun:
            raise InvalidRequest("The stream was read already: its events come only once.")
        if self.is_left:
            raise InvalidRequest("The stream is closed: read it inside its `with` block.")
        self.begun = True

    def take(self, data: bytes) -> list[ItemT]:
        """Return the items in `data`.

        Raises:
            AnswerTooLarge: More came in all than a stream may hold.
            StreamTruncated: The block was left, so this may be all that comes.
        """
        self.check_left()
        if self.body is not None:
            data = self.body.feed(data)
        self.room -= len(data)
        if self.room < 0:
            raise AnswerTooLarge(
                f"The stream is longer than {self.call.max_body_bytes} bytes in all."
            )
        items = self.feed(data)
        if items:
            self.pace.fresh = True
            if self.tab.first_content is None:
                self.tab.first_content = self.tab.elapsed()
        return items

    def end(self) -> list[ItemT]:
        """Note that the body has ended, and settle; return the last items. `complete` follows.

        Raises:
            StreamTruncated: It was not complete, or the block was left: then its end means nothing.
        """
        self.check_left()
        if self.body is not None and not self.is_over:
            self.body.close()
        items = self.close()
        self.settle(None)
        return items

    def complete(self) -> Generator[Step, Any, None]:
        """Build the result, once the ledger has what it cost."""
        yield from self.tab.recorded()
        self.result = self.finished()

    def told(self, failure: MAIError) -> Generator[Step, Any, MAIError]:
        """Return `failure`, once the ledger has what it cost, or the receipt that it has not."""
        yield from self.tab.recorded()
        if isinstance(failure, CallFailed) and failure.receipt is not None:
            failure.receipt = self.tab.receipt()
        return failure

    def settle(self, error: BaseException | None) -> None:
        """Write down what was used, once; an error also ends the whole operation."""
        named = None if error is None else type(error).__name__
        if not self.ended:
            self.ended = True
            self.open_streams.discard(self)
            self.tab.settle(self.used(error), status=200, error=named)
        if named is not None and self.requested:
            self.tab.over(named)

    def failed(self, error: MAIError | TransportFailed) -> MAIError:
        """Settle, and return the error to raise, with the partial result and the receipt on it."""
        raised: MAIError
        if self.is_cut:
            raised = cut_off()
        elif isinstance(error, TransportFailed):
            raised = interrupted(error, self.call.url, is_total=self.tab.is_over())
        else:
            raised = error
        self.settle(raised)
        if isinstance(raised, CallFailed):
            raised.request_id = raised.request_id or self.tab.request_id
            if raised.status is None and not isinstance(raised, (ConnectionFailed, TimedOut)):
                raised.status = 200
            raised.partial = self.partial()
            attach(raised, self.tab, self.call)
        return raised

    def abandoned(self) -> None:
        """Settle a stream that nobody will read any further."""
        if not self.ended:
            self.settle(Abandoned())
        elif self.requested:
            self.tab.over()

    def left(self) -> None:
        """Note that the block is left; whoever reads on all the same is told."""
        self.is_left = True
        self.abandoned()

    @property
    def is_cut(self) -> bool:
        """Whether the block was left before the answer was complete."""
        return self.is_left and self.result is None

    def check_left(self) -> None:
        """Return unless it `is_cut`.

        Raises:
            StreamTruncated: It is.
        """
        if self.is_cut:
            raise cut_off()


def cut_off() -> StreamTruncated:
    """Return the error for whoever reads on after the block was left."""
    return StreamTruncated(
        "The stream or its client was closed before the answer was complete, so the rest cannot "
        "come. Read it to its end inside the `with` block; what came is on `partial`."
    )


class Abandoned(Exception):
    """The caller stopped reading. Never raised: its name is what the ledger shows."""
