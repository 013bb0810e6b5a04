"""A Voice Live server that costs next to nothing: it shares two cores with what is measured.

One thread, one epoll, no framework. It speaks to every session that has sent its settings, 20 ms
of audio 50 times a second, each stamped with when it left; and hears from every frame it is given
when that was due. Standard input says what to do, one JSON object per line; it ends with it.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import select
import socket
import sys
import time
from array import array
from typing import Any

FRAME_SECONDS = 0.02
FRAME_BYTES = 960
"""20 ms of one channel of 16-bit samples at 24 kHz."""
STAMP_BYTES = 12
"""A time and four bytes of nothing: 16 characters of base64, whatever follows."""
STAMP_CHARACTERS = 16
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89


def stamped(seconds: float) -> bytes:
    """Return the beginning of a frame of audio that says a time on the machine's steady clock."""
    return int(seconds * 1e9).to_bytes(8, "little") + bytes(STAMP_BYTES - 8)


def stamp_of(audio: bytes) -> float:
    """Return the time a frame carries; 0 if none."""
    return int.from_bytes(audio[:8], "little") / 1e9


def percentiles(seconds: array[float]) -> dict[str, float]:
    """Return what is said of latencies, in ms."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: ordered[round(last * part)] * 1e3 for name, part in at.items()} if ordered else {}


class Peer:
    """One session."""

    numbers = itertools.count(1)

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.number = next(self.numbers)
        self.came = b""
        self.rest = b""
        """What the client's socket had no room for."""
        self.is_open = self.speaks = False
        self.audio_at: dict[int, int] = {}
        """Where the audio begins in a message of so many bytes."""
        ids = {"response_id": f"resp_{self.number}", "item_id": f"item_{self.number}"}
        delta = {"type": "response.audio.delta", "event_id": f"event_{self.number}", **ids,
                 "output_index": 0, "content_index": 0, "delta": ""}  # fmt: skip
        head = json.dumps(delta, separators=(",", ":")).removesuffix('"}').encode()
        tail = base64.b64encode(os.urandom(FRAME_BYTES - STAMP_BYTES)) + b'"}'
        size = len(head) + STAMP_CHARACTERS + len(tail)
        self.head, self.tail = bytes((_TEXT, 126)) + size.to_bytes(2, "big") + head, tail

    def speak(self) -> None:
        """Send the next 20 ms."""
        self.send(self.head + base64.b64encode(stamped(time.monotonic())) + self.tail)

    def say(self, kind: str, **fields: Any) -> None:
        """Send an event."""
        text = json.dumps({"type": kind, "event_id": "event_0", **fields}).encode()
        size = len(text)
        head = bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
        self.send(bytes((_TEXT,)) + head + text)

    def send(self, data: bytes) -> None:
        """Send what the client's socket takes now, and keep the rest for the next time."""
        self.rest += data
        try:
            self.rest = self.rest[self.line.send(self.rest) :]
        except BlockingIOError:
            return

    def greet(self) -> None:
        """Answer the handshake, once it is whole."""
        head, found, rest = self.came.partition(b"\r\n\r\n")
        if not found:
            return
        fields = dict(row.split(b": ", 1) for row in head.split(b"\r\n")[1:])
        key = {name.lower(): value for name, value in fields.items()}[b"sec-websocket-key"]
        proof = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
        self.came, self.is_open = rest, True
        self.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
        )
        self.say("session.created", session={"id": f"sess_{self.number}"})

    def hear(self, data: bytes, delays: array[float]) -> bool:
        """Take what came, and return whether the session goes on."""
        self.came += data
        if not self.is_open:
            self.greet()
        came, at, now = self.came, 0, time.monotonic()
        while self.is_open and len(came) - at >= 6:
            size, head = came[at + 1] & 127, 6
            if size == 126:
                size, head = int.from_bytes(came[at + 2 : at + 4], "big"), 8
            elif size == 127:
                size, head = int.from_bytes(came[at + 2 : at + 10], "big"), 14
            start, kind = at + head, came[at]
            if len(came) < start + size:
                break
            if kind == _CLOSE:
                self.send(bytes((_CLOSE, 0)))
                return False
            if kind == _PING:
                self.send(bytes((0x8A, size)) + self.unmasked(start, 0, size))
            elif (audio_at := self.audio_at.get(size)) is not None:
                sent = base64.b64decode(self.unmasked(start, audio_at, STAMP_CHARACTERS))
                if due := stamp_of(sent):
                    delays.append(now - due)
            else:
                self.take(self.unmasked(start, 0, size))
            at = start + size
        self.came = came[at:]
        return True

    def unmasked(self, start: int, skip: int, size: int) -> bytes:
        """Return `size` bytes of the payload that begins at `start`, after `skip` of it."""
        key = self.came[start - 4 : start]
        turned = key[skip % 4 :] + key[: skip % 4]
        mask = (turned * (size // 4 + 1))[:size]
        hidden = self.came[start + skip : start + skip + size]
        plain = int.from_bytes(hidden, "big") ^ int.from_bytes(mask, "big")
        return plain.to_bytes(size, "big")

    def take(self, text: bytes) -> None:
        """Hear a message of another length than those known."""
        event = json.loads(text)
        if event["type"] == "input_audio_buffer.append":
            self.audio_at[len(text)] = text.index(event["audio"].encode())
        elif event["type"] == "session.update":
            self.say("session.updated", session={"id": f"sess_{self.number}"})
            self.say("response.created", response={"id": f"resp_{self.number}"})
            self.speaks = True


class Server:
    """All sessions, and what they are to be told."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.door.settimeout(0)
        self.peers: dict[int, Peer] = {}
        self.poll = select.epoll()
        for file in (self.door.fileno(), 0):
            self.poll.register(file, select.EPOLLIN)
        self.ring: list[Peer] = []
        """Those who are spoken to, one after the other, all of them within 20 ms."""
        self.began = self.lag = 0.0
        self.spoken = 0
        self.delays: array[float] = array("d")

    def serve(self) -> None:
        """Serve until standard input ends."""
        print(json.dumps(self.door.getsockname()[1]), flush=True)
        while True:
            for file, _ in self.poll.poll(self.speak()):
                if file == 0:
                    line = sys.stdin.readline()
                    if not line:
                        return
                    self.obey(json.loads(line))
                elif file == self.door.fileno():
                    self.meet()
                else:
                    self.hear(self.peers[file])

    def speak(self) -> float | None:
        """Send what is due, and return in how many seconds the next is."""
        if not self.ring:
            return None
        step = FRAME_SECONDS / len(self.ring)
        while (left := self.began + self.spoken * step - time.monotonic()) <= 0:
            self.lag = max(self.lag, -left)
            self.ring[self.spoken % len(self.ring)].speak()
            self.spoken += 1
        return left

    def obey(self, order: dict[str, Any]) -> None:
        """Begin to speak, or stop and say what was heard."""
        if order["speak"]:
            self.ring = [peer for peer in self.peers.values() if peer.speaks]
            self.began, self.spoken = time.monotonic(), 0
        else:
            self.ring = []
        told = {"heard": len(self.delays), "up": percentiles(self.delays), "lag": self.lag * 1e3,
                "spoken": self.spoken, "cpu": time.process_time()}  # fmt: skip
        self.delays, self.lag = array("d"), 0.0
        print(json.dumps(told), flush=True)

    def meet(self) -> None:
        """Take a connection."""
        line, _ = self.door.accept()
        line.settimeout(0)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peers[line.fileno()] = Peer(line)
        self.poll.register(line.fileno(), select.EPOLLIN)

    def hear(self, peer: Peer) -> None:
        """Take what a session sent, or note that it is gone."""
        try:
            data = peer.line.recv(65536)
            goes_on = bool(data) and peer.hear(data, self.delays)
        except OSError:
            goes_on = False
        if not goes_on:
            del self.peers[peer.line.fileno()]
            self.ring = [each for each in self.ring if each is not peer]
            peer.line.close()


if __name__ == "__main__":
    Server().serve()
