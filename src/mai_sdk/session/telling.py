"""A conversation as the brain is told it: chat messages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.session.history import Line

__all__ = ["messages_of"]


def messages_of(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the messages, oldest first.

    No call without its result and no result without its call, for services refuse either; a result
    stands right after its call, whatever was said while the function ran. What the user said in a
    row is one message, for models are used to taking turns.
    """
    results = {line.call_id: line.text for line in lines if line.kind == "result"}
    told: list[dict[str, Any]] = []
    calling: dict[str, Any] | None = None
    """The agent's message that takes the calls that come next."""
    for line in lines:
        if line.kind == "call":
            if line.call_id not in results:
                continue
            if calling is None:
                calling = {"role": "assistant", "content": None}
                told.append(calling)
            calling.setdefault("tool_calls", []).append(_call(line))
            told.append(_result(line, results[line.call_id]))
            continue
        calling = None
        if not line.text or line.kind == "result":
            continue
        if line.kind == "agent":
            calling = {"role": "assistant", "content": line.text}
            told.append(calling)
        elif told and told[-1]["role"] == "user":
            told[-1]["content"] += f"\n{line.text}"
        else:
            told.append({"role": "user", "content": line.text})
    return told


def _call(line: Line) -> dict[str, Any]:
    function = {"name": line.name, "arguments": line.text or "{}"}
    return {"id": line.call_id, "type": "function", "function": function}


def _result(line: Line, output: str | None) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": line.call_id, "content": output or ""}
