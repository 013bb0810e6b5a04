"""A Responses object, whole or put together from a stream, read into an `Answer`. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.errors import UnreadableAnswer
from mai_sdk.wire.answer import Answer, Choice
from mai_sdk.wire.events import ToolCall
from mai_sdk.wire.message import argument_text, finish, part_texts
from mai_sdk.wire.shapes import as_list, as_object, as_text
from mai_sdk.wire.think import LINE_ENDS
from mai_sdk.wire.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.config.route import Surface

__all__ = ["call_of", "read_items"]

_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def read_items(raw: Any, *, surface: Surface) -> Answer:
    """Return the answer a Responses object holds, whatever its status.

    Raises:
        UnreadableAnswer: It has neither an output list nor an error.
    """
    body = as_object(raw)
    if body.get("output").__class__ is not list and not body.get("error"):
        raise UnreadableAnswer(
            "The answer is JSON, but no Responses object: it has no output. Check that the "
            "endpoint is the service the route says it is.",
            status=200,
        )
    items = [as_object(item) for item in as_list(body.get("output"))]
    choice = _choice(items)
    choice.finish_reason = _reason(body, has_calls=bool(choice.tool_calls))
    return Answer(
        id=as_text(body.get("id")),
        model=as_text(body.get("model")),
        choices=[choice],
        usage=read_usage(body.get("usage"), surface=surface),
        raw=raw,
    )


def call_of(item: dict[str, Any]) -> ToolCall:
    """Return the function call of a `function_call` item."""
    return ToolCall(
        str(item.get("call_id") or item.get("id") or ""),
        str(item.get("name") or ""),
        argument_text(item.get("arguments")),
    )


def _choice(items: list[dict[str, Any]]) -> Choice:
    text = "".join(part_texts(item.get("content"))[1] for item in _of(items, "message"))
    thoughts = "".join(_thoughts(item) for item in _of(items, "reasoning")) or None
    calls = [call_of(item) for item in _of(items, "function_call")]
    refusals = [
        str(part.get("refusal") or "")
        for item in _of(items, "message")
        for part in map(as_object, as_list(item.get("content")))
        if part.get("type") == "refusal"
    ]
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    message["output"] = items
    return Choice(
        text=text.lstrip(LINE_ENDS) if thoughts else text,
        reasoning=thoughts,
        tool_calls=calls,
        refusal="".join(refusals) or None,
        message=message,
    )


def _of(items: list[dict[str, Any]], kind: str) -> Iterable[dict[str, Any]]:
    return (item for item in items if item.get("type") == kind)


def _thoughts(item: dict[str, Any]) -> str:
    return part_texts(item.get("content"))[0] or part_texts(item.get("summary"))[0]


def _reason(body: dict[str, Any], *, has_calls: bool) -> str | None:
    status = as_text(body.get("status"))
    if status == "completed":
        return finish("stop", has_calls=has_calls)
    if status == "incomplete":
        why = as_text(as_object(body.get("incomplete_details")).get("reason"))
        return _REASONS.get(why, why) if why else status
    return status
