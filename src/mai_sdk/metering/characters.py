"""How many characters a spoken request is billed for. Pure.

The service reports no usage for speech, so its published rule is applied to what is sent:

- the text of `<voice>` elements, and all markup in it, as it is written; `<speak>` and `<voice>`
  tags themselves, and what stands outside of voices, are not billed;
- punctuation, spaces and line breaks count; every code point is one character;
- a Chinese character is two, also as Japanese kanji or Korean hanja. Kana and hangul are one.

Sources: learn.microsoft.com, speech-service/text-to-speech, "Billable characters" (as of 2026-11
in public copies); commit 3552f79 of its text for kanji and hanja. A bill that was published
(learn.microsoft.com/answers/questions/5493673, 2025-07: 480 characters) comes out to the character.
Not said anywhere: whether `&amp;` is one character or five. It is counted as it is written.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["billed_characters", "count_characters"]

_TWICE: Final = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U000323af]"
)
"""The ideographs of Unicode 16: the unified ones, their extensions and the compatibility forms."""

_VOICE: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(<(/?)(?:[\w.-]+:)?voice(?=[\s/>])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)",
    re.DOTALL,
)


def count_characters(text: str) -> int:
    """Return how many characters that much text, or markup as it is written, counts as."""
    return len(text) + len(_TWICE.findall(text))


def billed_characters(document: str) -> int:
    """Return how many characters of a well-formed SSML document are billed."""
    total, depth, begin = 0, 0, 0
    for found in _VOICE.finditer(document):
        tag = found[1]
        if tag is None:
            continue
        if depth:
            total += count_characters(document[begin : found.start()])
        if found[2]:
            depth -= 1
        elif not tag.endswith("/>"):
            depth += 1
        begin = found.end()
    return total
