"""httpx2's engine (httpcore2) as a transport: its connection pools, without the client on top.

The client would follow redirects, keep cookies and merge headers; none of that is wanted here, and
it is a third of the time of a call. TLS is set up by httpx2.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import httpcore2
import httpx2

from mai_sdk.engine.proxy import proxy_for
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.stream import AsyncioBackend
from mai_sdk.engine.timed import TimedBackend, exchange
from mai_sdk.engine.upload import off_the_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mai_sdk.engine.steps import Certainty, Limits, Phase, Request

__all__ = [
    "ERRORS", "AsyncHttpx2Response", "AsyncHttpx2Transport", "Httpx2Response", "Httpx2Transport",
    "failure_of",
]  # fmt: skip

_POOL: dict[str, Any] = {
    "max_connections": 1000,
    "max_keepalive_connections": 20,
    "keepalive_expiry": 60,
    "socket_options": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)],
}
"""A minute saves an agent's next call its TLS handshake. Not more than 20 are kept idle, because
the pool looks at every idle connection on every request. Keep-alive probes, because a NAT that
forgets an idle connection would leave a call waiting for its full limit."""

ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)
_NOT_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


class Httpx2Transport:
    """Carries requests over httpcore2's pools, one per origin. Thread-safe, also after a fork."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._tls = _TLS(verify=verify)
        self._pools: dict[str, httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()
        _living.add(self)

    def send(self, request: Request, limits: Limits) -> Httpx2Response:
        """See `steps.Transport.send`."""
        origin = _origin(request.url)
        pool = self._pools.get(origin) or self._open(origin)
        body = request.body
        outgoing, timeouts = _outgoing(
            request, limits, body if isinstance(body, bytes) else body.pieces()
        )
        exchange.ends_within(limits.total)
        try:
            answer = pool.handle_request(outgoing)
        except ERRORS as error:
            failure = failure_of(error)
        else:
            timeouts["read"] = limits.between_reads
            return Httpx2Response(answer)
        finally:
            exchange.ends_within(None)
        raise failure

    def _open(self, origin: str) -> httpcore2.ConnectionPool:
        with self._lock:
            if origin not in self._pools:
                self._pools[origin] = httpcore2.ConnectionPool(
                    ssl_context=self._tls.context(origin),
                    proxy=_proxy(origin),
                    network_backend=TimedBackend(),
                    **_POOL,
                )
            return self._pools[origin]

    def forget(self) -> None:
        """Drop the parent's connections after a fork, without closing them for the parent."""
        self._pools, self._lock = {}, threading.Lock()

    def close(self) -> None:
        """See `steps.Transport.close`."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()


class Httpx2Response:
    """See `steps.Response`."""

    __slots__ = ("_answer", "_chunks", "headers", "status")

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._chunks: Iterator[bytes] = answer.iter_stream()
        self.status = answer.status
        self.headers = _headers(answer)

    @property
    def line(self) -> Any:
        """The bare connection, once the answer was 101; `close` closes it."""
        return _line(self._answer)

    def read(self, *, within: float | None) -> bytes | None:
        """See `steps.Response.read`."""
        if within is not None:
            exchange.ends_within(within)
        try:
            return next(self._chunks, None)
        except ERRORS as error:
            failure = failure_of(error, reading="between_chunks")
        finally:
            if within is not None:
                exchange.ends_within(None)
        raise failure

    def close(self) -> None:
        """See `steps.Response.close`."""
        self._answer.close()


class AsyncHttpx2Transport:
    """See `Httpx2Transport`. Pools belong to the event loop they were opened on."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._tls = _TLS(verify=verify)
        self._loops: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str, httpcore2.AsyncConnectionPool]
        ] = WeakKeyDictionary()
        _living.add(self)

    async def send(self, request: Request, limits: Limits) -> AsyncHttpx2Response:
        """See `steps.AsyncTransport.send`."""
        body = request.body
        outgoing, timeouts = _outgoing(
            request, limits, body if isinstance(body, bytes) else off_the_loop(body)
        )
        try:
            async with asyncio.timeout(limits.total):
                answer = await self._pool(_origin(request.url)).handle_async_request(outgoing)
        except ERRORS as error:
            failure = failure_of(error)
        except TimeoutError:
            failure = TransportFailed("no answer in time", certainty="unknown", phase="total")
        else:
            timeouts["read"] = limits.between_reads
            return AsyncHttpx2Response(answer)
        raise failure

    def _pool(self, origin: str) -> httpcore2.AsyncConnectionPool:
        loop = asyncio.get_running_loop()
        pools = self._loops.get(loop)
        if pools is None:
            # The pools of a loop refer to it, so it would never be collected by itself.
            for ended in [each for each in self._loops if each.is_closed()]:
                del self._loops[ended]
            pools = self._loops[loop] = {}
        if origin not in pools:
            pools[origin] = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls.context(origin),
                proxy=_proxy(origin),
                network_backend=AsyncioBackend(),
                **_POOL,
            )
        return pools[origin]

    def forget(self) -> None:
        """See `Httpx2Transport.forget`."""
        self._loops = WeakKeyDictionary()

    async def aclose(self) -> None:
        """Close this loop's connections; those of a loop that has ended went with it."""
        for pool in self._loops.pop(asyncio.get_running_loop(), {}).values():
            await pool.aclose()


