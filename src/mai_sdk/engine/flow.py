"""One call as a generator: attempts, retries, tokens, errors, receipts.

A flow yields what it wants done (`steps.py`) and is sent the outcome; it does not wait, read or
sleep itself. Flows compose with `yield from`, so a call that asks twice is still one call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mai_sdk.config import Secret
from mai_sdk.engine.auth import auth_header
from mai_sdk.engine.redact import redact_error
from mai_sdk.engine.retry import certainty_of_status
from mai_sdk.engine.steps import Pause, Read, Request, Send, Token, TransportFailed
from mai_sdk.engine.timeouts import limits_for
from mai_sdk.errors import (
    AuthenticationFailed,
    CallFailed,
    CertificateRejected,
    ConnectionFailed,
    ContentFiltered,
    MAIError,
    RateLimited,
    TimedOut,
    UnreadableAnswer,
)
from mai_sdk.wire.headers import request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from mai_sdk.config import Route
    from mai_sdk.engine.call import Call
    from mai_sdk.engine.steps import Certainty, Step
    from mai_sdk.engine.tab import Tab

__all__ = ["attach", "interrupted", "opened", "whole"]

T = TypeVar("T")
R = TypeVar("R")

_MAX_ERROR_BYTES = 1024 * 1024
_USER_AGENT = "mai-sdk"


def whole(call: Call[T], tab: Tab) -> Generator[Step, Any, T]:
    """Make the call and read its answer to the end; the attempt is settled when this returns.

    Raises:
        CallFailed: It did not succeed; the error carries the receipt over all attempts.
        LedgerError: The reservation could not be written; nothing was sent.
    """
    return (yield from _attempts(call, tab, _finish_whole))


def opened(call: Call[T], tab: Tab) -> Generator[Step, Any, Any]:
    """Make the call and return the Response of an open 2xx stream; the caller settles the tab.

    From here on nothing is retried: content may already have been shown.

    Raises:
        CallFailed: As for `whole`.
    """
    return (yield from _attempts(call, tab, _finish_opened))


def attach(error: CallFailed, tab: Tab, call: Call[Any], *, token: str | None = None) -> CallFailed:
    """Give `error` its receipt and ids, and clean it of secrets and prompts."""
    error.call_id = tab.call_id
    error.receipt = tab.receipt()
    redact_error(error, secrets=_secrets(call.route, token), prompts=call.prompts)
    return error


def interrupted(failure: TransportFailed, url: str) -> CallFailed:
    """Return the error that a transport's failure means to the caller."""
    where = url[: url.find("/", 8)]
    if failure.certificate:
        return CertificateRejected(
            f"{where} showed a certificate that is not trusted here ({failure.detail}). Check the "
            "host name, and that the system's CA bundle (or SSL_CERT_FILE) has its issuer."
        )
    if failure.phase is not None:
        limit = {
            "connect": "No connection stood within the connect limit",
            "first_byte": "No answer began within the first-byte limit",
            "between_chunks": "The answer stopped coming for longer than the between-chunks limit",
            "total": "The call took longer than its total limit",
        }[failure.phase]
        return TimedOut(
            f"{limit} ({where}). Raise it with timeout=Timeouts({failure.phase}=...).",
            phase=failure.phase,
        )
    if failure.certainty == "not_sent":
        return ConnectionFailed(
            f"No connection to {where}: {failure.detail}. Check the endpoint, and that the "
            "service is running."
        )
    return ConnectionFailed(f"The connection to {where} broke off: {failure.detail}.")


def _attempts(
    call: Call[T],
    tab: Tab,
    finish: Callable[[Call[T], Tab, Any], Generator[Step, Any, R]],
) -> Generator[Step, Any, R]:
    """Try, and try again where the failure allows it."""
    token: str | None = None
    rejected: str | None = None
    unknown_so_far = 0
    while True:
        token = yield from _token(call.route, rejected)
        tab.reserve(call.upper_bound)
        certainty: Certainty | None
        try:
            limits = limits_for(call.timeouts, stream=call.stream, remaining=tab.remaining())
            response = yield Send(_request(call, tab, token), limits)
            tab.answered(request_id(response.headers))
            if 200 <= response.status < 300:
                return (yield from finish(call, tab, response))
            body: bytes = yield Read(response, _MAX_ERROR_BYTES, tab.deadline)
            failure = _refused(call, response, body)
            certainty = certainty_of_status(response.status)
        except TransportFailed as error:
            failure, certainty = interrupted(error, call.url), error.certainty
            if error.certificate:
                certainty = None
            tab.settle(None, state=_final_state(error.certainty), error=type(failure).__name__)
        except CallFailed as error:
            failure, certainty = error, None
            tab.settle(None, state="unknown", error=type(error).__name__)
        except BaseException as error:
            tab.settle(None, state="unknown", error=type(error).__name__)
            raise
        else:
            _settle_refused(tab, failure, certainty)
        attach(failure, tab, call, token=token)
        if failure.status == 401 and token is not None and rejected is None:
            rejected = token
            continue
        unknown_so_far += certainty == "unknown"
        yield from _before_retry(tab, failure, certainty, unknown_so_far)


