"""Turns on pooled WebSockets, in the shape of a transport: so a turn is a call like any other.

`send` takes a warm connection or opens one, says what opens the turn, and returns once the first
audio is there. Up to then the flow (`flow.py`) tries again as it does for HTTP, with a receipt for
each attempt; a connection that is closed instead is an answer whose status is the close code.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from mai_sdk.engine.socket import AsyncWebSocket, WebSocket
from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.engine.timeouts import soonest
from mai_sdk.wire.speech_events import AudioChunk

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from mai_sdk.engine.pieces import AsyncPieces, Pieces
    from mai_sdk.engine.pool import AsyncPool, Pool
    from mai_sdk.engine.steps import Limits, Request
    from mai_sdk.wire.speech_events import SpeechEvent
    from mai_sdk.wire.usp_tts import Turn

__all__ = ["AsyncTurnResponse", "AsyncTurns", "TurnResponse", "Turns"]

S = TypeVar("S", WebSocket, AsyncWebSocket)


_IDLE: Final = frozenset({1000, 1001, 1005})
"""How a service closes a connection that has rested for too long. A line that breaks (1006) is
none of them: nobody knows whether what was sent on it ran."""


class Closed:
    """A close before the first audio, as an answer: its status is the code, its body the reason."""

    def __init__(self, closed: SocketClosed, turn: Turn, *, first: bool) -> None:
        self.status = closed.code
        self.was_idle = closed.code in _IDLE and not (first or turn.has_begun)
        """Whether an old connection was just being closed: then the turn has surely not run."""
        self.headers = _headers(turn)
        self._reason: bytes | None = closed.reason.encode()

    def read(self, *, within: float | None) -> bytes | None:
        """See `steps.Response.read`."""
        reason, self._reason = self._reason, None
        return reason

    def close(self) -> None:
        """Do nothing: the socket is closed."""


class AsyncClosed(Closed):
    """See `Closed`."""

    async def read(  # type: ignore[override]  # awaited in the other world
        self, *, within: float | None
    ) -> bytes | None:
        """See `steps.Response.read`."""
        return super().read(within=within)

    async def aclose(self) -> None:
        """See `Closed.close`."""


class _Open(Generic[S]):
    """What both open turns share."""

    def __init__(
        self,
        socket: S,
        turn: Turn,
        *,
        key: Hashable,
        limits: Limits,
        pieces: Pieces | AsyncPieces | None,
    ) -> None:
        self.status = 200
        self.headers = _headers(turn)
        self.turn = turn
        self.early: list[SpeechEvent] = []
        """Events up to the first audio."""
        self._socket: S = socket
        self._key = key
        self._limits = limits
        self._handed_back = False
        self._pieces = pieces
        self._is_writing = pieces is not None
        """Whether text is still to be sent. Until it is complete, the service may wait for more,
        so only then do its limits begin."""

    def _until(self, within: float | None) -> float | None:
        limit = soonest(within, self._limits.between_reads)
        return None if limit is None else time.monotonic() + limit

    def _opening(self, *, first: bool) -> list[str]:
        """Return what opens the turn, with all text that an earlier attempt has taken."""
        frames = self.turn.opening(first=first)
        if self._pieces is not None:
            frames += [self.turn.piece(text) for text in self._pieces.said]
            if self._pieces.is_over:
                frames.append(self._end())
        return frames

    def _written(self, text: str | None) -> str:
        """Return the frame of the next piece of text; None ends it."""
        return self._end() if text is None else self.turn.piece(text)

    def _end(self) -> str:
        self._is_writing = False
        return self.turn.end()

    def _early(self) -> list[SpeechEvent]:
        events, self.early = self.early, []
        return events


class TurnResponse(_Open[WebSocket]):
    """A turn that has begun to be heard."""

    def __init__(
        self,
        socket: WebSocket,
        turn: Turn,
        *,
        pool: Pool,
        key: Hashable,
        limits: Limits,
        pieces: Pieces | None = None,
    ) -> None:
        super().__init__(socket, turn, key=key, limits=limits, pieces=pieces)
        self._pool = pool
        self._source = pieces

    def read(self, *, within: float | None) -> list[SpeechEvent] | None:
        """Return the next events, never none of them; None when the turn is over.

        Raises:
            CallFailed: It ended without being complete.
            TransportFailed: Nothing came in time.
        """
        if self.early:
            return self._early()
        self._write()
        until = self._until(within)
        while not self.turn.is_over:
            try:
                events = self.turn.feed(self._socket.receive(within=_left(until)))
            except SocketClosed as closed:
                failure = self.turn.closed(closed.code, closed.reason)
            else:
                if events:
                    return events
                if self._is_writing:
                    self._write()
                    until = self._until(within)
                continue
            raise failure
        self._hand_back()
        return None

    def begin(self, *, first: bool) -> None:
        """Open the turn, and return when its first audio is there or it is over."""
        self._socket.send(*self._opening(first=first))
        self._write()
        until = _deadline(self._limits)
        while not self.turn.is_over:
            try:
                frame = self._socket.receive(within=_left(until))
            except TransportFailed as error:
                failure = _late(error)
            else:
                self.early += self.turn.feed(frame)
                if self.early and isinstance(self.early[-1], AudioChunk):
                    return
                if self._is_writing:
                    self._write()
                    until = _deadline(self._limits)
                continue
            raise failure

    def _write(self) -> None:
        """Send text as it is written, until it is complete or something has come."""
        while self._is_writing and self._source is not None and not self._socket.has_news:
            self._socket.send(self._written(self._source.next()))

    def _hand_back(self) -> None:
        if not self._handed_back:
            self._handed_back = True
            self._pool.put(self._key, self._socket)

    def close(self) -> None:
        """Close the connection, unless the turn is over and it went back to the pool."""
        if not self._handed_back:
            self._socket.close()


class AsyncTurnResponse(_Open[AsyncWebSocket]):
    """See `TurnResponse`."""

    def __init__(
        self,
        socket: AsyncWebSocket,
        turn: Turn,
        *,
        pool: AsyncPool,
        key: Hashable,
        limits: Limits,
        pieces: AsyncPieces | None = None,
    ) -> None:
        super().__init__(socket, turn, key=key, limits=limits, pieces=pieces)
        self._pool = pool
        self._source = pieces

    async def read(self, *, within: float | None) -> list[SpeechEvent] | None:
        """See `TurnResponse.read`."""
        if self.early:
            return self._early()
        await self._write()
        until = self._until(within)
        while not self.turn.is_over:
            try:
                events = self.turn.feed(await self._socket.receive(within=_left(until)))
            except SocketClosed as closed:
                failure = self.turn.closed(closed.code, closed.reason)
            else:
                if events:
                    return events
                if self._is_writing:
                    await self._write()
                    until = self._until(within)
                continue
            raise failure
        await self._hand_back()
        return None

    async def begin(self, *, first: bool) -> None:
        """See `TurnResponse.begin`."""
        await self._socket.send(*self._opening(first=first))
        await self._write()
        until = _deadline(self._limits)
        while not self.turn.is_over:
            try:
                frame = await self._socket.receive(within=_left(until))
            except TransportFailed as error:
                failure = _late(error)
            else:
                self.early += self.turn.feed(frame)
                if self.early and isinstance(self.early[-1], AudioChunk):
                    return
                if self._is_writing:
                    await self._write()
                    until = _deadline(self._limits)
                continue
            raise failure

    async def _write(self) -> None:
        """See `TurnResponse._write`."""
        while self._is_writing and self._source is not None and not self._socket.has_news:
            await self._socket.send(self._written(await self._source.next()))

    async def _hand_back(self) -> None:
        if not self._handed_back:
            self._handed_back = True
            await self._pool.put(self._key, self._socket)

    async def aclose(self) -> None:
        """See `TurnResponse.close`."""
        if not self._handed_back:
            await self._socket.aclose()


class Turns:
    """The turns of one call, as a `steps.Transport` whose answers are turns."""

    def __init__(
        self,
        pool: Pool,
        *,
        key: Hashable,
        begin: Callable[[], Turn],
        pieces: Pieces | None = None,
    ) -> None:
        self._pool = pool
        self._key = key
        self._begin = begin
        self._pieces = pieces

    def send(self, request: Request, limits: Limits) -> Any:
        """Return a turn whose first audio is there, or the answer that refuses it."""
        answer = self._send(request, limits, new=False)
        if isinstance(answer, Closed) and answer.was_idle:
            answer = self._send(request, limits, new=True)
        return answer

    def _send(self, request: Request, limits: Limits, *, new: bool) -> Any:
        began = time.monotonic()
        socket, first = self._pool.get(self._key, request, limits, new=new)
        if not isinstance(socket, WebSocket):
            return socket
        limits = replace(limits, total=_left_of(limits.total, began))
        turn = self._begin()
        opened = TurnResponse(
            socket, turn, pool=self._pool, key=self._key, limits=limits, pieces=self._pieces
        )
        try:
            opened.begin(first=first)
        except SocketClosed as closed:
            opened.close()
            return Closed(closed, turn, first=first)
        except BaseException:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        """Do nothing: the pool is the client's."""


