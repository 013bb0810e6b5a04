"""One call as a generator: attempts, retries, tokens, errors, receipts.

A flow yields what it wants done (`steps.py`) and is sent the outcome; it does not wait, read or
sleep itself. Flows compose with `yield from`, so a call that asks twice is still one call.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, TypeVar

from mai_sdk.config import Secret
from mai_sdk.engine.auth import auth_header
from mai_sdk.engine.redact import redact_error
from mai_sdk.engine.retry import certainty_of_status, may_have_run
from mai_sdk.engine.steps import Pause, Read, Request, Send, Token, TransportFailed
from mai_sdk.engine.timeouts import limits_for
from mai_sdk.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    CallFailed,
    CertificateRejected,
    ConnectionFailed,
    ContentFiltered,
    MAIError,
    RequestRejected,
    TimedOut,
    UnreadableAnswer,
)
from mai_sdk.wire.headers import request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from mai_sdk.config import Route, TokenCredential
    from mai_sdk.engine.call import Call
    from mai_sdk.engine.steps import Certainty, Step
    from mai_sdk.engine.tab import Tab

__all__ = [
    "attach", "completed", "interrupted", "opened", "prepared", "read_answer", "refusal",
    "unanswered", "whole", "whole_operation",
]  # fmt: skip

T = TypeVar("T")
R = TypeVar("R")

_ASSIGNED = re.compile(r"((?:secret|password|token|key|assertion)\w*\s*[=:]\s*)\S+", re.IGNORECASE)
"""What libraries print when they quote their settings."""

_MAX_ERROR_BYTES = 1024 * 1024
_USER_AGENT = "mai-sdk"


def whole(call: Call[T], tab: Tab) -> Generator[Step, Any, T]:
    """Make the call and read its answer to the end; the attempt is settled when this returns.

    Raises:
        BudgetExceeded: A budget has no room for the first attempt; nothing was sent.
        CallFailed: It did not succeed; the error carries the receipt over all attempts.
        LedgerError: The reservation could not be written; nothing was sent.
    """
    return _attempts(call, tab, _finish_whole)


def completed(flow: Generator[Step, Any, R], tab: Tab) -> Generator[Step, Any, R]:
    """Drive `flow` as all there is of an operation: whatever ends it, the tab is over."""
    try:
        result = yield from flow
    except BaseException as error:
        tab.over(type(error).__name__)
        raise
    tab.over()
    return result


def whole_operation(call: Call[T], tab: Tab) -> Generator[Step, Any, T]:
    """Make the call as `whole` does, where it is all there is of its operation."""
    return completed(whole(call, tab), tab)


def opened(call: Call[T], tab: Tab) -> Generator[Step, Any, Any]:
    """Make the call and return the Response of an open 2xx stream; the caller settles the tab.

    From here on nothing is retried: content may already have been shown.

    Raises:
        CallFailed: As for `whole`.
    """
    return _attempts(call, tab, _finish_opened)


def prepared(
    call: Call[Any], tab: Tab, *, rejected: Secret | None = None
) -> Generator[Step, Any, tuple[Request, Secret | None]]:
    """Return the call as one request, and the token in it; whoever sends it sees to the tab.

    Args:
        call: The call.
        tab: Its tab, whose call id goes along.
        rejected: A token the service has just refused.

    Raises:
        AuthenticationFailed: The credential gave no token.
    """
    credential, token = call.route.credential, None
    if not (credential is None or isinstance(credential, Secret)):
        token = yield from _token(call, tab, credential, rejected)
    return _request(call, tab, token), token


def attach(
    error: CallFailed, tab: Tab, call: Call[Any], *, token: Secret | None = None
) -> CallFailed:
    """Give `error` its receipt and ids, and clean it of secrets and prompts."""
    error.call_id = tab.call_id
    error.receipt = tab.receipt()
    redact_error(error, secrets=_secrets(call.route, token), prompts=call.prompts)
    return error


def interrupted(failure: TransportFailed, url: str, *, is_total: bool = False) -> CallFailed:
    """Return the error that a transport's failure means to the caller.

    Args:
        failure: What the transport said.
        url: Where the request went; only its origin is shown.
        is_total: Whether the call's whole time is over, which a socket cannot know.
    """
    where = _where(url)
    phase = "total" if is_total and failure.phase is not None else failure.phase
    if failure.certificate:
        return CertificateRejected(
            f"{where} showed a certificate that is not trusted here ({failure.detail}). Check the "
            "host name, and that the system's CA bundle (or SSL_CERT_FILE) has its issuer."
        )
    if phase is not None:
        limit = {
            "connect": "No connection stood within the connect limit",
            "first_byte": "No answer began within the first-byte limit",
            "between_chunks": "The answer stopped coming for longer than the between-chunks limit",
            "total": "The call took longer than its total limit",
        }[phase]
        return TimedOut(
            f"{limit} ({where}). Raise it with timeout=Timeouts({phase}=...).",
            phase=phase,
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
    credential = call.route.credential
    rejected: Secret | None = None
    tries = 0
    failure: CallFailed | None = None
    while True:
        if tab.is_over():
            raise _late(call, tab)
        token = None
        if not (credential is None or isinstance(credential, Secret)):
            token = yield from _token(call, tab, credential, rejected)
            if tab.is_over():
                raise _late(call, tab)
        try:
            yield from tab.reserving(call.upper_bound)
        except BudgetExceeded as error:
            if failure is None:
                raise
            failure.add_note(f"It was not tried again. {error.message}")
            raise failure from None
        certainty: Certainty | None
        try:
            limits = limits_for(call.timeouts, stream=call.stream, remaining=tab.remaining())
            response = yield Send(_request(call, tab, token), limits)
            tab.answered(request_id(response.headers))
            if 200 <= response.status < 300:
                return (yield from finish(call, tab, response))
            failure = yield from _refused(call, tab, response)
            certainty = _certainty(failure, response.status)
        except TransportFailed as error:
            failure = unanswered(call, tab, error)
            certainty = None if error.hopeless else error.certainty
        except CallFailed as error:
            failure, certainty = error, None
            tab.settle(None, error=type(error).__name__)
        except BaseException as error:
            tab.settle(None, error=type(error).__name__)
            raise
        yield from tab.recorded()
        attach(failure, tab, call, token=token)
        if failure.status == 401 and token is not None and rejected is None:
            rejected = token
            continue
        tries += 1
        yield from _before_retry(tab, failure, certainty, tries, call.repeats_unknown)


def unanswered(call: Call[Any], tab: Tab, lost: TransportFailed) -> CallFailed:
    """Return the error that no whole answer means, and settle the attempt."""
    failure = interrupted(lost, call.url, is_total=tab.is_over())
    unknown = lost.certainty == "unknown"
    tab.settle(None, released=not unknown, error=type(failure).__name__)
    tab.unknown_so_far += unknown
    return failure


def _certainty(failure: CallFailed, status: int) -> Certainty | None:
    """Return the class of a refusal; None where its body says that the request itself is wrong."""
    return None if isinstance(failure, RequestRejected) else certainty_of_status(status)


def _before_retry(
    tab: Tab,
    failure: CallFailed,
    certainty: Certainty | None,
    tries: int,
    repeats_unknown: bool,  # noqa: FBT001 - private, and called once
) -> Generator[Step, Any, None]:
    """Wait as long as the policy says, or raise `failure`."""
    engine = tab.engine
    wait = None
    if certainty == "unknown" and not repeats_unknown:
        certainty = None
    if certainty is not None:
        wait = engine.retry.wait_before_retry(
            certainty,
            attempt=tries,
            unknown_so_far=tab.unknown_so_far,
            retry_after=failure.retry_after,
            remaining=tab.remaining(),
        )
    if wait is None or certainty is None or not engine.quota.take(certainty):
        raise failure from None
    yield Pause(wait)


def _late(call: Call[Any], tab: Tab) -> CallFailed:
    """Return the error of a call whose time is over: nothing more is sent then."""
    late = TransportFailed("total limit passed", certainty="not_sent", phase="total")
    return attach(interrupted(late, call.url), tab, call)


def _finish_whole(call: Call[T], tab: Tab, response: Any) -> Generator[Step, Any, T]:
    body: bytes = yield Read(response, call.max_body_bytes, tab.remaining, call.timeouts.first_byte)
    tab.first_content = tab.first_byte
    value = read_answer(call, tab, response, body)
    tab.engine.quota.give_back()
    yield from tab.recorded()
    return value


def read_answer(call: Call[T], tab: Tab, response: Any, body: bytes) -> T:
    """Read a whole answer and settle the attempt with what it used, also where it is an error.

    Raises:
        CallFailed: It is an error; without a `partial`, the attempt is still to be settled.
    """
    try:
        value = call.read(body, response.headers)
    except CallFailed as error:
        error.status, error.request_id = response.status, tab.request_id
        if error.partial is not None:
            usage = call.usage_of(error.partial)
            tab.settle(usage, status=response.status, error=type(error).__name__)
        raise
    tab.settle(call.usage_of(value), status=response.status, error=call.fault_of(value))
    return value


def _finish_opened(call: Call[T], tab: Tab, response: Any) -> Generator[Step, Any, Any]:
    kind = response.headers.get("content-type", "").lower()
    if "html" in kind or "json" in kind:
        body: bytes = yield Read(
            response, call.max_body_bytes, tab.remaining, call.timeouts.first_byte
        )
        value = read_answer(call, tab, response, body)
        raise UnreadableAnswer(
            f"{_where(call.url)} answered whole where a stream was asked for, so it does not "
            "stream. Use create(...); the answer is on error.partial.",
            status=response.status,
            request_id=tab.request_id,
            partial=value,
        )
    tab.sent()
    tab.engine.quota.give_back()
    return response


def _refused(call: Call[Any], tab: Tab, response: Any) -> Generator[Step, Any, CallFailed]:
    """Return the error that an answer outside 2xx means, with its attempt settled.

    The status is known by now, so a body that cannot be read takes nothing from it.
    """
    try:
        body: bytes = yield Read(response, _MAX_ERROR_BYTES, tab.remaining)
    except (TransportFailed, UnreadableAnswer):
        body = b""
    return refusal(call, tab, response, body)


def refusal(call: Call[Any], tab: Tab, response: Any, body: bytes) -> CallFailed:
    """Return the error that an answer outside 2xx means, and settle the attempt."""
    status = response.status
    if 300 <= status < 400:
        failure: CallFailed = UnreadableAnswer(
            f"{_where(call.url)} answered {status}, a redirect. Redirects are not followed, so "
            "that no key or prompt goes where you did not send it. Configure the final address.",
            status=status,
            request_id=tab.request_id,
        )
    else:
        failure = call.fail(status, _dated(response.headers, tab), body)
    known = call.explain_missing() if status == 404 else None
    if known:
        failure.message = f"{failure.message} {known}"
        failure.args = (failure.message,)
    refused = status >= 500 and isinstance(failure, RequestRejected)
    ran = isinstance(failure, ContentFiltered) or (may_have_run(status) and not refused)
    tab.settle(None, released=not ran, status=status, error=type(failure).__name__)
    tab.unknown_so_far += _certainty(failure, status) == "unknown"
    return failure


def _dated(headers: Mapping[str, str], tab: Tab) -> Mapping[str, str]:
    """Return the headers with a date: an answer that has none came now, so it can be waited for."""
    if headers.get("date") or not headers.get("retry-after"):
        return headers
    return {**headers, "date": formatdate(tab.engine.wall_clock(), usegmt=True)}


def _token(
    call: Call[Any], tab: Tab, credential: TokenCredential, rejected: Secret | None
) -> Generator[Step, Any, Secret]:
    try:
        token: Secret = yield Token(credential, call.route.scope, rejected)
    except MAIError:
        raise
    except Exception as error:  # noqa: BLE001 - a credential may raise anything
        kind = type(error).__name__
        reason = _ASSIGNED.sub(r"\1***", str(error).partition("\n")[0][:300])
    else:
        return token
    name = type(credential).__name__
    failure = AuthenticationFailed(
        f"{name} gave no token ({kind}): {reason.rstrip('.')}. Check how it signs in; nothing was "
        "sent with this attempt."
    )
    raise attach(failure, tab, call)


def _request(call: Call[Any], tab: Tab, token: Secret | None) -> Request:
    headers = [
        ("accept", call.accept),
        ("accept-encoding", "identity"),
        ("content-type", call.content_type),
        ("user-agent", _USER_AGENT),
        ("x-ms-client-request-id", tab.call_id),
    ]
    proof = auth_header(call.route, token=token)
    if proof is not None:
        headers.append(proof)
    headers.extend(call.route.headers)
    headers.extend(call.headers)
    return Request(call.method, call.url, headers, call.body, call.stream)


def _secrets(route: Route, token: Secret | None) -> tuple[str, ...]:
    key = route.credential.reveal() if isinstance(route.credential, Secret) else ""
    return (key, token.reveal() if token is not None else "")


def _where(url: str) -> str:
    """Return the origin alone: a query may hold a key."""
    return url[: url.find("/", 8)]
