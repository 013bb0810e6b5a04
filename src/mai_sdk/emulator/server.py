"""Runs an ASGI application on a loopback port in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LoopbackServer", "loopback"]

_LOGGER = logging.getLogger("mai_sdk.emulator")
_START = 10.0
_STOP = 5.0
_TURNS = 10
_AHEAD = 256
"""Messages that wait to be looked at before no more are read."""


def loopback(host: str) -> str:
    """Return the host if it is this machine only.

    Raises:
        ValueError: Others could reach it.
    """
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError(
            f"The emulator listens on this machine only, and {host!r} could be reached from "
            "elsewhere. Use 127.0.0.1, ::1 or localhost."
        )
    return host


class _Protocol(H11Protocol):
    """uvicorn's HTTP, with the connection itself in reach of the application."""

    def connection_made(  # type: ignore[override]  # uvicorn narrows the argument the same way
        self, transport: asyncio.Transport
    ) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        self.logger = _LOGGER
        self.access_log = False
        super().connection_made(transport)


class _SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, logging where the rest does: a query may hold a key."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.logger = _LOGGER
        self._frozen = self._discards = False
        super().connection_made(transport)

    def send_receive_event_to_app(self) -> None:
        if self._discards:
            return
        # uvicorn stops reading after each message; that costs two system calls for each.
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = self.queue.qsize() >= _AHEAD
        if self.read_paused:
            self.transport.pause_reading()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and not self._frozen and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()
        return message

    def discard(self) -> None:
        """Read on, and forget what comes."""
        self._discards = True
        self.transport.resume_reading()

    def freeze(self) -> None:
        """Read nothing more from the connection; pings stay unanswered."""
        self._frozen = self.read_paused = True
        self.transport.pause_reading()

    def thaw(self) -> None:
        """Read again."""
        self._frozen = self.read_paused = False
        self.transport.resume_reading()


class LoopbackServer:
    """A server on one loopback port, from `start` to `stop`."""

    def __init__(self, app: Callable[..., Any], *, host: str, port: int) -> None:
        self._app = app
        self._host = loopback(host)
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self.address: tuple[str, int] | None = None
        """Host and port while it runs."""

    def start(self) -> None:
        """Listen; connections are taken from here on.

        Raises:
            OSError: The port is taken.
            RuntimeError: It runs already, or did not come up.
        """
        if self._thread is not None:
            raise RuntimeError("This emulator runs already.")
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # With the protocol named, asyncio turns Nagle's delay off on every connection.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
        except OSError:
            listener.close()
            raise
        self.address = (self._host, listener.getsockname()[1])
        self._ready.clear()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener)), name="mai-emulator", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START):
            raise RuntimeError("The emulator did not start.")

    def stop(self) -> None:
        """End every connection and stop listening; nothing is left running."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        self._thread = self.address = None
        if thread is None or loop is None or stopping is None:
            return
        if thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_STOP)

    async def _serve(self, listener: socket.socket) -> None:
        config = uvicorn.Config(
            self._app,
            loop="none",
            ws=_SocketProtocol,
            # The services send no pings, and a client may rest a connection for minutes.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            interface="asgi3",
        )
        config.load()
        state = ServerState()
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Protocol(config, state, {}), sock=listener, backlog=2048
        )
        state.default_headers = _date()
        self._ready.set()
        while not self._stopping.is_set():
            state.default_headers = _date()
            try:
                async with asyncio.timeout(1):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        # Closing while a connection is being taken in would lose track of it: stop taking first.
        with contextlib.suppress(NotImplementedError):  # not on Windows, where none is lost
            self._loop.remove_reader(listener)
        await _end(state)
        server.close()


def _date() -> list[tuple[bytes, bytes]]:
    return [(b"date", formatdate(time.time(), usegmt=True).encode())]


async def _end(state: ServerState) -> None:
    """Break all connections off and let their requests see it."""
    # A connection just accepted takes the loop some turns to show up here.
    for _ in range(_TURNS):
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
    if state.tasks:
        _, left = await asyncio.wait(list(state.tasks), timeout=1)
        for task in left:
            task.cancel()
    await asyncio.sleep(0)
