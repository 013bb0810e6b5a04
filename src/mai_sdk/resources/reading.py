"""One stream while it is read: bytes to events, and how it ends. Does no I/O.

Only a complete answer ends well. Whatever else ends it (the line breaks, the caller breaks off,
time runs out, the object is forgotten) settles the receipt with what had arrived, marked as a
lower bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.flow import attach, interrupted
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.timeouts import Pace
from mai_sdk.errors import AnswerTooLarge, CallFailed, InvalidRequest, MAIError

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import WeakSet

    from mai_sdk.engine.call import Call
    from mai_sdk.engine.tab import Tab
    from mai_sdk.metering.usage import Usage
    from mai_sdk.resources.core import OpenStream
    from mai_sdk.resources.reply import Reply
    from mai_sdk.wire.answer import Answer
    from mai_sdk.wire.chat import ChatReader
    from mai_sdk.wire.events import Event
    from mai_sdk.wire.responses import ResponsesReader

__all__ = ["Abandoned", "Reading"]

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
        at_least: Callable[[Answer], Usage],
        build: Callable[[Answer, Tab], Reply[ParsedT]],
        parse: Callable[[Reply[ParsedT]], Reply[ParsedT]],
        open_streams: WeakSet[OpenStream],
    ) -> None:
        self.call = call
        self.tab = tab
        self.reader = reader
        self.estimate = estimate
        self.at_least = at_least
        self.build = build
        self.parse = parse
        self.open_streams = open_streams
        self.entered = False
        self.begun = False
        self.ended = False
        self.reply: Reply[ParsedT] | None = None
        self.pace = Pace(between_chunks=None, deadline=None, now=0.0)
        self.body: Assembler | None = None
        self.left = call.max_body_bytes
        """How many more bytes may come; a compressed stream is counted by its Assembler."""

    def enter(self) -> None:
        """Note that the call is about to be made.

        Raises:
            InvalidRequest: It was made before; entering twice would be a second, paid call.
        """
        if self.entered:
            raise InvalidRequest("The stream was opened already. Ask for a new one.")
        self.entered = True

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
        answer = self.reader.answer
        if self.reader.has_final_usage:
            usage = self.call.usage_of(answer)
        elif error is None:
            usage = self.estimate(answer)
        else:
            usage = self.at_least(answer)
        self.tab.settle(usage, status=200, error=None if error is None else type(error).__name__)

    def failed(self, error: MAIError | TransportFailed) -> MAIError:
        """Settle, and return the error to raise, with the partial reply and the receipt on it."""
        raised: MAIError
        if isinstance(error, TransportFailed):
            raised = interrupted(error, self.call.url, is_total=self.tab.is_over())
        else:
            raised = error
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
