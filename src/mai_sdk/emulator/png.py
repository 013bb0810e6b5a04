"""PNG files with the standard library alone: written, and their texts read back. No I/O.

W3C Portable Network Graphics (Third Edition): 5 (chunks), 9 (filters), 11.3.3.2 (tEXt).
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from mai_sdk.wire.png import PNG_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["encode", "texts"]

_COLOUR_TYPES: Final = {3: 2, 4: 6}
"""Bytes a pixel to colour type: RGB, and RGB with alpha."""
_LEVEL: Final = 6


def encode(
    rows: Iterable[bytes | bytearray],
    *,
    width: int,
    height: int,
    channels: int = 3,
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """Return the file of `rows`: `height` of them, each `width` pixels of `channels` bytes.

    Rows are not filtered: what is drawn here is flat, and deflate finds that by itself.
    """
    deflate = zlib.compressobj(_LEVEL)
    packed = [deflate.compress(b"\0" + row) for row in rows]
    packed.append(deflate.flush())
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    for name, text in (texts or {}).items():
        chunks.append(_chunk(b"tEXt", f"{name}\0{text}".encode("latin-1")))
    chunks += [_chunk(b"IDAT", b"".join(packed)), _chunk(b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(chunks)


def texts(data: bytes) -> dict[str, str]:
    """Return the texts in a PNG; none where it is no PNG, or a broken one."""
    found: dict[str, str] = {}
    at = len(PNG_SIGNATURE)
    if not data.startswith(PNG_SIGNATURE):
        return found
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"tEXt":
            name, _, text = data[at + 8 : at + 8 + size].partition(b"\0")
            found[name.decode("latin-1")] = text.decode("latin-1")
        at += 12 + size
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    mark = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", mark)
