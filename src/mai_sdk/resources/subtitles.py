"""Segments into subtitles: what is shown when, and the two formats. No I/O.

Two lines of 42 characters for up to 7 seconds are what broadcasters agree on (BBC Subtitle
Guidelines; Netflix Timed Text Style Guide, 2025); an ideograph is as wide as two letters. SubRip
has no specification; WebVTT: W3C, "WebVTT: The Web Video Text Tracks Format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from unicodedata import east_asian_width

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mai_sdk.resources.transcript import Segment

__all__ = ["Cue", "make_cues", "to_srt", "to_vtt"]

_WIDTH: Final = 42
_LINES: Final = 2
_LONGEST_MS: Final = 7000
_READING_MS: Final = 60
"""A character's share of the time, where nothing says when a segment ends."""
_TOKEN: Final = re.compile(r"\S+")
_ENDS: Final = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What is shown, from when to when."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    """Who speaks, as it is shown."""


@dataclass(slots=True)
class _Token:
    """A word, or as much of one as fits a line, and when it is said."""

    text: str
    start: float
    end: float
    spaced: bool = True
    """Whether a space is before it."""


def make_cues(
    segments: Iterable[Segment],
    *,
    duration_ms: int | None = None,
    names: Mapping[str, str] | None = None,
) -> list[Cue]:
    """Return the cues for `segments`, in order, none of them overlapping another.

    Args:
        segments: What was said, in order.
        duration_ms: Of the whole audio, where it is known.
        names: What to call the speakers.

    Raises:
        InvalidRequest: Something was said, and none of it has a time.
    """
    said = [segment for segment in segments if segment.text.strip()]
    cues: list[Cue] = []
    for segment, start, end in _placed(said, duration_ms):
        name = (names or {}).get(segment.speaker or "")
        for group in _grouped(_tokens(segment, start, end), head=_head(name)):
            begin, until = round(group[0].start), round(group[-1].end)
            cues.append(Cue(start_ms=begin, end_ms=until, text=_joined(group), speaker=name))
    return list(_apart(cues))


def to_srt(cues: Sequence[Cue]) -> str:
    """Return the cues as SubRip; a speaker is named in front of the text."""
    blocks: list[str] = []
    for number, cue in enumerate(cues, 1):
        text = "\n".join(_wrapped(_head(cue.speaker) + cue.text)).replace("-->", "->")
        times = f"{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n{text}\n")
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """Return the cues as WebVTT; a speaker is the voice of the cue."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        voice = f"<v {_escaped(' '.join(cue.speaker.split()))}>" if cue.speaker else ""
        text = "\n".join(_escaped(line) for line in _wrapped(cue.text))
        times = f"{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}"
        blocks.append(f"{times}\n{voice}{text}\n")
    return "\n".join(blocks)


def _placed(said: list[Segment], duration_ms: int | None) -> Iterator[tuple[Segment, float, float]]:
    """Yield each segment with its begin and end.

    One without a time stands between its neighbours, for segments come in order; that is all that
    is known of it.
    """
    starts = [segment.offset_ms for segment in said]
    if said and all(start is None for start in starts):
        if len(said) > 1 or duration_ms is None:
            raise InvalidRequest(
                "There are no times to make subtitles of: the service gave none. Ask for them "
                'with timestamps="segment", of a model that can, such as MAI-Transcribe-2.'
            )
        starts = [0]
    before = 0.0
    for place, segment in enumerate(said):
        later = (start for start in starts[place + 1 :] if start is not None)
        following = next(later, None)
        start = starts[place]
        begin = before if start is None else float(start)
        if start is not None and segment.duration_ms is not None:
            end = begin + segment.duration_ms
        else:
            limits = [each for each in (following, duration_ms) if each is not None]
            reading = begin + len(segment.text) * _READING_MS
            end = float(limits[0]) if len(said) == 1 and limits else reading
            end = min([end, *limits]) if limits else end
        yield segment, begin, max(end, begin)
        before = max(end, begin)


