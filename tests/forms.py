"""The parts of a form that was sent, with their data."""

from typing import NamedTuple

from mai_sdk.emulator.uploads import read_form


class Sent(NamedTuple):
    """One part."""

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


def parts_of(entry) -> list[Sent]:
    """Return the parts of a request in the journal, in their order."""
    return [
        Sent(part.name, part.filename, part.content_type, entry.body[part.start : part.end])
        for part in read_form(entry.body, entry.headers["content-type"])
    ]
