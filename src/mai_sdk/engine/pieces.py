"""Text that is still being written: its pieces, in both worlds, kept until they are heard."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

__all__ = ["AsyncPieces", "Pieces"]


class _Pieces:
    def __init__(self) -> None:
        self.said: list[str] = []
        """All pieces so far."""
        self.is_over = False
        """Whether there are no more."""

    def _keep(self, piece: str | None) -> str | None:
        if piece is None:
            self.is_over = True
            return None
        if not isinstance(piece, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequest(
                f"The text has a {type(piece).__name__} among its pieces. Yield str only, such as "
                "the `text` of each TextDelta."
            )
        self.said.append(piece)
        return piece


class Pieces(_Pieces):
    """The pieces of an ordinary iterable; asked for on the caller's own thread."""

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__()
        if isinstance(texts, AsyncIterable):
            raise InvalidRequest(
                "The text is an async iterable, but MAI is the sync client. Use AsyncMAI."
            )
        self._texts = iter(texts)

    def next(self) -> str | None:
        """Return the next piece, or None at the end. What the iterable raises is passed on."""
        return self._keep(None if self.is_over else next(self._texts, None))


class AsyncPieces(_Pieces):
    """See `Pieces`; of an async iterable, or an ordinary one."""

    def __init__(self, texts: AsyncIterable[str] | Iterable[str]) -> None:
        super().__init__()
        self._texts = aiter(texts) if isinstance(texts, AsyncIterable) else _each(texts)

    async def next(self) -> str | None:
        """See `Pieces.next`."""
        return self._keep(None if self.is_over else await anext(self._texts, None))


async def _each(texts: Iterable[str]) -> AsyncIterator[str]:
    for text in texts:
        yield text
