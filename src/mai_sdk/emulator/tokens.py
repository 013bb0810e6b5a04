"""The emulator's own tokens: a plain rule that is the same on every machine and every run.

Not the vocabulary of any MAI model. One piece is a special token, up to eight letters or three
digits with the space before them, or any other single character; the pieces of a text, put
together, are the text again. Usage and `/tokenize` count by this one rule, so they agree.
"""

from __future__ import annotations

import re
from binascii import crc32
from functools import lru_cache

__all__ = [
    "ASSISTANT", "BOS", "EOS", "SPECIAL", "THINK_CLOSE", "THINK_OPEN", "USER", "count", "split",
    "token_id", "visible",
]  # fmt: skip

BOS = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"
EOS = "<\uff5cend\u2581of\u2581sentence\uff5c>"
USER = "<\uff5cUser\uff5c>"
ASSISTANT = "<\uff5cAssistant\uff5c>"
THINK_OPEN = "<think>"
THINK_CLOSE = "</think>"

SPECIAL = {BOS: 0, EOS: 1, USER: 3, ASSISTANT: 4, THINK_OPEN: 5, THINK_CLOSE: 6, "\n": 205}
"""The pieces with a number of their own, as in the recordings."""

_PIECE = re.compile(
    "<\uff5c[^<>\uff5c]{1,40}\uff5c>|</?think>| ?[^\\W\\d_]{1,8}| ?\\d{1,3}| ?[^\\w\\s]|.",
    re.DOTALL,
)
_FIRST_WORD = 1_000
_WORDS = 127_000


def split(text: str) -> list[str]:
    """Return the pieces of the text; joined, they are the text again."""
    return _PIECE.findall(text)


@lru_cache(maxsize=4096)
def count(text: str) -> int:
    """Return how many tokens the text is."""
    return len(split(text))


def token_id(piece: str) -> int:
    """Return the piece's number: low for special tokens and single characters, else a hash."""
    known = SPECIAL.get(piece)
    if known is not None:
        return known
    if len(piece) == 1 and "!" <= piece <= "~":
        return ord(piece) - 26
    return _FIRST_WORD + crc32(piece.encode("utf-8", "surrogatepass")) % _WORDS


def visible(piece: str) -> str:
    """Return the piece as byte-level vocabularies print it: space and line break made visible."""
    return piece.replace(" ", "\u0120").replace("\n", "\u010a")
