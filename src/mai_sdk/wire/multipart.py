"""multipart/form-data, as RFC 7578 has it: what stands before and after each part. Pure.

The bytes of a file part are left to the caller, so that a large one need not be held.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Part", "boundary_of", "join_parts", "part_head", "tail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form."""

    name: str
    filename: str | None = None
    content_type: str | None = None
    """None sends none, as Microsoft's own clients do."""
    data: bytes = field(default=b"", repr=False)


def boundary_of(seed: str | None = None) -> str:
    """Return a boundary that no body holds by chance: 128 random bits, or those of `seed`."""
    return f"mai-{seed or secrets.token_hex(16)}"


def part_head(part: Part, *, boundary: str) -> bytes:
    """Return what stands before the part's data."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        head += f'; filename="{_quoted(part.filename)}"'
    if part.content_type is not None:
        head += f"\r\nContent-Type: {part.content_type}"
    return f"{head}\r\n\r\n".encode()


def tail(*, boundary: str) -> bytes:
    """Return what stands after the last part's data, its line break included."""
    return f"\r\n--{boundary}--\r\n".encode()


def join_parts(parts: Sequence[Part], *, boundary: str) -> bytes:
    """Return the whole body."""
    made = [part_head(part, boundary=boundary) + part.data for part in parts]
    return b"\r\n".join(made) + tail(boundary=boundary)


def _quoted(text: str) -> str:
    """As browsers write it (WHATWG HTML, "multipart/form-data"): UTF-8, three characters escaped.

    A surrogate, which a file name may hold and UTF-8 may not, becomes "?".
    """
    text = text.encode("utf-8", "replace").decode()
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
