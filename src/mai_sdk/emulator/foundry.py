"""`/mai/v1/chat/completions`: the surface MAI-Thinking-1 is documented on.

From Microsoft's page (learn.microsoft.com, how-to/use-foundry-models-mai-thinking, 2026-08-12).
Strict where it is silent: a field that is neither documented nor seen accepted is refused, so that
a client finds out here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator import azure
from mai_sdk.emulator.chat import ChatBody, Problem, read_body, to_prompt
from mai_sdk.emulator.request import Answer, Request, json_answer, stream_answer
from mai_sdk.emulator.tokens import count
from mai_sdk.emulator.untyped import has_image, to_object
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from mai_sdk.emulator.generation import Generation
    from mai_sdk.emulator.replies import Call
    from mai_sdk.emulator.world import Counts, World

__all__ = ["Foundry"]

_KNOWN = frozenset({
    "model", "messages", "max_completion_tokens", "tools", "stream", "reasoning_display",
    "temperature",  # not documented, seen accepted
    "tool_choice", "parallel_tool_calls", "stream_options", "user",  # not documented, harmless
})  # fmt: skip
_CONTEXT = 262_144
_MOST_OUTPUT = 65_536
_SEES = frozenset({"MAI-Code-1.1-Flash"})
"""The models that take images."""


class Foundry:
    """Chat completions of MAI models, as Microsoft Foundry serves them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {("POST", "/mai/v1/chat/completions"): self.chat}

    def chat(self, request: Request) -> Answer:
        """Return the answer to a chat request."""
        world = self._world
        if not azure.allowed(request, world, bearer_key=False):
            return azure.identified(azure.unauthorized(), request, world)
        return azure.identified(self._chat(request), request, world)

    def _chat(self, request: Request) -> Answer:
        raw = to_object(request.json)
        if raw is None:
            return azure.error(
                400, "invalid_json", "The request body is not a JSON object.",
                kind="invalid_request_error",
            )  # fmt: skip
        refused = self._refused(raw)
        if refused is not None:
            return refused
        try:
            body = read_body(raw)
        except Problem as problem:
            return azure.bad_schema(problem)
        model = self._world.chat_model(body.model)
        return self._checked(body, model) or self._reply(body, model or "", request)

    @staticmethod
    def _refused(raw: dict[str, Any]) -> Answer | None:
        if "max_tokens" in raw:
            return azure.error(
                400,
                "unsupported_parameter",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                kind="invalid_request_error",
                param="max_tokens",
            )
        for name in raw:
            harmless = name == "response_format" and raw[name] in (None, {"type": "text"})
            if name not in _KNOWN and not harmless:
                return azure.unrecognized(name)
        return None

    def _checked(self, body: ChatBody, model: str | None) -> Answer | None:
        if not body.model:
            return azure.bad_schema(Problem("missing", "model", "Field required", None, None))
        if model is None:
            return azure.deployment_missing()
        wrong = azure.bad_role(body.messages)
        if wrong is not None:
            return azure.bad_schema(Problem("value", "messages", wrong, None, None))
        if body.reasoning_display not in (None, "encrypted"):
            return azure.bad_schema(
                Problem("enum", "reasoning_display", "Input should be 'encrypted'", None, None)
            )
        if body.max_completion_tokens is not None and body.max_completion_tokens < 1:
            return azure.bad_schema(
                Problem("min", "max_completion_tokens", "must be at least 1", None, None)
            )
        return self._unread(body, model)

    def _unread(self, body: ChatBody, model: str) -> Answer | None:
        """Return why the model cannot read the messages, or None."""
        for message in body.messages:
            reasoning = message.get("reasoning")
            if reasoning is not None and not self._ours(reasoning):
                return azure.error(
                    400, "invalid_encrypted_content",
                    "The encrypted reasoning could not be verified. Send the assistant message "
                    "back exactly as it was received.",
                    kind="invalid_request_error", param="messages",
                )  # fmt: skip
            if model not in _SEES and has_image(message.get("content")):
                return azure.error(
                    400, "unsupported_content", "This model takes text only.",
                    kind="invalid_request_error", param="messages",
                )  # fmt: skip
        size = count(to_prompt(body, model).render())
        if size + (body.max_completion_tokens or 0) > _CONTEXT:
            return azure.error(
                400, "context_length_exceeded",
                f"This model's maximum context length is {_CONTEXT} tokens. However, your "
                f"messages resulted in {size} tokens. Please reduce the length of the messages.",
                kind="invalid_request_error", param="messages",
            )  # fmt: skip
        return None

    def _ours(self, reasoning: Any) -> bool:
        blob = (to_object(reasoning) or {}).get("encrypted_content")
        return isinstance(blob, str) and self._world.issued(blob)

    def _reply(self, body: ChatBody, model: str, request: Request) -> Answer:
        limit = min(body.max_completion_tokens or _MOST_OUTPUT, _MOST_OUTPUT)
        prompt = to_prompt(body, model)
        made, counts = self._world.think(prompt, request, limit=limit)
        only = made[0]
        secret = None
        if body.reasoning_display and only.reasoning:
            secret = {
                "encrypted_content": self._world.encrypt("".join(only.reasoning)),
                "content": None,
                "summary": None,
            }
        head = {"id": f"mai-api-{self._world.name(24)}", "created": int(time.time())}
        # The service says "stop" also when it calls tools.
        reason = "stop" if only.finish_reason == "tool_calls" else only.finish_reason
        calls = [_call(self._world, call) for call in only.calls]
        if body.stream:
            return _stream(head, model, only, calls, secret, counts, reason)
        text = "".join(only.text)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text or None,
            "refusal": None,
            "tool_calls": calls or None,
        }
        if secret is not None:
            message["reasoning"] = secret
        choice = {"index": 0, "message": message, "finish_reason": reason}
        whole = {
            **head, "object": "chat.completion", "model": body.model,
            "choices": [choice], "usage": _usage(counts),
        }  # fmt: skip
        return json_answer(whole, tokens=only.tokens)


def _stream(
    head: dict[str, Any],
    model: str,
    made: Generation,
    calls: list[dict[str, Any]],
    secret: dict[str, Any] | None,
    counts: Counts,
    reason: str,
) -> Answer:
    """Return the stream: role on every chunk, nulls spelled out, usage on the last chunk."""

    def chunk(*, usage: Any = None, finish: str | None = None, **said: Any) -> bytes:
        delta = {
            "content": None, "role": "assistant", "tool_calls": None, "reasoning": None,
            "annotations": None, **said,
        }  # fmt: skip
        return encode(
            to_json({
                "id": head["id"], "object": "chat.completion.chunk", "created": head["created"],
                "model": model,
                "choices": [{"delta": delta, "index": 0, "finish_reason": finish}],
                "system_fingerprint": "", "usage": usage,
            })
        )  # fmt: skip

    pieces = [chunk(content=piece) for piece in made.text]
    # Whole calls, one per chunk, without an index.
    pieces += [chunk(tool_calls=[call]) for call in calls]
    pieces.append(chunk(reasoning=secret, finish=reason, usage=_usage(counts)))
    pieces.append(encode("[DONE]"))
    return stream_answer(pieces, tokens=made.tokens)


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "total_tokens": counts.total,
        "prompt_tokens_details": {"cached_tokens": counts.cached},
    }


def _call(world: World, call: Call) -> dict[str, Any]:
    return {
        "id": call.id or f"call_{world.name(24)}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
