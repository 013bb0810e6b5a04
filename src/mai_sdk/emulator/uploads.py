"""multipart/form-data as it arrives, read where it lies: a part is a place, not a copy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import mmap

__all__ = ["FormPart", "read_form"]

_BREAK: Final = b"\r\n\r\n"
_MOST_HEAD: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """One field of a form."""

    name: str
    filename: str | None
    content_type: str | None
    """None where it sends none, as Microsoft's own clients do."""
    start: int
    end: int
    """Where its data begins and ends in the body."""


def read_form(body: bytes | mmap.mmap, content_type: str) -> list[FormPart]:
    """Return the parts in their order.

    Raises:
        ValueError: It is no form, or one that is cut off; the text says which.
    """
    kind = _header("content-type", content_type)
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise ValueError("the body is not multipart/form-data with a boundary")
    mark = b"--" + boundary.encode()
    parts: list[FormPart] = []
    at = body.find(mark)
    if at < 0:
        raise ValueError("the boundary of the form is not in the body")
    while body[at + len(mark) : at + len(mark) + 2] != b"--":
        begin = at + len(mark) + 2
        head = body.find(_BREAK, begin, begin + _MOST_HEAD)
        following = body.find(b"\r\n" + mark, begin if head < 0 else head + 2)
        if head < 0 or following < 0:
            raise ValueError("the form is cut off")
        parts.append(_part(body[begin:head], start=head + len(_BREAK), end=following))
        at = following + 2
    return parts


def _part(head: bytes, *, start: int, end: int) -> FormPart:
    said = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        said[name.strip()] = value.strip()
    field = _quoted(said, "name")
    if field is None:
        raise ValueError("a part of the form has no name")
    return FormPart(
        name=field,
        filename=_quoted(said, "filename"),
        content_type=said["content-type"],
        start=start,
        end=max(end, start),
    )


def _quoted(said: Message, name: str) -> str | None:
    found = re.search(rf'(?:^|[;\s]){name}="([^"]*)"', said.get("content-disposition", ""))
    return found[1] if found else None


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message
