"""Answers that pass on their way to an official client, read with the readers of our own calls.

What the client gets is not changed. What is known to be used when an answer ends, however it ends,
is what its attempt is settled with. No I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mai_sdk.engine.body import Assembler
from mai_sdk.engine.flow import read_answer, refusal
from mai_sdk.errors import CallFailed, MAIError, StreamTruncated, UnreadableAnswer
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.asking import build_reply
from mai_sdk.resources.reading import Abandoned
from mai_sdk.resources.reply_reading import ReplyReading
from mai_sdk.wire.shapes import as_object, parsed
from mai_sdk.wire.usage import read_usage
from mai_sdk.wire.usage_chunk import UsageChunkHider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.engine.call import Call
    from mai_sdk.engine.tab import Tab
    from mai_sdk.resources.errand import Errand
    from mai_sdk.resources.plan import Plan

__all__ = ["Relayed", "StreamedAnswer", "Unmetered", "WholeAnswer"]


class Relayed(Protocol):
    """Looks at an answer while it passes."""

    def take(self, data: bytes) -> bytes:
        """Look at a piece of the body, and return what of it the client is to have."""
        ...

    def rest(self) -> bytes:
        """Return what was held back, now that the body has ended."""
        ...

    def end(self) -> None:
        """Note that the body has ended, and settle.

        Raises:
            StreamTruncated: The answer has not.
        """
        ...

    def settle(self, error: BaseException) -> None:
        """Note that `error` ended it."""
        ...

    def abandoned(self) -> None:
        """Note that nobody will read it any further."""
        ...


class Unmetered:
    """An answer that is billed nowhere."""

    def take(self, data: bytes) -> bytes:
        """See `Relayed.take`."""
        return data

    def rest(self) -> bytes:
        """See `Relayed.rest`."""
        return b""

    def end(self) -> None:
        """See `Relayed.end`."""

    def settle(self, error: BaseException) -> None:
        """See `Relayed.settle`."""

    def abandoned(self) -> None:
        """See `Relayed.abandoned`."""


class WholeAnswer:
    """An answer that is read as one: JSON, or a refusal."""

    def __init__(
        self, call: Call[Any], tab: Tab, response: Any, errand: Errand, *, is_chat: bool
    ) -> None:
        self._call = call
        self._tab = tab
        self._errand = errand
        self._head = _Head(response.status, response.headers)
        self._is_chat = is_chat
        self._pieces: list[bytes] = []
        self._room = call.max_body_bytes
        self._ended = False

    def take(self, data: bytes) -> bytes:
        """See `Relayed.take`."""
        self._room -= len(data)
        if self._room >= 0:
            self._pieces.append(data)
        return data

    def rest(self) -> bytes:
        """See `Relayed.rest`."""
        return b""

    def end(self) -> None:
        """See `Relayed.end`."""
        if self._begin_end():
            if self._refused():
                return
            self._tab.first_content = self._tab.first_byte
            try:
                self._read()
            except CallFailed as error:
                self._over(error)
            else:
                self._tab.over()

    def settle(self, error: BaseException) -> None:
        """See `Relayed.settle`: what a part of a whole answer used, nobody knows."""
        if self._begin_end() and not self._refused():
            self._over(error)

    def abandoned(self) -> None:
        """See `Relayed.abandoned`."""
        self.settle(Abandoned())

    def _over(self, error: BaseException) -> None:
        """Settle what is not, and end the operation: a client does not repeat what succeeded."""
        self._tab.settle(None, status=self._head.status, error=type(error).__name__)
        self._tab.over(type(error).__name__)

    def _begin_end(self) -> bool:
        ended, self._ended = self._ended, True
        return not ended

    def _refused(self) -> bool:
        """Settle a refusal, whose status is known by now, however much of its body came."""
        if 200 <= self._head.status < 300:
            return False
        try:
            body = self._body()
        except UnreadableAnswer:
            body = b""
        failure = refusal(self._call, self._tab, self._head, body)
        self._errand.failed(type(failure).__name__)
        return True

    def _read(self) -> None:
        body = self._body()
        if self._is_chat:
            read_answer(self._call, self._tab, self._head, body)
            self._tab.engine.quota.give_back()
            return
        counts = read_usage(as_object(parsed(body)).get("usage"))
        usage = None if counts is None else Usage.from_meters(counts)
        self._tab.settle(usage, status=self._head.status)

    def _body(self) -> bytes:
        encoding = self._head.headers.get("content-encoding")
        assembler = Assembler(encoding=encoding, max_bytes=self._call.max_body_bytes)
        return b"".join(map(assembler.feed, self._pieces))


class StreamedAnswer:
    """A stream of events, read as one of our own; the client reads the same bytes."""

    hides_usage = False
    """Whether the chunk with the usage was asked for here, and not by the client's code."""

    def __init__(self, plan: Plan, call: Call[Any], tab: Tab, headers: Mapping[str, str]) -> None:
        self._reading: ReplyReading[Any] = ReplyReading(
            call,
            tab,
            plan.reader(),
            estimate=plan.estimate,
            at_least=plan.at_least,
            build=build_reply,
            parse=lambda reply: reply,
            open_streams=plan.core.open_streams,
        )
        tab.sent()
        tab.engine.quota.give_back()
        self._hider = UsageChunkHider()
        self._is_whole = False
        self._reading.requested = True
        try:
            self._reading.open(headers)
        except MAIError as error:
            self._reading.failed(error)

    def take(self, data: bytes) -> bytes:
        """See `Relayed.take`. An error in the stream is the client's to raise."""
        reading = self._reading
        if not self._is_whole:
            reading.check_left()
        if not reading.ended:
            try:
                reading.take(data)
                if reading.is_over:
                    self._end()
            except MAIError as error:
                reading.failed(error)
        return self._hider.feed(data) if self.hides_usage else data

    def rest(self) -> bytes:
        """See `Relayed.rest`."""
        return self._hider.close()

    def end(self) -> None:
        """See `Relayed.end`."""
        reading = self._reading
        if self._is_whole:
            return
        reading.check_left()
        if reading.ended:
            return
        try:
            self._end()
        except StreamTruncated as error:
            reading.failed(error)
            raise
        except MAIError as error:
            reading.failed(error)

    def _end(self) -> None:
        self._reading.end()
        self._is_whole = True
        self._reading.tab.over()

    def settle(self, error: BaseException) -> None:
        """See `Relayed.settle`."""
        self._reading.settle(error)

    def abandoned(self) -> None:
        """See `Relayed.abandoned`."""
        self._reading.abandoned()


class _Head:
    """Status and headers, without the connection behind them."""

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
