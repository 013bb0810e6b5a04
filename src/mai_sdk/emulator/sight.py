"""What the emulated model sees in a picture: its own paintings as such, others by their size."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.painting import scene_in
from mai_sdk.emulator.untyped import objects_in, to_object
from mai_sdk.wire.png import png_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["describe"]

_ASKED: Final = re.compile(r"\b(what|which|who|where|describe|picture|photo|image|see)\b", re.I)
_LIGHT: Final = {
    "dawn": "at dawn", "day": "by day", "dusk": "at dusk", "night": "at night, under the stars",
    "forest": "in a green light", "autumn": "in autumn", "winter": "in winter",
}  # fmt: skip


def describe(messages: Sequence[Mapping[str, Any]], question: str) -> str | None:
    """Return what is in the pictures of the last message; None if none is asked about."""
    parts = objects_in(messages[-1].get("content")) if messages else []
    urls = [
        str((to_object(part.get("image_url")) or {}).get("url", ""))
        for part in parts
        if part.get("type") == "image_url"
    ]
    if not urls or not _ASKED.search(question):
        return None
    seen = [_seen(url) for url in urls]
    if len(seen) == 1:
        return f"There is {seen[0]}."
    return "\n".join(f"{number}. There is {each}." for number, each in enumerate(seen, 1))


def _seen(url: str) -> str:
    if not url.startswith("data:"):
        return "a picture at an address, which is not fetched here"
    try:
        data = binascii.a2b_base64(url.partition(",")[2])
    except ValueError:
        return "a picture that cannot be read"
    scene = scene_in(data)
    if scene is not None:
        return f"a still lake among mountains {_LIGHT[scene.light]}, mirrored in the water"
    size = png_size(data)
    return f"a picture of {size[0]} by {size[1]} pixels" if size else "a picture"
