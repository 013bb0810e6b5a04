"""WebSocket frames, without I/O: bytes in, messages out, and back.

Rule of this file: it wraps websockets' protocol class and is the only one that knows it. That class
has the state of the connection, and parses all that is not usual: control frames, fragments, what
is wrong. Whole messages, fifty a second each way, are framed here. The handshake is plain HTTP and
lies above.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
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
_TEXT: Final = 0x81
_BINARY: Final = 0x82
"""A whole message: the last fragment, and the first."""
_WHOLE: Final = (_TEXT, _BINARY)
_KINDS: Final = frozenset((0x00, 0x01, 0x02, 0x80, _TEXT, _BINARY, 0x88, 0x89, 0x8A))
"""The first bytes a frame may have; with any other it is wrong, however long it says it is."""
_MASKED: Final = 0x80
_FOR_EVER: Final = 1 << 64
_MASKS: Final = 1024
"""Bytes of masks that are drawn at once: four for a message, and nobody can foresee them."""
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

    __slots__ = (
        "_apply_mask",
        "_head",
        "_is_not_open",
        "_masks",
        "_max",
        "_open",
        "_owed",
        "_parts",
        "_protocol",
        "_text",
        "closed",
        "pongs",
    )

    def __init__(self, *, max_message_bytes: int) -> None:
        from websockets.exceptions import InvalidState
        from websockets.protocol import CLIENT, OPEN, Protocol

        try:
            from websockets.speedups import apply_mask
        except ImportError:  # where there was no compiler
            from websockets.utils import apply_mask

        self._is_not_open = InvalidState
        self._open = OPEN
        self._apply_mask = apply_mask
        self._protocol: Any = Protocol(
            CLIENT, state=OPEN, max_size=max_message_bytes, logger=_SILENT
        )
        self._max = max_message_bytes
        self._masks = b""
        self._head = b""
        """The head of a frame, where its rest has not come."""
        self._owed = 0
        """How much is to come of a frame that the protocol has begun to read."""
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
        if self._protocol.state is not self._open:
            raise self.closed or SocketClosed(_BROKEN)
        return b"".join(map(self._packed, messages))

    def _packed(self, message: str | bytes) -> bytes:
        """Return one frame (RFC 6455, section 5.2)."""
        kind, data = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
        size = len(data)
        if size < 126:
            head = bytes((kind, _MASKED | size))
        elif size < 65536:
            head = bytes((kind, _MASKED | 126, size >> 8, size & 255))
        else:
            head = bytes((kind, _MASKED | 127)) + size.to_bytes(8, "big")
        if not self._masks:
            self._masks = os.urandom(_MASKS)
        mask, self._masks = self._masks[:4], self._masks[4:]
        return head + mask + self._apply_mask(data, mask)

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
        messages: list[str | bytes] = []
        if not data:
            self._protocol.receive_eof()
            self._look(messages)
            return messages
        data, self._head, at = self._head + data, b"", 0
        while at < len(data):
            start, end = self._extent(data, at)
            if start:
                messages.append(_message(data[start:end], is_text=data[at] == _TEXT))
            elif end == at:
                self._head = data[at:]
                break
            else:
                self._protocol.receive_data(data[at:end])
                self._owed = max(end - len(data), 0)
                self._look(messages)
            at = end
        return messages

    def _extent(self, data: bytes, at: int) -> tuple[int, int]:
        """Return where the whole message of the frame at `at` begins and ends.

        Begins at 0: the protocol is to read up to the end. Ends where it begins: the frame's head
        is cut in two.
        """
        have = len(data) - at
        if self._owed:
            return 0, at + self._owed
        if self._protocol.state is not self._open:
            return 0, len(data)
        if have < 2:
            return 0, at
        kind, size, start = data[at], data[at + 1], at + 2
        if kind not in _KINDS or size & _MASKED:  # no server's frame: nothing after it is one
            return 0, at + _FOR_EVER
        if size > 125:
            start += 2 if size == 126 else 8
            if len(data) < start:
                return 0, at
            size = int.from_bytes(data[at + 2 : start], "big")
        end = start + size
        is_whole = kind in _WHOLE and end <= len(data) and size <= self._max and not self._parts
        return (start if is_whole else 0), end

    def _look(self, messages: list[str | bytes]) -> None:
        """Take what the protocol has read."""
        protocol = self._protocol
        for frame in protocol.events_received():
            self._take(frame, messages)
        if protocol.close_rcvd is not None:
            self.closed = SocketClosed(protocol.close_rcvd.code, protocol.close_rcvd.reason)
        elif protocol.parser_exc is not None:
            self._broken(protocol.parser_exc)

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
        messages.append(_message(whole, is_text=self._text))

    def _broken(self, error: Exception) -> None:
        from websockets.exceptions import PayloadTooBig

        if isinstance(error, PayloadTooBig):
            raise AnswerTooLarge("A WebSocket message is longer than is taken.")
        if not isinstance(error, EOFError):
            raise TransportFailed("what came is no WebSocket", certainty="unknown")
        self.closed = SocketClosed(_BROKEN)


def _message(data: bytes, *, is_text: bool) -> str | bytes:
    if not is_text:
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise TransportFailed("a text frame is not UTF-8", certainty="unknown") from None
