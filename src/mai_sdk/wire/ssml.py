"""SSML, as the Speech service takes it: written by an XML writer, and checked by a parser. Pure.

Text never becomes markup. A character that XML 1.0 cannot hold (C0 controls but tab and line
breaks, surrogates, U+FFFE and U+FFFF) becomes a space, so that the words beside it stay apart.

Elements: W3C "Speech Synthesis Markup Language 1.1", and Microsoft's `mstts` as MAI-Voice takes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.parsers import expat
from xml.sax.saxutils import XMLGenerator

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SSML", "Look", "Manner", "look_at", "plain", "speed_of", "write_ssml"]

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n?")
_RELATIVE = re.compile(r"([+-]?\d+(?:\.\d+)?)(%?)")
_SPEEDS = {"x-slow": 0.5, "slow": 0.64, "medium": 1.0, "default": 1.0, "fast": 1.55, "x-fast": 2.0}
_SPEAK = {
    "version": "1.0",
    "xmlns": "http://www.w3.org/2001/10/synthesis",
    "xmlns:mstts": "http://www.w3.org/2001/mstts",
}


class SSML(str):
    """Markup of your own, to be sent as it is: `client.voice.synthesize(SSML("<speak>..."))`.

    It is checked to be well-formed before anything is sent; whether the service knows its
    elements and voices only the service can say.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Who says it, and how."""

    voice: str
    """The whole name, `<locale>-<Speaker>:<Model>`."""
    locale: str
    """Of the document; every voice has one of its own."""
    style: str | None = None
    style_degree: float | None = None
    rate: str | None = None
    pitch: str | None = None
    language: str | None = None
    """What the text is in, where that is not the voice's own language."""

    def elements(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the elements around the text, the outermost first."""
        yield "speak", {**_SPEAK, "xml:lang": self.locale}
        yield "voice", {"name": self.voice}
        if self.language is not None:
            yield "lang", {"xml:lang": self.language}
        if self.style is not None:
            degree = {} if self.style_degree is None else {"styledegree": f"{self.style_degree:g}"}
            yield "mstts:express-as", {"style": self.style, **degree}
        prosody = {"rate": self.rate, "pitch": self.pitch}
        if given := {name: value for name, value in prosody.items() if value is not None}:
            yield "prosody", given


def plain(text: str) -> str:
    """Return the text as XML holds it: illegal characters are spaces, line ends line feeds."""
    return _ILLEGAL.sub(" ", _LINE_END.sub("\n", text))


def speed_of(rate: str | None) -> float:
    """Return how many times faster than usual a `rate` is; 1.0 for one that cannot be read."""
    text = (rate or "").strip()
    number = _RELATIVE.fullmatch(text)
    if number is None:
        return _SPEEDS.get(text, 1.0)
    factor = 1 + float(number[1]) / 100 if number[2] else float(number[1])
    return min(max(factor, 0.1), 10.0)


def write_ssml(text: str, manner: Manner) -> str:
    """Return the document that has `text` said in that manner."""
    out = StringIO()
    writer = XMLGenerator(out)
    elements = [
        (name, {key: plain(value) for key, value in attributes.items()})
        for name, attributes in manner.elements()
    ]
    for name, attributes in elements:
        writer.startElement(name, attributes)  # type: ignore[arg-type]  # any mapping will do
    writer.characters(plain(text))
    for name, _ in reversed(elements):
        writer.endElement(name)
    return out.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a document has in it."""

    voices: tuple[str, ...]
    """The names of its voices, in order, each once."""
    text: str
    """All that would be said."""


def look_at(document: str) -> Look:
    """Return what is in the document.

    Raises:
        InvalidRequest: It is not well-formed, is no `<speak>`, has a DOCTYPE, or names no voice.
            The message has the place, and nothing of the text.
    """
    found = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = found.element
    parser.CharacterDataHandler = found.texts.append
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document.encode("utf-8"), True)  # noqa: FBT003 - expat's own signature
    except UnicodeEncodeError:
        raise InvalidRequest(
            "The SSML has half of a surrogate pair in it, which no XML can hold: take it out."
        ) from None
    except expat.ExpatError as error:
        raise InvalidRequest(
            f"The SSML is not well-formed: {expat.ErrorString(error.code)}, line {error.lineno}, "
            f"column {error.offset + 1}. Escape & and < of plain text, or pass it without SSML()."
        ) from None
    if found.root != "speak":
        raise InvalidRequest("The SSML does not begin with <speak>: that is its outermost element.")
    voices = tuple(dict.fromkeys(found.voices))
    if not voices:
        raise InvalidRequest('The SSML names no voice: put <voice name="..."> around the text.')
    return Look(voices=voices, text="".join(found.texts))


class _Reader:
    def __init__(self) -> None:
        self.root: str | None = None
        self.voices: list[str] = []
        self.texts: list[str] = []

    def element(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self.root = self.root or name
        if name == "voice" and attributes.get("name"):
            self.voices.append(attributes["name"])


def _refuse_doctype(*_: Any) -> None:
    raise InvalidRequest("The SSML has a DOCTYPE, which could make a little text a lot: remove it.")
