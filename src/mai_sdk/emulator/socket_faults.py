"""The faults of WebSockets: closes, silence, losses. Each befalls one turn, new line or old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.emulator import azure
from mai_sdk.emulator.faults import fault
from mai_sdk.emulator.request import Trouble

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request

__all__: list[str] = []


@fault(needs="socket")
def socket_close(
    answer: Answer,
    request: Request,
    *,
    code: int = 1011,
    reason: str = "",
    after: int | None = None,
    received: int | None = None,
    after_ms: float | None = None,
    at: str | None = None,
) -> Answer:
    """Closes with a code: at once, after so many frames of content, with so many received, at a time, or before an event of a name."""  # noqa: E501 - one sentence is the table's entry
    answer.trouble = Trouble(
        kind="close", code=code, reason=reason, after=after, received=received, after_ms=after_ms,
        at=at,
    )  # fmt: skip
    return answer


@fault(needs="socket")
def socket_reset(
    answer: Answer,
    request: Request,
    *,
    after: int | None = None,
    received: int | None = None,
    after_ms: float | None = None,
    at: str | None = None,
) -> Answer:
    """Resets the connection, at the same places as `socket_close`."""
    answer.trouble = Trouble(kind="reset", after=after, received=received, after_ms=after_ms, at=at)
    return answer


@fault(needs="socket")
def socket_finish(
    answer: Answer,
    request: Request,
    *,
    after: int | None = None,
    received: int | None = None,
    after_ms: float | None = None,
    at: str | None = None,
) -> Answer:
    """Ends the connection with a TCP FIN and no closing message, at the same places."""
    answer.trouble = Trouble(
        kind="finish", after=after, received=received, after_ms=after_ms, at=at
    )
    return answer


@fault(needs="socket")
def socket_half_open(
    answer: Answer,
    request: Request,
    *,
    after: int | None = None,
    received: int | None = None,
    after_ms: float | None = None,
    at: str | None = None,
    seconds: float | None = None,
) -> Answer:
    """Neither reads nor writes nor answers pings, at the same places, and keeps the connection: for `seconds`, or until released."""  # noqa: E501 - one sentence is the table's entry
    answer.trouble = Trouble(
        kind="freeze", after=after, received=received, after_ms=after_ms, at=at, seconds=seconds
    )
    return answer


@fault(needs="socket")
def socket_stall(
    answer: Answer, request: Request, *, after: int | None = None, seconds: float | None = None
) -> Answer:
    """Falls silent after so many frames of content, for `seconds` or until released."""
    answer.trouble = Trouble(kind="stall", after=after, seconds=seconds)
    return answer


@fault(needs="socket", fidelity="emulated")
def socket_slow(answer: Answer, request: Request, *, seconds: float = 0.05) -> Answer:
    """Waits so long before each frame of content."""
    answer.trouble = Trouble(kind="slow", seconds=seconds)
    return answer


@fault(needs="socket")
def socket_noise(answer: Answer, request: Request, *, after: int = 0) -> Answer:
    """Sends messages of unknown paths, of other turns and of other streams in between."""
    answer.trouble = Trouble(kind="noise", after=after)
    return answer


@fault(needs="socket", fidelity="emulated")
def socket_lose(answer: Answer, request: Request, *, after: int = 0, frames: int = 1) -> Answer:
    """Leaves out so many frames of content and goes on as if nothing were missing."""
    answer.trouble = Trouble(kind="lose", after=after, frames=frames)
    return answer


@fault(needs="socket", fidelity="emulated")
def socket_repeat(answer: Answer, request: Request, *, after: int = 0, frames: int = 1) -> Answer:
    """Sends so many frames of content twice."""
    answer.trouble = Trouble(kind="repeat", after=after, frames=frames)
    return answer


@fault(needs="socket", fidelity="emulated")
def socket_swap(answer: Answer, request: Request, *, after: int = 0, frames: int = 1) -> Answer:
    """Sends so many pairs of frames of content in the wrong order."""
    answer.trouble = Trouble(kind="swap", after=after, frames=frames)
    return answer


@fault(needs="socket")
def session_expiry(answer: Answer, request: Request, *, seconds: float = 1.0) -> Answer:
    """Ends a live session so many seconds after it began: an error `session_expired`, then 1001."""
    answer.trouble = Trouble(kind="expire", seconds=seconds)
    return answer


@fault(needs="socket", fidelity="emulated")
def transcription_failed(answer: Answer, request: Request) -> Answer:
    """Lets the next transcript of a live session fail; its answer is spoken all the same."""
    answer.trouble = Trouble(kind="mishear")
    return answer


@fault(needs="socket", fidelity="emulated")
def response_failed(
    answer: Answer, request: Request, *, code: str = "rate_limit_exceeded"
) -> Answer:
    """Lets the next response of a live session fail before it says anything, with no usage."""
    answer.trouble = Trouble(kind="fail", reason=code)
    return answer


@fault()
def token_expired(answer: Answer, request: Request) -> Answer:
    """Answers 401, as to an Entra token whose time is over."""
    return azure.error(
        401,
        "401",
        "The access token is missing, audience is incorrect (https://ai.azure.com), or have "
        "expired.",
    )


@fault(needs="socket")
def socket_leave(answer: Answer, request: Request, *, code: int = 1000) -> Answer:
    """Ends the turn as it should be, then closes the connection, as an idle one is."""
    answer.trouble = Trouble(kind="leave", code=code)
    return answer