class AsyncHttpx2Response:
    """See `steps.AsyncResponse`."""

    __slots__ = ("_answer", "_chunks", "headers", "status")

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._chunks: AsyncIterator[bytes] = answer.aiter_stream()
        self.status = answer.status
        self.headers = _headers(answer)

    @property
    def line(self) -> Any:
        """See `Httpx2Response.line`."""
        return _line(self._answer)

    async def read(self, *, within: float | None) -> bytes | None:
        """See `steps.AsyncResponse.read`."""
        try:
            if within is None:
                return await anext(self._chunks, None)
            async with asyncio.timeout(within):
                return await anext(self._chunks, None)
        except ERRORS as error:
            failure = failure_of(error, reading="between_chunks")
        except TimeoutError:
            failure = TransportFailed("no answer in time", certainty="unknown", phase="total")
        raise failure

    async def aclose(self) -> None:
        """See `steps.AsyncResponse.aclose`."""
        await self._answer.aclose()


class _TLS:
    """The TLS set-up of one transport: made once, and only if an origin needs it."""

    def __init__(self, *, verify: ssl.SSLContext | bool) -> None:
        self._verify = verify
        self._context: ssl.SSLContext | None = None

    def context(self, origin: str) -> ssl.SSLContext | None:
        if self._context is None and origin.startswith("https:"):
            self._context = httpx2.create_ssl_context(verify=self._verify)
        return self._context


def _origin(url: str) -> str:
    return url[: url.find("/", 8)]


def _proxy(origin: str) -> httpcore2.Proxy | None:
    found = proxy_for(origin)
    if found is None:
        return None
    proxy = httpx2.Proxy(found)
    auth = None if proxy.auth is None else (proxy.auth[0].encode(), proxy.auth[1].encode())
    return httpcore2.Proxy(str(proxy.url), auth=auth)


@lru_cache(maxsize=256)
def _url(text: str) -> tuple[httpcore2.URL, bytes]:
    """Parsing takes longer than all else here, and a client has few addresses."""
    return httpcore2.URL(text), text.split("/", 3)[2].encode("ascii")


def _outgoing(
    request: Request, limits: Limits, body: bytes | Iterator[bytes] | AsyncIterator[bytes]
) -> tuple[httpcore2.Request, dict[str, float | None]]:
    """Return the request, and its limits: the pool looks at them again before the body is read."""
    url, host = _url(request.url)
    size = len(request.body) if isinstance(request.body, bytes) else request.body.size
    headers = [(b"host", host)]
    if size or request.method != "GET":
        headers.append((b"content-length", str(size).encode()))
    headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in request.headers]
    timeout = {
        "connect": limits.connect,
        "pool": limits.connect,
        "write": limits.first_byte,
        "read": limits.first_byte,
    }
    outgoing = httpcore2.Request(
        request.method,
        url,
        headers=headers,
        content=body,
        extensions={"timeout": timeout},
    )
    return outgoing, timeout


def _line(answer: Any) -> Any:
    return answer.extensions["network_stream"]


def _headers(answer: httpcore2.Response) -> dict[str, str]:
    return {
        name.decode("ascii", "replace").lower(): value.decode("latin-1")
        for name, value in answer.headers
    }


def failure_of(error: Exception, *, reading: Phase = "first_byte") -> TransportFailed:
    """Say what happened in words of our own; the library's may quote a header it refused."""
    if isinstance(error, httpcore2.LocalProtocolError):
        return TransportFailed(
            "the request could not be written as HTTP", certainty="not_sent", hopeless=True
        )
    not_sent = isinstance(error, _NOT_SENT)
    certainty: Certainty = "not_sent" if not_sent else "unknown"
    if isinstance(error, httpcore2.TimeoutException):
        phase: Phase = "connect" if not_sent else reading
        return TransportFailed("no answer in time", certainty=certainty, phase=phase)
    detail = str(error) or type(error).__name__
    certificate = _is_certificate_problem(error)
    return TransportFailed(detail, certainty=certainty, certificate=certificate)


def _is_certificate_problem(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


_living: WeakSet[Httpx2Transport | AsyncHttpx2Transport] = WeakSet()


def _after_fork() -> None:
    """A child that went on with the parent's connections would read the parent's answers."""
    for transport in tuple(_living):
        transport.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
