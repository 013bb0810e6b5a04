"""Samples to words. What the emulator spoke itself is heard exactly; for the rest it says so.

Speech is found again by its samples, so a piece cut out of it, or several utterances with silence
around them, give exactly the words that are in there. Any other audio goes to pocketsphinx where
that is installed, and else gets a text that says that nobody listened.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from mai_sdk.emulator.recogniser import recognise
from mai_sdk.wire.wav import read_wav

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.emulator.utterance import SpokenWord, Utterance

__all__ = ["NOBODY_LISTENED", "Ears", "Heard", "HeardWord"]

NOBODY_LISTENED: Final = (
    "This is not a transcript: the emulator knows only speech that it spoke itself, and this audio "
    "is not from it."
)
"""What audio of others is said to be, where no recogniser is installed."""

Pcm: TypeAlias = "bytes | bytearray | memoryview"

_ROOM: Final = 64 * 1024 * 1024
"""Bytes of speech that are remembered; the oldest is forgotten first."""
_ANCHORS: Final = (16_384, 2048, 128)
"""So many bytes are looked for, the most first: a tone repeats itself within a few milliseconds,
and a stretch that is longer than a sound stands in one place only."""
_BLOCK: Final = 64 * 1024
_CANDIDATES: Final = 64
"""A sound that is spoken often is found often; so many places are compared."""
_EFFORT: Final = 2 * 1024**3
"""Bytes that are searched in vain before audio counts as somebody else's."""
_QUIET: Final = 100
"""Samples no louder than this, of 32,767, are silence."""
_SOUND: Final = re.compile(rb"[^\x00]")
_SPACE: Final = re.compile(r"\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """One word with the punctuation that belongs to it."""

    text: str
    offset_ms: float
    """From the start of what was heard."""
    duration_ms: float
    text_offset: int
    """Its first character's place in `Heard.text`."""
    turn: int = 0
    """Of which utterance it is: 0 for the first that is heard, 1 for the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was in some audio."""

    text: str
    """Everything that was said; empty for silence."""
    words: tuple[HeardWord, ...]
    """Empty for silence, and where nobody listened."""
    duration_ms: float
    """Of the audio, silence included."""
    how: Literal["remembered", "recognised", "silence", "not_listened"]
    """Whether the words are exact (remembered), a recogniser's, or none."""


@dataclass(slots=True)
class _Match:
    """Where a stretch of what is heard stands in what was spoken, in bytes."""

    utterance: Utterance
    heard: int
    spoken: int
    length: int


@dataclass(slots=True)
class _Transcript:
    """Text and words, put together piece by piece."""

    text: str = ""
    words: list[HeardWord] = field(default_factory=list[HeardWord])


class Ears:
    """Hears. Safe from any thread."""

    def __init__(self) -> None:
        self._spoken: deque[Utterance] = deque()
        self._bytes = 0
        self._lock = Lock()

    def remember(self, utterance: Utterance) -> None:
        """Know this speech again when it, or a part of it, is heard."""
        with self._lock:
            self._spoken.append(utterance)
            self._bytes += len(utterance.pcm)
            while self._bytes > _ROOM and len(self._spoken) > 1:
                self._bytes -= len(self._spoken.popleft().pcm)

    def forget(self) -> None:
        """Forget everything that was spoken."""
        with self._lock:
            self._spoken.clear()
            self._bytes = 0

    def hear(self, pcm: Pcm, sample_rate: int) -> Heard:
        """Return what is said in `pcm`.

        Args:
            pcm: 16 bits, little-endian, one channel. Of a whole WAV file the header is read, and
                its sample rate counts.
            sample_rate: Samples a second.
        """
        if bytes(pcm[:4]) == b"RIFF":
            wav = read_wav(bytes(pcm))
            pcm, sample_rate = wav.samples, wav.sample_rate
        pcm = pcm[: len(pcm) - len(pcm) % 2]
        duration_ms = len(pcm) * 500 / sample_rate
        matches = list(self._matches(pcm, sample_rate))
        if matches:
            made = _Transcript()
            for turn, match in enumerate(matches):
                _add_words(made, match, duration_ms, turn)
            return Heard(
                text=made.text, words=tuple(made.words), duration_ms=duration_ms, how="remembered"
            )
        if _is_silence(pcm):
            return Heard(text="", words=(), duration_ms=duration_ms, how="silence")
        found = recognise(pcm, sample_rate)
        if found is None:
            return Heard(
                text=NOBODY_LISTENED, words=(), duration_ms=duration_ms, how="not_listened"
            )
        words: list[HeardWord] = []
        text = ""
        for word, offset_ms, length_ms in found:
            text += " " if text else ""
            words.append(
                HeardWord(
                    text=word, offset_ms=offset_ms, duration_ms=length_ms, text_offset=len(text)
                )
            )
            text += word
        return Heard(text=text, words=tuple(words), duration_ms=duration_ms, how="recognised")

    def _matches(self, pcm: Pcm, sample_rate: int) -> Iterator[_Match]:
        """Yield the stretches that are known, in order, none overlapping another."""
        with self._lock:
            known = [each for each in self._spoken if each.sample_rate == sample_rate]
        size = sum(len(each.pcm) for each in known)
        at, searched, stride = 0, 0, sample_rate // 20 * 2
        while known and searched < _EFFORT and (sound := _SOUND.search(pcm, at)):
            start = max(sound.start() - sound.start() % 2, at)
            match = _longest(known, pcm, start, floor=at)
            if match is None:
                searched += size * len(_ANCHORS)
                at = start + stride
                continue
            yield match
            at = match.heard + match.length


def _longest(known: list[Utterance], pcm: Pcm, start: int, *, floor: int) -> _Match | None:
    """Return the longest stretch around `start` that was spoken; None if none was."""
    best: _Match | None = None
    for size in _ANCHORS:
        anchor = bytes(pcm[start : start + size])
        for utterance in reversed(known):
            for place in _places(utterance.pcm, anchor):
                length = _common(utterance.pcm, place, pcm, start)
                if best is None or length > best.length:
                    best = _Match(utterance, start, place, length)
        if best is not None:
            break
    if best is None:
        return None
    back = 0  # the silence before the first sound belongs to it, too
    most = min(best.heard - floor, best.spoken)
    while back + 2 <= most and (
        pcm[best.heard - back - 2 : best.heard - back]
        == best.utterance.pcm[best.spoken - back - 2 : best.spoken - back]
    ):
        back += 2
    return _Match(best.utterance, best.heard - back, best.spoken - back, best.length + back)


def _places(spoken: bytes, anchor: bytes) -> Iterator[int]:
    """Yield where the anchor stands, on whole samples only."""
    at, found = spoken.find(anchor), 0
    while at >= 0 and found < _CANDIDATES:
        if at % 2 == 0:
            found += 1
            yield at
        at = spoken.find(anchor, at + 1)


def _common(spoken: bytes, place: int, pcm: Pcm, start: int) -> int:
    """Return how many bytes are the same from there on."""
    most = min(len(spoken) - place, len(pcm) - start)
    same = 0
    while same < most:
        size = min(_BLOCK, most - same)
        ours = bytes(pcm[start + same : start + same + size])
        theirs = spoken[place + same : place + same + size]
        if ours != theirs:
            first = next(i for i in range(size) if ours[i] != theirs[i])
            return same + first - first % 2
        same += size
    return same


def _add_words(made: _Transcript, match: _Match, duration_ms: float, turn: int) -> None:
    """Add the words whose middle lies in the match, so that a cut gives each to one side only."""
    rate = match.utterance.sample_rate
    begins = match.spoken * 500 / rate
    ends = (match.spoken + match.length) * 500 / rate
    shift = match.heard * 500 / rate - begins
    first = True
    for word, text, spaced in _shown(match.utterance):
        if not begins <= word.offset_ms + word.duration_ms / 2 < ends:
            continue
        made.text += " " if made.text and (spaced or first) else ""
        first = False
        offset = max(word.offset_ms + shift, 0.0)
        end = min(word.offset_ms + word.duration_ms + shift, duration_ms)
        made.words.append(
            HeardWord(
                text=text,
                offset_ms=offset,
                duration_ms=max(end - offset, 0.0),
                text_offset=len(made.text),
                turn=turn,
            )
        )
        made.text += text


def _shown(utterance: Utterance) -> Iterator[tuple[SpokenWord, str, bool]]:
    """Yield each word, its text with the marks that touch it, and whether a space is before it."""
    said = utterance.text
    words = [word for word in utterance.words if any(map(str.isalnum, word.text))]
    begin, spaced = 0, True
    for word, following in zip(words, [*words[1:], None], strict=True):
        end = word.text_offset + len(word.text)
        gap = said[end : len(said) if following is None else following.text_offset]
        space = _SPACE.search(gap)
        end += space.start() if space else len(gap)
        yield word, said[begin:end].strip(), spaced
        begin, spaced = end, space is not None


def _is_silence(pcm: Pcm) -> bool:
    for start in range(0, len(pcm), _BLOCK):
        block = array("h", bytes(pcm[start : start + _BLOCK]))
        if sys.byteorder == "big":
            block.byteswap()
        if max(block) > _QUIET or min(block) < -_QUIET:
            return False
    return True
