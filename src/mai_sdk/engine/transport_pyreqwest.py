"""Rust's reqwest as a transport (extra `[fast]`): about a third of the CPU of httpx2 a call.

Differences from httpx2 that the library imposes: the limits for connecting and reading belong to a
client, so one is kept for each pair of them; a sync read waits for the larger of the two read
limits, so a sync stream that stalls is noticed later than on httpx2; an async call's total limit
is the library's own, which takes less than asyncio's and holds for the body, too; and its runtime
does not survive a fork, so a child is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import os
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from pyreqwest.client import Client, ClientBuilder, SyncClient, SyncClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    PoolTimeoutError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.proxy import ProxyBuilder

from mai_sdk.engine.proxy import proxy_for
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.timeouts import longest
from mai_sdk.engine.upload import off_the_loop
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyreqwest.request import StreamRequest, SyncStreamRequest
    from pyreqwest.response import Response, SyncResponse

    from mai_sdk.engine.steps import Certainty, Limits, Phase, Request
    from mai_sdk.engine.upload import Upload

__all__ = ["AsyncPyreqwestTransport", "PyreqwestTransport"]

_NOT_SENT = (PoolTimeoutError, BuilderError)

_WHILE_CONNECTING = "client error (Connect)"
"""The cause that tells a connection that never stood from one that broke after the request went
out ("client error (SendRequest)"): pyreqwest raises ConnectError and ConnectTimeoutError for both.
"""


class PyreqwestTransport:
    """Carries requests over reqwest. Thread-safe."""

    def __init__(self) -> None:
        self._clients: dict[tuple[Any, ...], SyncClient] = {}
        self._lock = threading.Lock()

    def send(self, request: Request, limits: Limits) -> PyreqwestResponse:
        """See `steps.Transport.send`."""
        if _forked:
            raise _useless_after_fork()
        key = _client_key(request, limits)
        client = self._clients.get(key)
        if client is None:
            with self._lock:
                client = self._clients.get(key)
                if client is None:
                    client = self._clients[key] = _configured(SyncClientBuilder(), key).build()
        try:
            outgoing = _built(client, request, lambda body: body.pieces())
            answer = outgoing.__enter__()
        except PyreqwestError as error:
            failure = _failure(error, reading="first_byte")
        else:
            return PyreqwestResponse(outgoing, answer)
        raise failure

    def close(self) -> None:
        """See `steps.Transport.close`."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()


class PyreqwestResponse:
    """See `steps.Response`."""

    __slots__ = ("_outgoing", "_read", "headers", "status")

    def __init__(self, outgoing: SyncStreamRequest, answer: SyncResponse) -> None:
        self._outgoing: Any = outgoing
        self._read = answer.body_reader.read_chunk
        self.status = answer.status
        self.headers = _Headers(answer)

    def read(self, *, within: float | None) -> bytes | None:
        """See `steps.Response.read`; `within` cannot be kept: see the module's docstring."""
        try:
            chunk = self._read()
        except PyreqwestError as error:
            failure = _failure(error, reading="between_chunks")
        else:
            return None if chunk is None else bytes(chunk)
        raise failure

    def close(self) -> None:
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is not None:
            outgoing.__exit__(None, None, None)


