"""A request as it arrived, and the answer on its way back. Values only; nothing is sent here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qsl

from pydantic_core import from_json, to_json

from mai_sdk.emulator.untyped import to_object
from mai_sdk.emulator.uploads import FormPart, read_form

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterable, Mapping

__all__ = [
    "Answer",
    "Close",
    "Pause",
    "Request",
    "Reset",
    "Step",
    "Trouble",
    "bearer",
    "json_answer",
    "stream_answer",
    "text_answer",
]


@dataclass(slots=True, kw_only=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    """Without the query, percent-decoded."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case. Credentials are in clear here; the journal masks them."""
    body: bytes = b""
    """The whole body, or of one too large for memory its first bytes; see `content`."""
    size: int = 0
    """Of the whole body, in bytes."""
    sha256: str = ""
    """Of the whole body, in hexadecimal."""
    cut: bool = False
    """Whether the client left before all of the body had come."""
    spooled: mmap.mmap | None = None
    """The whole body where it is too large for memory."""
    named: str | None = None
    """The model, where a surface found it elsewhere than in JSON or the path."""
    _parsed: Any = None
    _read: bool = False
    _form: list[FormPart] | None = None

    @property
    def content(self) -> bytes | mmap.mmap:
        """The whole body, however large."""
        return self.body if self.spooled is None else self.spooled

    @property
    def is_form(self) -> bool:
        """Whether it is a form, with files in it."""
        return self.headers.get("content-type", "").lower().startswith("multipart/")

    def close(self) -> None:
        """Let go of a body that is kept on disk."""
        self.spooled = None

    @property
    def parameters(self) -> dict[str, str]:
        """The query, parsed."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body parsed as JSON; None where it is none."""
        if not self._read:
            self._read = True
            try:
                whole = b"" if self.is_form else bytes(self.content[:])
                self._parsed = from_json(whole) if whole else None
            except ValueError:
                self._parsed = None
        return self._parsed

    @property
    def form(self) -> list[FormPart]:
        """The parts of a body that is a form, in their order.

        Raises:
            ValueError: It is none, or one that is cut off; the text says which.
        """
        if self._form is None:
            self._form = read_form(self.content, self.headers.get("content-type", ""))
        return self._form

    def data_of(self, part: FormPart) -> bytes:
        """Return the data of a part of the form."""
        return self.content[part.start : part.end]

    @property
    def model(self) -> str | None:
        """The model or deployment named: in the body, or in the path."""
        if self.named is not None:
            return self.named
        name = self._model_in_form() if self.is_form else (to_object(self.json) or {}).get("model")
        if isinstance(name, str):
            return name
        before, found, after = self.path.partition("/deployments/")
        return after.split("/")[0] if found and before.startswith("/openai") else None

    def _model_in_form(self) -> str | None:
        try:
            said = [self.data_of(part) for part in self.form if part.name == "model"]
        except ValueError:
            return None
        return said[0].decode("utf-8", "replace") if said else None


def bearer(request: Request) -> str | None:
    """Return the token in the Authorization header, or None; the scheme's case does not matter."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this long; None: until released or the client leaves."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a TCP reset."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with a TCP FIN in the middle of a body, after these bytes of it."""

    partial: bytes = b""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What goes wrong with one turn on a WebSocket."""

    kind: Literal[
        "close", "reset", "finish", "freeze", "stall", "slow", "noise", "lose", "leave", "repeat",
        "swap", "expire", "mishear", "fail",
    ]  # fmt: skip
    after: int | None = None
    """How many frames of content come first; None: not even the first message of the turn."""
    received: int | None = None
    """Strikes with this message of the client instead."""
    after_ms: float | None = None
    """Strikes at this time of the turn instead."""
    at: str | None = None
    """Strikes before the message of this name instead."""
    code: int = 1011
    reason: str = ""
    seconds: float | None = None
    frames: int = 1


Step: TypeAlias = bytes | Pause | Reset | Close


@dataclass(slots=True, kw_only=True)
class Answer:
    """What goes back: the whole body in one piece, or a stream in many."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    pieces: list[bytes] = field(default_factory=list[bytes])
    """The body. Of an event stream, each piece is one event and is written on its own."""
    stream: bool = False
    """Whether this is an event stream."""
    tokens: int = 0
    """How long the model would take to write it, at so many tokens a second."""
    steps: Iterable[Step] | None = None
    """What really happens, where a fault says so; else the pieces are written as they are."""
    chunked: bool | None = None
    """Whether the body goes without its length; None: only streams do."""
    trouble: Trouble | None = None
    """What befalls a turn on a WebSocket."""
    fault: str | None = None
    """The fault that was applied, for the journal."""

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)


def json_answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, tokens: int = 0
) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        pieces=[to_json(value)],
        tokens=tokens,
    )


def text_answer(
    text: str,
    *,
    status: int = 200,
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return an answer with a plain body, and no content type unless one is given."""
    kind = {"content-type": content_type} if content_type else {}
    return Answer(status=status, headers={**kind, **(headers or {})}, pieces=[text.encode()])


def stream_answer(
    pieces: list[bytes], *, headers: Mapping[str, str] | None = None, tokens: int = 0
) -> Answer:
    """Return an event stream of events already encoded."""
    return Answer(
        headers={"content-type": "text/event-stream; charset=utf-8", **(headers or {})},
        pieces=pieces,
        stream=True,
        tokens=tokens,
    )
