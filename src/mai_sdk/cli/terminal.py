"""What a terminal can show: colour, width, and text that cannot take it over."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final, TextIO

from mai_sdk.cli.layout import paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ink", "columns", "complain", "fitted", "ink_for", "safe"]

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_CONTROLS: Final = {
    code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


class Ink:
    """Colours text, or leaves it as it is."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        """Whether it colours at all."""

    def paint(self, text: str, *styles: str) -> str:
        """Return `text` in those styles: bold, dim, red, green, yellow."""
        if not self.on or not styles or not text:
            return text
        return f"\033[{';'.join(_CODES[style] for style in styles)}m{text}\033[0m"


def ink_for(stream: TextIO, environ: Mapping[str, str] | None = None) -> Ink:
    """Return the ink for a stream: colour on a terminal only, and not if NO_COLOR is set."""
    env = os.environ if environ is None else environ
    plain = env.get("NO_COLOR") or env.get("TERM") == "dumb"
    return Ink(on=stream.isatty() and not plain)


def columns(*, most: int = 120) -> int:
    """Return how wide a table may be: the terminal, COLUMNS, or 80; at most `most`."""
    return min(shutil.get_terminal_size((80, 24)).columns, most)


def safe(text: str, stream: TextIO) -> str:
    """Return `text` for `stream`; on a terminal without control characters.

    What a model writes is not trusted to move the cursor or to retitle the window. A pipe or a
    file gets it untouched.
    """
    return text.translate(_CONTROLS) if stream.isatty() else text


def fitted(text: str, stream: TextIO, *, hanging: str = "") -> str:
    """Return one line for `stream`: on a terminal safe and wrapped to its width, up to 120.

    A pipe or a file gets it as it is, so that a line stays one for whatever reads it.
    """
    if not stream.isatty():
        return text
    lines = safe(text, stream).splitlines()
    return "\n".join(paragraph(line, width=columns(), hanging=hanging) for line in lines)


def complain(text: str) -> None:
    """Say on stderr what went wrong."""
    sys.stderr.write(fitted(f"mai: {text}", sys.stderr, hanging=" " * 5) + "\n")
