"""SSML to what is spoken: who says what, how fast, with which pauses; and to utterances.

What the service would refuse is refused here in its way: see `BadDocument` and `BadVoice`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from mai_sdk.catalog.voice import known_styles, known_voices
from mai_sdk.emulator.mouth import LONGEST_SECONDS
from mai_sdk.emulator.utterance import SpokenWord, Utterance
from mai_sdk.wire.ssml import look_at, speed_of
from mai_sdk.wire.voice import model_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.emulator.mouth import Mouth

__all__ = ["BadDocument", "BadVoice", "Spoken", "check_voice", "joined", "spoken_in", "utter"]

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_BREAKS: Final = {"none": 0.0, "x-weak": 0.25, "weak": 0.5, "strong": 1.0, "x-strong": 1.25}
_BREAK: Final = 0.75
_MODELS: Final = frozenset(model for voice in known_voices() for model in voice.models)
_NAMES: Final = frozenset(
    f"{voice.name}:{model}".casefold() for voice in known_voices() for model in voice.models
)
_BY_CASE: Final = {model.casefold(): model for model in _MODELS}
_STYLE: Final = re.compile(r"[\w-]+")


class BadDocument(Exception):
    """The request is wrong in itself: 400, with an empty body."""


class BadVoice(Exception):
    """There is no such voice, or it does not know the style: 502, with the gateway's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A text, or a pause where there is none."""

    text: str = ""
    voice: str | None = None
    rate: float = 1.0
    style: str | None = None
    pause: float = 0.0


def spoken_in(document: str) -> list[Spoken]:
    """Return what the document has said, in order.

    Raises:
        BadDocument: It is no SSML that can be spoken.
        BadVoice: It asks for a voice or style there is none of.
    """
    try:
        look_at(document)
        root = ElementTree.fromstring(document)  # noqa: S314 - no DOCTYPE: `look_at` refuses one
    except (ValueError, ElementTree.ParseError) as error:
        raise BadDocument(str(error)) from None
    found = list(_walk(root, Spoken()))
    for one in found:
        if one.text.strip() and one.voice is None:
            raise BadDocument("text outside of any <voice>")
        if one.voice is not None:
            check_voice(one.voice, one.style)
    return [one for one in found if one.pause or one.text.strip()]


def check_voice(voice: str, style: str | None = None) -> None:
    """Return if there is such a voice, and it knows the style.

    Raises:
        BadDocument: The style cannot be one.
        BadVoice: There is none.
    """
    if style is not None and not _STYLE.fullmatch(style):
        raise BadDocument("a style that is no name")
    model = _BY_CASE.get((model_of(voice) or "").casefold())
    if model is None or voice.casefold() not in _NAMES:
        raise BadVoice(f"there is no voice {voice}")
    if style is not None and style not in known_styles(model):
        raise BadVoice(f"{model} has no style {style}")


def utter(document: str, mouth: Mouth, *, sample_rate: int) -> Utterance:
    """Return the document spoken, cut off without a word where the service would stop.

    Raises:
        BadDocument: It is no SSML that can be spoken.
        BadVoice: It asks for a voice or style there is none of.
    """
    pieces: list[Utterance] = []
    left = LONGEST_SECONDS
    for one in spoken_in(document):
        if left <= 0:
            break
        if one.text:
            made = mouth.speak(
                " ".join(one.text.split()),
                voice=one.voice,
                sample_rate=sample_rate,
                rate=one.rate,
                max_seconds=left,
            )
        else:
            silence = bytes(2 * int(min(one.pause, left) * sample_rate))
            made = Utterance(text="", pcm=silence, sample_rate=sample_rate)
        pieces.append(made)
        left -= made.seconds
    return joined(pieces, sample_rate=sample_rate)


def joined(pieces: list[Utterance], *, sample_rate: int) -> Utterance:
    """Return the utterances as one, with their words where they then are."""
    if len(pieces) == 1:
        return pieces[0]
    text, seconds = "", 0.0
    words: list[SpokenWord] = []
    for piece in pieces:
        text += " " if text and piece.text else ""
        words += [
            replace(
                word,
                offset_ms=round(word.offset_ms + seconds * 1000, 3),
                text_offset=word.text_offset + len(text),
            )
            for word in piece.words
        ]
        text += piece.text
        seconds += piece.seconds
    return Utterance(
        text=text,
        pcm=b"".join(piece.pcm for piece in pieces),
        sample_rate=sample_rate,
        words=tuple(words),
    )


def _walk(element: ElementTree.Element, now: Spoken) -> Iterator[Spoken]:
    name = element.tag.rpartition("}")[2]
    given = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    if name == "break":
        yield replace(now, text="", pause=_pause(given))
        return
    if name == "voice":
        now = replace(now, voice=given.get("name"), style=None)
    elif name == "prosody" and "rate" in given:
        now = replace(now, rate=now.rate * speed_of(given["rate"]))
    elif name == "express-as":
        now = replace(now, style=given.get("style"))
    if element.text:
        yield replace(now, text=element.text)
    for child in element:
        yield from _walk(child, now)
        if child.tail:
            yield replace(now, text=child.tail)


def _pause(given: dict[str, str]) -> float:
    time = _TIME.fullmatch(given.get("time", ""))
    if time is not None:
        return float(time[1]) / (1000 if time[2] == "ms" else 1)
    return _BREAKS.get(given.get("strength", ""), _BREAK)