def _before_retry(
    tab: Tab, failure: CallFailed, certainty: Certainty | None, unknown_so_far: int
) -> Generator[Step, Any, None]:
    """Wait as long as the policy says, or raise `failure`."""
    engine = tab.engine
    wait = None
    if certainty is not None:
        wait = engine.retry.wait_before_retry(
            certainty,
            attempt=len(failure.receipt.attempts) if failure.receipt else 1,
            unknown_so_far=unknown_so_far,
            retry_after=failure.retry_after,
            remaining=tab.remaining(),
        )
    if wait is None or certainty is None or not engine.quota.take(certainty):
        raise failure from None
    yield Pause(wait)


def _finish_whole(call: Call[T], tab: Tab, response: Any) -> Generator[Step, Any, T]:
    body: bytes = yield Read(response, call.max_body_bytes, tab.deadline)
    tab.first_content = tab.first_byte
    try:
        value = call.read(body)
    except CallFailed as error:
        error.status, error.request_id = response.status, tab.request_id
        if error.partial is not None:
            _settle_answered(call, tab, error.partial, response, type(error).__name__)
        raise
    _settle_answered(call, tab, value, response, None)
    tab.engine.quota.give_back()
    return value


def _settle_answered(call: Call[T], tab: Tab, value: T, response: Any, error: str | None) -> None:
    usage = call.usage_of(value)
    tab.settle(
        usage,
        state="settled_exact" if usage.basis == "reported" else "settled_estimated",
        status=response.status,
        error=error,
    )


def _finish_opened(call: Call[T], tab: Tab, response: Any) -> Generator[Step, Any, Any]:
    kind = response.headers.get("content-type", "").lower()
    if "html" in kind or "json" in kind:
        body: bytes = yield Read(response, _MAX_ERROR_BYTES, tab.deadline)
        raise _not_a_stream(call, response, body, kind)
    tab.sent()
    tab.engine.quota.give_back()
    return response


def _not_a_stream(call: Call[Any], response: Any, body: bytes, kind: str) -> CallFailed:
    """A 200 that is no event stream: an error object, a login page, or a service that cannot."""
    read = call.fail(response.status, response.headers, body)
    return UnreadableAnswer(
        f"{call.url} answered {response.status} with {kind.split(';')[0]!r} where an event stream "
        "was due. Check that the endpoint is the service itself and not a proxy's page.",
        status=response.status,
        request_id=read.request_id,
        body=read.body,
    )


def _refused(call: Call[Any], response: Any, body: bytes) -> CallFailed:
    if 300 <= response.status < 400:
        return UnreadableAnswer(
            f"{call.url} answered {response.status}, a redirect. Redirects are not followed, so "
            "that no key or prompt goes where you did not send it. Configure the final address.",
            status=response.status,
            request_id=request_id(response.headers),
        )
    failure = call.fail(response.status, response.headers, body)
    if response.status == 404:
        known = call.explain_missing()
        if known:
            failure.message = f"{failure.message} {known}"
            failure.args = (failure.message,)
    return failure


def _settle_refused(tab: Tab, failure: CallFailed, certainty: Certainty | None) -> None:
    """A 4xx did no work, except where the answer itself was filtered; a 5xx may have."""
    ran = certainty == "unknown" or isinstance(failure, ContentFiltered)
    if isinstance(failure, RateLimited):
        ran = False
    tab.settle(
        None,
        state="unknown" if ran else "released",
        status=failure.status,
        error=type(failure).__name__,
    )


def _final_state(certainty: Certainty) -> Any:
    return "unknown" if certainty == "unknown" else "released"


def _token(route: Route, rejected: str | None) -> Generator[Step, Any, str | None]:
    if route.credential is None or isinstance(route.credential, Secret):
        return None
    try:
        token: str = yield Token(route.credential, route.scope, rejected)
    except MAIError:
        raise
    except Exception as error:  # noqa: BLE001 - a credential may raise anything
        name = type(route.credential).__name__
        reason = str(error).partition("\n")[0][:300]
    else:
        return token
    raise AuthenticationFailed(f"{name} gave no token: {reason} Nothing was sent.")


def _request(call: Call[Any], tab: Tab, token: str | None) -> Request:
    headers = [
        ("accept", "text/event-stream" if call.stream else "application/json"),
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("user-agent", _USER_AGENT),
        ("x-ms-client-request-id", tab.call_id),
    ]
    proof = auth_header(call.route, token=token)
    if proof is not None:
        headers.append(proof)
    headers.extend(call.route.headers)
    headers.extend(call.headers)
    return Request(call.method, call.url, headers, call.body)


def _secrets(route: Route, token: str | None) -> tuple[str, ...]:
    key = route.credential.reveal() if isinstance(route.credential, Secret) else ""
    return (key, token or "")
