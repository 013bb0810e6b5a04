"""Thoughts and answer in one text: `<think>` tags, and the closing tag alone. No I/O.

Some routes write the thoughts into the content: `<think>...</think>` at its very start (the Model
Inference route), or, where the prompt's template already opened the block, only the closing tag
(vLLM started without `--reasoning-parser`). An opening tag further on is ordinary text, so that an
answer may write about tags.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["LINE_ENDS", "ThoughtSplitter", "split_thoughts"]

LINE_ENDS = "\r\n"
"""What is cut from the start of an answer that follows thoughts."""

_OPEN = "<think>"
_CLOSE = "</think>"
_MAX_BLANKS = 64
"""How much white space may stand before the opening tag."""


class ThoughtSplitter:
    """Sorts text, cut anywhere (inside a tag, too), into thoughts and answer.

    Thoughts are kept to the letter; line ends between `</think>` and the answer are dropped.

    With `lone`, a closing tag without an opening one also ends the thoughts. Text before it was
    given out as answer by then and cannot be called back: whoever needs the truth reads the whole
    text once more with `split_thoughts`.
    """

    __slots__ = ("_held", "_lone", "_place")

    def __init__(self, *, lone: bool) -> None:
        self._lone = lone
        self._held = ""
        self._place: Literal["start", "thoughts", "watching", "after", "answer"] = "start"

    def feed(self, piece: str) -> tuple[str, str]:
        """Return the next (thoughts, answer); either may be empty."""
        if self._place == "answer":
            return "", piece
        if self._held:
            piece, self._held = self._held + piece, ""
        elif "<" not in piece and self._place in {"thoughts", "watching"}:
            return (piece, "") if self._place == "thoughts" else ("", piece)
        if self._place == "start":
            piece = self._begin(piece)
        thoughts = ""
        if self._place in {"thoughts", "watching"}:
            head, tag, tail = piece.partition(_CLOSE)
            if not tag:
                return self._hold(piece)
            self._place = "after"
            thoughts, piece = head, tail
        if self._place == "after":
            piece = piece.lstrip(LINE_ENDS)
            if piece:
                self._place = "answer"
        return thoughts, piece

    @property
    def is_done(self) -> bool:
        """Whether all further text is answer, tags or not."""
        return self._place == "answer"

    def close(self) -> tuple[str, str]:
        """Return what was held back as a possible tag and turned out to be none."""
        held, self._held = self._held, ""
        return (held, "") if self._place == "thoughts" else ("", held)

    def _begin(self, piece: str) -> str:
        text = piece.lstrip()
        blanks = len(piece) - len(text)
        if blanks <= _MAX_BLANKS:
            if text.startswith(_OPEN):
                self._place = "thoughts"
                return text[len(_OPEN) :]
            if _OPEN.startswith(text):
                self._held = piece
                return ""
        self._place = "watching" if self._lone else "answer"
        return piece

    def _hold(self, piece: str) -> tuple[str, str]:
        keep = 0
        if "<" in piece[-len(_CLOSE) :]:
            keep = next(
                (size for size in range(len(_CLOSE) - 1, 0, -1) if piece.endswith(_CLOSE[:size])), 0
            )
        if keep:
            piece, self._held = piece[:-keep], piece[-keep:]
        return (piece, "") if self._place == "thoughts" else ("", piece)


def split_thoughts(text: str, *, lone: bool) -> tuple[str | None, str]:
    """Return (thoughts, answer) of a whole text; thoughts are None where there is no tag."""
    splitter = ThoughtSplitter(lone=lone)
    thoughts, answer = splitter.feed(text)
    more_thoughts, more_answer = splitter.close()
    return (thoughts + more_thoughts) or None, answer + more_answer
