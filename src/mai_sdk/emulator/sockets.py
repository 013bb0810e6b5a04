"""One WebSocket as a handler has it: messages both ways, and what goes wrong with its turns.

A handler says when a turn begins and ends; between, the trouble the user ordered befalls it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from mai_sdk.wire.usp import Message, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mai_sdk.emulator.delivery import Pace, Receive, Scope, Send
    from mai_sdk.emulator.journal import JournalEntry
    from mai_sdk.emulator.request import Answer, Request, Trouble

__all__ = ["Left", "Socket", "SocketHandler"]

_POLL = 0.02
_LINGER_NONE = struct.pack("ii", 1, 0)


class Left(Exception):
    """The connection is over: the client left, or a fault ended it."""


class SocketHandler(Protocol):
    """What answers on a path that is a WebSocket."""

    subprotocol: str | None
    """What is answered where the client offers it."""

    def refuses(self, request: Request) -> Answer | None:
        """Return the answer to a handshake that is not accepted, or None."""
        ...

    async def serve(self, line: Socket) -> None:
        """Talk until `Left` is raised."""
        ...


class Socket:
    """An open WebSocket."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        request: Request,
        entry: JournalEntry,
        trouble: Callable[[], Answer],
        pace: Pace,
        released: Event,
    ) -> None:
        self.request = request
        """The handshake."""
        self.pace = pace
        """How fast the emulator is asked to be."""
        self._scope = scope
        self._receive = receive
        self._send = send
        self._entry = entry
        self._ask_trouble = trouble
        self._released = released
        self._trouble: Trouble | None = None
        self._content = 0
        self._got: asyncio.Task[Any] | None = None

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            Left: The client closed the connection, or it is gone.
        """
        got = self._got or asyncio.ensure_future(self._receive())
        self._got = None
        message: Any = await got
        if message["type"] == "websocket.disconnect":
            self._entry.close_code = self._entry.close_code or message.get("code")
            raise Left
        frame: str | bytes = message["bytes"] if message.get("text") is None else message["text"]
        self._entry.frames.append(frame if isinstance(frame, str) else len(frame))
        return frame

    def begin_turn(self) -> None:
        """Note that a turn begins: this is when a fault is chosen for it."""
        answer = self._ask_trouble()
        self._trouble, self._content = answer.trouble, 0
        self._entry.fault = answer.fault or self._entry.fault

    async def end_turn(self) -> None:
        """Note that the turn is over, its last message sent."""
        trouble, self._trouble = self._trouble, None
        if trouble is not None and trouble.kind == "leave":
            await self.close(trouble.code)

    async def send_text(
        self, text: str, *, is_content: bool = False, is_last: bool = False
    ) -> None:
        """Send a text frame.

        Args:
            text: What is sent.
            is_content: Whether it counts for a fault that waits for so many.
            is_last: Whether it ends the turn: a fault that waits for more than there is strikes.
        """
        if await self._strikes(is_content=is_content, is_last=is_last):
            return
        await self._out({"type": "websocket.send", "text": text})
        self._content += is_content

    async def send_bytes(self, data: bytes, *, is_content: bool = True) -> None:
        """Send a binary frame; see `send_text`."""
        if await self._strikes(is_content=is_content, is_last=False):
            return
        await self._out({"type": "websocket.send", "bytes": data})
        self._content += is_content

    async def close(self, code: int = 1000, reason: str = "") -> NoReturn:
        """Close it.

        Raises:
            Left: Always: there is nothing more to do.
        """
        self._entry.close_code = code
        while len(reason.encode()) > 123:  # RFC 6455, section 5.5
            reason = reason[:-1]
        await self._out({"type": "websocket.close", "code": code, "reason": reason})
        raise Left

    def abort(self) -> NoReturn:
        """End the connection with a TCP reset.

        Raises:
            Left: Always.
        """
        transport: Any = self._scope["state"]["transport"]
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        transport.abort()
        raise Left

    async def _out(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except Exception:  # noqa: BLE001 - each server has its own way to say it
            self._entry.disconnected = True
            raise Left from None
        size = message.get("bytes") or message.get("text") or b""
        self._entry.bytes_sent += len(size)

    async def _strikes(self, *, is_content: bool, is_last: bool) -> bool:
        """Let the trouble strike if it is due; return whether the frame is lost to it."""
        trouble = self._trouble
        if trouble is None:
            return False
        if trouble.kind == "slow":
            if is_content:
                await asyncio.sleep(trouble.seconds or 0)
            return False
        reached = trouble.after is not None and is_content and self._content >= trouble.after
        if trouble.kind == "leave" or not (trouble.after is None or reached or is_last):
            return False
        if trouble.kind == "lose":
            trouble.frames -= 1
            self._trouble = trouble if trouble.frames else None
            return is_content
        self._trouble = None
        await self._strike(trouble)
        return False

    async def _strike(self, trouble: Trouble) -> None:
        if trouble.kind == "close":
            await self.close(trouble.code, trouble.reason)
        elif trouble.kind == "reset":
            self.abort()
        elif trouble.kind == "noise":
            for one in _NOISE:
                kind = "text" if isinstance(one, str) else "bytes"
                await self._out({"type": "websocket.send", kind: one})
        elif trouble.seconds is not None:
            await asyncio.sleep(trouble.seconds)
        else:
            await self._until_released()

    async def _until_released(self) -> None:
        """Wait; a client that leaves ends the wait, too."""
        while not self._released.is_set():
            if self._got is None:
                self._got = asyncio.ensure_future(self._receive())
            await asyncio.wait((self._got,), timeout=_POLL)
            if self._got.done() and self._got.result()["type"] == "websocket.disconnect":
                raise Left


_OTHER = {"X-RequestId": "0" * 32}
_NOISE = (
    encode(Message("service.notice", '{"new":true}')),
    encode(Message("turn.end", "{}", _OTHER)),
    encode(Message("audio", b"\x7f" * 64, {**_OTHER, "X-StreamId": "0"})),
    encode(Message("picture", b"\x00")),
)