class AsyncPyreqwestTransport:
    """See `PyreqwestTransport`; reqwest's own runtime serves every event loop."""

    def __init__(self) -> None:
        _end_in_order()
        self._clients: dict[tuple[Any, ...], Client] = {}

    async def send(self, request: Request, limits: Limits) -> AsyncPyreqwestResponse:
        """See `steps.AsyncTransport.send`."""
        if _forked:
            raise _useless_after_fork()
        key = _client_key(request, limits)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = _configured(ClientBuilder(), key).build()
        try:
            outgoing = _built(client, request, off_the_loop, within=limits.total)
            answer = await outgoing.__aenter__()
        except PyreqwestError as error:
            failure = _failure(error, reading="first_byte")
        else:
            return AsyncPyreqwestResponse(outgoing, answer)
        raise failure

    async def aclose(self) -> None:
        """See `steps.AsyncTransport.aclose`."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()


class AsyncPyreqwestResponse:
    """See `steps.AsyncResponse`.

    The library lets nobody close an answer while a task waits for its next piece: closing waits,
    too, and both wait for ever. So whoever waits is woken first.
    """

    __slots__ = ("_outgoing", "_read", "_reader", "headers", "status")

    def __init__(self, outgoing: StreamRequest, answer: Response) -> None:
        self._outgoing: Any = outgoing
        self._read = answer.body_reader.read_chunk
        self._reader: asyncio.Task[Any] | None = None
        self.status = answer.status
        self.headers = _Headers(answer)

    async def read(self, *, within: float | None) -> bytes | None:
        task = self._reader = asyncio.current_task()
        cancelled_before = task.cancelling() if task is not None else 0
        try:
            if within is None:
                chunk = await self._read()
            else:
                async with asyncio.timeout(within):
                    chunk = await self._read()
            if task is not None and task.cancelling() > cancelled_before:
                raise asyncio.CancelledError
        except PyreqwestError as error:
            failure = _failure(error, reading="between_chunks")
        except TimeoutError:
            failure = TransportFailed("no answer in time", certainty="unknown", phase="total")
        except asyncio.CancelledError:
            closed = self._outgoing is None
            if task is None or not closed or task.uncancel() > cancelled_before:
                raise
            failure = TransportFailed("closed while it was read", certainty="unknown")
        else:
            return None if chunk is None else bytes(chunk)
        finally:
            self._reader = None
        raise failure

    async def aclose(self) -> None:
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is not None:
            if self._reader is not None:
                self._reader.cancel()
            await outgoing.__aexit__(None, None, None)


class _Headers(Mapping[str, str]):
    """The headers of an answer, fetched one by one: a call looks at three of twenty."""

    __slots__ = ("_answer",)

    def __init__(self, answer: SyncResponse | Response) -> None:
        self._answer = answer

    def get(self, key: str, default: Any = None) -> Any:
        """Return the header's value, or `default`."""
        value = self._answer.get_header(key)
        return default if value is None else value

    def __getitem__(self, key: str) -> str:
        value = self._answer.get_header(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._answer.get_header(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._answer.headers.items()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


_HAND_OVER_SECONDS = 0.05


@cache
def _end_in_order() -> None:
    """Let the runtime's thread come to rest before the interpreter ends.

    It may still be on its way back from handing over the last answer, and Python aborts a process
    whose native thread comes back while it is being taken down: one in ten, measured, of those
    that ended right after their answer. The library has no way to wait for its thread.
    """
    atexit.register(time.sleep, _HAND_OVER_SECONDS)


def _useless_after_fork() -> ConfigurationError:
    return ConfigurationError(
        'transport="pyreqwest" cannot be used in a process forked from one that loaded it. '
        'Start the child with the "spawn" method, or leave transport out.'
    )


def _built(
    client: Any,
    request: Request,
    pieces: Callable[[Upload], Any],
    *,
    within: float | None = None,
) -> Any:
    builder = client.request(request.method, request.url).headers(request.headers)
    body = request.body
    if isinstance(body, bytes):
        builder = builder.body_bytes(body)
    else:
        builder = builder.header("content-length", str(body.size)).body_stream(pieces(body))
    if within is not None:
        builder = builder.timeout(timedelta(seconds=within))
    if request.stream:  # else the library holds the first 64 KiB back until they are there
        builder = builder.streamed_read_buffer_limit(0)
    return builder.build_streamed()


def _client_key(request: Request, limits: Limits) -> tuple[Any, ...]:
    connect, read = _configurable(limits.connect, limits.first_byte, limits.between_reads)
    total = limits.total
    if total is not None and (read is None or total < read):
        read = _rounded_up(total)
    url = request.url
    return (url[: url.find("/", 8)], connect, read)


@lru_cache(maxsize=256)
def _configurable(
    connect: float | None, first_byte: float | None, between_reads: float | None
) -> tuple[float | None, float | None]:
    """Return the two limits a client can have.

    Rounded up, so that the time already spent on a call does not make a client of its own.
    """
    return _rounded_up(connect), _rounded_up(longest(first_byte, between_reads))


def _rounded_up(limit: float | None) -> float | None:
    if limit is None:
        return None
    step = 1.0 if limit >= 1 else 0.1
    return max(math.ceil(limit / step) * step, step)


def _configured(builder: Any, key: tuple[Any, ...]) -> Any:
    origin, connect, read = key
    builder = (
        builder.follow_redirects(False)  # noqa: FBT003 - the library's own signature
        .referer(False)  # noqa: FBT003 - the library's own signature
        .gzip(False)  # noqa: FBT003 - the library's own signature
        .brotli(False)  # noqa: FBT003 - the library's own signature
        .zstd(False)  # noqa: FBT003 - the library's own signature
        .deflate(False)  # noqa: FBT003 - the library's own signature
        .http1_lower_case_headers()
        .tcp_keepalive(timedelta(seconds=60))
        .no_proxy()
    )
    proxy = proxy_for(origin)
    if proxy is not None:
        builder = builder.proxy(ProxyBuilder.all(proxy))
    if connect is not None:
        builder = builder.connect_timeout(timedelta(seconds=connect))
    if read is not None:
        builder = builder.read_timeout(timedelta(seconds=read))
    return builder


def _failure(error: PyreqwestError, *, reading: Phase) -> TransportFailed:
    causes = [str(cause["message"]) for cause in _causes(error)]
    not_sent = isinstance(error, _NOT_SENT) or _WHILE_CONNECTING in causes
    certainty: Certainty = "not_sent" if not_sent else "unknown"
    if isinstance(error, RequestTimeoutError):
        phase: Phase = "connect" if not_sent else reading
        return TransportFailed("no answer in time", certainty=certainty, phase=phase)
    if isinstance(error, BuilderError):  # its text may quote the header it refused
        return TransportFailed(
            "the request could not be written as HTTP", certainty="not_sent", hopeless=True
        )
    detail = causes[-1] if causes else error.message
    certificate = not_sent and "certificate" in detail.lower()
    return TransportFailed(detail, certainty=certainty, certificate=certificate)


def _causes(error: PyreqwestError) -> list[Any]:
    details: Any = getattr(error, "details", None) or {}
    return list(details.get("causes") or [])
