"""How many tokens a prompt is, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mai_sdk.engine.call import Call
from mai_sdk.engine.flow import whole_operation
from mai_sdk.metering.tokens import TokenCount, count_with_tiktoken, estimate_tokens
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.messages import build_messages, texts_of
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.vllm import read_tokenized, tokenize_body

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mai_sdk.config import Modality
    from mai_sdk.engine.steps import Step
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.messages import Prompt

__all__ = ["count"]


def count(
    core: Core, modality: Modality, prompt: Prompt, model: str | None, instructions: str | None
) -> Generator[Step, Any, TokenCount]:
    """Return the count, asking vLLM where that is where the prompt would go."""
    messages = build_messages(prompt, instructions=instructions)
    texts = texts_of(messages)
    route, _ = core.route(model, modality)
    if route.surface != "vllm":
        counted = count_with_tiktoken("\n".join(texts))
        return counted if counted is not None else estimate_tokens(messages)
    timeouts = core.config.timeouts_for(None, modality=modality)
    tab = core.tab(route, modality=modality, verb="count_tokens", tags=None, timeouts=timeouts)

    def read(body: bytes, _: Mapping[str, str]) -> int:
        try:
            raw = from_json(body)
        except ValueError:
            raw = None
        return read_tokenized(raw).count

    def fail(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
        return read_failure(status=status, headers=headers, body=body, surface=route.surface)

    tokens = yield from whole_operation(
        Call(
            route=route,
            url=f"{route.endpoint}/tokenize",
            body=to_json(tokenize_body(messages, deployment=route.deployment)),
            read=read,
            usage_of=lambda _: Usage(input_tokens=0, output_tokens=0),
            fail=fail,
            upper_bound=lambda: Usage(input_tokens=0, output_tokens=0),
            timeouts=timeouts,
            prompts=texts,
        ),
        tab,
    )
    return TokenCount(tokens=tokens, basis="exact", method="vLLM /tokenize")
