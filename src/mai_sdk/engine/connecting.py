"""One connection of a session, as a flow: a token, the handshake, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.config import Secret
from mai_sdk.engine.auth import auth_header
from mai_sdk.engine.flow import interrupted
from mai_sdk.engine.redact import redact_error
from mai_sdk.engine.steps import Await, Limits, Read, Request, Token, TransportFailed
from mai_sdk.errors import AuthenticationFailed, CallFailed, MAIError, UnreadableAnswer
from mai_sdk.session.endings import Remedy, after_refusal
from mai_sdk.wire.failures import read_failure

if TYPE_CHECKING:
    from collections.abc import Generator

    from mai_sdk.config import Route, Timeouts
    from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket
    from mai_sdk.engine.steps import Step

__all__ = ["Line", "Unconnected", "connecting", "secrets_of"]

_MAX_ERROR_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a session's connections go."""

    route: Route
    url: str = field(repr=False)
    timeouts: Timeouts
    max_retries: int = 2
    """Tries after the first, until the session stands."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    subprotocol: str | None = None


class Unconnected(Exception):
    """No connection came about."""

    def __init__(self, failure: CallFailed, remedy: Remedy, *, token: Secret | None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.remedy: Remedy = remedy
        self.token = token
        """What it was tried with."""


def connecting(
    line: Line, dialler: AsyncDialler, *, rejected: Secret | None
) -> Generator[Step, Any, tuple[AsyncWebSocket, Secret | None]]:
    """Return an open socket, and the token it was opened with: a fresh one for every connection.

    Raises:
        Unconnected: There is none; it says whether to try again.
    """
    token = yield from _token(line, rejected)
    limits = Limits(line.timeouts.connect, line.timeouts.first_byte, None, line.timeouts.first_byte)
    request = _request(line, token)
    try:
        answer = yield Await(lambda: dialler.dial(request, limits, subprotocol=line.subprotocol))
        if not hasattr(answer, "status"):
            return answer, token
        body: bytes = yield Read(answer, _MAX_ERROR_BYTES, lambda: line.timeouts.first_byte)
    except TransportFailed as error:
        failure: CallFailed = interrupted(error, line.url)
        remedy: Remedy = "fail" if error.hopeless else "resume"
    except UnreadableAnswer as error:
        failure, remedy = error, "fail"
    else:
        failure = read_failure(
            status=answer.status, headers=answer.headers, body=body, surface=line.route.surface
        )
        remedy = after_refusal(answer.status)
    redact_error(failure, secrets=secrets_of(line, token), prompts=())
    raise Unconnected(failure, remedy, token=token) from None


def _token(line: Line, rejected: Secret | None) -> Generator[Step, Any, Secret | None]:
    route = line.route
    if route.credential is None or isinstance(route.credential, Secret):
        return None
    try:
        token: Secret = yield Token(route.credential, route.scope, rejected)
    except MAIError:
        raise
    except Exception as error:  # noqa: BLE001 - a credential may raise anything
        kind = type(error).__name__
    else:
        return token
    name = type(route.credential).__name__
    failure = AuthenticationFailed(
        f"{name} gave no token ({kind}). Check how it signs in; no connection was made with it."
    )
    raise Unconnected(failure, "resume", token=None)


def _request(line: Line, token: Secret | None) -> Request:
    headers = [("user-agent", "mai-sdk")]
    proof = auth_header(line.route, token=token)
    if proof is not None:
        headers.append(proof)
    headers.extend(line.route.headers)
    headers.extend(line.headers)
    return Request("GET", line.url, headers)


def secrets_of(line: Line, token: Secret | None) -> tuple[str, ...]:
    """Return what no error may show."""
    known = (token, line.route.credential)
    return tuple(each.reveal() for each in known if isinstance(each, Secret))
