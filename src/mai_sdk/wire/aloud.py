"""What of a model's text is read aloud: sentence by sentence, without its markup. Pure.

A listener wants the first words soon, so the first piece may end at a clause. Code between fences
is not read out at all; of a link its text is, and of a bare address the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from mai_sdk.wire.sentences import first_clause, whole_sentences

__all__ = ["Aloud", "Sentence", "aloud"]

_FENCE: Final = "```"
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}\)")
_ADDRESS: Final = re.compile(r"https?://(?:www\.)?([\w.-]+)[^\s)>\]]*")
_RULE: Final = re.compile(r"^[ \t]*[-*_=|:][-*_=|: \t]{2,}$", re.MULTILINE)
_LINE: Final = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|\|[ \t]*)", re.MULTILINE)
_MARK: Final = re.compile(r"[*~]{1,3}(?=\S)|(?<=\S)[*~]{1,3}|`+|(?<!\w)_{1,3}(?=\S)|_{1,3}(?!\w)")
_EDGE: Final = re.compile(r"[ \t]*\|[ \t]*$", re.MULTILINE)
_CELL: Final = re.compile(r"[ \t]*\|[ \t]*(?=\S)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One piece of an answer, to be said at once."""

    written: str = field(repr=False)
    """As the model wrote it; all pieces joined are the answer."""
    aloud: str = field(repr=False)
    """As it is said; empty where there is nothing to say."""


class Aloud:
    """The text of one answer, while it is written."""

    def __init__(self) -> None:
        self._rest = ""
        self._has_begun = False

    def feed(self, text: str) -> list[Sentence]:
        """Return the sentences that are whole with this."""
        self._rest += text
        found: list[Sentence] = []
        while end := self._end():
            found.append(self._take(end))
        return found

    def finish(self) -> list[Sentence]:
        """Return what is left: nothing more comes."""
        return [self._take(len(self._rest))] if self._rest else []

    def _end(self) -> int:
        """Return where the next piece ends; 0 if that is not known yet."""
        fence = self._rest.find(_FENCE)
        if fence < 0:
            end = whole_sentences(self._rest)
            return end or (0 if self._has_begun else first_clause(self._rest))
        if self._rest[:fence].strip():
            return fence
        closing = self._rest.find(_FENCE, fence + len(_FENCE))
        return 0 if closing < 0 else closing + len(_FENCE)

    def _take(self, end: int) -> Sentence:
        written, self._rest = self._rest[:end], self._rest[end:]
        said = "" if written.lstrip().startswith(_FENCE) else aloud(written)
        self._has_begun = self._has_begun or bool(said)
        return Sentence(written, said)


def aloud(text: str) -> str:
    """Return the text without its markup; empty where nothing of it can be said."""
    text = _ADDRESS.sub(r"\1", _LINK.sub(r"\1", text))
    text = _CELL.sub(", ", _EDGE.sub("", _LINE.sub("", _RULE.sub("", text))))
    said = _MARK.sub("", text).strip()
    return said if any(map(str.isalnum, said)) else ""
