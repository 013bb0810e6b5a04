"""Writes one answer to the connection, step by step: the only code here that sends or waits.

The connection itself is reached through `scope["state"]["transport"]`, which the emulator's own
server puts there; under any other server a fault that needs it raises.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.request import Close, Pause, Reset

if TYPE_CHECKING:
    from threading import Event

    from mai_sdk.emulator.journal import JournalEntry
    from mai_sdk.emulator.request import Answer

__all__ = ["Delivery", "Pace", "Receive", "Scope", "Send"]

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BREATHE = 64
"""After so many pieces written without a wait, others get their turn."""
_POLL = 0.02
_LINGER_NONE = struct.pack("ii", 1, 0)


class Pace:
    """How fast the model writes: seconds to the first token, and between tokens."""

    def __init__(self, *, first: float, tokens_per_second: float | None) -> None:
        self.first = first
        self.each = 1 / tokens_per_second if tokens_per_second else 0.0

    @property
    def instant(self) -> bool:
        """Whether nothing has to be waited for."""
        return not (self.first or self.each)


class Delivery:
    """One answer on its way."""

    def __init__(
        self,
        entry: JournalEntry,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._entry = entry
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started = False
        self._gone: asyncio.Future[Any] | None = None

    async def run(self, answer: Answer, *, pace: Pace, released: Event) -> None:
        """Send the answer; returns when it is sent, broken off, or the client has left."""
        self._entry.fault = answer.fault
        if not answer.stream and answer.steps is None and pace.instant:
            await self._start(answer)
            await self._write(answer.body, more=False)
            return
        self._gone = asyncio.ensure_future(self._receive())
        try:
            await self._steps(answer, pace, released)
            if self._entry.disconnected:  # the server is told a little later than the line knows
                await self._gone
        finally:
            self._gone.cancel()

    async def _steps(self, answer: Answer, pace: Pace, released: Event) -> None:
        due = asyncio.get_running_loop().time() + pace.first
        if not answer.stream:
            due += answer.tokens * pace.each
        for number, step in enumerate(answer.pieces if answer.steps is None else answer.steps):
            if isinstance(step, Pause):
                await self._pause(step.seconds, released)
            elif isinstance(step, bytes):
                await self._turn(due + number * pace.each * answer.stream, number, pace)
                if self._left():
                    return
                await self._start(answer)
                await self._write(step, more=True)
            else:
                await self._break(step, answer)
                return
            if self._left():
                return
        await self._start(answer)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _turn(self, due: float, number: int, pace: Pace) -> None:
        """Wait until the piece is due; at full speed, let others run every so many pieces."""
        wait = 0.0 if pace.instant else due - asyncio.get_running_loop().time()
        if wait > 0 and self._gone is not None:
            await asyncio.wait((self._gone,), timeout=wait)
        elif number % _BREATHE == _BREATHE - 1:
            await asyncio.sleep(0)

    async def _start(self, answer: Answer) -> None:
        """Send status and headers, once."""
        if self._started:
            return
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers.items()]
        if not _chunked(answer):
            size = sum(map(len, answer.pieces))
            headers.append((b"content-length", str(size).encode()))
        self._started = True
        self._entry.status = answer.status
        await self._send({
            "type": "http.response.start", "status": answer.status, "headers": headers,
        })  # fmt: skip

    async def _write(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._entry.bytes_sent += len(data)

    async def _pause(self, seconds: float | None, released: Event) -> None:
        """Wait; a client that leaves ends every wait, a release only the ones without end."""
        gone = self._gone
        if gone is None or gone.done():
            return
        if seconds is not None:
            await asyncio.wait((gone,), timeout=seconds)
            return
        while not released.is_set() and not gone.done():
            await asyncio.wait((gone,), timeout=_POLL)

    def _left(self) -> bool:
        transport = self._scope.get("state", {}).get("transport")
        closing = transport is not None and transport.is_closing()
        if not closing and (self._gone is None or not self._gone.done()):
            return False
        self._entry.disconnected = True
        return True

    async def _break(self, step: Reset | Close, answer: Answer) -> None:
        state: dict[str, Any] = self._scope.get("state") or {}
        transport: asyncio.Transport | None = state.get("transport")
        if transport is None:
            raise RuntimeError(
                f"The fault {self._entry.fault!r} takes hold of the connection, which only the "
                "emulator's own server lets it do. Start the emulator with `with Emulator()` "
                "instead of running its app elsewhere."
            )
        if isinstance(step, Close):
            await self._start(answer)
            # A chunk that says it is longer than what comes.
            head = b"%x\r\n" % (len(step.partial) + 16) if _chunked(answer) else b""
            transport.write(head + step.partial)
            self._entry.bytes_sent += len(step.partial)
            transport.close()
        else:
            line: socket.socket = transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
            transport.abort()
        if self._gone is not None:
            await self._gone


def _chunked(answer: Answer) -> bool:
    return answer.stream if answer.chunked is None else answer.chunked
