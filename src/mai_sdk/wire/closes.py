"""Which error the close of a WebSocket is, by its code. No I/O.

Codes below 3000 are RFC 6455's (section 7.4.1); Azure's own put an HTTP status behind a 4: the
Speech service's 4429 is a 429. What each means for speech was seen in how the official Speech SDK
1.53 treats it.
"""

from __future__ import annotations

from typing import Final

from mai_sdk import errors
from mai_sdk.wire.said import clean

__all__ = ["failure_from_close", "status_of_close"]

_STATUS_OF: Final = {1003: 400, 1007: 400, 1009: 413, 1010: 400, 1011: 500, 1012: 503, 1013: 503}
_BY_STATUS: Final[dict[int, tuple[type[errors.ServiceError], str]]] = {
    401: (errors.AuthenticationFailed, "Check the key and that it belongs to this endpoint."),
    403: (errors.PermissionDenied, "Ask for access; a new role takes minutes to work."),
    404: (errors.NotFound, "Check the endpoint and the deployment's name."),
    408: (errors.ServiceUnavailable, "Try again later."),
    429: (errors.RateLimited, "Wait, or send less at once."),
}
_LONGEST: Final = 300


def status_of_close(code: int) -> int | None:
    """Return the HTTP status that means the same; None for a close that refuses nothing."""
    if 4400 <= code <= 4599:
        return code - 4000
    return _STATUS_OF.get(code)


def failure_from_close(code: int, reason: str, *, before: str) -> errors.CallFailed:
    """Return the error that a close is, where the work was not done yet.

    Args:
        code: The close code; 1006 where the line broke without one.
        reason: What the service said with it.
        before: What had not come yet: "turn.end".
    """
    said = clean(reason, limit=_LONGEST)
    told = f": {said.rstrip('.')}" if said else ", without a reason"
    shown = f"The service closed the connection before {before} (close code {code}){told}."
    if code == 1006:
        return errors.ConnectionFailed(f"The connection broke off before {before}.", code="1006")
    status = status_of_close(code)
    if status is None:
        kind = errors.ConnectionFailed if code == 1008 else errors.StreamTruncated
        return kind(f"{shown} What came before is no complete answer.", code=str(code))
    if status >= 500:
        return errors.ServiceUnavailable(f"{shown} Try again later.", code=str(code))
    refusal, advice = _BY_STATUS.get(
        status, (errors.RequestRejected, "Change the request: sending it again will fail again.")
    )
    return refusal(f"{shown} {advice}", code=str(code))
