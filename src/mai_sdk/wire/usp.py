"""The framing of Microsoft's speech WebSockets (USP): messages out of frames, and back. Pure.

A text frame is header lines, a blank line and a body. A binary frame is a length in two bytes
(big-endian), that many bytes of header lines, and the payload. Clients write "Name:Value" or
"Name: value", in any case; the official JavaScript client reads the length as a signed number, so
headers stay below 32 KiB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SUBPROTOCOL", "Malformed", "Message", "config_body", "decode", "encode", "timestamp"]

SUBPROTOCOL: Final = "USP"
_NEW_LINE: Final = "\r\n"
_LONGEST_HEADERS: Final = 0x7FFF
_NO_HEADERS: Final[Mapping[str, str]] = {}


class Malformed(ValueError):
    """A frame that is no message of this protocol, or a message that cannot be written as one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; text travels in a text frame, bytes in a binary one."""

    path: str
    body: str | bytes = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """All but the path; as written where it is to be sent, in lower case where it was read."""

    @property
    def request_id(self) -> str | None:
        """The turn it belongs to; None where it says nothing, as for a whole connection."""
        return self.headers.get("x-requestid")

    @property
    def stream_id(self) -> str | None:
        """The stream of audio it belongs to."""
        return self.headers.get("x-streamid")

    @property
    def json(self) -> Any:
        """The body parsed as JSON; None where it is none."""
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError:
            return None


def timestamp(seconds: float) -> str:
    """Return a time since 1970 as the `X-Timestamp` header has it, in UTC to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def config_body(*, name: str, version: str, platform: str) -> str:
    """Return the body of `speech.config`: who is calling, and nothing of the machine's names."""
    return to_json({
        "context": {
            "system": {"version": version, "name": name, "build": "Python", "lang": "Python"},
            "os": {"platform": platform, "name": platform, "version": ""},
        }
    }).decode()  # fmt: skip


def encode(message: Message, *, at: str | None = None) -> str | bytes:
    """Return the frame of `message`, in the order of headers the official client has.

    Args:
        message: What is said.
        at: The time to say with it, from `timestamp`.

    Raises:
        Malformed: A header could not be read back, or the headers of a binary frame are too long.
    """
    said = {} if at is None else {"X-Timestamp": at}
    said |= {"Path": message.path, **message.headers}
    for name, value in said.items():
        if not _fits(name, value):
            raise Malformed("a header has a line break, an outer space, or no name")
    head = "".join(f"{name}:{value}{_NEW_LINE}" for name, value in said.items())
    if isinstance(message.body, str):
        return f"{head}{_NEW_LINE}{message.body}"
    raw = head.encode()
    if len(raw) > _LONGEST_HEADERS:
        raise Malformed("the headers of a binary frame are longer than 32 KiB")
    return len(raw).to_bytes(2, "big") + raw + message.body


def decode(frame: str | bytes) -> Message:
    """Return the message in a frame; lines without a colon are passed over.

    Raises:
        Malformed: It names no path, or is shorter than its headers.
    """
    body: str | bytes
    if isinstance(frame, str):
        head, _, body = frame.partition(_NEW_LINE * 2)
    else:
        size = int.from_bytes(frame[:2], "big")
        if len(frame) < 2 + size or len(frame) < 2:
            raise Malformed("a binary frame is shorter than its headers")
        head, body = frame[2 : 2 + size].decode("utf-8", "replace"), frame[2 + size :]
    headers: dict[str, str] = {}
    for line in head.split(_NEW_LINE):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    path = headers.pop("path", "")
    if not path:
        raise Malformed("a frame names no path")
    return Message(path, body, headers or _NO_HEADERS)


def _fits(name: str, value: str) -> bool:
    plain = name == name.strip() and value == value.strip() and name and ":" not in name
    return bool(plain) and not any(mark in text for mark in "\r\n" for text in (name, value))
