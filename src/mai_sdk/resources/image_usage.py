"""What pictures used: as the service says, else by our own count, labelled as one. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.metering.tokens import estimate_tokens
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.images import output_tokens
from mai_sdk.wire.png import png_size
from mai_sdk.wire.shapes import as_count

if TYPE_CHECKING:
    from mai_sdk.catalog import Model
    from mai_sdk.metering.usage import Basis
    from mai_sdk.wire.images import Drawn, ImageRequest

__all__ = ["most_used", "used"]


def used(drawn: Drawn, request: ImageRequest) -> Usage:
    """Return what one answer used.

    Output that was not reported is counted from the picture's true size, and a prompt that was not
    from its length: the usage is then "estimated". What pictures that went in come to cannot be
    told from outside. Where it was not reported, half the prompt's estimate stands for all that
    went in, and the usage is a "lower_bound".
    """
    meters = dict(drawn.usage or {})
    basis: Basis = "reported"
    if "output_tokens" not in meters:
        sizes = [png_size(data) for data in drawn.images]
        counted = [as_count(output_tokens(*size)) for size in sizes if size is not None]
        made = [tokens for tokens in counted if tokens is not None]  # not where a header lies
        basis = "estimated" if len(made) == len(sizes) else "unknown"
        if basis == "estimated":
            meters["output_tokens"] = meters["image_output_tokens"] = sum(made)
    if not request.references:
        meters.setdefault("image_input_tokens", 0)
    if "input_tokens" not in meters:
        text = meters.get("text_input_tokens")
        if text is None:
            text = estimate_tokens(request.prompt).tokens
            text = text if not request.references else text // 2
            basis = "estimated" if basis == "reported" else basis
        if request.references and "image_input_tokens" not in meters:
            basis = "lower_bound" if basis != "unknown" else basis
        meters["text_input_tokens"] = text
        meters["input_tokens"] = text + meters.get("image_input_tokens", 0)
    return Usage.from_meters({**meters, "images": len(drawn.images)}, basis=basis)


def most_used(request: ImageRequest, *, model: Model | None) -> Usage:
    """Return the most one picture can use: a token is at least a byte of the prompt.

    What pictures that go in come to is not known, so an edit has no such bound; nor has a size that
    the service chooses, where the model's largest is not known.
    """
    text = len(request.prompt.encode("utf-8", "replace"))
    pixels = model.limit("max_pixels") if model is not None else None
    if request.width is not None and request.height is not None:
        pixels = request.width * request.height
    out = output_tokens(pixels, 1) if pixels is not None else None
    meters = {"text_input_tokens": text, "images": 1}
    if not request.references:
        meters |= {"input_tokens": text, "image_input_tokens": 0}
    if out is not None:
        meters |= {"output_tokens": out, "image_output_tokens": out}
    return Usage.from_meters(meters, basis="estimated")
