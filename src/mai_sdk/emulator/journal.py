"""What the emulator was asked and what it did: one entry per request, without credentials."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any, overload

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mai_sdk.emulator.request import Request

__all__ = ["Journal", "JournalEntry"]

_CREDENTIALS = frozenset({
    "api-key", "authorization", "cookie", "ocp-apim-subscription-key", "proxy-authorization",
    "x-api-key",
})  # fmt: skip
_KEPT = 10_000
_AUDIO_KEPT = 256 * 1024 * 1024


@dataclass(slots=True)
class _Room:
    """How many bytes of audio may still be kept."""

    left: int = _AUDIO_KEPT


@dataclass(slots=True, kw_only=True)
class JournalEntry:
    """One request and what became of it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case; the value of a credential is "***"."""
    body: bytes = field(repr=False)
    """The body; of one larger than 32 MiB only its first bytes."""
    body_bytes: int = 0
    """The size of the whole body."""
    body_sha256: str = ""
    """The SHA-256 of the whole body, in hexadecimal."""
    status: int | None = None
    """The status sent; None while none was."""
    fault: str | None = None
    """The fault applied, with its parameters."""
    disconnected: bool = False
    """Whether the client left before the answer was complete."""
    bytes_sent: int = 0
    """Bytes of the body handed to the connection, framing not counted."""
    frames: list[str | int] = field(default_factory=list[str | int], repr=False)
    """Of a WebSocket, what the client sent: texts as they are, of binary frames and of events that
    append audio the size in bytes."""
    audio: bytearray = field(default_factory=bytearray, repr=False)
    """The audio appended in a live session, decoded from base64 and otherwise as it came."""
    audio_ends: array[int] = field(default_factory=lambda: array("Q"), repr=False)
    """Where each appended piece ends in `audio`."""
    audio_dropped: int = 0
    """Bytes that came when the journal's 256 MB of audio were full; they are not in `audio`."""
    close_code: int | None = None
    """Of a WebSocket, the code it ended with."""
    finished: bool = False
    """Whether the emulator is done with it."""
    _room: _Room = field(default_factory=_Room, repr=False)

    def hear(self, data: bytes) -> None:
        """Note audio that was appended."""
        if len(data) > self._room.left:
            self.audio_dropped += len(data)
            return
        self._room.left -= len(data)
        self.audio += data
        self.audio_ends.append(len(self.audio))

    @property
    def audio_pieces(self) -> list[bytes]:
        """The appended audio, piece by piece."""
        ends = list(self.audio_ends)
        whole = bytes(self.audio)
        return [whole[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    @property
    def json(self) -> Any:
        """The body parsed as JSON; None where it is none."""
        try:
            return from_json(self.body) if self.body else None
        except ValueError:
            return None


class Journal(Sequence[JournalEntry]):
    """The last 10,000 requests, oldest first. Safe to read from any thread."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=_KEPT)
        self._changed = Condition()
        self._room = _Room()

    def open(self, request: Request) -> JournalEntry:
        """Begin an entry; it is in the journal at once."""
        headers = {
            name: "***" if name in _CREDENTIALS else value
            for name, value in request.headers.items()
        }
        entry = JournalEntry(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=headers,
            body=request.body,
            body_bytes=request.size,
            body_sha256=request.sha256,
            _room=self._room,
        )
        with self._changed:
            self._entries.append(entry)
        return entry

    def close(self, entry: JournalEntry) -> None:
        """Mark an entry finished."""
        with self._changed:
            entry.finished = True
            self._changed.notify_all()

    def wait(self, number: int, *, timeout: float = 5.0) -> list[JournalEntry]:
        """Return all entries once this many are finished.

        A client may have its answer, or have left, before the emulator has noted it.

        Raises:
            TimeoutError: They were not finished within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._finished() >= number, timeout):
                raise TimeoutError(
                    f"{self._finished()} of {number} requests were finished in {timeout} s."
                )
            return list(self._entries)

    def _finished(self) -> int:
        return sum(entry.finished for entry in self._entries)

    def clear(self) -> None:
        """Forget all entries."""
        with self._changed:
            self._entries.clear()
            self._room = _Room()

    @overload
    def __getitem__(self, index: int) -> JournalEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[JournalEntry]: ...
    def __getitem__(self, index: int | slice) -> JournalEntry | list[JournalEntry]:
        with self._changed:
            entries = list(self._entries)
        return entries[index]

    def __iter__(self) -> Iterator[JournalEntry]:
        with self._changed:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
