"""`/openai/v1/responses`: the Responses API, whole and streamed, with function calls.

Events and objects are as openai 3 reads them. `previous_response_id` and `background` are refused:
the emulator keeps no responses.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from mai_sdk.emulator import azure
from mai_sdk.emulator.chat import Problem, chosen_tool, shape_of, tools_of
from mai_sdk.emulator.openai_v1 import model_of
from mai_sdk.emulator.prompt import Prompt, plain_text
from mai_sdk.emulator.request import Answer, Request, json_answer, stream_answer
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from mai_sdk.emulator.generation import Generation
    from mai_sdk.emulator.world import Counts, World

__all__ = ["Responses"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="allow")

    input: str | list[dict[str, Any]]
    model: str | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stream: bool | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    background: bool | None = None


class Responses:
    """The Responses API, as Foundry serves it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {("POST", "/openai/v1/responses"): self.create}

    def create(self, request: Request) -> Answer:
        """Return the answer to a request."""
        world = self._world
        if not azure.allowed(request, world, bearer_key=True):
            return azure.identified(azure.unauthorized(), request, world)
        return azure.identified(self._create(request), request, world)

    def _create(self, request: Request) -> Answer:
        try:
            body = _Body.model_validate(request.json)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            problem = Problem(first["type"], where, first["msg"], None, None)
            return azure.bad_schema(problem, status=400)
        if "reasoning_display" in (body.model_extra or {}):
            return azure.unrecognized("reasoning_display")
        for name in ("previous_response_id", "background"):
            if getattr(body, name):
                return azure.error(
                    400, "unsupported_parameter", f"The emulator keeps no responses: {name}.",
                    kind="invalid_request_error", param=name,
                )  # fmt: skip
        model = model_of(body.model, self._world)
        if model is None:
            return azure.deployment_missing()
        return self._reply(body, model, request)

    def _reply(self, body: _Body, model: str, request: Request) -> Answer:
        prompt = Prompt(
            model=model,
            messages=_messages(body),
            tools=tools_of(body.tools),
            tool_choice=chosen_tool(body.tool_choice),
            shape=shape_of((body.text or {}).get("format")),
        )
        made, counts = self._world.think(prompt, request, limit=body.max_output_tokens)
        only = made[0]
        cut = only.finish_reason in ("length", "content_filter")
        items = self._items(only, "incomplete" if cut else "completed")
        response = _response(body, self._world)
        done = {
            **response,
            "status": "incomplete" if cut else "completed",
            "incomplete_details": _why(only) if cut else None,
            "output": items,
            "usage": _usage(counts),
        }
        if body.stream:
            return stream_answer(_events(response, items, only, done), tokens=only.tokens)
        return json_answer(done, tokens=only.tokens)

    def _items(self, made: Generation, status: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if made.reasoning:
            # The thoughts themselves stay with the service; there is no summary unless asked.
            items.append({"id": f"rs_{self._world.name(32)}", "type": "reasoning", "summary": []})
        if made.text:
            part: dict[str, Any] = {
                "type": "output_text", "text": "".join(made.text), "annotations": [],
                "logprobs": [],
            }  # fmt: skip
            items.append({
                "id": f"msg_{self._world.name(32)}", "type": "message", "role": "assistant",
                "status": status, "content": [part],
            })  # fmt: skip
        items.extend(
            {
                "id": f"fc_{self._world.name(32)}", "type": "function_call", "status": status,
                "call_id": call.id or f"call_{self._world.name(24)}", "name": call.name,
                "arguments": call.arguments,
            }
            for call in made.calls
        )  # fmt: skip
        return items


def _messages(body: _Body) -> tuple[dict[str, Any], ...]:
    """Return the input as chat messages: that is what the model sees, whatever the form."""
    messages: list[dict[str, Any]] = []
    if body.instructions:
        messages.append({"role": "developer", "content": body.instructions})
    if isinstance(body.input, str):
        return (*messages, {"role": "user", "content": body.input})
    for item in body.input:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            said: Any = item.get("output")
            messages.append({"role": "tool", "content": plain_text(said)})
        elif kind == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            messages.append({"role": "assistant", "tool_calls": [{"function": function}]})
        elif kind == "message":
            content = plain_text(item.get("content"))
            messages.append({"role": item.get("role", "user"), "content": content})
    return tuple(messages)


def _response(body: _Body, world: World) -> dict[str, Any]:
    return {
        "id": f"resp_{world.name(32)}", "object": "response", "created_at": int(time.time()),
        "status": "in_progress", "background": False, "error": None, "incomplete_details": None,
        "instructions": body.instructions, "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": None, "model": body.model, "output": [],
        "parallel_tool_calls": body.parallel_tool_calls, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None}, "service_tier": "default", "store": False,
        "temperature": body.temperature if body.temperature is not None else 1.0,
        "text": body.text or {"format": {"type": "text"}},
        "tool_choice": body.tool_choice or "auto", "tools": body.tools or [],
        "top_p": body.top_p if body.top_p is not None else 1.0, "truncation": "disabled",
        "usage": None, "user": None, "metadata": body.metadata or {},
    }  # fmt: skip


def _why(made: Generation) -> dict[str, str]:
    cut_by_limit = made.finish_reason == "length"
    return {"reason": "max_output_tokens" if cut_by_limit else "content_filter"}


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {"cached_tokens": counts.cached},
        "output_tokens": counts.completion,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.total,
    }


def _events(
    response: dict[str, Any],
    items: list[dict[str, Any]],
    made: Generation,
    done: dict[str, Any],
) -> list[bytes]:
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.in_progress", "response": response},
    ]
    for number, item in enumerate(items):
        opening = {**item, "status": "in_progress"}
        place = {"output_index": number, "item_id": item["id"]}
        if item["type"] == "message":
            inner = _text_events(place, item, made)
            opening["content"] = []
        elif item["type"] == "function_call":
            inner = _call_events(place, item)
            opening["arguments"] = ""
        else:
            inner, opening = [], item
        events.append({"type": _ADDED, "output_index": number, "item": opening})
        events += inner
        events.append({"type": _ITEM_DONE, "output_index": number, "item": item})
    events.append({"type": f"response.{done['status']}", "response": done})
    return [
        encode(to_json({**event, "sequence_number": number}), event=event["type"])
        for number, event in enumerate(events)
    ]


_ADDED = "response.output_item.added"
_ITEM_DONE = "response.output_item.done"


def _text_events(
    place: dict[str, Any], item: dict[str, Any], made: Generation
) -> list[dict[str, Any]]:
    part = item["content"][0]
    spot = {**place, "content_index": 0}
    empty = {**part, "text": ""}
    deltas: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", **spot, "delta": piece, "logprobs": []}
        for piece in made.text
    ]
    return [
        {"type": "response.content_part.added", **spot, "part": empty},
        *deltas,
        {"type": "response.output_text.done", **spot, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **spot, "part": part},
    ]


def _call_events(place: dict[str, Any], item: dict[str, Any]) -> list[dict[str, Any]]:
    text: str = item["arguments"]
    deltas = [
        {"type": "response.function_call_arguments.delta", **place, "delta": text[at : at + 12]}
        for at in range(0, len(text), 12)
    ]
    end = {"type": "response.function_call_arguments.done", **place, "name": item["name"]}
    return [*deltas, {**end, "arguments": text}]
