"""A long text cut into pieces that one request can say, between sentences where it can be. Pure.

The service stops after ten minutes of audio without a word, so the pieces are kept well below, by
an estimate that is meant to be too high.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["first_clause", "split_text", "spoken_seconds"]

_IDEOGRAPH: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_SYLLABLE: Final = re.compile("[\u3040-\u30ff\uac00-\ud7a3]")
_DIGIT: Final = re.compile(r"\d")
# Seconds a character. Ordinary speech has 14 to 16 Latin letters a second, 4 to 5 ideographs, and
# 6 to 8 kana or hangul; digits and signs are read out as words.
_LETTER, _SLOW, _SYLLABIC, _READ_OUT = 0.08, 0.3, 0.2, 0.35

_PATIENCE: Final = 800
"""Characters without the end of a sentence: about a minute, and in practice no sentence at all."""
_ABBREVIATIONS: Final = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms dr prof sr jr st mt vs etc eg ie no nr ca cf fig vol pp ed al inc ltd co corp "
        "gen col sgt capt lt rev hon dept est approx bzw usw evtl ggf vgl bspw mme mlle sra dra "
        "jan feb mar apr jun jul aug sep sept oct nov dec",
    )
)
_CLOSING: Final = "\"'”’»)\\]」』】）》"
_SENTENCE: Final = re.compile(
    rf"(?P<dot>\.)[{_CLOSING}]*(?=\s)|[!?…؟।॥։]+[{_CLOSING}]*(?=\s)|[。！？｡．؟]+[{_CLOSING}]*|\n+"
)
_CLAUSE: Final = re.compile(rf"[,;:—–،؛][{_CLOSING}]*(?=\s)|[，、；：]")
_SPACE: Final = re.compile(r"\s+")
_LETTERS: Final = re.compile(r"(?:[^\W\d]\.)*[^\W\d]")
"""An initial, or several: "J", "e.g", "z.B"."""
_LAST_WORD: Final = re.compile(r"[\w.]*$")


def spoken_seconds(text: str) -> float:
    """Return about how long the text takes to say at the ordinary rate; rather too long."""
    slow, syllabic = len(_IDEOGRAPH.findall(text)), len(_SYLLABLE.findall(text))
    digits = len(_DIGIT.findall(text))
    rest = len(text) - slow - syllabic - digits
    return slow * _SLOW + syllabic * _SYLLABIC + digits * _READ_OUT + rest * _LETTER


def split_text(text: str, *, max_seconds: float, max_bytes: int) -> list[str]:
    """Return the text in pieces, each within both limits; joined, they are the text.

    Cut after sentences; where one is too long, after a clause, then between words, then anywhere
    but inside what a reader sees as one character. Punctuation alone is no piece of its own.

    Args:
        text: What will be said.
        max_seconds: The most a piece may take to say, by `spoken_seconds`.
        max_bytes: The most bytes a piece may have as escaped UTF-8.
    """
    pieces: list[str] = []
    begin = 0
    while begin < len(text):
        end = _reach(text, begin, max_seconds, max_bytes)
        if end < len(text):
            end = _last_break(text, begin, end)
        piece = text[begin:end]
        if pieces and not any(char.isalnum() for char in piece):
            pieces[-1] += piece
        else:
            pieces.append(piece)
        begin = end
    return pieces


def whole_sentences(text: str) -> int:
    """Return where the last sentence ends that is surely whole; 0 if none is.

    Of text that is still being written: the spaces that follow show that a sentence is over. Text
    that goes on without an end is cut after a minute's worth, so that it is heard, and looked
    through, in pieces.
    """
    last = 0
    for found in _SENTENCE.finditer(text):
        if _is_end(text, found):
            last = found.end()
    while 0 < last < len(text) and text[last].isspace():
        last += 1
    if not last and len(text) > _PATIENCE:
        return _last_break(text, 0, len(text) - 1)
    return last if last in (0, len(text)) or _may_cut(text, last) else 0


def first_clause(text: str, *, at_least: int = 24) -> int:
    """Return where the first clause ends that is long enough to be said alone; 0 if none is whole.

    For the beginning of an answer, whose first words are waited for.
    """
    for found in _CLAUSE.finditer(text):
        end = found.end()
        while end < len(text) and text[end].isspace():
            end += 1
        if end >= at_least and end < len(text) and _may_cut(text, end):
            return end
    return 0


def _reach(text: str, begin: int, max_seconds: float, max_bytes: int) -> int:
    """Return the place up to which both limits hold, at least one character on."""
    low, high = begin + 1, min(len(text), begin + max(int(max_seconds / _LETTER), 1))
    while low < high:
        middle = (low + high + 1) // 2
        piece = text[begin:middle]
        if spoken_seconds(piece) <= max_seconds and _bytes(piece) <= max_bytes:
            low = middle
        else:
            high = middle - 1
    return low


def _bytes(text: str) -> int:
    escaped = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return len(text.encode("utf-8", "surrogatepass")) + escaped


def _last_break(text: str, begin: int, end: int) -> int:
    """Return the best place to cut in the later three quarters of what would fit."""
    enough = begin + (end - begin) // 4
    for pattern in (_SENTENCE, _CLAUSE, _SPACE):
        last = 0
        for found in pattern.finditer(text, begin, end):
            if pattern is not _SENTENCE or _is_end(text, found):
                last = found.end()
        # The spaces after it belong to the piece that ends.
        while begin < last < end and text[last].isspace():
            last += 1
        if last > enough and _may_cut(text, last):
            return last
    at = end
    while at > begin and not _may_cut(text, at):
        at -= 1
    return at if at > begin else end


def _is_end(text: str, found: re.Match[str]) -> bool:
    """Whether a full stop ends a sentence, and not an abbreviation or an initial."""
    if found["dot"] is None:
        return True
    before = _LAST_WORD.search(text, max(found.start() - 24, 0), found.start())
    word = before[0].casefold() if before else ""
    if word in _ABBREVIATIONS or _LETTERS.fullmatch(word):
        return False
    following = text[found.end() : found.end() + 24].lstrip()[:1]
    return not following.islower()


def _may_cut(text: str, at: int) -> bool:
    """Whether two characters are apart to a reader: no accent, joiner, modifier or pair is cut."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or after in "\u200d\u200c\ufe0f":
        return False
    if before == "\u200d" or (before == "\r" and after == "\n"):
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return False
    if "\u1160" <= after <= "\u11ff":
        return False
    return not (_is_flag(before) and _is_flag(after) and _flags_before(text, at) % 2)


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    begin = at
    while begin > 0 and _is_flag(text[begin - 1]):
        begin -= 1
    return at - begin
