"""A connection that one thread may read while another writes.

httpcore2 sets the socket's own limit before every read and write, so two threads would change it
under each other. Here the socket never blocks, and a thread that has to wait does so beside it.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from typing import Any, Final

from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.engine.transport_httpx2 import ERRORS, failure_of

__all__ = ["Duplex"]

_READ: Final = 256 * 1024
_CAN_READ, _CAN_WRITE = 1, 4  # POLLIN and POLLOUT


class Duplex:
    """The bare connection below an open WebSocket."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._lock = threading.Lock()
        """Around each call into the socket: TLS is one state for both directions."""
        self._socket: socket.socket | None = line.get_extra_info("socket")
        wrapped = line.get_extra_info("ssl_object")
        if wrapped is not None and not isinstance(wrapped, ssl.SSLSocket):
            self._socket = None  # TLS inside TLS, to a proxy: only httpcore2 can read that
        try:
            self.early: bytes = line.read(_READ, 0.0)
            """What came with the handshake's answer; read first."""
        except ERRORS:
            self.early = b""
        if self._socket is not None:
            self._socket.settimeout(0.0)

    def read(self, *, within: float | None) -> bytes:
        """Return the next bytes; none are the end of the line.

        Raises:
            TransportFailed: Nothing came within so many seconds.
            SocketClosed: The line is gone.
        """
        if self.early:
            early, self.early = self.early, b""
            return early
        if self._socket is None:
            return self._through_httpcore(within)
        until = None if within is None else time.monotonic() + within
        while True:
            try:
                with self._lock:
                    return self._socket.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError):
                event = _CAN_READ
            except ssl.SSLWantWriteError:
                event = _CAN_WRITE
            except (OSError, ValueError):
                event = 0
            if not event:
                raise SocketClosed(1006)
            self._wait(event, until, late="no message in time")

    def write(self, data: bytes, *, within: float) -> None:
        """Write all of it.

        Raises:
            TransportFailed: The line is gone, or took no more for so many seconds.
        """
        if self._socket is None:
            try:
                self._line.write(data, within)
            except ERRORS:
                gone = True
            else:
                gone = False
            if gone:
                raise SocketClosed(1006)
            return
        until, rest = time.monotonic() + within, memoryview(data)
        while rest:
            try:
                with self._lock:
                    rest = rest[self._socket.send(rest) :]
                continue
            except (BlockingIOError, ssl.SSLWantWriteError):
                event = _CAN_WRITE
            except ssl.SSLWantReadError:
                event = _CAN_READ
            except (OSError, ValueError):
                event = 0
            if not event:
                raise SocketClosed(1006)
            self._wait(event, until, late="what is sent is not taken in time")

    def wake(self) -> None:
        """End the wait of a thread that reads."""
        try:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _wait(self, event: int, until: float | None, *, late: str) -> None:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise TransportFailed(late, certainty="unknown", phase="between_chunks")
        assert self._socket is not None  # noqa: S101 - only then there is something to wait for
        try:
            _ready(self._socket, event, left)
        except (OSError, ValueError):
            return  # closed meanwhile; the next call says so

    def _through_httpcore(self, within: float | None) -> bytes:
        failure: TransportFailed
        try:
            data: bytes = self._line.read(_READ, within)
        except ERRORS as error:
            failure = failure_of(error, reading="between_chunks")
            if failure.phase is None:
                failure = SocketClosed(1006)
        else:
            return data
        raise failure


def _ready(line: socket.socket, event: int, left: float | None) -> None:
    """Return when the socket can be read or written, or that much time has passed."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(line, event)
        poll.poll(None if left is None else left * 1000)
    else:
        reads, writes = ([line], []) if event == _CAN_READ else ([], [line])
        select.select(reads, writes, [], left)
