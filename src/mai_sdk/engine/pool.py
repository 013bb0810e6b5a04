"""Warm WebSockets: taken for a turn, given back after it, closed with their client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mai_sdk.engine.shelf import Shelf
from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket, Dialler, WebSocket
from mai_sdk.engine.turn import AsyncTurns, Turns
from mai_sdk.wire.usp import SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from mai_sdk.engine.pieces import AsyncPieces, Pieces
    from mai_sdk.engine.steps import AsyncResponse, Limits, Request, Response
    from mai_sdk.wire.usp_tts import Turn

__all__ = ["AsyncPool", "Pool"]


class Pool:
    """Warm connections of a sync client. Thread-safe, also after a fork."""

    def __init__(self, dialler: Dialler | None = None, *, shelf: Shelf[WebSocket] | None = None):
        self._dialler = dialler or Dialler()
        self._shelf = shelf or Shelf()

    def get(
        self, key: Hashable, request: Request, limits: Limits, *, new: bool = False
    ) -> tuple[WebSocket | Response, bool]:
        """Return an open socket, or the answer that refuses one; and whether it is a new one.

        Args:
            key: What it can be shared by.
            request: The handshake, if one is needed.
            limits: What that may take.
            new: Whether one that was used before will not do.

        Raises:
            TransportFailed: No connection stood.
        """
        found, over = (None, []) if new else self._shelf.take(key)
        for socket in over:
            socket.close()
        if found is not None:
            return found, found.is_fresh
        return self._dialler.dial(request, limits, subprotocol=SUBPROTOCOL), True

    def turns(
        self, *, key: Hashable, begin: Callable[[], Turn], pieces: Pieces | None = None
    ) -> Turns:
        """Return what carries the turns of one call; see `Turns`."""
        return Turns(self, key=key, begin=begin, pieces=pieces)

    def put(self, key: Hashable, socket: WebSocket) -> None:
        """Keep a socket whose turn is over for the next."""
        over = self._shelf.put(key, socket)
        if over is not None:
            over.close()

    def warm(self, key: Hashable, request: Request, limits: Limits) -> Response | None:
        """Open a connection for the next turn; return the answer that refuses it, if any."""
        opened = self._dialler.dial(request, limits, subprotocol=SUBPROTOCOL)
        if not isinstance(opened, WebSocket):
            return opened
        self.put(key, opened)
        return None

    def close(self) -> None:
        """Close every connection, resting or not."""
        for socket in self._shelf.clear():
            socket.close()
        self._dialler.close()


class AsyncPool:
    """See `Pool`; each event loop has its own."""

    def __init__(self, dialler: AsyncDialler | None = None) -> None:
        self._dialler = dialler or AsyncDialler()
        self._shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, Shelf[AsyncWebSocket]] = (
            WeakKeyDictionary()
        )

    @property
    def _shelf(self) -> Shelf[AsyncWebSocket]:
        loop = asyncio.get_running_loop()
        if loop not in self._shelves:
            # The sockets of a loop refer to it, so it would never be collected by itself.
            for ended in [each for each in self._shelves if each.is_closed()]:
                del self._shelves[ended]
            self._shelves[loop] = Shelf()
        return self._shelves[loop]

    async def get(
        self, key: Hashable, request: Request, limits: Limits, *, new: bool = False
    ) -> tuple[AsyncWebSocket | AsyncResponse, bool]:
        """See `Pool.get`."""
        found, over = (None, []) if new else self._shelf.take(key)
        for socket in over:
            await socket.aclose()
        if found is not None:
            return found, found.is_fresh
        return await self._dialler.dial(request, limits, subprotocol=SUBPROTOCOL), True

    def turns(
        self, *, key: Hashable, begin: Callable[[], Turn], pieces: AsyncPieces | None = None
    ) -> AsyncTurns:
        """See `Pool.turns`."""
        return AsyncTurns(self, key=key, begin=begin, pieces=pieces)

    async def put(self, key: Hashable, socket: AsyncWebSocket) -> None:
        """See `Pool.put`."""
        over = self._shelf.put(key, socket)
        if over is not None:
            await over.aclose()

    async def warm(self, key: Hashable, request: Request, limits: Limits) -> AsyncResponse | None:
        """See `Pool.warm`."""
        opened = await self._dialler.dial(request, limits, subprotocol=SUBPROTOCOL)
        if not isinstance(opened, AsyncWebSocket):
            return opened
        await self.put(key, opened)
        return None

    async def aclose(self) -> None:
        """See `Pool.close`."""
        for socket in self._shelf.clear():
            await socket.aclose()
        await self._dialler.aclose()
