"""What the emulated vLLM server checks before it generates; messages as recorded from 0.32.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from mai_sdk.emulator.chat import shape_of
from mai_sdk.emulator.prompt import Shape
from mai_sdk.emulator.vllm_errors import failure, rejected

if TYPE_CHECKING:
    from mai_sdk.emulator.chat import ChatBody
    from mai_sdk.emulator.request import Answer

__all__ = ["out_of_range", "shape", "too_long"]

_MOST_CHOICES = 16_384
_CONSTRAINTS = ("json", "regex", "choice", "grammar", "json_object", "structural_tag")


def too_long(body: ChatBody, prompt: int, most: int) -> Answer | None:
    """Return why so many tokens do not fit the context, or None."""
    wanted = body.limit or 0
    if wanted > most:
        return rejected(
            f"max_tokens={wanted} cannot be greater than max_model_len={most}. Please request "
            "fewer output tokens.", "max_tokens", wanted,
        )  # fmt: skip
    if prompt > most:
        return rejected(
            f"This model's maximum context length is {most} tokens. However, your prompt "
            f"contains at least {most + 1} input tokens, which exceeds this limit even "
            "without any output tokens. Please reduce the length of the input prompt.",
            "input_tokens", most + 1,
        )  # fmt: skip
    if prompt + wanted > most:
        return rejected(
            f"This model's maximum context length is {most} tokens. However, you requested "
            f"{wanted} output tokens and your prompt contains at least {prompt} input tokens. "
            "Please reduce the length of the input prompt or the number of requested output "
            "tokens.", "input_tokens", prompt,
        )  # fmt: skip
    return None


def out_of_range(body: ChatBody) -> Answer | None:
    """Return the first value the server does not take, or None."""
    limit, heat, top = body.max_tokens, body.temperature, body.top_p
    if body.stream_options and not body.stream:
        return failure(
            400,
            "Stream options can only be defined when `stream=True`. (parameter=stream_options)",
            param="stream_options",
        )
    if limit is not None and limit < 1:
        return rejected(f"max_tokens must be at least 1, got {limit}.", "max_tokens", limit)
    if heat is not None and heat < 0:
        return rejected(f"temperature must be non-negative, got {heat}.", "temperature", heat)
    if heat is not None and heat > 2:
        return rejected(f"temperature must be in [0, 2], got {heat}.", "temperature", heat)
    if top is not None and not 0 < top <= 1:
        return rejected(f"top_p must be in (0, 1], got {top}.", "top_p", top)
    if body.n is not None and body.n < 1:
        return failure(400, f"n must be at least 1, got {body.n}.")
    if body.n is not None and body.n > _MOST_CHOICES:
        return failure(
            400,
            f"n must be at most {_MOST_CHOICES}, got {body.n}. To increase this limit, set the "
            "VLLM_MAX_N_SEQUENCES environment variable.",
        )
    salt = body.cache_salt
    if salt is not None and (len(salt) > 128 or set(salt) & set("@/\\\0")):
        return failure(
            400,
            "Parameter 'cache_salt' must be at most 128 characters and must not contain '@', "
            "'/', '\\\\', or NUL. (parameter=cache_salt)",
            param="cache_salt",
        )
    return None


def shape(body: ChatBody) -> Shape | Answer | None:
    """Return what the answer must fit, from `structured_outputs` or `response_format`."""
    asked = {key: value for key, value in (body.structured_outputs or {}).items() if value}
    wanted = [name for name in _CONSTRAINTS if name in asked]
    if len(wanted) > 1:
        return failure(
            400,
            "You can only use one kind of constraints for structured outputs ('json', 'regex' or "
            "'choice').",
        )
    if not wanted:
        return shape_of(body.response_format)
    value: Any = asked[wanted[0]]
    if wanted[0] == "json":
        return Shape(schema=from_json(value) if isinstance(value, str) else value)
    if wanted[0] == "regex":
        return Shape(pattern=str(value))
    if wanted[0] == "choice":
        return Shape(choices=tuple(value))
    if wanted[0] == "json_object":
        return Shape(schema={"type": "object", "properties": {"answer": {"type": "string"}}})
    return failure(400, f"The emulator does not make texts for structured_outputs.{wanted[0]}.")
