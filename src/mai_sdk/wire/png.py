"""The true size of a PNG, out of its first bytes. No I/O.

PNG: W3C Portable Network Graphics (Third Edition), 5.2 (signature) and 11.2.1 (IHDR, which comes
first: width and height are big-endian, and not 0).
"""

from __future__ import annotations

from typing import Final

__all__ = ["PNG_SIGNATURE", "png_size"]

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
"""What every PNG begins with."""

_HEAD: Final = PNG_SIGNATURE + b"\0\0\0\x0dIHDR"


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height as the header has them; None if this is no PNG."""
    if len(data) < 24 or not data.startswith(_HEAD):
        return None
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return (width, height) if width and height else None
