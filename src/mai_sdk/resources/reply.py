"""What a reasoning or code call gives back."""

from __future__ import annotations

from typing import Any, Generic

from pydantic import Field
from typing_extensions import TypeVar

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value
from mai_sdk.wire.events import ToolCall

__all__ = ["Alternative", "Reply"]

ParsedT = TypeVar("ParsedT", default=Any)


class Alternative(Value):
    """Another answer to the same prompt."""

    text: str
    reasoning: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str | None


class Reply(Value, Generic[ParsedT]):
    """One answer, and what it took.

    Put it back into `messages` to go on with the conversation: it then becomes the assistant
    message exactly as it was received, encrypted reasoning included.
    """

    text: str
    """The answer, without the thoughts; empty where the model only called tools."""
    reasoning: str | None = None
    """The visible thoughts. None where the service showed none, which does not mean it had none."""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    """"stop", "length" (the limit was reached), "tool_calls", or the service's own word."""
    refusal: str | None = None
    """What the model said instead of an answer, where it declined."""
    parsed: ParsedT = Field(default=None)  # type: ignore[assignment]  # None without a format
    """The answer as the class given by `response_format`; None without one."""
    usage: Usage
    """What the call used, over all its attempts."""
    cost: Cost
    """What the call cost, over all its attempts."""
    model: str | None
    """The catalog's name, from the route; else what the service says answered."""
    deployment: str | None
    call_id: str
    """Our id: the key into the ledger."""
    request_id: str | None
    """The service's id for the last attempt: quote it to support."""
    attempts: int
    """How many requests it took."""
    timing: Timing
    receipt: Receipt = Field(repr=False)
    """Usage and cost attempt by attempt."""
    alternatives: tuple[Alternative, ...] = Field(default=(), repr=False)
    """The other answers to the same prompt; there are some only where `n` was sent."""
    message: dict[str, Any] = Field(default_factory=dict, repr=False)
    """The assistant message as received. May hold encrypted reasoning: do not log it."""
    raw: Any = Field(default=None, repr=False)
    """What the service said, untouched."""
