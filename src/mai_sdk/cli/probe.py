"""The only code of `mai doctor` that opens a connection."""

from __future__ import annotations

import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from mai_sdk.cli.examine import Certificate, Trouble
from mai_sdk.engine.auth import Tokens, auth_header
from mai_sdk.engine.proxy import proxy_for
from mai_sdk.engine.steps import Limits, Request, TransportFailed
from mai_sdk.engine.transport import sync_transport
from mai_sdk.errors import MAIError

if TYPE_CHECKING:
    from mai_sdk.config import Route, Secret

__all__ = ["Probe"]

_MOST = 4 * 1024 * 1024


class Probe:
    """Looks at a service, a step at a time. Each step raises `Trouble` or returns what it saw."""

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._transport = sync_transport(None)
        self._tokens = Tokens()

    def proxy(self, url: str) -> str | None:
        """Return the proxy the environment asks for, if any."""
        return proxy_for(url)

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses behind a name."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Trouble(error.strerror or str(error)) from None
        return list(dict.fromkeys(str(address[4][0]) for address in found))

    def connect(self, host: str, port: int) -> float:
        """Return how many seconds a connection took."""
        started = time.monotonic()
        try:
            socket.create_connection((host, port), timeout=self._timeout).close()
        except TimeoutError:
            raise Trouble(f"no answer within {self._timeout:g} s") from None
        except OSError as error:
            raise Trouble(error.strerror or str(error)) from None
        return time.monotonic() - started

    def certificate(self, host: str, port: int) -> Certificate:
        """Return the server's certificate, trusted as the SDK's own calls would."""
        import httpx2

        context = httpx2.create_ssl_context()
        try:
            with (
                socket.create_connection((host, port), timeout=self._timeout) as raw,
                context.wrap_socket(raw, server_hostname=host) as secured,
            ):
                shown = cast("dict[str, Any]", secured.getpeercert() or {})
        except ssl.SSLCertVerificationError as error:
            raise Trouble(error.verify_message) from None
        except ssl.SSLError as error:
            raise Trouble(error.reason or str(error)) from None
        except OSError as error:
            raise Trouble(error.strerror or str(error)) from None
        names = {key: value for part in shown.get("issuer", ()) for key, value in part}
        issuer = names.get("organizationName") or names.get("commonName") or "an unnamed issuer"
        until = parsedate_to_datetime(shown["notAfter"]).date().isoformat()
        return Certificate(issuer, until)

    def get(self, route: Route, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET with the route's credential."""
        headers = [("accept", "application/json"), ("user-agent", "mai-sdk")]
        proof = auth_header(route, token=self._token(route))
        headers += [*route.headers, *([proof] if proof else [])]
        limits = Limits(
            connect=self._timeout, first_byte=self._timeout, between_reads=self._timeout
        )
        try:
            response = self._transport.send(Request("GET", route.endpoint + path, headers), limits)
            try:
                return response.status, _body(response)
            finally:
                response.close()
        except TransportFailed as error:
            raise Trouble(error.detail) from None

    def _token(self, route: Route) -> Secret | None:
        credential: Any = route.credential
        if credential is None or not hasattr(credential, "get_token"):
            return None
        try:
            return self._tokens.get(credential, route.scope, rejected=None)
        except MAIError:
            raise
        except Exception as error:  # noqa: BLE001 - a credential may raise anything
            raise Trouble(f"no token: {str(error).partition(chr(10))[0][:200]}") from None

    def close(self) -> None:
        """Close what is open."""
        self._transport.close()


def _body(response: Any) -> bytes:
    body = b""
    while (piece := response.read(within=None)) is not None:
        body += piece
        if len(body) > _MOST:
            raise Trouble("the answer is far too long")
    return body
