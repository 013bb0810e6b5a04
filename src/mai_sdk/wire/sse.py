"""Server-sent events from bytes, and back. No I/O.

The grammar is WHATWG's ("event stream interpretation"), with three choices of our own: bytes that
are not UTF-8 are an error instead of U+FFFD, a line or an event may not grow without bound, and
an event that the end of the stream cut off is reported instead of silently dropped.
"""

from __future__ import annotations

from typing import TypeAlias

from mai_sdk.errors import AnswerTooLarge, CallFailed, UnreadableAnswer

__all__ = ["MAX_BYTES", "Frame", "SSEDecoder", "encode"]

MAX_BYTES = 16 * 1024 * 1024
"""The cap on one line, and on one event, unless the caller sets another."""

Frame: TypeAlias = tuple[str, str | None]
"""One event: its data lines joined with a line feed, and its `event:` name if it had one. A plain
tuple, because one is made for every chunk of a stream."""

_BOM = b"\xef\xbb\xbf"
_CR = 13
_LF = 10
_PLAIN = b"data: "
_SEPARATOR = "\n\ndata: "


class SSEDecoder:
    """Turns bytes, cut anywhere, into frames.

    An error never swallows the frames before it: `feed` gives those, and the error is on
    `error`. Nothing is read after it.
    """

    __slots__ = (
        "_at_rest", "_cap", "_cr", "_data", "_data_size", "_head", "_line", "_line_size",
        "_max_event", "_max_line", "_name", "_plain_next", "error",
    )  # fmt: skip

    def __init__(
        self, *, max_line_bytes: int = MAX_BYTES, max_event_bytes: int = MAX_BYTES
    ) -> None:
        self.error: CallFailed | None = None
        """What stopped the reading: `AnswerTooLarge` or `UnreadableAnswer`."""
        self._max_line = max_line_bytes
        self._max_event = max_event_bytes
        self._cap = min(max_line_bytes, max_event_bytes)
        self._head: bytes | None = b""
        """The first bytes, until it is known whether they are a byte order mark; then None."""
        self._cr = False
        """The last byte was a CR: an LF that follows belongs to it."""
        self._line: list[bytes] = []
        self._line_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._name: bytes | None = None
        self._at_rest = False
        """No event has begun, so whole events may be cut out of the next bytes directly."""
        self._plain_next = False
        """Nothing is held back at all: the next bytes may be looked at as they are."""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        if (  # one plain event and nothing else: what a model writes nearly every time
            self._plain_next
            and data.find(b"\n") == len(data) - 2
            and data[:6] == _PLAIN
            and data[-1] == _LF
            and _CR not in data
            and len(data) <= self._cap
        ):
            try:
                return [(data[6:-2].decode(), None)]
            except UnicodeDecodeError:
                pass  # the exact grammar below says what is wrong
        if self.error is not None or not data:
            return []
        if self._head is not None and (data := self._after_bom(self._head + data)) == b"":
            return []
        if self._cr:
            self._cr = False
            if data.startswith(b"\n"):
                data = data[1:]
        if _CR in data:
            self._cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        frames: list[Frame] = []
        try:
            self._read(data, frames)
        except AnswerTooLarge as error:
            self.error = error
        except UnicodeDecodeError:
            self.error = UnreadableAnswer(
                "The stream holds bytes that are not UTF-8. What answers there is not the "
                "service, or something in between re-encodes it."
            )
        self._plain_next = self._at_rest and not self._cr and self.error is None
        return frames

    def close(self) -> bool:
        """Say whether the bytes ended inside an event that was therefore never given out."""
        held_back = self._head is not None and self._head != b""
        return held_back or bool(self._line or self._data)

    def _after_bom(self, data: bytes) -> bytes:
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._head = data
            return b""
        self._head = None
        self._at_rest = True
        return data[len(_BOM) :] if data.startswith(_BOM) else data

    def _read(self, data: bytes, frames: list[Frame]) -> None:
        """Read bytes whose line ends are all LF."""
        if not self._at_rest:
            # Finish the begun event line by line, up to the next place where one surely ends.
            end = data.find(b"\n\n") + 2
            if end < 2:
                self._lines(data, frames)
                return
            self._lines(data[:end], frames)
            data = data[end:]
        end = data.rfind(b"\n\n")
        if end > 0 and len(data) <= self._cap and data.startswith(_PLAIN):
            texts = _plain_events(data[len(_PLAIN) : end])
            if texts is not None:
                frames += [(text, None) for text in texts]
                data = data[end + 2 :]
        if data:
            self._lines(data, frames)

    def _lines(self, data: bytes, frames: list[Frame]) -> None:
        """Read bytes line by line: the exact grammar, for whatever is not a plain event."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._grow(line)
            if self._line:
                line = b"".join((*self._line, line))
                self._line.clear()
            self._line_size = 0
            if line:
                self._field(line)
            else:
                self._dispatch(frames)
        if rest:
            self._grow(rest)
            self._line.append(rest)
        self._at_rest = not (self._line or self._data or self._name)

    def _grow(self, piece: bytes) -> None:
        self._line_size += len(piece)
        if self._line_size > self._max_line:
            raise AnswerTooLarge(
                f"One line of the stream is longer than {self._max_line} bytes. "
                f"Raise the cap if the service really sends such lines."
            )

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.removeprefix(b" ")
            self._data_size += len(value) + bool(self._data)
            if self._data_size > self._max_event:
                raise AnswerTooLarge(
                    f"One event of the stream is larger than {self._max_event} bytes. "
                    f"Raise the cap if the service really sends such events."
                )
            self._data.append(value)
        elif name == b"event":
            self._name = value.removeprefix(b" ") or None

    def _dispatch(self, frames: list[Frame]) -> None:
        data, name = self._data, self._name
        self._data, self._data_size, self._name = [], 0, None
        if data:
            text = b"\n".join(data).decode()
            frames.append((text, name.decode() if name else None))


def _plain_events(block: bytes) -> list[str] | None:
    """Split events that are one data line each, as nearly all streams write them; else None.

    It is so if every line end between the first payload and the last stands in a separator.
    """
    try:
        text = block.decode()
    except UnicodeDecodeError:  # line by line, the events before it are found
        return None
    if "\n" not in text:
        return [text]
    texts = text.split(_SEPARATOR)
    return texts if block.count(b"\n") == 2 * (len(texts) - 1) else None


def encode(data: str | bytes, *, event: str | None = None, newline: bytes = b"\n") -> bytes:
    """Return one event as bytes; data with line breaks becomes several data lines."""
    raw = data.encode() if isinstance(data, str) else data
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = [b"data: " + line for line in raw.split(b"\n")]
    if event is not None:
        lines.insert(0, b"event: " + event.encode())
    return newline.join(lines) + newline + newline
