"""How a command begins and ends a call: the prompt, the closing line, failures, interruptions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.exits import INTERRUPTED
from mai_sdk.cli.layout import span
from mai_sdk.cli.terminal import fitted, ink_for
from mai_sdk.cli.wording import brief_usage
from mai_sdk.errors import CallFailed, InvalidRequest, MAIError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mai_sdk.client import MAI
    from mai_sdk.metering.ledger import Entry
    from mai_sdk.resources.picture import Images
    from mai_sdk.resources.reply import Reply
    from mai_sdk.resources.speech import Speech
    from mai_sdk.resources.transcript import Transcript

__all__ = ["aside", "close", "described", "interrupted", "prompt_of"]


def prompt_of(given: str | None) -> str:
    """Return the prompt that was given, or what comes from stdin where it is - or missing."""
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise InvalidRequest("There is no prompt. Give one, or - to read it from stdin.")
    return sys.stdin.read()


def described(error: MAIError) -> dict[str, Any]:
    """Return an error as JSON has it."""
    error_fields: dict[str, Any] = {"type": type(error).__name__, "message": error.message}
    if isinstance(error, CallFailed):
        fields = ("status", "code", "request_id", "retry_after", "call_id")
        error_fields |= {name: getattr(error, name) for name in fields}
        error_fields["receipt"] = error.receipt.model_dump(mode="json") if error.receipt else None
    return error_fields


def close(reply: Reply[Any] | Images | Speech | Transcript, *more: str) -> None:
    """Write to stderr what a call used, took and cost, and `more`."""
    parts = [
        reply.model or reply.deployment or "model unknown",
        reply.receipt.surface,
        brief_usage(reply.usage),
        span(reply.timing.total),
        str(reply.cost),
        *more,
    ]
    if reply.attempts > 1:
        parts.append(f"{reply.attempts} attempts")
    reason = getattr(reply, "finish_reason", None)
    if reason not in (None, "stop"):
        parts.append(f"ended by {reason}")
    aside(", ".join(parts))
    if reply.cost.amount is None and reply.cost.reason:
        aside(reply.cost.reason)


def aside(text: str) -> None:
    """Write a remark to stderr: on a terminal dim, and wrapped to its width."""
    shown = fitted(f"[{text}]", sys.stderr, hanging=" ")
    sys.stderr.write(ink_for(sys.stderr).paint(shown, "dim") + "\n")


def interrupted(client: MAI, ours: Callable[[Entry], bool]) -> int:
    """Say what the call had cost when it was broken off: the ledger knows."""
    used, cost = _spent(entry for entry in client.costs.entries() if ours(entry))
    sys.stderr.write(f"\nmai: interrupted after {brief_usage(used)}; cost so far: {cost}\n")
    return INTERRUPTED


def _spent(entries: Iterable[Entry]) -> tuple[Usage, Cost]:
    settled = [(entry.usage, entry.cost) for entry in entries]
    used = Usage.sum(usage or Usage(basis="unknown") for usage, _ in settled)
    open_cost = Cost.unknown("It was still running.")
    return used, Cost.sum(cost if cost is not None else open_cost for _, cost in settled)
