"""What a chat service says a call used, in our meter names. No I/O.

A figure that is absent, null, negative, absurd or not a whole number is left out: unknown is not
zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.shapes import as_count, as_object

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface

__all__ = ["read_usage"]


def read_usage(raw: Any, *, surface: Surface | None = None) -> dict[str, int] | None:
    """Return meter name to quantity, or None if nothing usable was reported.

    `input_tokens` includes cached ones and `output_tokens` includes reasoning, whichever dialect
    it came in: chat completions, Responses, Voice Live, Anthropic's messages (which counts cached
    tokens beside the input), or Foundry's top-level `reasoning_tokens`.

    vLLM reports `reasoning_tokens: 0` for R1-style models whatever they thought, because the
    opening tag is in the prompt; from the `vllm` surface a 0 is therefore unknown.
    """
    usage = as_object(raw)
    given = _part(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    made = _part(
        usage, "completion_tokens_details", "output_tokens_details", "output_token_details"
    )
    whole = _count(usage, "prompt_tokens", "input_tokens")
    cached = _count(given, "cached_tokens") if given else None
    if "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage:
        cached = _count(usage, "cache_read_input_tokens")
        if whole is not None:
            whole += (cached or 0) + (_count(usage, "cache_creation_input_tokens") or 0)
    out = _count(usage, "completion_tokens", "output_tokens")
    thoughts = _count(made, "reasoning_tokens") if made else None
    if thoughts is None:
        thoughts = _count(usage, "reasoning_tokens")
    if surface == "vllm" and thoughts == 0:
        thoughts = None
    if cached is not None and whole is not None and cached > whole:
        cached = None  # more than what it is part of: it is not what we take it for
    if thoughts is not None and out is not None and thoughts > out:
        thoughts = None
    counts: dict[str, int] = {}
    if whole is not None:
        counts["input_tokens"] = whole
    if cached is not None:
        counts["cached_input_tokens"] = cached
    if out is not None:
        counts["output_tokens"] = out
    if thoughts is not None:
        counts["reasoning_tokens"] = thoughts
    return counts or None


def _part(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        part: dict[str, Any] = usage.get(name) or {}
        if part.__class__ is dict and part:
            return part
    return {}


def _count(usage: dict[str, Any], *names: str) -> int | None:
    for name in names:
        count = as_count(usage.get(name))
        if count is not None:
            return count
    return None