class AsyncTurns:
    """See `Turns`."""

    def __init__(
        self,
        pool: AsyncPool,
        *,
        key: Hashable,
        begin: Callable[[], Turn],
        pieces: AsyncPieces | None = None,
    ) -> None:
        self._pool = pool
        self._key = key
        self._begin = begin
        self._pieces = pieces

    async def send(self, request: Request, limits: Limits) -> Any:
        """See `Turns.send`."""
        answer = await self._send(request, limits, new=False)
        if isinstance(answer, AsyncClosed) and answer.was_idle:
            answer = await self._send(request, limits, new=True)
        return answer

    async def _send(self, request: Request, limits: Limits, *, new: bool) -> Any:
        began = time.monotonic()
        socket, first = await self._pool.get(self._key, request, limits, new=new)
        if not isinstance(socket, AsyncWebSocket):
            return socket
        limits = replace(limits, total=_left_of(limits.total, began))
        turn = self._begin()
        opened = AsyncTurnResponse(
            socket, turn, pool=self._pool, key=self._key, limits=limits, pieces=self._pieces
        )
        try:
            await opened.begin(first=first)
        except SocketClosed as closed:
            await opened.aclose()
            return AsyncClosed(closed, turn, first=first)
        except BaseException:
            await opened.aclose()
            raise
        return opened

    async def aclose(self) -> None:
        """See `Turns.close`."""


def _headers(turn: Turn) -> dict[str, str]:
    return {"x-request-id": turn.request_id}


def _deadline(limits: Limits) -> float | None:
    """Return until when the first audio has time, from now."""
    limit = soonest(limits.first_byte, limits.total)
    return None if limit is None else time.monotonic() + limit


def _left_of(total: float | None, began: float) -> float | None:
    return None if total is None else max(total - (time.monotonic() - began), 0.0)


def _left(until: float | None) -> float | None:
    return None if until is None else until - time.monotonic()


def _late(error: TransportFailed) -> TransportFailed:
    """Before the first audio, the limit that passed is the one to the first byte."""
    if error.phase is None:
        return error
    return TransportFailed("no audio in time", certainty="unknown", phase="first_byte")
