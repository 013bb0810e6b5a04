"""Connections whose every wait ends in time, for a whole exchange and not only for one read.

httpcore2's own limits are for one read each, so an answer that drips in would have no end. Async
code needs none of this: there a whole exchange can be cancelled.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpcore2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

__all__ = ["TimedBackend", "exchange"]


class _Exchange(threading.local):
    """When the exchange on this thread must be over."""

    at: float | None = None
    """On the monotonic clock; None while there is no such limit."""

    def ends_within(self, seconds: float | None) -> None:
        """Set the end; None takes it away."""
        self.at = None if seconds is None else time.monotonic() + seconds

    def shorten(self, timeout: float | None) -> float | None:
        """Return the socket's limit, or what is left where that is less."""
        if self.at is None:
            return timeout
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left if timeout is None else min(left, timeout)


exchange = _Exchange()
"""The exchange this thread is in."""


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait also ends when the exchange must be over.

    httpcore2's own limits are for one read each, so an answer that drips in would have no end.
    """

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, exchange.shorten(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, exchange.shorten(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _TimedStream(
            self._inner.start_tls(ssl_context, server_hostname, exchange.shorten(timeout))
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class TimedBackend(httpcore2.SyncBackend):
    """Opens connections of that kind."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect, within the exchange's time."""
        return _TimedStream(
            super().connect_tcp(
                host, port, exchange.shorten(timeout), local_address, socket_options
            )
        )
