"""Every error a caller can catch.

A name says what happened; its place in the tree says where, and so what it cost:

MAIError
├── ConfigurationError            before anything was sent: the set-up is wrong
│   ├── NotConfigured             no route for this model; says what to set
│   ├── InvalidEndpoint           an address no surface can be derived from
│   ├── InsecureEndpoint          plain http to a host that is not this machine
│   └── InvalidCredential         a key that could never be sent (newline, empty, not ASCII)
├── InvalidRequest                before anything was sent: the call is wrong
│   └── UnsupportedFeature        the model or surface cannot do what was asked
├── BudgetExceeded                before anything was sent: the limit would be passed
├── LedgerError                   the ledger could not be written or read
├── AudioOverflow                 a session holds too much audio that nobody acknowledged
└── CallFailed                    a call was made; carries receipt, attempts, request_id
    ├── ConnectionFailed          no answer: DNS, refused, TLS, reset
    │   └── CertificateRejected   the server's certificate is not trusted; never retried
    ├── TimedOut                  no answer in time; `phase` says which limit
    ├── ServiceError              the service answered with a failure; carries status and code
    │   ├── RequestRejected       400, 409, 413, 422: the request itself is not accepted
    │   │   ├── ContextTooLong    more tokens than the model takes
    │   │   └── ContentFiltered   the safety system stopped prompt or answer
    │   ├── AuthenticationFailed  401: key or token not accepted
    │   ├── PermissionDenied      403: known, but not allowed
    │   ├── NotFound              404: wrong path
    │   │   └── DeploymentNotFound  404: no such deployment or model here
    │   ├── RateLimited           429: `retry_after` says when, if the service said so
    │   └── ServiceUnavailable    5xx, 408, 424: the service failed
    ├── UnreadableAnswer          an answer, but not one of this service (HTML, bad JSON, empty)
    │   └── AnswerTooLarge        an answer beyond the cap on decoded bytes, line or event
    ├── StreamTruncated           the stream broke off before its end; `partial` has what came
    └── StructuredOutputFailed    no attempt gave an answer that fits the schema

No error carries a secret or a prompt: not in its text, its arguments or its causes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.metering.ledger import BudgetState, Claim
    from mai_sdk.metering.receipt import Receipt

__all__ = [
    "AnswerTooLarge",
    "AudioOverflow",
    "AuthenticationFailed",
    "BudgetExceeded",
    "CallFailed",
    "CertificateRejected",
    "ConfigurationError",
    "ConnectionFailed",
    "ContentFiltered",
    "ContextTooLong",
    "DeploymentNotFound",
    "InsecureEndpoint",
    "InvalidCredential",
    "InvalidEndpoint",
    "InvalidRequest",
    "LedgerError",
    "MAIError",
    "NotConfigured",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "RequestRejected",
    "ServiceError",
    "ServiceUnavailable",
    "StreamTruncated",
    "StructuredOutputFailed",
    "TimedOut",
    "UnreadableAnswer",
    "UnsupportedFeature",
]


LedgerReason = Literal[
    "locked", "full", "read_only", "damaged", "closed", "refused", "unreachable", "other"
]
"""locked: another program held it for 10 seconds. full: the disk, or the place allotted, is.
damaged: what is there cannot be read as a ledger. refused: the row does not fit, or has no place
there. unreachable: the server is down, does not answer, or lets nobody or not this user in."""


class MAIError(Exception):
    """The root: catch this to catch everything mai_sdk raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """What happened, where, and what to do: one or two sentences."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[MAIError], state: dict[str, Any]) -> MAIError:
    error = kind.__new__(kind, state["message"])
    error.__dict__.update(state)
    return error


class ConfigurationError(MAIError):
    """The set-up is wrong; nothing was sent and nothing was billed."""


class NotConfigured(ConfigurationError):
    """No route leads to this model; the text lists exactly what to set, and where."""

    def __init__(self, message: str, *, missing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)
        """The settings that would complete a route, by keyword name."""


class InvalidEndpoint(ConfigurationError):
    """The address given is none that a service can be reached at; the text says what to paste."""


class InsecureEndpoint(ConfigurationError):
    """Plain http would carry a key or a prompt off this machine; only loopback may use it."""


class InvalidCredential(ConfigurationError):
    """The key or token could never be sent: empty, with a line break, or not ASCII."""


class InvalidRequest(MAIError, ValueError):
    """The call itself is wrong; nothing was sent and nothing was billed."""


class UnsupportedFeature(InvalidRequest):
    """The model or the surface cannot do what was asked; the text names what can."""


class BudgetExceeded(MAIError):
    """The call's worst case would pass the budget; nothing was sent."""

    def __init__(
        self, message: str, *, claim: Claim | None = None, state: BudgetState | None = None
    ) -> None:
        super().__init__(message)
        self.claim = claim
        """What the call would have taken, of which budget and period."""
        self.state = state
        """What was spent and reserved of that period."""


