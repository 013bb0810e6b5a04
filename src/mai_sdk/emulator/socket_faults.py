"""The faults of WebSockets: closes, silence, losses. Each befalls one turn, new line or old."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
) -> Answer:
    """Closes with a code: before anything is said, or after so many frames of content."""
    answer.trouble = Trouble(kind="close", code=code, reason=reason, after=after)
    return answer


@fault(needs="socket")
def socket_reset(answer: Answer, request: Request, *, after: int | None = None) -> Answer:
    """Resets the connection, at the same places as `socket_close`."""
    answer.trouble = Trouble(kind="reset", after=after)
    return answer


@fault(needs="socket")
def socket_stall(
    answer: Answer, request: Request, *, after: int | None = None, seconds: float | None = None
) -> Answer:
    """Falls silent at the same places, for `seconds` or until released."""
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


@fault(needs="socket")
def socket_leave(answer: Answer, request: Request, *, code: int = 1000) -> Answer:
    """Ends the turn as it should be, then closes the connection, as an idle one is."""
    answer.trouble = Trouble(kind="leave", code=code)
    return answer