def _tokens(segment: Segment, start: float, end: float) -> Iterator[_Token]:
    """Yield the segment's words at their own times, or at their share of the segment's."""
    timed = _timed(segment)
    if timed is None:
        text = segment.text
        share = (end - start) / len(text)
        timed = [
            _Token(found[0], start + found.start() * share, start + found.end() * share)
            for found in _TOKEN.finditer(text)
        ]
    for token in timed:
        yield from _narrow(token)


def _timed(segment: Segment) -> list[_Token] | None:
    """The words as the segment's text has them; None unless all are in it, with their times."""
    made: list[_Token] = []
    text, at = segment.text, 0
    for word in segment.words:
        shown = word.text.strip()
        place = text.find(shown, at)
        if place < 0 or not shown or word.offset_ms is None or word.duration_ms is None:
            return None
        between = text[at:place]
        if made and between.strip():
            made[-1].text += between.rstrip() if between[0] != " " else f" {between.strip()}"
        elif between.strip():
            shown = between.strip() + shown
        spaced = not made or between != between.rstrip() or between != between.lstrip()
        begin = float(word.offset_ms)
        made.append(_Token(shown, begin, begin + word.duration_ms, spaced))
        at = place + len(word.text.strip())
    if made and text[at:].strip():
        made[-1].text += text[at:].rstrip()
    return made or None


def _narrow(token: _Token) -> Iterator[_Token]:
    """Cut a word that is wider than a line; a language without spaces is one such word."""
    if _width(token.text) <= _WIDTH:
        yield token
        return
    share = (token.end - token.start) / len(token.text)
    begin = used = 0
    for place, character in enumerate(token.text):
        used += _width(character)
        if used >= _WIDTH // 2 or place + 1 == len(token.text):
            yield _Token(
                token.text[begin : place + 1],
                token.start + begin * share,
                token.start + (place + 1) * share,
                spaced=token.spaced and begin == 0,
            )
            begin, used = place + 1, 0


def _grouped(tokens: Iterable[_Token], *, head: str) -> Iterator[list[_Token]]:
    """Put as many words into a cue as can be read at once; a sentence's end is a good end."""
    group: list[_Token] = []
    for token in tokens:
        if group:
            full = len(_wrapped(head + _joined([*group, token]))) > _LINES
            long = token.end - group[0].start > _LONGEST_MS
            done = group[-1].text.endswith(_ENDS) and _width(_joined(group)) > _WIDTH
            if full or long or done:
                yield group
                group = []
        group.append(token)
    if group:
        yield group


def _joined(group: list[_Token]) -> str:
    return "".join(f"{' ' * token.spaced}{token.text}" for token in group).strip()


def _head(speaker: str | None) -> str:
    return f"{speaker}: " if speaker else ""


def _apart(cues: list[Cue]) -> Iterator[Cue]:
    """Let each cue end before the next begins, and last a millisecond at least."""
    cues = sorted(cues, key=lambda cue: cue.start_ms)
    until = 0
    for place, cue in enumerate(cues):
        start = max(cue.start_ms, until)
        end = max(cue.end_ms, start + 1)
        if place + 1 < len(cues) and cues[place + 1].start_ms > start:
            end = min(end, cues[place + 1].start_ms)
        yield replace(cue, start_ms=start, end_ms=end)
        until = end


def _wrapped(text: str) -> list[str]:
    """Break a text into lines, at spaces where there are any."""
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        wide = _width(word)
        if line and used + 1 + wide > _WIDTH:
            lines.append(line)
            line, used = "", 0
        if line:
            line, used = f"{line} {word}", used + 1 + wide
        else:
            for character in word:
                if used + _width(character) > _WIDTH:
                    lines.append(line)
                    line, used = "", 0
                line, used = line + character, used + _width(character)
    return [*lines, line] if line else lines


def _width(text: str) -> int:
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)


def _time(ms: int, mark: str) -> str:
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, rest = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
