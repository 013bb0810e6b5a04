"""multipart/form-data, read with the standard library's e-mail parser. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP

__all__ = ["Field", "read_form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One part of a form."""

    name: str
    filename: str | None
    """None for a field that is no file."""
    content_type: str | None
    """As it was said; None if nothing was."""
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The data as text."""
        return self.data.decode("utf-8", "replace")


def read_form(content_type: str, body: bytes) -> list[Field] | None:
    """Return the parts in their order; None if the body is no such form."""
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        return None
    fields: list[Field] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            return None
        data = part.get_payload(decode=True)
        fields.append(
            Field(
                name=name,
                filename=part.get_filename(),
                content_type=part.get_content_type() if "content-type" in part else None,
                data=data if isinstance(data, bytes) else b"",
            )
        )
    return fields
