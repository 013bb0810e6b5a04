"""Which words of an answer are heard in which milliseconds of its voice. Pure.

The mouth says one piece after the other, so a piece that was heard to its end was heard whole. In
the piece that was cut, words are taken to be spread evenly over its time; one that was begun does
not count. While a piece is still being made its length is not known, so it is taken to be at least
as long as such a text usually takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from mai_sdk.session.history import heard_part
from mai_sdk.wire.sentences import spoken_seconds

__all__ = ["Spoken"]

_TOLERANCE_MS = 1.0


@dataclass(slots=True)
class _Piece:
    written: str
    expected_ms: float
    ms: float = 0.0
    is_whole: bool = False


class Spoken:
    """The pieces of one answer, in the order they are said."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []

    def add(self, written: str, *, aloud: str) -> int:
        """Note the next piece, and return its number; one with nothing to say takes no time."""
        self._pieces.append(_Piece(written, spoken_seconds(aloud) * 1000, is_whole=not aloud))
        return len(self._pieces) - 1

    def audio(self, number: int, ms: float) -> None:
        """Note that so much more of the piece's voice came."""
        self._pieces[number].ms += ms

    def whole(self, number: int) -> None:
        """Note that all of the piece's voice came."""
        self._pieces[number].is_whole = True

    def heard(self, ms: float) -> str:
        """Return what was said in the first `ms` of the voice, as it is written."""
        text, silent = "", ""
        for piece in self._pieces:
            if not piece.ms and piece.is_whole:
                silent += piece.written  # heard, so to speak, if what follows it was
                continue
            if ms <= 0:
                break
            text, silent = text + silent, ""
            length = piece.ms if piece.is_whole else max(piece.ms, piece.expected_ms)
            if not piece.is_whole or ms + _TOLERANCE_MS < length:
                share = min(ms, piece.ms) / max(length, _TOLERANCE_MS)
                return (text + heard_part(piece.written, share)).rstrip()
            text, ms = text + piece.written, ms - length
        return text.rstrip()
