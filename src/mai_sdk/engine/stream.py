"""asyncio's transports as httpcore2's connections, for lines that carry many small frames.

httpcore2's own async connections stop and start reading at the event loop, and pass through it
once more, for every piece they read and write; of a session's frames that was half the cost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

import httpcore2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

__all__ = ["AsyncioBackend", "AsyncioStream"]

_MUCH: Final = 256 * 1024
"""Bytes that may have come and not been read before the loop reads no more."""
_LITTLE: Final = 16 * 1024
"""Bytes that are written without a look at how much waits to leave: asyncio's limit is larger."""
_HEAD_START: Final = 0.25
"""Seconds before the next address of a host is tried, too (RFC 8305)."""


class AsyncioBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a connection."""
        loop = asyncio.get_running_loop()
        both: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop):  # uvloop's has no such parameter
            both["happy_eyeballs_delay"] = _HEAD_START
        try:
            async with asyncio.timeout(timeout):
                transport, stream = await loop.create_connection(
                    AsyncioStream,
                    host,
                    port,
                    local_addr=None if local_address is None else (local_address, 0),
                    **both,
                )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class AsyncioStream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection: what came over it and was not read, and who waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._came: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._take: Callable[[bytes], bool] | None = None
        self._context = copy_context()
        self._writable = asyncio.Event()
        self._writable.set()

    # What httpcore2 asks for.

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's interface
    ) -> bytes:
        """Return what came; none is the end."""
        while not self._came:
            if self._error is not None:
                raise httpcore2.ReadError(self._error) from self._error
            if self._ended:
                return b""
            await self._news(timeout)
        data = self._came.popleft()
        if len(data) > max_bytes:
            self._came.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        was_much = self._size > _MUCH
        self._size -= len(data)
        if was_much and self._size <= _MUCH:
            self._transport.resume_reading()
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's interface
    ) -> None:
        """Write it; return once not much waits to leave."""
        if self._transport.is_closing():
            raise httpcore2.WriteError(self._error or "the connection is closed")
        self._transport.write(buffer)
        if self._writable.is_set():
            return
        try:
            async with asyncio.timeout(timeout):
                await self._writable.wait()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(error) from error
        if self._error is not None:
            raise httpcore2.WriteError(self._error) from self._error

    async def aclose(self) -> None:
        """Close it: what could not leave at once is given up."""
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's interface
    ) -> httpcore2.AsyncNetworkStream:
        """Return the connection, encrypted from here on."""
        try:
            async with asyncio.timeout(timeout):
                self._transport = await self._loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:  # those of TLS, too
            raise httpcore2.ConnectError(error) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """See httpcore2."""
        if info == "asyncio_stream":
            return self
        if info == "is_readable":
            return bool(self._came) or self._ended
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))

    # What many small frames need, and httpcore2 has not: no turn of a task for each.

    def write_now(self, data: bytes) -> bool:
        """Write it; False, and nothing done, where that is for `write`.

        It is where much waits to leave, or would, and where the connection is gone.
        """
        if len(data) > _LITTLE or not self._writable.is_set() or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    async def hand_over(self, take: Callable[[bytes], bool]) -> None:
        """Have `take` called with what comes, as it comes, until it returns False or no more comes.

        The event loop calls it, in the context of who waits here, and what it raises is raised
        here. What came before, what comes afterwards and how it ended are for `read`.
        """
        if self._came or self._ended:
            return
        self._take, self._context = take, copy_context()
        try:
            await self._news(None)
        finally:
            self._take = None

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note what to write to."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came, or hand it over."""
        if self._take is not None:
            self._give(self._take, data)
            return
        was_much = self._size > _MUCH
        self._came.append(data)
        self._size += len(data)
        if self._size > _MUCH and not was_much:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note that no more comes; without TLS, the other side may still be written to."""
        self._ended = True
        self._wake()
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is gone."""
        self._ended, self._error = True, exc
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """Note that much waits to leave."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Note that it has left."""
        self._writable.set()

    async def _news(self, seconds: float | None) -> None:
        self._reader = self._loop.create_future()
        try:
            if seconds is None:
                await self._reader
                return
            async with asyncio.timeout(seconds):
                await self._reader
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(error) from error
        finally:
            self._reader = None

    def _give(self, take: Callable[[bytes], bool], data: bytes) -> None:
        try:
            goes_on = self._context.run(take, data)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._take = None
            if self._reader is not None and not self._reader.done():
                self._reader.set_exception(error)
            return
        if not goes_on:
            self._take = None
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
