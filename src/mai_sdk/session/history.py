"""What was said in a session, so that another connection can be told. Pure.

A connection that ends takes the conversation with it. What can be told again is text: what the user
said as it was heard, what the agent said as far as it was listened to, functions and their results.
"""

from __future__ import annotations

from dataclasses import dataclass

from mai_sdk.wire.live_parts import ContentPart, Item

__all__ = ["History", "Line", "heard_part"]

_FIRST_UNSPACED = "\u2e80"
"""From here on, near enough, Unicode has the scripts of East Asia."""


@dataclass(slots=True, eq=False)
class Line:
    """One item of the conversation."""

    kind: str
    """"user", "agent", "call" or "result"."""
    item_id: str | None = None
    text: str | None = None
    """None while it is not known."""
    call_id: str | None = None
    name: str | None = None

    def item(self) -> Item | None:
        """Return it as the service is told; None where there is nothing to tell."""
        if self.kind == "call":
            return Item(
                type="function_call", call_id=self.call_id, name=self.name, arguments=self.text
            )
        if self.kind == "result":
            return Item(type="function_call_output", call_id=self.call_id, output=self.text)
        if not self.text:
            return None
        if self.kind == "user":
            content = ContentPart(type="input_text", text=self.text)
            return Item(type="message", role="user", content=(content,))
        return Item(
            type="message", role="assistant", content=(ContentPart(type="text", text=self.text),)
        )


class History:
    """The last items of the conversation, in order."""

    def __init__(self, *, limit: int = 256) -> None:
        self._limit = limit
        self._lines: list[Line] = []
        self._by_id: dict[str, Line] = {}

    def add(self, line: Line) -> Line:
        """Put a line last; the oldest one goes where there are too many."""
        if line.item_id is not None:
            known = self._by_id.get(line.item_id)
            if known is not None:
                return known
            self._by_id[line.item_id] = line
        self._lines.append(line)
        if len(self._lines) > self._limit:
            oldest = self._lines.pop(0)
            if oldest.item_id is not None:
                self._by_id.pop(oldest.item_id, None)
        return line

    @property
    def lines(self) -> tuple[Line, ...]:
        """All there is, oldest first."""
        return tuple(self._lines)

    def find(self, item_id: str | None) -> Line | None:
        """Return the line of that item."""
        return None if item_id is None else self._by_id.get(item_id)

    def forget(self, item_id: str) -> None:
        """Take an item out."""
        line = self._by_id.pop(item_id, None)
        if line is not None:
            self._lines.remove(line)

    def heard(self, item_id: str, share: float) -> None:
        """Note that only so much of what the agent said was listened to: its text is cut there."""
        line = self._by_id.get(item_id)
        if line is not None and line.text is not None and share < 1:
            line.text = heard_part(line.text, share)

    def texts(self) -> list[str]:
        """Return all that was said, written, passed and returned."""
        return [line.text for line in self._lines if line.text]

    def items(self) -> list[Item]:
        """Return what another connection is told: no result without its call."""
        called = {line.call_id for line in self._lines if line.kind == "call"}
        told = [line for line in self._lines if line.kind != "result" or line.call_id in called]
        return [item for line in told if (item := line.item()) is not None]


def heard_part(text: str, share: float) -> str:
    """Return so much of the text as was listened to, by its share of the time: whole words.

    Scripts written without spaces are cut between any two of their characters.
    """
    end = len(text) if share >= 1 else int(len(text) * max(share, 0.0))
    while 0 < end < len(text) and not _may_end(text, end):
        end -= 1
    return text[:end].rstrip()


def _may_end(text: str, at: int) -> bool:
    return text[at].isspace() or text[at - 1].isspace() or text[at] >= _FIRST_UNSPACED
