"""Pictures: what is asked, as JSON or as a form, and how an answer is read. No I/O.

Only what Microsoft documents is sent (learn.microsoft.com, how-to/use-foundry-models-mai-image, and
`background` as @ai-sdk/azure 4.0.127 sends it to the 2.7 family). OpenAI's habits are refused there
(`seed`, `response_format`) or ignored (`size`, `n`), so none of them is; `extra_body` can.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mai_sdk.errors import AnswerTooLarge, ContentFiltered, UnreadableAnswer
from mai_sdk.wire.failures import failure_from_event
from mai_sdk.wire.multipart import Part
from mai_sdk.wire.shapes import as_count, as_list, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config.route import Surface

__all__ = [
    "EDITS_PATH",
    "GENERATIONS_PATH",
    "Drawn",
    "ImageRequest",
    "Reference",
    "edit_parts",
    "generation_body",
    "output_tokens",
    "read_images",
]

GENERATIONS_PATH: Final = "/mai/v1/images/generations"
"""Takes JSON; the path below the endpoint."""

EDITS_PATH: Final = "/mai/v1/images/edits"
"""Takes a form."""

MAX_IMAGE_BYTES: Final = 48 * 1024 * 1024
"""Of one picture, decoded. The largest any model draws is 16 MiB before compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture that goes in."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One picture asked for. None of the optional fields is sent unless it is given."""

    prompt: str = field(repr=False)
    deployment: str | None = None
    """Sent as `model`."""
    width: int | None = None
    height: int | None = None
    auto_aspect_ratio: bool | None = None
    web_grounding: bool | None = None
    background: str | None = None
    references: tuple[Reference, ...] = field(default=(), repr=False)
    """What is to be edited; none for a picture from words alone."""
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Merged into the fields last, so it wins over everything above."""


@dataclass(slots=True)
class Drawn:
    """What one answer says."""

    images: list[bytes] = field(default_factory=list[bytes], repr=False)
    revised_prompts: list[str | None] = field(default_factory=list[str | None], repr=False)
    """What the service made of the prompt, picture by picture; MAI-Image-2 said so."""
    usage: dict[str, int] | None = None
    """Meter name to quantity, of those that were reported; None if none was."""
    model: str | None = None
    raw: Any = field(default=None, repr=False)


def generation_body(request: ImageRequest) -> dict[str, Any]:
    """Return the JSON body of a picture from words."""
    return {**_fields(request), **request.extra_body}


def edit_parts(request: ImageRequest) -> list[Part]:
    """Return the form of an edit: text fields, then one part `image` for each reference.

    The name is repeated as it is (`image`, never `image[]`). Booleans are the texts "true" and
    "false"; any other value of `extra_body` that is no text is written as JSON.
    """
    fields = {**_fields(request), **request.extra_body}
    parts = [
        Part(name=name, data=value.encode() if isinstance(value, str) else to_json(value))
        for name, value in fields.items()
    ]
    parts += [
        Part(
            name="image",
            filename=reference.filename,
            content_type=reference.content_type,
            data=reference.data,
        )
        for reference in request.references
    ]
    return parts


def _fields(request: ImageRequest) -> dict[str, Any]:
    fields = {
        "model": request.deployment,
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "auto_aspect_ratio": request.auto_aspect_ratio,
        "web_grounding": request.web_grounding,
        "background": request.background,
    }
    return {name: value for name, value in fields.items() if value is not None}


def output_tokens(width: int, height: int) -> int:
    """Return the output tokens of a picture where the service does not say: width x height / 1024.

    Every published answer fits it (768x768 is 576, 1024x1024 is 1024, 1280x768 is 960, 1248x832 is
    1014); no page of Microsoft's states it.
    """
    return -(-width * height // 1024)


def read_images(raw: Any, *, surface: Surface) -> Drawn:
    """Return the pictures of a 2xx answer and what it says was used.

    Raises:
        ContentFiltered: There is no picture in it, which is how a filtered prompt can look.
        UnreadableAnswer: This is no answer of an image service; `partial` where it was billed.
        AnswerTooLarge: A picture is larger than any model draws.
        ServiceError: It is an error object that came with status 200.
    """
    body = as_object(raw)
    if body.get("error"):
        raise failure_from_event(body, surface=surface)
    drawn = Drawn(usage=_usage(body), model=as_text(body.get("model")), raw=raw)
    billed = drawn if drawn.usage is not None else None
    if not isinstance(body.get("data"), list):
        raise UnreadableAnswer(
            "The answer is JSON, but has no pictures in it: there is no list named data. Check "
            "that the endpoint is the service the route says it is.",
            status=200,
            partial=billed,
        )
    for entry in map(as_object, as_list(body["data"])):
        text = as_text(entry.get("b64_json"))
        if text is not None:
            drawn.images.append(_decoded(text, billed))
            drawn.revised_prompts.append(as_text(entry.get("revised_prompt")))
        elif as_text(entry.get("url")) is not None:
            raise UnreadableAnswer(
                "The answer has the address of a picture where this service sends the picture "
                "itself (b64_json). Addresses are not fetched, so that nothing goes where you did "
                "not send it: leave response_format out.",
                status=200,
                partial=billed,
            )
    if not drawn.images:
        raise ContentFiltered(
            "The service answered without a picture, which is how a prompt or picture that its "
            "safety system stopped can look. Change the prompt; repeating it will not help.",
            status=200,
            partial=billed,
        )
    return drawn


def _decoded(text: str, billed: Drawn | None) -> bytes:
    if text.startswith("data:"):  # a data URL, as some gateways write it
        text = text.partition(",")[2]
    if len(text) > MAX_IMAGE_BYTES // 3 * 4 + 4:
        raise AnswerTooLarge(
            f"A picture of the answer is more than {MAX_IMAGE_BYTES} bytes, and was not decoded.",
            status=200,
            partial=billed,
        )
    try:
        data = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError:
        data = b""
    if not data:
        raise UnreadableAnswer(
            "A picture of the answer is not base64. The answer was cut or changed on its way.",
            status=200,
            partial=billed,
        )
    return data


def _usage(body: dict[str, Any]) -> dict[str, int] | None:
    """Read the meters: from `usage`, or at the top of the answer as older models have them.

    Input is told apart into text and pictures; the whole is their sum where both are there.
    """
    usage = as_object(body.get("usage"))

    def count(*names: str) -> int | None:
        for part in (usage, body):
            for name in names:
                found = as_count(part.get(name))
                if found is not None:
                    return found
        return None

    text, images = count("num_input_text_tokens"), count("num_input_image_tokens")
    whole = count("num_input_tokens", "input_tokens")
    if text is not None and images is not None:
        whole = text + images
    made = count("num_output_tokens", "output_image_tokens", "output_tokens")
    meters = {
        "input_tokens": whole,
        "text_input_tokens": text,
        "image_input_tokens": images,
        "output_tokens": made,
        "image_output_tokens": made,
    }
    return {name: quantity for name, quantity in meters.items() if quantity is not None} or None
