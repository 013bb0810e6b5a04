"""httpx2 as a transport: its connection pools, without the client's redirects and cookies."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import httpx2

from mai_sdk.engine.proxy import proxy_for
from mai_sdk.engine.steps import TransportFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mai_sdk.engine.steps import Certainty, Limits, Phase, Request

__all__ = ["AsyncHttpx2Transport", "Httpx2Transport"]

_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=20, keepalive_expiry=60)
"""A minute saves an agent's next call its TLS handshake. Not more than 20 are kept idle, because
the pool looks at every idle connection on every request."""

_KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
"""A NAT that forgets an idle connection would otherwise leave a call waiting for its full limit."""

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class Httpx2Transport:
    """Carries requests over httpx2, one connection pool per proxy. Thread-safe."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._verify = verify
        self._pools: dict[str, httpx2.HTTPTransport] = {}
        self._lock = threading.Lock()

    def send(self, request: Request, limits: Limits) -> Httpx2Response:
        """See `steps.Transport.send`."""
        pool = self._pools.get(_origin(request.url)) or self._open(_origin(request.url))
        outgoing = _outgoing(request, limits)
        try:
            answer = pool.handle_request(outgoing)
        except httpx2.TransportError as error:
            failure = _failure(error)
        else:
            outgoing.extensions["timeout"]["read"] = limits.between_reads
            return Httpx2Response(answer)
        raise failure

    def _open(self, origin: str) -> httpx2.HTTPTransport:
        with self._lock:
            if origin not in self._pools:
                self._pools[origin] = httpx2.HTTPTransport(
                    verify=self._verify,
                    limits=_LIMITS,
                    proxy=proxy_for(origin),
                    socket_options=_KEEP_ALIVE,
                )
            return self._pools[origin]

    def close(self) -> None:
        """See `steps.Transport.close`."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()


class Httpx2Response:
    """See `steps.Response`."""

    __slots__ = ("_answer", "headers", "status")

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer
        self.status = answer.status_code
        self.headers = _headers(answer)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.stream  # type: ignore[misc]  # a sync transport's is sync
        except httpx2.TransportError as error:
            failure = _failure(error, reading="between_chunks")
        else:
            return
        raise failure

    def abort(self) -> None:
        stream = self._answer.extensions.get("network_stream")
        sock = stream.get_extra_info("socket") if stream is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._answer.close()


class AsyncHttpx2Transport:
    """See `Httpx2Transport`. Pools belong to the event loop they were opened on."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._verify = verify
        self._loops: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str, httpx2.AsyncHTTPTransport]
        ] = WeakKeyDictionary()

    async def send(self, request: Request, limits: Limits) -> AsyncHttpx2Response:
        """See `steps.Transport.send`."""
        outgoing = _outgoing(request, limits)
        try:
            answer = await self._pool(_origin(request.url)).handle_async_request(outgoing)
        except httpx2.TransportError as error:
            failure = _failure(error)
        else:
            outgoing.extensions["timeout"]["read"] = limits.between_reads
            return AsyncHttpx2Response(answer)
        raise failure

    def _pool(self, origin: str) -> httpx2.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        pools = self._loops.get(loop)
        if pools is None:
            pools = self._loops[loop] = {}
        if origin not in pools:
            pools[origin] = httpx2.AsyncHTTPTransport(
                verify=self._verify,
                limits=_LIMITS,
                proxy=proxy_for(origin),
                socket_options=_KEEP_ALIVE,
            )
        return pools[origin]

    async def aclose(self) -> None:
        """Close this loop's connections; those of a loop that has ended went with it."""
        for pool in self._loops.pop(asyncio.get_running_loop(), {}).values():
            await pool.aclose()


class AsyncHttpx2Response:
    """See `steps.AsyncResponse`."""

    __slots__ = ("_answer", "headers", "status")

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer
        self.status = answer.status_code
        self.headers = _headers(answer)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._answer.stream:  # type: ignore[union-attr]  # it is async
                yield data
        except httpx2.TransportError as error:
            failure = _failure(error, reading="between_chunks")
        else:
            return
        raise failure

    async def aclose(self) -> None:
        await self._answer.aclose()


def _origin(url: str) -> str:
    return url[: url.find("/", 8)]


@lru_cache(maxsize=256)
def _url(text: str) -> httpx2.URL:
    """Parsing takes longer than all else here, and a client has few addresses."""
    return httpx2.URL(text)


def _outgoing(request: Request, limits: Limits) -> httpx2.Request:
    timeout = {
        "connect": limits.connect,
        "pool": limits.connect,
        "write": limits.first_byte,
        "read": limits.first_byte,
    }
    return httpx2.Request(
        request.method,
        _url(request.url),
        headers=request.headers,
        content=request.body,
        extensions={"timeout": timeout},
    )


def _headers(answer: httpx2.Response) -> dict[str, str]:
    return {
        name.decode("ascii", "replace").lower(): value.decode("latin-1")
        for name, value in answer.headers.raw
    }


def _failure(error: httpx2.TransportError, *, reading: Phase = "first_byte") -> TransportFailed:
    """Say what happened in words of our own; httpx2's may quote a header it refused."""
    if isinstance(error, httpx2.LocalProtocolError):
        return TransportFailed("the request could not be written as HTTP", certainty="not_sent")
    not_sent = isinstance(error, _NOT_SENT)
    certainty: Certainty = "not_sent" if not_sent else "unknown"
    if isinstance(error, httpx2.TimeoutException):
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
