"""What a Voice Live session answers: the client's own text, the script's, or something made up."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mai_sdk.emulator.generation import generate
from mai_sdk.emulator.prompt import Prompt, Tool
from mai_sdk.emulator.untyped import objects_in, to_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.emulator.live_items import Kept
    from mai_sdk.emulator.replies import Draft
    from mai_sdk.emulator.request import Request
    from mai_sdk.emulator.world import World

__all__ = ["draft_of", "message_of", "shown"]

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_SENTENCES: Final = 2
"""What is made up is to be listened to, so it is short."""


def draft_of(
    world: World, handshake: Request, asked: dict[str, Any], messages: Sequence[dict[str, Any]]
) -> tuple[Draft, bool]:
    """Return what is said, and whether a limit cut it.

    Args:
        world: Has the scripts. They match by the handshake's path, and by a body of `model`,
            `messages` and `tools` made up for this response.
        handshake: The request that opened the session.
        asked: The settings of the response.
        messages: The conversation.
    """
    model, choice = str(asked["model"]), asked.get("tool_choice")
    if not isinstance(choice, str):
        choice = (to_object(choice) or {}).get("name")
    read = [{"role": "system", "content": str(asked["instructions"] or "")}, *messages]
    body = {"model": model, "messages": read, "tools": asked["tools"]}
    prompt = Prompt(
        model=model, messages=tuple(read), tools=_tools(asked["tools"]), tool_choice=choice
    )
    request = replace(handshake, body=to_json(body), _parsed=None, _read=False)
    draft = world.drafts(prompt, request)[0]
    if not draft.exact and draft.text:
        draft = replace(draft, text=" ".join(_SENTENCE.split(draft.text)[:_SENTENCES]))
    limit = asked["max_response_output_tokens"]
    made = generate(replace(draft, reasoning=""), limit=limit if isinstance(limit, int) else None)
    was_cut = made.finish_reason == "length"
    return replace(draft, text="".join(made.text), calls=made.calls), was_cut


def shown(kept: Kept) -> dict[str, Any]:
    """Return an item with what was heard in it, whether or not the client was told."""
    return {**kept.item, "text": kept.text}


def message_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as a message that the made-up model reads."""
    if item.get("type") == "function_call_output":
        return {"role": "tool", "content": str(item.get("output") or "")}
    if item.get("type") == "function_call":
        call = {"name": item.get("name"), "arguments": item.get("arguments")}
        return {"role": "assistant", "content": "", "tool_calls": [{"function": call}]}
    text = item.get("text")
    if text is None:
        parts = objects_in(item.get("content"))
        text = "".join(str(part.get("text") or part.get("transcript") or "") for part in parts)
    return {"role": item.get("role"), "content": text}


def _tools(listed: Any) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            str(tool["name"]),
            str(tool.get("description") or ""),
            to_object(tool.get("parameters")) or {},
        )
        for tool in objects_in(listed)
        if tool.get("type") == "function"
    )
