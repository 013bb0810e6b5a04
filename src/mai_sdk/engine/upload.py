"""Bodies that are read while they are sent, in both worlds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["Upload", "off_the_loop"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A body too large to be held: read in pieces, from its beginning each time it is sent."""

    size: int
    """How many bytes all pieces have together."""
    pieces: Callable[[], Iterator[bytes]] = field(repr=False)
    """Begins a new reading. What it raises ends the call as it is."""


async def off_the_loop(body: Upload) -> AsyncIterator[bytes]:
    """Read the pieces in a thread: a slow disk must not hold up the event loop."""
    pieces = body.pieces()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
