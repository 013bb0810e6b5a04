"""JSON as it comes: the two questions asked of a value nobody has checked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["has_image", "objects_in", "to_list", "to_object"]


def to_object(value: Any) -> dict[str, Any] | None:
    """Return the value if it is a JSON object, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def to_list(value: Any) -> Sequence[Any] | None:
    """Return the value if it is a JSON array, else None."""
    return cast("Sequence[Any]", value) if isinstance(value, list) else None


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a JSON array; none if it is no array."""
    items = cast("Sequence[Any]", value) if isinstance(value, list) else ()
    return [item for item in map(to_object, items) if item is not None]


def has_image(content: Any) -> bool:
    """Return whether a message's content has an image among its parts."""
    return any(part.get("type") == "image_url" for part in objects_in(content))
