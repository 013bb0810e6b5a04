"""`/models/chat/completions` and `/models/info`: the Model Inference API, retired but still met.

From Microsoft's page on chat reasoning (2025-08-27): here the thoughts of MAI-DS-R1 sit inside the
content, between `<think>` and `</think>`. The json forms are the ones azure-ai-inference 1.0.0b9
reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator import azure
from mai_sdk.emulator.chat import ChatBody, Problem, read_body, to_prompt
from mai_sdk.emulator.openai_v1 import call_object, head_of, model_of, shows_thoughts
from mai_sdk.emulator.request import Answer, Request, json_answer, stream_answer
from mai_sdk.emulator.tokens import THINK_CLOSE, THINK_OPEN
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from mai_sdk.emulator.generation import Generation
    from mai_sdk.emulator.world import Counts, World

__all__ = ["AzureInference"]

_KNOWN = frozenset({
    "frequency_penalty", "max_tokens", "messages", "modalities", "model", "presence_penalty",
    "response_format", "seed", "stop", "stream", "temperature", "tool_choice", "tools", "top_p",
})  # fmt: skip


class AzureInference:
    """Chat completions of the Model Inference API."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {
            ("POST", "/models/chat/completions"): self.chat,
            ("GET", "/models/info"): self.info,
        }

    def info(self, request: Request) -> Answer:
        """Return what is deployed: the first deployment, as the path names none."""
        refused = self._refused(request)
        if refused is not None:
            return azure.identified(refused, request, self._world)
        model = next(iter(self._world.deployments.values()), "MAI-DS-R1")
        return json_answer(
            {
                "model_name": model,
                "model_type": "chat-completion",
                "model_provider_name": "Microsoft",
            }
        )

    def chat(self, request: Request) -> Answer:
        """Return the answer to a chat request."""
        answer = self._refused(request) or self._chat(request)
        return azure.identified(answer, request, self._world)

    def _refused(self, request: Request) -> Answer | None:
        if not azure.allowed(request, self._world, bearer_key=True):
            return azure.unauthorized()
        return None if "api-version" in request.parameters else azure.resource_missing()

    def _chat(self, request: Request) -> Answer:
        raw = request.json
        try:
            body = read_body(raw)
        except Problem as problem:
            return azure.bad_schema(problem, status=422)
        extra = sorted(set(raw) - _KNOWN)
        if extra and request.headers.get("extra-parameters") not in ("pass-through", "drop"):
            return azure.error(
                400, "Invalid input",
                f"Extra parameters {extra} are not allowed when extra-parameters is not set or "
                "set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model.",
            )  # fmt: skip
        if not body.model:
            return azure.error(400, "no_model_name", "No model specified in request.")
        model = model_of(body.model, self._world)
        if model is None:
            return azure.deployment_missing()
        wrong = azure.bad_role(body.messages)
        if wrong is not None:
            return azure.bad_schema(Problem("value", "messages", wrong, None, None))
        return self._reply(body, model, request)

    def _reply(self, body: ChatBody, model: str, request: Request) -> Answer:
        made, counts = self._world.think(
            to_prompt(body, model),
            request,
            limit=body.limit,
            stops=body.stops,
            line_breaks=shows_thoughts(model),
        )
        only = made[0]
        head = head_of(self._world, body.model or model)
        calls = [call_object(self._world, call) for call in only.calls]
        pieces = _content(only) if shows_thoughts(model) else only.text
        if body.stream:
            return _stream(head, pieces, calls, only, counts)
        message: dict[str, Any] = {
            "role": "assistant", "content": "".join(pieces) or None, "tool_calls": calls or None,
        }  # fmt: skip
        choice = {"index": 0, "finish_reason": only.finish_reason, "message": message}
        whole = {
            **head, "object": "chat.completion", "choices": [choice], "usage": _usage(counts),
        }  # fmt: skip
        return json_answer(whole, tokens=only.tokens)


def _content(made: Generation) -> list[str]:
    """Return thoughts and answer as one content; the first piece opens the thoughts."""
    if not made.reasoning:
        return made.text
    close = [THINK_CLOSE] if made.closed else []
    return [THINK_OPEN, "\n", *made.reasoning, *close, *made.text]


def _stream(
    head: dict[str, Any],
    content: list[str],
    calls: list[dict[str, Any]],
    made: Generation,
    counts: Counts,
) -> Answer:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        said = {**head, "object": "chat.completion.chunk", "choices": [choice], **more}
        return encode(to_json(said))

    pieces = [chunk({"role": "assistant", "content": ""})]
    pieces += [chunk({"content": piece}) for piece in content]
    pieces += [
        chunk({"tool_calls": [{"index": number, **call}]}) for number, call in enumerate(calls)
    ]
    pieces.append(chunk({"content": ""}, made.finish_reason, usage=_usage(counts)))
    pieces.append(encode("[DONE]"))
    return stream_answer(pieces, tokens=made.tokens)


def _usage(counts: Counts) -> dict[str, int]:
    return {
        "completion_tokens": counts.completion,
        "prompt_tokens": counts.prompt,
        "total_tokens": counts.total,
    }
