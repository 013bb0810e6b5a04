"""Which size a picture is asked for, by what is known of the model. No I/O.

The service draws sides that are multiples of 16 and rounds down to them without saying so. Sizes
are rounded here, so that it can be said, and so that a limit is compared with what will be drawn.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from mai_sdk.catalog import Catalog, Model

__all__ = ["Size", "size_notes", "size_to_send"]

Size = tuple[int, int]
"""Width and height in pixels."""


def size_to_send(width: Any, height: Any, *, model: Model | None, catalog: Catalog) -> Size | None:
    """Return the size to ask the service for; None leaves it to the service.

    A model that the catalog does not know, or knows no limits of, is not limited.

    Raises:
        InvalidRequest: Only one side is given, or the model draws no picture of that size.
    """
    if width is None and height is None:
        return None
    if width is None or height is None:
        given = "width" if height is None else "height"
        raise InvalidRequest(
            f"Only {given} is given. Give both sides, or neither: then the service chooses. What "
            "it makes of one alone is not documented."
        )
    for name, side in ("width", width), ("height", height):
        if isinstance(side, bool) or not isinstance(side, int):
            raise InvalidRequest(f"{name} is a {type(side).__name__}. It is a whole number.")
        if side < 1:
            raise InvalidRequest(f"{name} is {side}. It is a number of pixels from 1 up.")
    if model is None:
        return width, height
    least = model.limit("min_side")
    if least is not None and min(width, height) < least:
        raise InvalidRequest(
            f"{width}x{height} is too small for {model.name}: each side has at least {least} "
            "pixels."
        )
    size = _rounded(width, height, model)
    most = model.limit("max_pixels")
    if most is not None and size[0] * size[1] > most:
        raise InvalidRequest(_too_large(size, most, model, catalog))
    return size


def size_notes(asked: Size | None, sent: Size | None, made: Size | None) -> tuple[str, ...]:
    """Return in sentences how the size that was made is not the one that was asked for."""
    notes: list[str] = []
    if asked is not None and sent is not None and asked != sent:
        notes.append(
            f"{_named(asked)} was asked for. This model's sides are multiples of 16, so it was "
            f"rounded down to {_named(sent)}."
        )
    if sent is not None and made is not None and made != sent:
        notes.append(f"{_named(sent)} was requested, and the service made {_named(made)}.")
    return tuple(notes)


def _rounded(width: int, height: int, model: Model) -> Size:
    multiple = model.limit("side_multiple") or 1
    return width // multiple * multiple, height // multiple * multiple


def _too_large(size: Size, most: int, model: Model, catalog: Catalog) -> str:
    width, height = size
    pixels = width * height
    scale = sqrt(most / pixels)
    smaller = _rounded(int(width * scale), int(height * scale), model)
    fits = min(smaller) >= (model.limit("min_side") or 1)
    able = [
        other.name
        for other in catalog.models("image")
        if (other.limit("max_pixels") or 0) >= pixels
    ]
    text = (
        f"{_named(size)} is {pixels:,} pixels, and {model.name} draws at most {most:,} in one "
        "picture."
    )
    text += f" Ask for {_named(smaller)}" if fits else " Ask for less"
    return text + (f", or use {' or '.join(able)}." if able else ".")


def _named(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
