"""The most a chat request can use, from its body alone: what a reservation is made of. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering.usage import Usage
from mai_sdk.wire.shapes import as_count, as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mai_sdk.catalog import Model

__all__ = ["most_used"]

_TOKENS_AN_IMAGE: Final = 10_000
"""More than any vision model is known to count one picture as, whatever its size; our own choice,
since no MAI model's rule is published."""

_OUTPUT_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_TEXTS: Final = frozenset({"text", "input_text", "output_text", "refusal", "reasoning"})
_IMAGES: Final = frozenset({"image_url", "input_image"})
_SOUNDS: Final = frozenset({"input_audio", "audio_url"})
_HISTORIES: Final = ("previous_response_id", "conversation")
"""What makes a service read more than the request says: a conversation it has kept."""


def most_used(body: Mapping[str, Any], *, body_bytes: int, model: Model | None) -> Usage:
    """Return the most tokens that `body` can use.

    A token is at least one byte, so the size of the body bounds its text, and of what is sent
    inside it. Where the service reads or writes what the body does not say (a file it is told the
    name of, a conversation or prompt it has kept, an answer without a limit), it is the model's
    whole context, or None where that is not known. With tools of its own a service may think any
    number of times, so there is no limit to what it reads.

    Args:
        body: As it is sent.
        body_bytes: Its size.
        model: What the catalog knows of the model; its limits hold where the body has none.
    """
    given: int | None = body_bytes
    for kind, inside in _parts(body):
        if kind in _IMAGES and given is not None:
            given += _TOKENS_AN_IMAGE
        elif kind not in _TEXTS and not (kind in _SOUNDS and inside):
            given = None
    if any(body.get(name) for name in _HISTORIES) or as_object(body.get("prompt")):
        given = None
    made = next((n for name in _OUTPUT_LIMITS if (n := as_count(body.get(name)))), None)
    if made is None and model is not None:
        made = model.limit("output_tokens")
    context = model.limit("context_tokens") if model is not None else None
    given, made = (context if tokens is None else tokens for tokens in (given, made))
    prompts = sum(each.__class__ in (str, list) for each in as_list(body.get("prompt"))) or 1
    choices = prompts * max(as_count(body.get(name)) or 1 for name in ("n", "best_of"))
    return Usage(
        input_tokens=None if _has_tools_of_the_service(body) else given,
        output_tokens=None if made is None else made * choices,
        basis="estimated",
    )


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield the kind of every part of every message, and whether it is in the body itself."""
    for item in map(as_object, (*as_list(body.get("messages")), *as_list(body.get("input")))):
        if item.get("type") == "item_reference":
            yield "item_reference", False
        inside = (*as_list(item.get("content")), *as_list(item.get("output")))
        for part in map(as_object, inside):
            kind = str(part.get("type", "text"))
            yield kind, "data" in as_object(part.get(kind))


def _has_tools_of_the_service(body: Mapping[str, Any]) -> bool:
    kinds = (as_object(tool).get("type", "function") for tool in as_list(body.get("tools")))
    return any(kind not in {"function", "custom"} for kind in kinds)
