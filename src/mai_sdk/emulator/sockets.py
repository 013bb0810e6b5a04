"""One WebSocket as a handler has it: messages both ways, and what goes wrong with its turns.

A handler says when a turn begins and ends; between, the trouble the user ordered befalls it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mai_sdk.emulator.delivery import Pace, Receive, Scope, Send
    from mai_sdk.emulator.journal import JournalEntry
    from mai_sdk.emulator.request import Answer, Request, Trouble

__all__ = ["Left", "Socket", "SocketHandler"]

_POLL = 0.02
_DRAIN = 2.0
_LEFT_TO_HANDLER = frozenset({"expire", "mishear", "fail"})
_LINGER_NONE = struct.pack("ii", 1, 0)


class Left(Exception):
    """The connection is over: the client left, or a fault ended it."""


class SocketHandler(Protocol):
    """What answers on a path that is a WebSocket."""

    subprotocol: str | None
    """What is answered where the client offers it."""
    noise: tuple[str | bytes, ...]
    """Messages that no client asked for, of its protocol: what a fault lets in."""

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
        noise: tuple[str | bytes, ...] = (),
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
        self._noise = noise
        self._trouble: Trouble | None = None
        self._content = 0
        self._received = 0
        self._held: str | None = None
        self._frozen = False
        self._timer: asyncio.Task[None] | None = None
        self._got: asyncio.Task[Any] | None = None
        self._left_to_handler: dict[str, Trouble] = {}

    async def receive(self, *, is_noted: bool = True) -> str | bytes:
        """Return the next message.

        Args:
            is_noted: Whether it goes into the journal as it is; else see `note` and `note_audio`.

        Raises:
            Left: The client closed the connection, or it is gone.
        """
        if self._got is None:
            message: Any = await self._receive()
        else:
            got, self._got = self._got, None
            message = await got
        if message["type"] == "websocket.disconnect":
            self._entry.close_code = self._entry.close_code or message.get("code")
            raise Left
        if self._frozen:
            await self._until_thawed()
        frame: str | bytes = message["bytes"] if message.get("text") is None else message["text"]
        if is_noted:
            self.note(frame)
        self._received += 1
        trouble = self._trouble
        if trouble is not None and trouble.received == self._received:
            self._trouble = None
            await self._strike(trouble)
        return frame

    def note(self, frame: str | bytes) -> None:
        """Put a message of the client into the journal."""
        self._entry.frames.append(frame if isinstance(frame, str) else len(frame))

    def note_audio(self, data: bytes) -> None:
        """Put audio that the client appended into the journal."""
        self._entry.frames.append(len(data))
        self.hear(data)

    def hear(self, data: bytes) -> None:
        """Put audio of a message that is in the journal into its audio, too."""
        self._entry.hear(data)

    def begin_turn(self) -> None:
        """Note that a turn begins: this is when a fault is chosen for it.

        A fault chosen before that has not struck yet stays.
        """
        if self._trouble is not None:
            return
        answer = self._ask_trouble()
        trouble = answer.trouble
        self._content = self._received = 0
        self._entry.fault = answer.fault or self._entry.fault
        if trouble is not None and trouble.kind in _LEFT_TO_HANDLER:
            self._left_to_handler[trouble.kind] = trouble
        elif trouble is not None and trouble.after_ms is not None:
            self._timer = asyncio.ensure_future(self._strike_at(trouble, trouble.after_ms))
        else:
            self._trouble = trouble

    def take(self, kind: str) -> Trouble | None:
        """Return a trouble of that kind that is for the handler to make happen, once."""
        return self._left_to_handler.pop(kind, None)

    async def end_turn(self, *, goes_on: bool = False) -> None:
        """Note that the turn is over, its last message sent.

        Args:
            goes_on: Whether more of the client's messages belong to it: what waits for them stays.
        """
        trouble = self._trouble
        if goes_on and trouble is not None and trouble.kind != "leave":
            return
        self._trouble = None
        if trouble is not None and trouble.kind == "leave":
            await self.close(trouble.code)

    def end(self) -> None:
        """Stop what waits for its time: the connection is over."""
        if self._timer is not None:
            self._timer.cancel()

    async def send_text(
        self, text: str, *, name: str = "", is_content: bool = False, is_last: bool = False
    ) -> None:
        """Send a text frame.

        Args:
            text: What is sent.
            name: What it is, for a fault that waits for that.
            is_content: Whether it counts for a fault that waits for so many.
            is_last: Whether it ends the turn: a fault that waits for more than there is strikes.
        """
        if self._trouble is not None:
            if await self._strikes(name=name, is_content=is_content, is_last=is_last):
                return
            if is_content and await self._shuffled(text):
                return
        await self._out({"type": "websocket.send", "text": text})
        self._content += is_content

    async def send_bytes(self, data: bytes, *, is_content: bool = True) -> None:
        """Send a binary frame; see `send_text`."""
        if await self._strikes(name="", is_content=is_content, is_last=False):
            return
        await self._out({"type": "websocket.send", "bytes": data})
        self._content += is_content

    async def close(self, code: int = 1000, reason: str = "") -> NoReturn:
        """Close it.

        Raises:
            Left: Always: there is nothing more to do.
        """
        if code == 1006:  # never sent: it is what a missing close is called
            await self.finish()
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
        line: socket.socket = self._transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()
        raise Left

    async def finish(self) -> NoReturn:
        """End the connection with a TCP FIN and no closing message, and wait for the client's.

        Raises:
            Left: Always.
        """
        self._transport.write_eof()
        self._transport.get_protocol().discard()
        self._frozen = True
        for _ in range(round(_DRAIN / _POLL)):
            if self._transport.is_closing():
                break
            await asyncio.sleep(_POLL)
        self._transport.abort()
        raise Left

    @property
    def _transport(self) -> Any:
        return self._scope["state"]["transport"]

    async def _freeze(self, seconds: float | None) -> None:
        """Neither read nor write, and keep the connection: the client's pings go unanswered."""
        self._frozen = True
        self._transport.get_protocol().freeze()
        if seconds is None:
            await self._until_released(is_reading=False)
            self.abort()
        await asyncio.sleep(seconds)
        self._frozen = False
        self._transport.get_protocol().thaw()

    async def _until_thawed(self) -> None:
        while self._frozen:
            if self._transport.is_closing():
                raise Left
            await asyncio.sleep(_POLL)

    async def _out(self, message: dict[str, Any]) -> None:
        if self._frozen:
            await self._until_thawed()
        try:
            await self._send(message)
        except Exception:  # noqa: BLE001 - each server has its own way to say it
            self._entry.disconnected = True
            raise Left from None
        size = message.get("bytes") or message.get("text") or b""
        self._entry.bytes_sent += len(size)

    async def _strikes(self, *, name: str, is_content: bool, is_last: bool) -> bool:
        """Let the trouble strike if it is due; return whether the frame is lost to it."""
        trouble = self._trouble
        if trouble is None:
            return False
        if trouble.kind == "slow":
            if is_content:
                await asyncio.sleep(trouble.seconds or 0)
            return False
        if trouble.kind == "leave" or trouble.received is not None:
            return False
        if trouble.at is not None:
            due = trouble.at == name
        else:
            reached = trouble.after is not None and is_content and self._content >= trouble.after
            due = trouble.after is None or reached or is_last
        if not due or trouble.kind in ("repeat", "swap"):
            return False
        if trouble.kind == "lose":
            self._use(trouble)
            return is_content
        self._trouble = None
        await self._strike(trouble)
        return False

    async def _shuffled(self, text: str) -> bool:
        """Send a frame of content twice, or after the next one; return whether this was done."""
        trouble = self._trouble
        if trouble is None or trouble.kind not in ("repeat", "swap"):
            return False
        if self._held is not None:
            held, self._held = self._held, None
            for one in (text, held):
                await self._out({"type": "websocket.send", "text": one})
            self._use(trouble)
            return True
        if self._content < (trouble.after or 0):
            return False
        if trouble.kind == "swap":
            self._held = text
            return True
        await self._out({"type": "websocket.send", "text": text})
        self._use(trouble)
        return False

    def _use(self, trouble: Trouble) -> None:
        trouble.frames -= 1
        self._trouble = trouble if trouble.frames else None

    async def _strike_at(self, trouble: Trouble, after_ms: float) -> None:
        await asyncio.sleep(after_ms / 1000)
        with contextlib.suppress(Left):
            await self._strike(trouble)

    async def _strike(self, trouble: Trouble) -> None:
        if trouble.kind == "close":
            await self.close(trouble.code, trouble.reason)
        elif trouble.kind == "reset":
            self.abort()
        elif trouble.kind == "finish":
            await self.finish()
        elif trouble.kind == "freeze":
            await self._freeze(trouble.seconds)
        elif trouble.kind == "noise":
            for one in self._noise:
                kind = "text" if isinstance(one, str) else "bytes"
                await self._out({"type": "websocket.send", kind: one})
        elif trouble.seconds is not None:
            await asyncio.sleep(trouble.seconds)
        else:
            await self._until_released()

    async def _until_released(self, *, is_reading: bool = True) -> None:
        """Wait; a client that leaves ends the wait, too, if it can be seen."""
        while not self._released.is_set():
            if not is_reading:
                if self._transport.is_closing():
                    raise Left
                await asyncio.sleep(_POLL)
                continue
            if self._got is None:
                self._got = asyncio.ensure_future(self._receive())
            await asyncio.wait((self._got,), timeout=_POLL)
            if self._got.done() and self._got.result()["type"] == "websocket.disconnect":
                raise Left
