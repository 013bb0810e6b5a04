"""`/mai/v1/images/generations` and `/mai/v1/images/edits`: pictures, as Microsoft Foundry has them.

From Microsoft's page (learn.microsoft.com, how-to/use-foundry-models-mai-image, 2026-09-21), and
from what public clients and their tests show where it is silent: usage, limits by generation, the
words of errors. A field that is neither documented nor seen accepted is refused.
"""

from __future__ import annotations

import base64
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator import azure
from mai_sdk.emulator.painting import paint, scene_in
from mai_sdk.emulator.request import Answer, json_answer
from mai_sdk.emulator.scene import Scene
from mai_sdk.emulator.tokens import count
from mai_sdk.emulator.untyped import to_object
from mai_sdk.emulator.world import IMAGE_MODELS
from mai_sdk.wire.png import PNG_SIGNATURE, png_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.emulator.request import Request
    from mai_sdk.emulator.world import World

__all__ = ["Images"]

_MOST_PIXELS: Final = {"MAI-Image-2.6": 2_359_296, "MAI-Image-2.7": 4_194_304}
_MOST_BEFORE: Final = 1_048_576
"""Width times height at most, by generation."""

_LEAST_SIDE: Final = 768
_MULTIPLE: Final = 16
_MOST_REFERENCES: Final = 5
_TOKENS_A_REFERENCE: Final = 800
"""Input tokens of a picture; the one published answer of an edit counts 1600 for two."""

_KNOWN: Final = frozenset({"model", "prompt", "width", "height"})
_IGNORED: Final = frozenset({"n", "size"})
"""Seen to be taken and to change nothing."""
_OF_FAMILY: Final = {
    "auto_aspect_ratio": "MAI-Image-2.6",
    "web_grounding": "MAI-Image-2.6",
    "background": "MAI-Image-2.7",
}
_FLAGS: Final = ("auto_aspect_ratio", "web_grounding")


class _Refused(Exception):
    """Carries the answer that says no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Images:
    """Pictures of MAI-Image deployments."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {
            ("POST", "/mai/v1/images/generations"): self.generate,
            ("POST", "/mai/v1/images/edits"): self.edit,
        }

    def generate(self, request: Request) -> Answer:
        """Return the answer to a request in JSON."""
        return self._guarded(request, edits=False)

    def edit(self, request: Request) -> Answer:
        """Return the answer to a form."""
        return self._guarded(request, edits=True)

    def _guarded(self, request: Request, *, edits: bool) -> Answer:
        world = self._world
        if not azure.allowed(request, world, bearer_key=False):
            return azure.identified(azure.unauthorized(), request, world)
        try:
            fields, references = _form(request) if edits else (_json(request), [])
            answer = self._answer(request, fields, references, edits=edits)
        except _Refused as refused:
            answer = refused.answer
        return azure.identified(answer, request, world)

    def _answer(
        self, request: Request, fields: dict[str, Any], references: list[bytes], *, edits: bool
    ) -> Answer:
        model = self._world.deployments.get(_required(fields, "model"))
        if model not in IMAGE_MODELS:
            return azure.deployment_missing()
        if edits and model in {"MAI-Image-2", "MAI-Image-2e"}:
            raise _wrong(
                "OperationNotSupported",
                f"The image edits operation does not work with the specified model, {model}.",
            )
        prompt = _required(fields, "prompt")
        _check_fields(fields, model)
        most = next((m for family, m in _MOST_PIXELS.items() if model.startswith(family)), None)
        asked = _asked_size(fields, most=most or _MOST_BEFORE)
        size = asked or _size_of(references, most=most or _MOST_BEFORE)
        script = self._world.replies.take(request, fits=lambda draft: draft.image is not None)
        if script is not None and script.image is not None:
            data, size = script.image, png_size(script.image) or size
        else:
            scene = _scene(prompt, references, seed=self._world.seed)
            clear = fields.get("background") == "transparent"
            data = paint(scene, width=size[0], height=size[1], transparent=clear)
        made = size[0] * size[1] // 1024
        usage = {
            "num_output_tokens": made,
            "num_input_text_tokens": count(prompt),
            "num_input_image_tokens": _TOKENS_A_REFERENCE * len(references),
            **((script.usage if script is not None else None) or {}),
        }
        said = {
            "created": int(time.time()),
            "model": model,
            "size": f"{size[0]}x{size[1]}",
            "data": [{"b64_json": base64.b64encode(data).decode()}],
            "usage": usage,
        }
        return json_answer(said, tokens=made)


