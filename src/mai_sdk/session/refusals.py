"""What an `error` of the service means for a session. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from mai_sdk.wire.failures import failure_from_event

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface
    from mai_sdk.errors import CallFailed
    from mai_sdk.wire.live_parts import Problem

__all__ = ["Refusal", "error_of", "refusal_of"]

Refusal: TypeAlias = Literal["benign", "busy", "expired", "failure"]
"""benign: what was asked had happened already, or was about nothing. busy: an answer is under way,
so another cannot be asked for. expired: the connection is at its end."""

_BENIGN: Final = frozenset({
    "response_cancel_not_active", "item_already_truncated", "input_audio_buffer_commit_empty",
})  # fmt: skip
_BENIGN_WORDS: Final = ("is already shorter than", "already truncated")


def refusal_of(problem: Problem) -> Refusal:
    """Return what it means, by its code, and where services give none, by its words."""
    words = (problem.message or "").lower()
    if problem.code in _BENIGN or any(each in words for each in _BENIGN_WORDS):
        return "benign"
    if problem.code == "conversation_already_has_active_response":
        return "busy"
    return "expired" if problem.code == "session_expired" else "failure"


def error_of(problem: Problem, *, surface: Surface) -> CallFailed:
    """Return it as an error of ours."""
    raw = {
        "code": problem.code, "type": problem.type,
        "message": problem.message, "param": problem.param,
    }  # fmt: skip
    return failure_from_event({"error": raw}, surface=surface)
