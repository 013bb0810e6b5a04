"""What faults do to the bytes of an answer: cut, bend, pad and add. Pure functions."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mai_sdk.emulator.untyped import to_object
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "DONE", "before_end", "bomb", "changed", "cut", "huge_event", "huge_line", "is_chunk",
    "squeezed", "unmetered", "with_event",
]  # fmt: skip

DONE = encode("[DONE]")
_BLOCK = 1 << 20


def cut(pieces: list[bytes], *, events: int | None, byte: int | None) -> list[bytes]:
    """Return the pieces up to so many events, or up to a byte of the body."""
    if byte is None:
        return pieces[: len(pieces) if events is None else events]
    kept: list[bytes] = []
    for piece in pieces:
        if byte <= 0:
            break
        kept.append(piece[:byte])
        byte -= len(piece)
    return kept


def before_end(pieces: list[bytes], events: int) -> int:
    """Return how many of so many events there are before `[DONE]`."""
    last = len(pieces) - 1 if pieces and pieces[-1] == DONE else len(pieces)
    return min(events, last)


def is_chunk(piece: bytes) -> bool:
    """Return whether the piece is a data event with a JSON object."""
    return b"data: {" in piece


def changed(piece: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Return the event, or the JSON body, with its object changed; what is none stays."""
    if piece.startswith(b"{"):
        value: Any = from_json(piece)
        change(value)
        return to_json(value)
    before, mark, after = piece.partition(b"data: {")
    if not mark:
        return piece
    value = from_json(b"{" + after.strip())
    change(value)
    return before + encode(to_json(value))


def unmetered(pieces: list[bytes]) -> list[bytes]:
    """Return the pieces without usage; an event that told nothing else is left out.

    Of a transcription, the length of the audio is what is billed.
    """
    kept: list[bytes] = []
    for piece in pieces:
        if b'"usage"' not in piece and b'"durationMilliseconds"' not in piece:
            kept.append(piece)
            continue
        seen: list[bool] = []

        def strip(value: dict[str, Any], seen: list[bool] = seen) -> None:
            for holder in (value, to_object(value.get("response")) or {}):
                holder.pop("usage", None)
                holder.pop("durationMilliseconds", None)
            seen.append(value.get("choices") == [])

        stripped = changed(piece, strip)
        if not seen[-1]:
            kept.append(stripped)
    return kept


def with_event(pieces: list[bytes], after: int, extra: list[bytes]) -> list[bytes]:
    """Return the pieces with others put in after so many events."""
    at = before_end(pieces, after)
    return [*pieces[:at], *extra, *pieces[at:]]


def squeezed(pieces: list[bytes]) -> list[bytes]:
    """Return the pieces as one gzip stream, flushed after each so that each can be read at once."""
    squeezer = zlib.compressobj(wbits=31)
    made = [squeezer.compress(piece) + squeezer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*made, squeezer.flush()]


def bomb(size: int, *, event: bool) -> Iterator[bytes]:
    """Yield a gzip stream of `size` decoded bytes: one JSON string, or one event of it."""
    squeezer = zlib.compressobj(wbits=31)
    yield squeezer.compress(b'data: {"padding":"' if event else b'{"padding":"')
    for length in _lengths(size):
        yield squeezer.compress(b"A" * length)
    yield squeezer.compress(b'"}\n\n' if event else b'"}') + squeezer.flush()


def huge_line(size: int) -> Iterator[bytes]:
    """Yield one data line of `size` bytes, without its end."""
    yield b'data: {"padding":"'
    for length in _lengths(size):
        yield b"A" * length


def huge_event(size: int) -> Iterator[bytes]:
    """Yield one event of `size` bytes in lines of 1 KiB, and its end."""
    line = b"data: " + b"A" * 1017 + b"\n"
    for length in _lengths(size):
        yield line * max(1, length // len(line))
    yield b"\n"


def _lengths(size: int) -> Iterator[int]:
    while size > 0:
        yield min(size, _BLOCK)
        size -= _BLOCK
