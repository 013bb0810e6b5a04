"""`/openai/v1` chat completions and models, and `/openai/deployments/{name}/chat/completions`.

As recorded of other Foundry models (vercel/ai, azure-model-router fixtures): a first chunk with
prompt filter results and no choices, filter results and obfuscation on the others, tool calls in
indexed fragments, usage on a chunk of its own when asked for. `reasoning_display` is refused here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator import azure
from mai_sdk.emulator.chat import ChatBody, Problem, read_body, to_prompt
from mai_sdk.emulator.request import Answer, Request, json_answer, stream_answer
from mai_sdk.emulator.untyped import to_object
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from mai_sdk.emulator.generation import Generation
    from mai_sdk.emulator.replies import Call
    from mai_sdk.emulator.world import Counts, World

__all__ = ["OpenAIChat", "call_object", "head_of", "model_of", "shows_thoughts"]

_SAFE = {"filtered": False, "severity": "safe"}
_FILTERS = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
_FRAGMENT = 12
"""Characters of a tool call's arguments in one chunk."""
_OBFUSCATION = 24
_KNOWN = frozenset(ChatBody.model_fields) - {
    "reasoning_display", "structured_outputs", "include_reasoning", "thinking_token_budget",
    "chat_template_kwargs", "stream_interval", "return_token_ids", "return_prompt_text",
    "cache_salt", "priority", "request_id",
} | {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "metadata",
    "modalities", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
    "safety_identifier", "seed", "service_tier", "store", "user", "verbosity",
}  # fmt: skip


def shows_thoughts(model: str) -> bool:
    """Return whether the thoughts of this model are visible; MAI-Thinking-1 keeps its own."""
    return "DS-R1" in model


def model_of(name: str | None, world: World) -> str | None:
    """Return the catalog name of a chat deployment, or None."""
    return world.chat_model(name)


