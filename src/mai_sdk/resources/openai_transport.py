"""Official clients on our drivers: a transport for the HTTP library that openai runs on.

openai 3 runs on httpx2, older ones on httpx, which have the same names. Which one it is is asked of
the openai package; this file imports neither.
"""

from __future__ import annotations

import sys
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mai_sdk.engine.flow import interrupted
from mai_sdk.engine.steps import Limits, TransportFailed
from mai_sdk.errors import MAIError
from mai_sdk.resources.errand import Errand, current_errand
from mai_sdk.resources.relay import Asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import ModuleType

    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.engine.steps import AsyncResponse, Response
    from mai_sdk.resources.relay import Passage, Relay
    from mai_sdk.resources.relayed import Relayed

__all__ = ["AsyncRelayTransport", "RelayTransport", "library_of"]


def library_of(client_class: type) -> ModuleType:
    """Return the HTTP library that an official HTTP client is a client of: httpx2 or httpx."""
    names = (kind.__module__.partition(".")[0] for kind in client_class.__mro__)
    return sys.modules[next(name for name in names if name in ("httpx2", "httpx"))]


class RelayTransport:
    """Carries the requests of one official client, and has each one written down."""

    def __init__(self, relay: Relay, driver: Driver, http: Any, *, owns_driver: bool) -> None:
        self._relay = relay
        self._driver = driver
        self._http = http
        self._body = _with_base(_Body, http.SyncByteStream)
        self._owns_driver = owns_driver

    def handle_request(self, request: Any) -> Any:
        """Return the answer once its head is there.

        Raises:
            MAIError: Nothing was sent.
        """
        passage = _passage(self._relay, request, request.read())
        try:
            response = self._driver.run(passage.flow())
        except TransportFailed as failure:
            error = _http_error(self._http, failure, passage.call.url)
        else:
            body = self._body(self._http, passage, response)
            return _http_response(self._http, response, body)
        raise error

    def close(self) -> None:
        """Close the connections, unless they are those of the `MAI` it came from."""
        if self._owns_driver:
            self._driver.close()

    def __enter__(self) -> RelayTransport:  # noqa: PYI034 - httpx asks for no more
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRelayTransport:
    """See `RelayTransport`."""

    def __init__(self, relay: Relay, driver: AsyncDriver, http: Any, *, owns_driver: bool) -> None:
        self._relay = relay
        self._driver = driver
        self._http = http
        self._body = _with_base(_AsyncBody, http.AsyncByteStream)
        self._owns_driver = owns_driver

    async def handle_async_request(self, request: Any) -> Any:
        """See `RelayTransport.handle_request`."""
        passage = _passage(self._relay, request, await request.aread())
        try:
            response = await self._driver.run(passage.flow())
        except TransportFailed as failure:
            error = _http_error(self._http, failure, passage.call.url)
        else:
            body = self._body(self._http, passage, response)
            return _http_response(self._http, response, body)
        raise error

    async def aclose(self) -> None:
        """See `RelayTransport.close`."""
        if self._owns_driver:
            await self._driver.aclose()

    async def __aenter__(self) -> AsyncRelayTransport:  # noqa: PYI034 - httpx asks for no more
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Passing:
    """The part of both bodies that is the same."""

    def __init__(self, http: Any, passage: Passage, response: Any) -> None:
        self._http = http
        self._url = passage.call.url
        self._response = response
        self._relayed: Relayed = passage.answer(response)

    def _failure(self, error: TransportFailed | MAIError) -> Exception:
        """Settle, and return the error that the official client takes for a broken line."""
        self._relayed.settle(
            interrupted(error, self._url) if isinstance(error, TransportFailed) else error
        )
        return _http_error(self._http, error, self._url)


class _Body(_Passing):
    def __init__(self, http: Any, passage: Passage, response: Response) -> None:
        super().__init__(http, passage, response)
        # Settles a stream that was dropped, or is still open when the interpreter ends.
        self._finalizer = weakref.finalize(self, partial(_forgotten, self._relayed, response))

    def __iter__(self) -> Iterator[bytes]:
        relayed = self._relayed
        try:
            while (data := self._response.read(within=None)) is not None:
                if shown := relayed.take(data):
                    yield shown
            if rest := relayed.rest():
                yield rest
            relayed.end()
        except (TransportFailed, MAIError) as error:
            failure = self._failure(error)
        except GeneratorExit:
            relayed.abandoned()
            raise
        except BaseException as error:
            relayed.settle(error)
            raise
        else:
            return
        raise failure

    def close(self) -> None:
        self._finalizer()


class _AsyncBody(_Passing):
    def __init__(self, http: Any, passage: Passage, response: AsyncResponse) -> None:
        super().__init__(http, passage, response)
        self._finalizer = weakref.finalize(self, self._relayed.abandoned)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        relayed = self._relayed
        try:
            while (data := await self._response.read(within=None)) is not None:
                if shown := relayed.take(data):
                    yield shown
            if rest := relayed.rest():
                yield rest
            relayed.end()
        except (TransportFailed, MAIError) as error:
            failure = self._failure(error)
        except GeneratorExit:
            relayed.abandoned()
            raise
        except BaseException as error:
            relayed.settle(error)
            raise
        else:
            return
        raise failure

    async def aclose(self) -> None:
        self._finalizer()
        await self._response.aclose()


def _forgotten(relayed: Relayed, response: Response) -> None:
    relayed.abandoned()
    response.close()


def _with_base(kind: type, base: type) -> Any:
    """Return the class as one of the HTTP library's streams, which the library checks for."""
    return type(kind.__name__, (kind, base), {})


def _passage(relay: Relay, request: Any, body: bytes) -> Passage:
    waits = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    asked = Asked(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        limits=Limits(
            connect=waits.get("connect"),
            first_byte=waits.get("read"),
            between_reads=waits.get("read"),
        ),
    )
    return relay.passage(asked, current_errand().get() or Errand(is_alone=True))


def _http_response(http: Any, response: Any, body: Any) -> Any:
    return http.Response(response.status, headers=dict(response.headers), stream=body)


def _http_error(http: Any, error: TransportFailed | MAIError, url: str) -> Exception:
    """Return what the HTTP library would have raised, in our words."""
    if not isinstance(error, TransportFailed):
        kind, text = http.RemoteProtocolError, error.message
    else:
        text = interrupted(error, url).message
        if error.phase is not None:
            kind = http.ConnectTimeout if error.phase == "connect" else http.ReadTimeout
        else:
            kind = http.ConnectError if error.certainty == "not_sent" else http.ReadError
    made: Exception = kind(text)
    return made
