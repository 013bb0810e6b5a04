"""The rest of vLLM's server: models, token counts, adapters, metrics. No I/O.

Recorded from vLLM 0.32.0. Chat, completions and Responses are read by `wire.chat` and
`wire.responses`; failures by `wire.failures`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import UnreadableAnswer
from mai_sdk.wire.answer import Answer
from mai_sdk.wire.message import read_choice
from mai_sdk.wire.shapes import as_list, as_object, as_text
from mai_sdk.wire.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ServedModel",
    "TokenCount",
    "is_healthy",
    "load_adapter_body",
    "read_adapter_result",
    "read_messages",
    "read_models",
    "read_tokenized",
    "read_version",
    "tokenize_body",
    "unload_adapter_body",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A name the server answers to: its base model, an alias of it, or an adapter."""

    id: str
    """What to send as `model`."""
    root: str | None = None
    """The path or repository it was loaded from."""
    parent: str | None = None
    """For an adapter, the base model it stands on; else None."""
    max_model_len: int | None = None
    """The most tokens, prompt and answer together; null for adapters, whose parent has it."""
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    """How many tokens a prompt is, by the server's own tokenizer and template."""

    count: int
    max_model_len: int | None = None


def read_models(raw: Any) -> list[ServedModel]:
    """Return what `GET /v1/models` lists."""
    body = as_object(raw)
    if body.get("data").__class__ is not list:
        raise _unreadable("/v1/models", "a list of models")
    return [
        ServedModel(
            id=entry["id"],
            root=as_text(entry.get("root")),
            parent=as_text(entry.get("parent")),
            max_model_len=_count(entry.get("max_model_len")),
            raw=entry,
        )
        for entry in map(as_object, as_list(body["data"]))
        if as_text(entry.get("id"))
    ]


def tokenize_body(
    messages: Sequence[Mapping[str, Any]],
    *,
    deployment: str | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the body for `POST /tokenize`: it counts a conversation with its template."""
    fields: dict[str, Any] = {
        "model": deployment,
        "messages": list(messages),
        "tools": list(tools) if tools else None,
        "chat_template_kwargs": chat_template_kwargs,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_tokenized(raw: Any) -> TokenCount:
    """Return what `/tokenize` (or `/v1/messages/count_tokens`) counted."""
    body = as_object(raw)
    count = _count(body.get("count", body.get("input_tokens")))
    if count is None:
        raise _unreadable("/tokenize", "a token count")
    return TokenCount(count=count, max_model_len=_count(body.get("max_model_len")))


def read_version(raw: Any) -> str:
    """Return the server's version, for example "0.32.0"."""
    version = as_text(as_object(raw).get("version"))
    if version is None:
        raise _unreadable("/version", "a version")
    return version


def is_healthy(status: int) -> bool:
    """Say whether `GET /health` means that the engine runs: 200, with an empty body; 503 if not."""
    return status == 200


def load_adapter_body(
    name: str, *, path: str, in_place: bool = False, fused_experts: bool = False
) -> dict[str, Any]:
    """Return the body for `POST /v1/load_lora_adapter`.

    Args:
        name: What to send as `model` afterwards.
        path: A directory on the **server**.
        in_place: Replace an adapter already loaded under this name.
        fused_experts: The file holds fused 3-D expert weights, as recent PEFT saves them.
    """
    body: dict[str, Any] = {"lora_name": name, "lora_path": path}
    if in_place:
        body["load_inplace"] = True
    if fused_experts:
        body["is_3d_lora_weight"] = True
    return body


def unload_adapter_body(name: str) -> dict[str, Any]:
    """Return the body for `POST /v1/unload_lora_adapter`."""
    return {"lora_name": name}


def read_adapter_result(body: bytes) -> str:
    """Return what the server says of an adapter it loaded or unloaded: plain text, not JSON."""
    text = body.decode("utf-8", "replace").strip()
    if not text or text.startswith("<"):
        raise _unreadable("the adapter route", "a line of text")
    return text


def read_messages(raw: Any) -> Answer:
    """Return the answer of `POST /v1/messages`, which speaks Anthropic's dialect."""
    body = as_object(raw)
    parts = body.get("content")
    if parts.__class__ is not list:
        raise _unreadable("/v1/messages", "a message")
    reasons = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
    calls = [
        {"id": part.get("id"), "function": {"name": part.get("name"), "arguments": part["input"]}}
        for part in map(as_object, as_list(parts))
        if part.get("type") == "tool_use" and "input" in part
    ]
    message = {"role": "assistant", "content": parts, "tool_calls": calls}
    reason = as_text(body.get("stop_reason")) or ""
    finish_reason = reasons.get(reason, "tool_calls" if reason == "tool_use" else reason or None)
    choice = read_choice(message, finish_reason=finish_reason, surface="vllm")
    choice.message = {"role": "assistant", "content": parts}
    return Answer(
        id=as_text(body.get("id")),
        model=as_text(body.get("model")),
        choices=[choice],
        usage=read_usage(body.get("usage"), surface="vllm"),
        raw=raw,
    )


def _count(value: Any) -> int | None:
    return value if value.__class__ is int and value >= 0 else None


def _unreadable(where: str, what: str) -> UnreadableAnswer:
    return UnreadableAnswer(
        f"The server's answer on {where} is not {what}. It does not seem to "
        f"be vLLM: check base_url.",
        status=200,
    )
