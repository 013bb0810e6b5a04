"""WebSockets, sync and async: the HTTP transport's connections after a 101, framed.

So TLS, proxies, limits, forks and event loops are what they are for every other call, no redirect
is followed, and a refusal is an ordinary HTTP answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.engine.duplex import Duplex
from mai_sdk.engine.framing import Framing, handshake, is_accepted
from mai_sdk.engine.steps import Request, SocketClosed, TransportFailed
from mai_sdk.engine.transport_httpx2 import (
    ERRORS,
    AsyncHttpx2Response,
    AsyncHttpx2Transport,
    Httpx2Response,
    Httpx2Transport,
    failure_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.engine.steps import Limits
    from mai_sdk.engine.stream import AsyncioStream

__all__ = ["AsyncDialler", "AsyncWebSocket", "Dialler", "WebSocket"]

_READ: Final = 256 * 1024
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_WRITING: Final = 30.0
"""Seconds that the other side may take no more of what is written."""
_PATIENCE: Final = 1.0
"""Seconds that saying goodbye may take."""
_NOT_FOR_SOCKETS: Final = frozenset({"accept", "accept-encoding", "content-type"})


class _Line:
    """What both sockets share: the framing, and what came and was not yet asked for."""

    def __init__(self, line: Any, *, max_message_bytes: int) -> None:
        self._line = line
        self._framing = Framing(max_message_bytes=max_message_bytes)
        self._came: deque[str | bytes] = deque()
        self._outgoing: deque[bytes] = deque()
        """What is to be written, in this order. Whoever writes takes all of it, so that one who
        reads and owes a pong never waits for one who writes: the other side may be waiting, too."""
        self._gone = False
        self.is_fresh = True
        """Whether nothing was sent on it yet."""
        self.used_at = time.monotonic()
        """When it last carried something."""
        self.on_sign: Callable[[], None] | None = None
        """Told of every sign of life."""
        self.on_pong: Callable[[bytes], None] | None = None
        """Told of every answer to a ping, and what it carried."""

    @property
    def is_open(self) -> bool:
        """Whether neither side is known to have closed it."""
        return not self._gone and self._framing.closed is None

    @property
    def has_news(self) -> bool:
        """Whether something came that was not asked for, on a line that should be quiet."""
        return bool(self._came) or bool(self._line.get_extra_info("is_readable"))

    def _take(self, data: bytes) -> None:
        """Keep the messages in `data`, and what must be answered at once."""
        self._came.extend(self._framing.feed(data))
        self.used_at = time.monotonic()
        if self.on_sign is not None and data:
            self.on_sign()
        while self._framing.pongs and self.on_pong is not None:
            self.on_pong(self._framing.pongs.popleft())
        self._owe(self._framing.outgoing())

    def _owe(self, data: bytes) -> None:
        if data:
            self._outgoing.append(data)

    def _next(self) -> str | bytes | None:
        if self._came:
            return self._came.popleft()
        if self._framing.closed is not None:
            raise SocketClosed(self._framing.closed.code, self._framing.closed.reason)
        if self._gone:
            raise SocketClosed(1006)
        return None


class WebSocket(_Line):
    """See `steps.Socket`."""

    def __init__(
        self, response: Httpx2Response, *, max_message_bytes: int = MAX_MESSAGE_BYTES
    ) -> None:
        super().__init__(response.line, max_message_bytes=max_message_bytes)
        self._response = response
        self._lock = threading.Lock()
        """Around the framing; nobody waits while holding it."""
        self._writing = threading.Lock()
        self._duplex = Duplex(response.line)

    @property
    def has_news(self) -> bool:
        """See `_Line.has_news`."""
        return bool(self._duplex.early) or super().has_news

    def send(self, *messages: str | bytes) -> None:
        """See `steps.Socket.send`."""
        with self._lock:
            self._owe(self._framing.pack(messages))
        self.is_fresh = False
        self._write()

    def ping(self, payload: bytes = b"") -> None:
        """Ask the other side for a sign of life, which `receive` then passes over."""
        with self._lock:
            self._owe(self._framing.ping(payload))
        self._write()

    def receive(self, *, within: float | None) -> str | bytes:
        """See `steps.Socket.receive`."""
        until = None if within is None else time.monotonic() + within
        while (message := self._next()) is None:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            data = self._duplex.read(within=left)
            with self._lock:
                self._take(data)
            if self._outgoing:
                with contextlib.suppress(TransportFailed):
                    self._write(waits=False)
        return message

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `steps.Socket.close`."""
        if self._gone:
            return
        self._gone = True
        with self._lock:
            self._owe(self._framing.goodbye(code, reason))
        with contextlib.suppress(TransportFailed):
            self._write(within=_PATIENCE, waits=False)
        self._duplex.wake()
        self._response.close()

    def _write(self, *, within: float = _WRITING, waits: bool = True) -> None:
        """Write what is owed; without waiting where another thread is at it and will take it."""
        while self._outgoing:
            if not self._writing.acquire(blocking=waits):
                return
            try:
                while self._outgoing:
                    self._duplex.write(self._outgoing.popleft(), within=within)
            finally:
                self._writing.release()
        self.used_at = time.monotonic()