def _scene(prompt: str, references: Sequence[bytes], *, seed: int) -> Scene:
    """Return what is drawn: the first reference's own scene in another light, or a new one.

    A reference that was not painted here gives the shapes by its bytes.
    """
    if not references:
        return Scene.of(prompt, number=_number(prompt.encode(), seed))
    before = scene_in(references[0])
    if before is None:
        return Scene.of(prompt, number=_number(references[0], seed))
    return Scene.of(prompt, number=before.number, after=before.light)


def _number(data: bytes, seed: int) -> int:
    return int.from_bytes(blake2b(data, digest_size=8, key=str(seed).encode()[:64]).digest())


def _json(request: Request) -> dict[str, Any]:
    fields = to_object(request.json)
    if fields is None:
        raise _wrong("invalid_json", "The request body is not a JSON object.")
    return fields


def _form(request: Request) -> tuple[dict[str, Any], list[bytes]]:
    """Return the fields of a form and its pictures."""
    try:
        parts = request.form
    except ValueError as error:
        raise _wrong("invalid_form", f"The request cannot be read: {error}.") from None
    fields: dict[str, Any] = {}
    references: list[bytes] = []
    for part in parts:
        data = request.data_of(part)
        if part.name != "image":
            text = data.decode("utf-8", "replace")
            fields[part.name] = {"true": True, "false": False}.get(text, text)
            if part.name in ("width", "height") and text.isdecimal() and len(text) < 10:
                fields[part.name] = int(text)
        elif part.filename is None or not data:
            raise _wrong("invalid_image", "The image part is empty or is not a file.")
        elif not data.startswith((PNG_SIGNATURE, b"\xff\xd8\xff")):
            raise _wrong("invalid_image", "The image must be a PNG or JPEG file.")
        else:
            references.append(data)
    if not references:
        raise _wrong("invalid_request", "image: Field required")
    if len(references) > _MOST_REFERENCES:
        raise _wrong("invalid_request", f"image: at most {_MOST_REFERENCES} files")
    return fields, references


def _required(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _wrong("invalid_request", f"{name}: Field required")
    return value


def _check_fields(fields: dict[str, Any], model: str) -> None:
    for name, value in fields.items():
        family = _OF_FAMILY.get(name)
        if family is None:
            if name not in _KNOWN | _IGNORED:
                raise _Refused(azure.unrecognized(name))
            continue
        if not model.startswith(family):
            raise _Refused(azure.unrecognized(name))
        if name in _FLAGS and not isinstance(value, bool):
            raise _wrong("invalid_request", f"{name}: must be a boolean")
        if name == "background" and value not in ("transparent", "opaque"):
            raise _unsupported("'background' must be one of 'transparent', 'opaque'.")


def _asked_size(fields: dict[str, Any], *, most: int) -> tuple[int, int] | None:
    """Return the size asked for, rounded down as the service does; None if none was."""
    sides: list[int] = []
    for name in ("width", "height"):
        side = fields.get(name, 1024)
        if isinstance(side, bool) or not isinstance(side, int):
            raise _wrong("invalid_request", f"{name}: must be an integer")
        if side < _LEAST_SIDE:
            raise _unsupported(f"'{name}' must be at least {_LEAST_SIDE} pixels.")
        sides.append(side)
    width, height = sides
    if width * height > most:
        raise _unsupported(f"'width' x 'height' must be at most {most} pixels.")
    if "width" not in fields and "height" not in fields:
        return None
    return _floored(width), _floored(height)


def _size_of(references: Sequence[bytes], *, most: int) -> tuple[int, int]:
    """Return the size nobody asked for: the first reference's if it may be, else 1024x1024."""
    width, height = png_size(references[0]) or (0, 0) if references else (0, 0)
    if min(width, height) < _LEAST_SIDE or width * height > most:
        return 1024, 1024
    return _floored(width), _floored(height)


def _floored(side: int) -> int:
    return side // _MULTIPLE * _MULTIPLE


def _wrong(code: str, message: str) -> _Refused:
    return _Refused(azure.error(400, code, message))


def _unsupported(what: str) -> _Refused:
    prefix = "Model does not support request parameter value supplied: "
    return _wrong("unsupported_request_value", prefix + what)
