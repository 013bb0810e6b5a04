"""The faults that bend the bytes of an answer: bad JSON, odd line ends, padding, compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator import bodies
from mai_sdk.emulator.faults import fault
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request

__all__: list[str] = []

_NEWLINES = {"crlf": b"\r\n", "cr": b"\r", "lf": b"\n"}


@fault()
def bad_json(answer: Answer, request: Request, *, after: int = 1) -> Answer:
    """Breaks the JSON: of the body, or of the event after so many."""
    if not answer.stream:
        answer.pieces = [answer.body[: len(answer.body) // 2]]
    else:
        at = bodies.before_end(answer.pieces, after)
        answer.pieces[at : at + 1] = [encode('{"id":"x","choices":[{"index":0,')]
    return answer


@fault()
def bad_utf8(answer: Answer, request: Request, *, after: int = 1) -> Answer:
    """Puts bytes into a string that are not UTF-8: in the body, or in the event after so many."""
    at = bodies.before_end(answer.pieces, after) if answer.stream else 0
    at = min(at, len(answer.pieces) - 1)
    answer.pieces[at] = answer.pieces[at].replace(b'"id":"', b'"id":"\xff\xfe', 1)
    return answer


@fault()
def wrong_content_type(answer: Answer, request: Request, *, value: str = "text/plain") -> Answer:
    """Says another content type; the body is as it should be."""
    answer.headers["content-type"] = value
    return answer


@fault()
def no_usage(answer: Answer, request: Request) -> Answer:
    """Leaves usage out."""
    answer.pieces = bodies.unmetered(answer.pieces)
    return answer


@fault(needs="stream")
def truncate(
    answer: Answer, request: Request, *, after: int | None = 2, byte: int | None = None
) -> Answer:
    """Ends a stream cleanly after so many events, or at a byte of it, without [DONE]."""
    kept = None if byte is not None else bodies.before_end(answer.pieces, after or 0)
    answer.pieces = bodies.cut(answer.pieces, events=kept, byte=byte)
    return answer


@fault(needs="stream")
def duplicate_done(answer: Answer, request: Request) -> Answer:
    """Sends [DONE] twice."""
    answer.pieces = [*answer.pieces, bodies.DONE]
    return answer


@fault(needs="stream")
def after_done(answer: Answer, request: Request, *, text: str = "trailing bytes") -> Answer:
    """Sends a chunk and loose bytes after [DONE]."""
    again = [piece for piece in answer.pieces if bodies.is_chunk(piece)][:1]
    answer.pieces = [*answer.pieces, *again, text.encode()]
    return answer


@fault(fidelity="emulated", needs="stream")
def extra_event(answer: Answer, request: Request, *, after: int = 1) -> Answer:
    """Adds what a newer service might: a comment, id and retry fields, an event of an unknown name, unknown fields on every chunk."""  # noqa: E501 - one sentence is the table's entry
    unknown = to_json({"object": "mai.novel", "novel": True, "choices": []})

    def add(value: dict[str, Any]) -> None:
        value["x_novel"] = {"known": False}

    pieces = [
        bodies.changed(piece, add) if bodies.is_chunk(piece) else piece for piece in answer.pieces
    ]
    extra = [
        b": a comment\n\n",
        b"id: 7\nretry: 1000\n\n",
        b"event: ping\n\n",
        encode(unknown, event="mai.novel"),
    ]
    answer.pieces = bodies.with_event(pieces, after, extra)
    return answer


@fault(needs="stream")
def bom(answer: Answer, request: Request) -> Answer:
    """Begins the stream with a byte order mark."""
    answer.pieces[:1] = [b"\xef\xbb\xbf" + answer.pieces[0]]
    return answer


@fault(needs="stream")
def newline(answer: Answer, request: Request, *, kind: str = "crlf") -> Answer:
    """Ends lines with crlf or cr."""
    if kind not in _NEWLINES:
        raise ValueError(f"kind is {kind!r}; it can be {', '.join(_NEWLINES)}.")
    answer.pieces = [piece.replace(b"\n", _NEWLINES[kind]) for piece in answer.pieces]
    return answer


@fault(fidelity="emulated")
def split(answer: Answer, request: Request) -> Answer:
    """Writes every byte on its own."""
    answer.pieces = [bytes([byte]) for byte in answer.body]
    return answer


@fault()
def merge(answer: Answer, request: Request) -> Answer:
    """Writes everything at once."""
    answer.pieces = [answer.body]
    return answer


@fault()
def gzip(answer: Answer, request: Request) -> Answer:
    """Compresses the body, whether the client asked for it or not."""
    answer.headers["content-encoding"] = "gzip"
    answer.pieces = bodies.squeezed(answer.pieces)
    return answer


@fault()
def gzip_bomb(answer: Answer, request: Request, *, size: int = 256 * 1024 * 1024) -> Answer:
    """Sends a body that is small compressed and `size` bytes decoded."""
    answer.headers["content-encoding"] = "gzip"
    answer.steps, answer.chunked = bodies.bomb(size, event=answer.stream), True
    return answer


@fault(needs="stream")
def huge_line(
    answer: Answer, request: Request, *, size: int = 64 * 1024 * 1024, after: int = 1
) -> Answer:
    """Sends a line of `size` bytes after so many events."""
    kept = answer.pieces[: bodies.before_end(answer.pieces, after)]
    answer.steps = (piece for part in (kept, bodies.huge_line(size)) for piece in part)
    return answer


@fault(needs="stream")
def huge_event(
    answer: Answer, request: Request, *, size: int = 64 * 1024 * 1024, after: int = 1
) -> Answer:
    """Sends one event of `size` bytes in many lines after so many events."""
    kept = answer.pieces[: bodies.before_end(answer.pieces, after)]
    answer.steps = (piece for part in (kept, bodies.huge_event(size)) for piece in part)
    return answer
