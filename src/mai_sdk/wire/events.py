"""What a chat stream is made of, whatever service wrote it.

Frozen, slotted and unvalidated: one is made for every chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic_core import from_json

__all__ = ["Event", "Finished", "ReasoningDelta", "TextDelta", "ToolCall", "Unrecognised"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str
    choice: int = 0
    """Which of several answers it belongs to; 0 unless `n` was sent."""

    # Written out because one is made for every chunk: the generated __init__ of a frozen class
    # looks `object.__setattr__` up for every field and takes twice as long.
    def __init__(self, text: str, choice: int = 0) -> None:
        _set_text(self, text)
        _set_choice(self, choice)


_set_text: Any = vars(TextDelta)["text"].__set__
_set_choice: Any = vars(TextDelta)["choice"].__set__


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the model's visible thoughts."""

    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called, given whole once its arguments are complete."""

    id: str
    """The service's id: send it back as `tool_call_id` with the result."""
    name: str
    arguments: str
    """JSON text exactly as the model wrote it; it may be invalid."""
    choice: int = 0

    def parse(self) -> Any:
        """Return the arguments as Python values.

        Raises:
            ValueError: The model wrote invalid JSON.
        """
        return from_json(self.arguments or "{}")


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete."""

    reason: str
    """Why it ended: "stop", "length", "tool_calls", "content_filter", or the service's own word."""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Something the service sent that this version does not know; kept, never fatal."""

    raw: Any = field(repr=False)


Event: TypeAlias = TextDelta | ReasoningDelta | ToolCall | Finished | Unrecognised
