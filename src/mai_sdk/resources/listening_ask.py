"""What a caller asked to have transcribed, and the check of all but the audio itself. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.recording import Audio, as_url
from mai_sdk.wire.said import clean

if TYPE_CHECKING:
    from mai_sdk.catalog import Model
    from mai_sdk.config import Timeouts

__all__ = ["ListeningAsk", "Progress", "check_capable", "check_listening_ask"]

Progress = Callable[[int, int], object]
"""Called with the bytes of audio sent so far and all there are."""

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MOST_SPEAKERS: Final = 35


@dataclass(slots=True, kw_only=True)
class ListeningAsk:
    """What a caller asked for, as it was passed."""

    audio: Audio = field(repr=False)
    model: str | None = None
    locale: str | None = None
    phrases: Iterable[str] | None = field(default=None, repr=False)
    diarize: bool | None = None
    max_speakers: int | None = None
    timestamps: str | None = None
    style: str | None = None
    chunks: float | None = None
    at_once: int = 4
    progress: Progress | None = None
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_definition: Mapping[str, Any] | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)


def check_listening_ask(ask: ListeningAsk) -> tuple[str, ...]:
    """Return the phrases, if everything that was asked for can be sent; audio is checked elsewhere.

    Raises:
        InvalidRequest: Something cannot; the text names it.
    """
    check_extras(ask.model, ask.tags, ask.extra_headers, extra_definition=ask.extra_definition)
    _check_locale(ask.locale)
    for name, example in ("timestamps", "segment"), ("style", "clean"):
        value: Any = getattr(ask, name)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise InvalidRequest(f'{name} must be a word, such as "{example}".')
    _check_numbers(ask)
    if ask.progress is not None and not callable(ask.progress):
        raise InvalidRequest("progress must be a function of two numbers: sent and total bytes.")
    phrases: Any = ask.phrases
    if phrases is None:
        return ()
    if isinstance(phrases, (str, bytes)) or not isinstance(phrases, Iterable):
        raise InvalidRequest("phrases must be a list of texts.")
    listed = _listed(phrases)
    if not all(isinstance(each, str) and each.strip() for each in listed):
        raise InvalidRequest("phrases holds something that is no text, or an empty one.")
    return listed


def _listed(values: Any) -> tuple[Any, ...]:
    return tuple(values)


def _check_locale(locale: Any) -> None:
    if locale is None:
        return
    if not isinstance(locale, str):
        raise InvalidRequest(
            f"locale is a {type(locale).__name__}. MAI models take exactly one, as a text such as "
            '"en-US"; leave it out to have the language found.'
        )
    if not _LOCALE.fullmatch(locale):
        raise InvalidRequest(
            f"locale is {clean(locale, limit=40)!r}. It is a language, with a region if need be, "
            'such as "en" or "en-US".'
        )


def _check_numbers(ask: ListeningAsk) -> None:
    most: Any = ask.max_speakers
    if most is not None:
        if isinstance(most, bool) or not isinstance(most, int) or not 2 <= most <= _MOST_SPEAKERS:
            raise InvalidRequest(
                f"max_speakers is a whole number from 2 to {_MOST_SPEAKERS} (API description of "
                "2025-10-15)."
            )
        if ask.diarize is False:
            raise InvalidRequest("max_speakers is given and diarize is False. Leave one out.")
    side_by_side: Any = ask.at_once
    if isinstance(side_by_side, bool) or not isinstance(side_by_side, int) or side_by_side < 1:
        raise InvalidRequest("at_once is how many pieces are sent side by side: 1 or more.")
    chunks: Any = ask.chunks
    if chunks is not None:
        number = isinstance(chunks, (int, float)) and not isinstance(chunks, bool)
        if not number or not 1 <= chunks < math.inf:
            raise InvalidRequest("chunks is the most seconds a piece may last: a number from 1 up.")
        if as_url(ask.audio) is not None:
            raise InvalidRequest(
                "chunks needs the audio here, and a URL is fetched by the service. Download the "
                "file and pass its path, or leave chunks out."
            )


_CAPABILITIES: Final = {
    "timestamps": ("timestamps", "gives no timestamps: the service refuses the field"),
    "diarize": ("diarization", "does not tell speakers apart"),
    "max_speakers": ("diarization", "does not tell speakers apart"),
    "style": ("style", "has no styles of transcript"),
    "phrases": ("phrase_list", "takes no phrases"),
}


def check_capable(model: Model, ask: ListeningAsk) -> None:
    """Return if nothing is known that the model cannot do.

    Raises:
        UnsupportedFeature: It cannot do what was asked.
    """
    for name, (capability, cannot) in _CAPABILITIES.items():
        if getattr(ask, name) and model.can(capability) is False:
            raise UnsupportedFeature(
                f"{model.name} {cannot}. Leave {name} out, or use {model.successor or 'another'}. "
                "If that is out of date, extra_definition sends any field."
            )