class OpenAIChat:
    """Chat completions in OpenAI's form, as Foundry serves them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here; `*` stands for one segment."""
        return {
            ("POST", "/openai/v1/chat/completions"): self.chat,
            ("GET", "/openai/v1/models"): self.models,
            ("GET", "/openai/v1/models/*"): self.model,
            ("POST", "/openai/deployments/*/chat/completions"): self.deployment_chat,
        }

    def chat(self, request: Request) -> Answer:
        """Return the answer to a chat request."""
        world = self._world
        if not azure.allowed(request, world, bearer_key=True):
            return azure.identified(azure.unauthorized(), request, world)
        return azure.identified(self._chat(request), request, world)

    def deployment_chat(self, request: Request) -> Answer:
        """Return the answer on the older path, which needs an api-version."""
        if "api-version" not in request.parameters:
            return azure.identified(azure.resource_missing(), request, self._world)
        return self.chat(request)

    def models(self, request: Request) -> Answer:
        """Return the list of deployments."""
        if not azure.allowed(request, self._world, bearer_key=True):
            return azure.unauthorized()
        listed = [_model_object(name) for name in self._world.deployments]
        return json_answer({"object": "list", "data": listed})

    def model(self, request: Request) -> Answer:
        """Return one deployment."""
        if not azure.allowed(request, self._world, bearer_key=True):
            return azure.unauthorized()
        name = request.path.rpartition("/")[2]
        if name not in self._world.deployments:
            return azure.deployment_missing()
        return json_answer(_model_object(name))

    def _chat(self, request: Request) -> Answer:
        raw = to_object(request.json)
        if raw is None:
            return azure.error(
                400, None, "We could not parse the JSON body of your request.",
                kind="invalid_request_error",
            )  # fmt: skip
        for name in raw:
            if name not in _KNOWN:
                return azure.unrecognized(name)
        try:
            body = read_body(raw)
        except Problem as problem:
            return azure.bad_schema(problem, status=400)
        model = model_of(request.model, self._world)
        if model is None:
            return azure.deployment_missing()
        return self._checked(body, model) or self._reply(body, model, request)

    @staticmethod
    def _checked(body: ChatBody, model: str) -> Answer | None:
        wrong = azure.bad_role(body.messages)
        if wrong is not None:
            return azure.bad_schema(Problem("value", "messages", wrong, None, None), status=400)
        if body.max_tokens is not None and model == "MAI-Thinking-1":
            return azure.error(
                400, "unsupported_parameter",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                kind="invalid_request_error", param="max_tokens",
            )  # fmt: skip
        if body.stream_options and not body.stream:
            return azure.error(
                400, None, "The 'stream_options' parameter is only allowed when 'stream' is "
                "enabled.", kind="invalid_request_error", param="stream_options",
            )  # fmt: skip
        return None

    def _reply(self, body: ChatBody, model: str, request: Request) -> Answer:
        made, counts = self._world.think(
            to_prompt(body, model),
            request,
            limit=body.limit,
            stops=body.stops,
            choices=body.n or 1,
        )
        head = head_of(self._world, request.model or model)
        if body.stream:
            return self._stream(body, head, model, made, counts)
        choices = [self._choice(number, one, model) for number, one in enumerate(made)]
        whole = {
            **head, "object": "chat.completion", "choices": choices, "usage": _usage(counts),
            "prompt_filter_results": _prompt_filters(), "system_fingerprint": "fp_emulated00",
        }  # fmt: skip
        return json_answer(whole, tokens=made[0].tokens)

    def _choice(self, number: int, made: Generation, model: str) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(made.text) or None,
            "refusal": None,
            "annotations": [],
        }
        if made.calls:
            message["tool_calls"] = [call_object(self._world, call) for call in made.calls]
        if made.reasoning and shows_thoughts(model):
            message["reasoning_content"] = "".join(made.reasoning)
        return {
            "index": number, "message": message, "finish_reason": made.finish_reason,
            "logprobs": None, "content_filter_results": _FILTERS,
        }  # fmt: skip

    def _stream(
        self,
        body: ChatBody,
        head: dict[str, Any],
        model: str,
        made: list[Generation],
        counts: Counts,
    ) -> Answer:
        hide = (body.stream_options or {}).get("include_obfuscation") is not False
        usage: dict[str, Any] = {"usage": None} if body.include_usage else {}

        def chunk(number: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
            return encode(
                to_json({
                    **head, "object": "chat.completion.chunk",
                    "choices": [{
                        "index": number, "delta": delta, "finish_reason": finish,
                        "logprobs": None, "content_filter_results": _FILTERS if delta else {},
                    }],
                    "system_fingerprint": "fp_emulated00", **usage,
                    **({"obfuscation": self._world.name(_OBFUSCATION)} if hide else {}),
                })
            )  # fmt: skip

        blank: dict[str, Any] = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        pieces = [encode(to_json({**blank, "prompt_filter_results": _prompt_filters()}))]
        for number, one in enumerate(made):
            pieces.append(chunk(number, {"role": "assistant", "content": "", "refusal": None}))
            if shows_thoughts(model):
                pieces += [chunk(number, {"reasoning_content": piece}) for piece in one.reasoning]
            pieces += [chunk(number, {"content": piece}) for piece in one.text]
            pieces += [chunk(number, delta) for delta in self._fragments(one)]
            pieces.append(chunk(number, {}, one.finish_reason))
        if body.include_usage:
            last: dict[str, Any] = {
                **head, "object": "chat.completion.chunk", "choices": [],
                "usage": _usage(counts), "system_fingerprint": "fp_emulated00",
            }  # fmt: skip
            pieces.append(encode(to_json(last)))
        pieces.append(encode("[DONE]"))
        return stream_answer(pieces, tokens=made[0].tokens)

    def _fragments(self, made: Generation) -> list[dict[str, Any]]:
        deltas: list[dict[str, Any]] = []
        for number, call in enumerate(made.calls):
            opening = call_object(self._world, call)
            opening["function"]["arguments"] = ""
            deltas.append({"tool_calls": [{"index": number, **opening}]})
            for at in range(0, len(call.arguments), _FRAGMENT):
                part = {"arguments": call.arguments[at : at + _FRAGMENT]}
                deltas.append({"tool_calls": [{"index": number, "function": part}]})
        return deltas


def head_of(world: World, model: str) -> dict[str, Any]:
    """Return the fields every answer and chunk of one call begins with."""
    return {"id": f"chatcmpl-{world.name(28)}", "created": int(time.time()), "model": model}


def call_object(world: World, call: Call) -> dict[str, Any]:
    """Return a function call as messages hold it."""
    return {
        "id": call.id or f"call_{world.name(24)}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "total_tokens": counts.total,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": counts.cached},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0, "audio_tokens": 0,
            "reasoning_tokens": counts.reasoning, "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip


def _prompt_filters() -> list[dict[str, Any]]:
    jailbreak = {"jailbreak": {"filtered": False, "detected": False}}
    return [{"prompt_index": 0, "content_filter_results": {**_FILTERS, **jailbreak}}]


def _model_object(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1795305600, "owned_by": "microsoft"}
