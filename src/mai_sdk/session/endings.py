"""How a connection ended, and what a session does about it. Pure: a table.

Codes below 3000 are RFC 6455's (section 7.4.1), 3000 to 3999 IANA's registry; Azure's own put an
HTTP status behind a 4. Which are worth another connection is in line with openai's realtime client
(1001, 1005, 1006, 1011, 1012, 1013, 1015) and with what LiveKit and RoomKit retry.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["Remedy", "after_close", "after_refusal"]

Remedy: TypeAlias = Literal["resume", "reauthenticate", "fail"]
"""resume: another connection, after a pause that grows. reauthenticate: another one with a token
that is not the one just refused; once. fail: the same would happen again."""

_AFTER: Final[dict[int, Remedy]] = {
    1000: "resume",  # we did not say goodbye, so the service ended a session that had more to do
    1001: "resume",  # going away: also how an hour's end was announced
    1002: "fail",  # protocol error
    1003: "fail",  # data of a kind that is not taken
    1005: "resume",  # no code
    1006: "resume",  # no close at all
    1007: "fail",  # data that is not what it says
    1008: "reauthenticate",  # policy; also a token that ran out
    1009: "fail",  # too long
    1010: "fail",  # an extension is missing
    1011: "resume",  # the service failed
    1012: "resume",  # restarting
    1013: "resume",  # try again later
    1014: "resume",  # bad gateway
    1015: "resume",  # TLS
    3000: "reauthenticate",  # unauthorised
    3003: "fail",  # forbidden
    3008: "resume",  # timeout
}


def after_close(code: int) -> Remedy:
    """Return what to do after a close with that code; one that nobody knows is worth a try."""
    known = _AFTER.get(code)
    if known is not None:
        return known
    return after_refusal(code - 4000) if 4400 <= code <= 4599 else "resume"


def after_refusal(status: int) -> Remedy:
    """Return what to do after a handshake was answered with that HTTP status."""
    if status == 401:
        return "reauthenticate"
    return "resume" if status in (408, 425, 429) or status >= 500 else "fail"
