"""Chat completions: what is asked, on which path, and how a whole answer is read. No I/O.

The four surfaces take the same messages but not the same fields; `chat_body` sends what each is
documented to take, and nothing it is not, unless the caller says so in `extra_body`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import UnreadableAnswer, UnsupportedFeature
from mai_sdk.wire.answer import Answer, Choice
from mai_sdk.wire.chat_stream import ChatReader
from mai_sdk.wire.failures import content_filtered, failure_from_event
from mai_sdk.wire.message import read_choice
from mai_sdk.wire.shapes import as_int, as_list, as_object, as_text
from mai_sdk.wire.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config.route import Surface

__all__ = [
    "ChatReader",
    "ChatRequest",
    "chat_body",
    "chat_path",
    "default_query",
    "native_schema",
    "read_chat",
]

_PATHS: dict[str, str] = {
    "foundry": "/mai/v1/chat/completions",
    "openai-v1": "/openai/v1/chat/completions",
    "azure-inference": "/models/chat/completions",
    "vllm": "/v1/chat/completions",
}


@dataclass(slots=True, kw_only=True)
class ChatRequest:
    """One question to a chat model, in OpenAI's shapes, before it is fitted to a surface.

    Nobody changes one. It is not frozen only because that would double what making one takes.
    """

    messages: Sequence[Mapping[str, Any]] = field(repr=False)
    """The conversation. An assistant message that came from an `Answer` goes back unchanged."""
    deployment: str | None = None
    """Sent as `model`; None sends none."""
    tools: Sequence[Mapping[str, Any]] | None = None
    """Function tools, as chat completions write them."""
    tool_choice: str | Mapping[str, Any] | None = None
    schema: Mapping[str, Any] | None = None
    """A JSON schema the answer shall fit; sent only where `native_schema` says so."""
    schema_name: str = "answer"
    schema_strict: bool | None = None
    """Whether the service shall refuse schemas it cannot enforce; None leaves it to the service."""
    max_output_tokens: int | None = None
    """Reasoning included."""
    temperature: float | None = None
    reasoning_display: str | None = None
    """foundry only; its one documented value is "encrypted"."""
    stream: bool = False
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Merged into the body last, so it wins over everything above."""


def chat_path(surface: Surface) -> str:
    """Return the path below the endpoint that takes chat completions."""
    return _PATHS[surface]


def default_query(surface: Surface) -> dict[str, str]:
    """Return the query the surface needs; only the Model Inference API has one."""
    return {"api-version": "2024-05-01-preview"} if surface == "azure-inference" else {}


def native_schema(surface: Surface) -> bool:
    """Say whether the surface itself holds an answer to a JSON schema.

    foundry offers text only (Microsoft's capability table), and so did MAI-DS-R1 behind the Model
    Inference API. vLLM applies the schema after the thoughts.
    """
    return surface in {"openai-v1", "vllm"}


def chat_body(request: ChatRequest, *, surface: Surface) -> dict[str, Any]:
    """Return the JSON body for a surface: its documented fields, then `extra_body`.

    The output limit is `max_completion_tokens` (foundry answers 400 to `max_tokens`; vLLM 0.32 was
    recorded taking it), except on azure-inference, whose API knows `max_tokens` alone and refuses
    fields it does not know. `stream_options` asks for usage only where it would not come by
    itself; `temperature` and `tool_choice` are sent only if the caller gave them.

    Raises:
        UnsupportedFeature: `reasoning_display` was given for a surface that answers 400 to it.
    """
    if request.reasoning_display is not None:
        refuse_reasoning_display(request, surface=surface)
    limit = "max_tokens" if surface == "azure-inference" else "max_completion_tokens"
    body: dict[str, Any] = {}
    if request.deployment is not None:
        body["model"] = request.deployment
    body["messages"] = [
        message if "output" not in message else _without_output(message)
        for message in request.messages
    ]
    if request.max_output_tokens is not None:
        body[limit] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.tools:
        body["tools"] = list(request.tools)
    if request.tool_choice is not None:
        body["tool_choice"] = request.tool_choice
    if request.reasoning_display is not None:
        body["reasoning_display"] = request.reasoning_display
    if request.schema is not None and native_schema(surface):
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": schema_format(request),
        }
    if request.stream:
        body["stream"] = True
        if surface in {"openai-v1", "vllm"}:
            body["stream_options"] = {"include_usage": True}
    body.update(request.extra_body)
    return body


def schema_format(request: ChatRequest) -> dict[str, Any]:
    """Return name, schema and strictness as both OpenAI dialects write them."""
    fields = {
        "name": request.schema_name,
        "schema": request.schema,
        "strict": request.schema_strict,
    }
    return {name: value for name, value in fields.items() if value is not None}


def refuse_reasoning_display(request: ChatRequest, *, surface: Surface, api: str = "chat") -> None:
    """Raise `UnsupportedFeature` if `reasoning_display` would be refused there."""
    if request.reasoning_display is not None and (surface != "foundry" or api != "chat"):
        raise UnsupportedFeature(
            f"reasoning_display is taken by the foundry surface's chat completions only, and this "
            f"route is {surface!r}. Leave it out, or use a foundry route."
        )


def _without_output(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the message without the items that only Responses can take."""
    return {name: value for name, value in message.items() if name != "output"}


def read_chat(raw: Any, *, surface: Surface) -> Answer:
    """Return the answer of a whole chat completion (or legacy completion), whatever its dialect.

    Line ends between thoughts and text are dropped from `text`; `message` is as received, to be
    sent back unchanged. Unknown fields stay on `raw`.

    Raises:
        UnreadableAnswer: This is no chat completion.
        ContentFiltered: It ended because of the safety system; `partial` has the answer so far.
        ServiceError: It is an error object that came with status 200.
    """
    body = as_object(raw)
    if body.get("error"):
        raise failure_from_event(body, surface=surface)
    choices = as_list(body.get("choices"))
    usage = read_usage(body.get("usage"), surface=surface)
    answer = Answer(as_text(body.get("id")), as_text(body.get("model")), [], usage, raw)
    if not choices:
        raise UnreadableAnswer(
            "The answer is JSON, but no chat completion: it has no choices. Check that the "
            "endpoint is the service the route says it is.",
            status=200,
            partial=answer if body else None,
        )
    filtered = False
    for index, each in enumerate(choices):
        choice = _choice(each, surface=surface, index=index)
        answer.choices.append(choice)
        filtered = filtered or choice.finish_reason == "content_filter"
    if filtered:
        raise content_filtered(answer)
    return answer


def _choice(raw: Any, *, surface: Surface, index: int) -> Choice:
    choice = as_object(raw)
    message: Any = choice.get("message")
    if message.__class__ is not dict:
        text = choice.get("text")
        if not isinstance(text, str):
            raise UnreadableAnswer(
                "A choice of the answer has no message. The service speaks another dialect than "
                "the route says.",
                status=200,
            )
        message = {"role": "assistant", "content": text}
    return read_choice(
        message,
        finish_reason=as_text(choice.get("finish_reason")),
        surface=surface,
        index=as_int(choice.get("index"), default=index),
    )
