"""What a chat answer says, whatever service wrote it, before anyone prices or presents it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mai_sdk.wire.events import ToolCall

__all__ = ["Answer", "Choice"]


@dataclass(slots=True)
class Choice:
    """One answer of possibly several."""

    text: str = ""
    reasoning: str | None = None
    """The visible thoughts; None where the service sent none."""
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    finish_reason: str | None = None
    """As for `Finished.reason`; "tool_calls" whenever there are tool calls and it said "stop"."""
    refusal: str | None = None
    message: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """The assistant message as received, to be sent back unchanged in the next turn; for a stream,
    put together from its deltas. Encrypted reasoning lives in here and must not be logged."""


@dataclass(slots=True)
class Answer:
    """The whole answer, or as much of it as came."""

    id: str | None = None
    model: str | None = None
    """What the service says answered: a deployment or a model name, not to be compared."""
    choices: list[Choice] = field(default_factory=list[Choice])
    usage: dict[str, int] | None = None
    """Meter name to quantity, as `read_usage` gives it; None if the service sent none."""
    raw: Any = field(default=None, repr=False)
    """The body as received; for a stream, the list of its last chunk and any unrecognised ones."""