class AsyncWebSocket(_Line):
    """See `steps.AsyncSocket`."""

    def __init__(
        self, response: AsyncHttpx2Response, *, max_message_bytes: int = MAX_MESSAGE_BYTES
    ) -> None:
        super().__init__(response.line, max_message_bytes=max_message_bytes)
        self._response = response
        self._stream: AsyncioStream = self._line.get_extra_info("asyncio_stream")
        self._writing = asyncio.Lock()

    @property
    def is_writing(self) -> bool:
        """Whether somebody waits for room on the line."""
        return self._writing.locked()

    async def send(self, *messages: str | bytes) -> None:
        """See `steps.AsyncSocket.send`."""
        self._owe(self._framing.pack(messages))
        self.is_fresh = False
        if not self._write_now():
            await self._write()

    async def ping(self, payload: bytes = b"") -> None:
        """See `WebSocket.ping`."""
        self._owe(self._framing.ping(payload))
        await self._write()

    async def receive(self, *, within: float | None) -> str | bytes:
        """See `steps.AsyncSocket.receive`."""
        until = None if within is None else time.monotonic() + within
        while (message := self._next()) is None:
            self._take(await self._read(None if until is None else until - time.monotonic()))
            if self._outgoing:
                with contextlib.suppress(TransportFailed):
                    await self._write(waits=False)
        return message

    async def listen(self, take: Callable[[str | bytes], bool]) -> None:
        """Have `take` called with each message as soon as it is whole, until it returns False.

        Raises what `receive` does, and what `take` does. It is called by the event loop itself:
        of fifty messages a second, a task's turn for each is a good part of the cost.
        """
        wants = True

        def took(data: bytes) -> bool:
            nonlocal wants
            self._take(data)
            has_written = not self._outgoing or self._write_now()
            wants = self._give(take)
            return wants and has_written

        wants = self._give(take)
        while wants:
            if took(await self._read(None)):
                await self._stream.hand_over(took)
            if self._outgoing:
                with contextlib.suppress(TransportFailed):
                    await self._write(waits=False)

    def _give(self, take: Callable[[str | bytes], bool]) -> bool:
        while self._came:
            if not take(self._came.popleft()):
                return False
        if not self.is_open:
            self._next()  # which says how it ended
        return True

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """See `steps.AsyncSocket.aclose`."""
        if self._gone:
            return
        self._gone = True
        self._owe(self._framing.goodbye(code, reason))
        try:
            with contextlib.suppress(TransportFailed):
                await self._write(within=_PATIENCE, waits=False)
        finally:
            await self._response.aclose()

    async def _read(self, left: float | None) -> bytes:
        if left is not None and left <= 0:
            raise TransportFailed("no message in time", certainty="unknown", phase="between_chunks")
        try:
            data: bytes = await self._line.read(_READ, left)
        except ERRORS as error:
            failure = _broke(failure_of(error, reading="between_chunks"))
        else:
            return data
        raise failure

    async def _write(self, *, within: float = _WRITING, waits: bool = True) -> None:
        """See `WebSocket._write`."""
        while not self._write_now():
            if self._writing.locked() and not waits:
                return
            async with self._writing:
                while self._outgoing:
                    data = self._outgoing.popleft()
                    try:
                        await self._line.write(data, within)
                    except ERRORS as error:
                        failure = failure_of(error)
                    else:
                        continue
                    raise failure

    def _write_now(self) -> bool:
        """Write what is owed while there is nothing to wait for; return whether that was all."""
        if self._writing.locked():
            return not self._outgoing
        while self._outgoing:
            if not self._stream.write_now(self._outgoing[0]):
                return False
            self._outgoing.popleft()
        self.used_at = time.monotonic()
        return True


class Dialler:
    """Opens sync WebSockets. Thread-safe, also after a fork."""

    def __init__(self, transport: Httpx2Transport | None = None) -> None:
        self._transport = transport or Httpx2Transport()

    def dial(
        self,
        request: Request,
        limits: Limits,
        *,
        subprotocol: str | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> WebSocket | Httpx2Response:
        """Return the open socket, or the answer that refuses it, still to be read and closed.

        Args:
            request: Where to, with the headers of an ordinary request.
            limits: What connecting and the handshake may take.
            subprotocol: What to ask for; a server that does not repeat it is taken all the same.
            max_message_bytes: The longest message that is taken.

        Raises:
            TransportFailed: There is no line, or it did not become a WebSocket.
        """
        key, asked = _upgrade(request, subprotocol)
        response = self._transport.send(asked, limits)
        if response.status != 101:
            return response
        if is_accepted(key, response.headers):
            return WebSocket(response, max_message_bytes=max_message_bytes)
        response.close()
        raise _no_socket()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()


class AsyncDialler:
    """See `Dialler`; sockets belong to the event loop they were opened on."""

    def __init__(self, transport: AsyncHttpx2Transport | None = None) -> None:
        self._transport = transport or AsyncHttpx2Transport()

    async def dial(
        self,
        request: Request,
        limits: Limits,
        *,
        subprotocol: str | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> AsyncWebSocket | AsyncHttpx2Response:
        """See `Dialler.dial`."""
        key, asked = _upgrade(request, subprotocol)
        response = await self._transport.send(asked, limits)
        if response.status != 101:
            return response
        if is_accepted(key, response.headers):
            return AsyncWebSocket(response, max_message_bytes=max_message_bytes)
        await response.aclose()
        raise _no_socket()

    async def aclose(self) -> None:
        """See `Dialler.close`."""
        await self._transport.aclose()


def _upgrade(request: Request, subprotocol: str | None) -> tuple[str, Request]:
    key, headers = handshake(subprotocol=subprotocol)
    kept = [pair for pair in request.headers if pair[0].lower() not in _NOT_FOR_SOCKETS]
    return key, Request("GET", request.url, headers + kept)


def _no_socket() -> TransportFailed:
    return TransportFailed(
        "the server switched protocols, but not to this WebSocket",
        certainty="not_sent",
        hopeless=True,
    )


def _broke(failure: TransportFailed) -> TransportFailed:
    """A line that breaks is a close without a code; a limit that passes is none."""
    return failure if failure.phase is not None else SocketClosed(1006)
