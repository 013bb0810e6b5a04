"""WebSocket frames, without I/O: bytes in, messages out, and back.

Rule of this file: it wraps websockets' protocol class, which does the parsing and masking, and is
the only one that knows it. The handshake is plain HTTP and lies above.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import AnswerTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Framing", "handshake", "is_accepted"]

_MAGIC: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
_BROKEN: Final = 1006
_PONG: Final = 10
_SILENT: Final = logging.Logger("mai_sdk.framing")  # noqa: LOG001 - reached by no one's settings
_SILENT.disabled = True
"""At level DEBUG the library would log every frame, and with it what was said."""


def handshake(*, subprotocol: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Return a fresh key, and the headers that ask for a WebSocket with it; without compression."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
    ]
    if subprotocol is not None:
        headers.append(("sec-websocket-protocol", subprotocol))
    return key, headers


def is_accepted(key: str, headers: Mapping[str, str]) -> bool:
    """Whether a 101 answers the key, and no other request a cache once saw."""
    digest = hashlib.sha1((key + _MAGIC).encode(), usedforsecurity=False).digest()
    return headers.get("sec-websocket-accept", "") == base64.b64encode(digest).decode()


class Framing:
    """The client's side of one open connection."""

    __slots__ = ("_is_not_open", "_parts", "_protocol", "_text", "closed", "pongs")

    def __init__(self, *, max_message_bytes: int) -> None:
        from websockets.exceptions import InvalidState
        from websockets.protocol import CLIENT, OPEN, Protocol

        self._is_not_open = InvalidState
        self._protocol: Any = Protocol(
            CLIENT, state=OPEN, max_size=max_message_bytes, logger=_SILENT
        )
        self._parts: list[bytes] = []
        self._text = False
        self.pongs: deque[bytes] = deque(maxlen=16)
        """What the last answers to our pings carried; whoever looks takes them."""
        self.closed: SocketClosed | None = None
        """How it was closed, once it is; messages that came before are still to be had."""

    def pack(self, messages: tuple[str | bytes, ...]) -> bytes:
        """Return the bytes that carry the messages.

        Raises:
            SocketClosed: It is closed.
        """
        try:
            for message in messages:
                if isinstance(message, str):
                    self._protocol.send_text(message.encode())
                else:
                    self._protocol.send_binary(message)
        except self._is_not_open:
            raise (self.closed or SocketClosed(_BROKEN)) from None
        return self.outgoing()

    def ping(self, payload: bytes = b"") -> bytes:
        """Return the bytes of a ping; the other side answers it, which shows that it lives.

        Raises:
            SocketClosed: It is closed.
        """
        try:
            self._protocol.send_ping(payload)
        except self._is_not_open:
            raise (self.closed or SocketClosed(_BROKEN)) from None
        return self.outgoing()

    def goodbye(self, code: int, reason: str) -> bytes:
        """Return the bytes that close it; none if they were sent before."""
        try:
            self._protocol.send_close(code, reason)
        except self._is_not_open:
            return b""
        return self.outgoing()

    def outgoing(self) -> bytes:
        """Return what must be written now: answers to pings and closes."""
        return b"".join(self._protocol.data_to_send())

    def feed(self, data: bytes) -> list[str | bytes]:
        """Return the whole messages that `data` completes; no data is the end of the line.

        Raises:
            AnswerTooLarge: A message is longer than allowed.
            TransportFailed: What came is no WebSocket.
        """
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        messages: list[str | bytes] = []
        for frame in protocol.events_received():
            self._take(frame, messages)
        if protocol.close_rcvd is not None:
            self.closed = SocketClosed(protocol.close_rcvd.code, protocol.close_rcvd.reason)
        elif protocol.parser_exc is not None:
            self._broken(protocol.parser_exc)
        return messages

    def _take(self, frame: Any, messages: list[str | bytes]) -> None:
        opcode = int(frame.opcode)
        if opcode > 2:
            if opcode == _PONG:
                self.pongs.append(bytes(frame.data))
            return
        if opcode:
            self._text = opcode == 1
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return
        whole = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if not self._text:
            messages.append(whole)
            return
        try:
            messages.append(whole.decode())
        except UnicodeDecodeError:
            raise TransportFailed("a text frame is not UTF-8", certainty="unknown") from None

    def _broken(self, error: Exception) -> None:
        from websockets.exceptions import PayloadTooBig

        if isinstance(error, PayloadTooBig):
            raise AnswerTooLarge("A WebSocket message is longer than is taken.")
        if not isinstance(error, EOFError):
            raise TransportFailed("what came is no WebSocket", certainty="unknown")
        self.closed = SocketClosed(_BROKEN)
