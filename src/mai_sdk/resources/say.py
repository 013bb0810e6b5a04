"""What a caller wants said, and all that can be checked of it before anything is sent. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.config import Secret
from mai_sdk.errors import InvalidRequest, NotConfigured, UnsupportedFeature
from mai_sdk.metering.characters import billed_characters
from mai_sdk.resources.ask import check_extras
from mai_sdk.wire.formats import AudioFormat, audio_format
from mai_sdk.wire.sentences import split_text
from mai_sdk.wire.ssml import SSML, Manner, look_at, plain, speed_of, write_ssml
from mai_sdk.wire.tts import is_regional
from mai_sdk.wire.voice import DEFAULT_VOICE, locale_of, model_of, voice_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config import Route, Timeouts
    from mai_sdk.resources.core import Core

__all__ = [
    "MAX_CHARACTERS",
    "MAX_SSML_BYTES",
    "Document",
    "Say",
    "check_speech_route",
    "documents_of",
    "speech_route",
]

MAX_CHARACTERS: Final = 100_000
"""The longest text of one call: some two hours, 350 MB as PCM. Our own limit; say a book chapter by
chapter."""

MAX_SSML_BYTES: Final = 65_536
"""Documented for a turn on WebSocket; kept here, too, because no limit is documented for REST."""
_AIM_SECONDS: Final = 400.0
"""How long one request may speak by our estimate, where the service would stop at 600."""
_FASTEST: Final = 100
"""Times the ordinary; far above what any voice does, and a number that can be written."""
_IN_SSML: Final = ("voice", "style", "style_degree", "rate", "pitch", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What a caller wants said, as it was passed."""

    text: str = field(repr=False)
    voice: str | None = None
    model: str | None = None
    format: str = "wav"
    style: str | None = None
    style_degree: float | None = None
    rate: float | str | None = None
    pitch: float | str | None = None
    language: str | None = None
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)

    def check(self) -> AudioFormat:
        """Return the format, if all arguments can be sent.

        Raises:
            InvalidRequest: One cannot; the text names it.
        """
        text: Any = self.text
        if not isinstance(text, str):
            raise InvalidRequest(f"The text is a {type(text).__name__}. Pass a str, or SSML(...).")
        if not plain(text).strip():
            raise InvalidRequest("The text is empty, so there is nothing to be said.")
        if len(text) > MAX_CHARACTERS:
            raise InvalidRequest(
                f"The text has {len(text):,} characters. One call says at most {MAX_CHARACTERS:,}, "
                "some two hours of speech: call once for each chapter."
            )
        check_extras(self.model, self.tags, self.extra_headers)
        for name in ("voice", "style", "language"):
            _check_word(name, getattr(self, name))
        if self.style_degree is not None:
            _check_degree(self.style_degree, self.style)
        wanted: Any = self.format
        if not isinstance(wanted, str):
            raise InvalidRequest(f"format is a {type(wanted).__name__}. It is a name, as 'wav'.")
        return audio_format(wanted)

    def manner(self, voice: str) -> Manner:
        """Return the manner of that voice.

        Raises:
            InvalidRequest: Rate or pitch is neither a number above 0 nor a text.
        """
        return Manner(
            voice=voice,
            locale=locale_of(voice),
            style=self.style,
            style_degree=self.style_degree,
            rate=_change("rate", self.rate),
            pitch=_change("pitch", self.pitch),
            language=self.language,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One request's worth of SSML."""

    ssml: str = field(repr=False)
    characters: int
    """As they are billed."""
    text: str = field(repr=False)
    """What of it is said."""


def speech_route(core: Core, say: Say) -> tuple[Route, str | None]:
    """Return the way to the voice, and its whole name; None for SSML with several.

    A voice that names its own model wins over `model`, whose route it then takes.

    Raises:
        NotConfigured: No Speech resource leads there, or not with this credential.
        UnsupportedFeature: The route is none of the Speech service.
        InvalidRequest: The SSML is not well-formed, or comes with what belongs into it.
    """
    if isinstance(say.text, SSML):
        voices = look_at(say.text).voices
        if given := [name for name in _IN_SSML if getattr(say, name) is not None]:
            raise InvalidRequest(
                f"{' and '.join(given)} cannot be given beside SSML: say it in the markup."
            )
        voice = voices[0] if len(voices) == 1 else None
        models = {model_of(name) for name in voices}
    else:
        voice = say.voice or DEFAULT_VOICE
        models = {model_of(voice)}
    own = next(iter(models)) if len(models) == 1 else None
    route, _ = core.route(say.model or own, "voice")
    check_speech_route(route)
    if own is not None:
        known = core.catalog.get(own)
        route = replace(route, model=known.name if known else own, deployment=own)
    elif len(models) > 1:
        route = replace(route, model=None, deployment=None)
    if voice is not None and not isinstance(say.text, SSML):
        voice = voice_name(voice, model=route.model or route.deployment)
    return route, voice


def documents_of(say: Say, voice: str | None, kind: AudioFormat) -> list[Document]:
    """Return the requests that together say it all, in order.

    Raises:
        UnsupportedFeature: The text needs several, and this format cannot be put together.
    """
    if isinstance(say.text, SSML) or voice is None:
        text = look_at(say.text).text
        return [Document(ssml=str(say.text), characters=billed_characters(say.text), text=text)]
    manner = say.manner(voice)
    room = MAX_SSML_BYTES - len(write_ssml("", manner).encode())
    pieces = split_text(
        plain(say.text), max_seconds=_AIM_SECONDS * speed_of(manner.rate), max_bytes=room
    )
    if len(pieces) > 1 and not kind.is_joinable:
        raise UnsupportedFeature(
            f"The text takes {len(pieces)} requests, and pieces of {kind.name} cannot be joined. "
            "Ask for format='wav', 'mp3' or 'ogg', or say less at once."
        )
    documents = [(write_ssml(piece, manner), piece) for piece in pieces]
    return [
        Document(ssml=ssml, characters=billed_characters(ssml), text=piece)
        for ssml, piece in documents
    ]


def check_speech_route(route: Route) -> None:
    """Return if text can be spoken over that route.

    Raises:
        UnsupportedFeature: It is none of the Speech service.
        NotConfigured: It is a region's shared endpoint, and the credential is an Entra one.
    """
    if route.surface != "speech":
        raise UnsupportedFeature(
            f"Text is spoken over the speech surface, and this route is {route.surface}: set "
            "speech_endpoint (or speech_region) and speech_api_key."
        )
    if is_regional(route.endpoint):
        check_shared_host(route.credential)


def check_shared_host(credential: object) -> None:
    """Return if that credential is taken by a region's endpoint, which all resources share.

    Raises:
        NotConfigured: It is an Entra one.
    """
    if credential is not None and not isinstance(credential, Secret):
        raise NotConfigured(
            "A region's shared endpoint takes no plain Entra token. Set speech_endpoint to the "
            "resource's own, https://<resource>.cognitiveservices.azure.com, or set "
            "speech_api_key.",
            missing=("speech_endpoint",),
        )


def _check_word(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not value.strip() or plain(value) != value:
        raise InvalidRequest(f"{name} is no name: pass a text, or leave it out.")


def _check_degree(degree: object, style: str | None) -> None:
    if style is None:
        raise InvalidRequest("style_degree says how strong a style is: pass style, too.")
    if isinstance(degree, bool) or not isinstance(degree, (int, float)) or not 0.01 <= degree <= 2:
        raise InvalidRequest("style_degree lies between 0.01 and 2; 1 is the style as it is.")


def _change(name: str, value: object) -> str | None:
    """Return a change as SSML has it: 1.15 is "+15%"; a text is taken as it is."""
    if value is None:
        return None
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 < value <= _FASTEST:
            return f"{round((value - 1) * 100, 2):+g}%"
        raise InvalidRequest(f"As a number, {name} is above 0 and at most 100; 1 is ordinary.")
    raise InvalidRequest(f"{name} is neither a number, as 1.15, nor a text, as '+15%'.")
