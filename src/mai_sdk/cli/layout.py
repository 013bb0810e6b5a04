"""Text laid out for a terminal: tables and wrapping. No I/O."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Flow", "clip", "lay_out", "paragraph", "span"]

_GAP: Final = "  "


def clip(text: str, width: int) -> str:
    """Return `text` on one line of at most `width` characters, cut with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1].rstrip()}…"


def paragraph(text: str, *, width: int, indent: str = "", hanging: str | None = None) -> str:
    """Return `text` wrapped; lines after the first begin with `hanging` (`indent` if None)."""
    later = indent if hanging is None else hanging
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def lay_out(rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """Return the rows with their cells in columns; those in `right` stand at the right."""
    table = [list(row) for row in rows]
    flush = set(right)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        _GAP.join(
            cell.rjust(width) if place in flush else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def span(seconds: float | None) -> str:
    """Return a time for a reader: "3 ms", "0.42 s", "?"."""
    if seconds is None:
        return "?"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


class Flow:
    """Wraps text that comes in pieces: feed a piece, get what can be printed now.

    A word waits until it is complete, because only then is it known on which line it stands.
    Line breaks and the indentation after them are kept.
    """

    def __init__(self, *, width: int, indent: str = "") -> None:
        self._room = width - len(indent)
        self._indent = indent
        self._column = 0
        self._word = ""
        self._spaces = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """Return what `text` completes, wrapped."""
        out = ""
        for character in text:
            if character in " \t":
                out += self._place()
                self._spaces += " "
            elif character == "\n":
                out += self._place() + "\n"
                self._column, self._spaces, self._begun = 0, "", False
            else:
                self._word += character
                if len(self._word) >= self._room:
                    out += self._place()
        return out

    def end(self) -> str:
        """Return the last word."""
        return self._place()

    def _place(self) -> str:
        word, self._word = self._word, ""
        if not word:
            return ""
        out, spaces, self._spaces = "", self._spaces, ""
        if self._begun and self._column + len(spaces) + len(word) > self._room:
            out, spaces, self._column, self._begun = "\n", "", 0, False
        if not self._begun:
            out += self._indent
            spaces = spaces[: max(0, self._room - len(word))]
        self._begun = True
        self._column += len(spaces) + len(word)
        return out + spaces + word
