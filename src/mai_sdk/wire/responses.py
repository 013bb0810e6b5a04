"""OpenAI's Responses API: what is asked, and how a whole answer is read. No I/O.

It takes the same `ChatRequest` and gives the same `Answer` as chat completions. The answer's items
are kept under `message["output"]`; sent along with the next request they go in again unchanged,
which is how reasoning is carried on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.chat import refuse_reasoning_display, schema_format
from mai_sdk.wire.failures import content_filtered, failure_from_event
from mai_sdk.wire.items import read_items
from mai_sdk.wire.responses_stream import ResponsesReader
from mai_sdk.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.config.route import Surface
    from mai_sdk.wire.answer import Answer
    from mai_sdk.wire.chat import ChatRequest

__all__ = ["ResponsesReader", "read_responses", "responses_body", "responses_path"]

_PATHS = {"openai-v1": "/openai/v1/responses", "vllm": "/v1/responses"}


def responses_path(surface: Surface) -> str:
    """Return the path below the endpoint that takes Responses; openai-v1 and vllm have one."""
    return _PATHS[surface]


def responses_body(request: ChatRequest, *, surface: Surface = "openai-v1") -> dict[str, Any]:
    """Return the JSON body: system messages as `instructions`, all else as `input` items.

    `store` is not sent, so the service's own default holds (OpenAI keeps answers for 30 days);
    `extra_body={"store": False}` says otherwise.

    Raises:
        UnsupportedFeature: `reasoning_display` was given; it belongs to foundry's chat completions.
    """
    refuse_reasoning_display(request, surface=surface, api="responses")
    instructions = [
        _plain(message.get("content"))
        for message in request.messages
        if message.get("role") in {"system", "developer"}
    ]
    fields: dict[str, Any] = {
        "model": request.deployment,
        "instructions": "\n\n".join(instructions) or None,
        "input": [item for message in request.messages for item in _items(message)],
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "tools": [_flat(tool) for tool in request.tools] if request.tools else None,
        "tool_choice": _choice(request.tool_choice),
        "stream": request.stream or None,
    }
    if request.schema is not None:
        fields["text"] = {"format": {"type": "json_schema", **schema_format(request)}}
    body = {name: value for name, value in fields.items() if value is not None}
    return {**body, **request.extra_body}


def read_responses(raw: Any, *, surface: Surface = "openai-v1") -> Answer:
    """Return the answer of a whole Responses object.

    `text` is all output text, `reasoning` the readable thoughts or, where only those come, their
    summary. The finish reason is put in the words of chat completions.

    Raises:
        UnreadableAnswer: This is no Responses object.
        ContentFiltered: It ended because of the safety system; `partial` has the answer so far.
        ServiceError: It failed (`status: failed`), or is an error object with status 200.
    """
    body = as_object(raw)
    answer = read_items(raw, surface=surface)
    if body.get("error") or body.get("status") == "failed":
        raise failure_from_event(body, surface=surface, partial=answer)
    if answer.choices[0].finish_reason == "content_filter":
        raise content_filtered(answer)
    return answer


def _items(message: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield the input items of one chat message; system messages are not among them."""
    role, content = message.get("role"), message.get("content")
    if role in {"system", "developer"}:
        return
    if role == "tool":
        yield {
            "type": "function_call_output",
            "call_id": message.get("tool_call_id"),
            "output": _plain(content),
        }
        return
    if message.get("output"):
        yield from message["output"]
        return
    if content:
        yield {"role": role, "content": _content(content, answered=role == "assistant")}
    for call in message.get("tool_calls") or ():
        yield {
            "type": "function_call",
            "call_id": call.get("id"),
            "name": as_object(call.get("function")).get("name"),
            "arguments": as_object(call.get("function")).get("arguments"),
        }


def _content(content: Any, *, answered: bool) -> Any:
    if isinstance(content, str):
        return content
    return [_part(part, answered=answered) for part in content]


def _part(part: Mapping[str, Any], *, answered: bool) -> Mapping[str, Any]:
    """Return a content part in the words of Responses; unknown ones pass as they are."""
    if part.get("type") == "text":
        return {"type": "output_text" if answered else "input_text", "text": part.get("text")}
    if part.get("type") == "image_url":
        image = part.get("image_url")
        fields = {"url": image} if isinstance(image, str) else as_object(image)
        flat = {"type": "input_image", "image_url": fields.get("url")}
        return {**flat, "detail": fields["detail"]} if fields.get("detail") else flat
    return part


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content or ())


def _flat(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a function tool without its inner object; Responses' tools pass as they are.

    `strict` is always sent: left out, Responses means true where chat completions mean false.
    """
    function = as_object(tool.get("function"))
    return {"type": "function", "strict": False, **function} if function else tool


def _choice(choice: str | Mapping[str, Any] | None) -> Any:
    name = None if choice is None or isinstance(choice, str) else as_object(choice.get("function"))
    return {"type": "function", **name} if name else choice