class LedgerError(MAIError):
    """The ledger could not be written or read."""

    def __init__(self, message: str, *, reason: LedgerReason = "other") -> None:
        super().__init__(message)
        self.reason: LedgerReason = reason
        """For programs: what kept it from being written or read."""


class AudioOverflow(MAIError):
    """A session holds as much unacknowledged audio as it may; what was offered was not taken."""


class CallFailed(MAIError):
    """A call was made and did not end well.

    What it cost, as far as known, is on `receipt`: every attempt left its row.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        kind: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str | None = None,
        partial: Any = None,
        call_id: str | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status, or None where no answer came; 200 for an error inside a stream."""
        self.code = code
        """The service's own code as text, for example "DeploymentNotFound"."""
        self.kind = kind
        """The service's `type` field, for example "SafetyBlockedError"."""
        self.param = param
        """The request field the service blames, if it named one."""
        self.request_id = request_id
        """The service's id for the request: quote it to support."""
        self.retry_after = retry_after
        """Seconds the service asked to wait, if it did."""
        self.body = body
        """The first bytes of an answer that could not be read, control characters removed."""
        self.partial = partial
        """The reply as far as it came, for a stream that broke; else None."""
        self.call_id = call_id
        """Our own id for the call: the key into the ledger."""
        self.receipt = receipt
        """What the call used and cost, attempt by attempt."""

    @property
    def attempts(self) -> int:
        """How many times the request was tried."""
        return len(self.receipt.attempts) if self.receipt is not None else 0


class ConnectionFailed(CallFailed):
    """No answer came: name not found, refused, TLS failed, or the line broke."""


class CertificateRejected(ConnectionFailed):
    """The server's certificate is not trusted here; trying again would not help."""


class TimedOut(CallFailed):
    """The service did not answer in time."""

    def __init__(self, message: str, *, phase: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.phase = phase
        """Which limit passed: "connect", "first_byte", "between_chunks" or "total"."""


class ServiceError(CallFailed):
    """The service answered with a failure."""


class RequestRejected(ServiceError):
    """The service does not accept the request as it is (400, 409, 413, 422)."""


class ContextTooLong(RequestRejected):
    """Prompt and asked-for output are more tokens than the model takes."""


class ContentFiltered(RequestRejected):
    """The safety system stopped the prompt or the answer; `partial` has what came before."""


class AuthenticationFailed(ServiceError):
    """The key or token was not accepted (401)."""


class PermissionDenied(ServiceError):
    """The caller is known but may not do this (403)."""


class NotFound(ServiceError):
    """The path is not served there (404)."""


class DeploymentNotFound(NotFound):
    """There is no such deployment or model there (404); says what the catalog knows of it."""


class RateLimited(ServiceError):
    """Too many calls or tokens for the deployment's quota (429)."""


class ServiceUnavailable(ServiceError):
    """The service, or something it depends on, failed (5xx, 408, 424)."""


class UnreadableAnswer(CallFailed):
    """An answer came, but not in the form this service speaks."""


class AnswerTooLarge(UnreadableAnswer):
    """The answer passed a cap: decoded bytes, one line, or one event."""


class StreamTruncated(CallFailed):
    """The stream ended without its terminal event; what arrived is on `partial`."""


class StructuredOutputFailed(CallFailed):
    """The answer did not fit the schema, on any attempt; the last text is on `partial`."""
