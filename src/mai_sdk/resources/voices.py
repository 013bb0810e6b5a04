"""The voices a Speech resource lists, as it lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import Field

from mai_sdk.engine.call import Call
from mai_sdk.engine.flow import whole_operation
from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.say import check_speech_route
from mai_sdk.value import Value
from mai_sdk.wire.shapes import as_list, as_text
from mai_sdk.wire.tts import read_tts_failure, read_voices, voices_path
from mai_sdk.wire.voice import model_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mai_sdk.engine.steps import Step
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core

__all__ = ["Voice", "list_voices"]


class Voice(Value):
    """One voice of the service's list."""

    name: str
    """What to pass as `voice`: "en-US-Harper:MAI-Voice-2"."""
    locale: str | None
    gender: str | None
    display_name: str | None
    model: str | None
    """The model that the name says; None for a voice that is not of MAI."""
    styles: tuple[str, ...]
    sample_rate: int | None
    """What it was made at; other rates are resampled from it."""
    status: str | None
    """"GA" or "Preview"."""
    raw: dict[str, Any] = Field(repr=False)
    """The row as the service has it, with every field."""


def list_voices(
    core: Core, *, locale: str | None, model: str | None
) -> Generator[Step, Any, tuple[Voice, ...]]:
    """Ask for the list, and return what of it is asked for."""
    check_extras(model, None, None)
    given: Any = locale
    if not isinstance(given, (str, type(None))):
        raise InvalidRequest(f"locale is a {type(given).__name__}. Pass a text, as 'en-US'.")
    route, known = core.route(model, "voice")
    check_speech_route(route)
    timeouts = core.config.timeouts_for(None, modality="voice")
    query = f"?{urlencode(route.query)}" if route.query else ""
    listed = yield from whole_operation(
        Call(
            route=route,
            url=route.endpoint + voices_path(route.endpoint) + query,
            body=b"",
            method="GET",
            read=read_voices,
            usage_of=lambda _: Usage.zero(),
            fail=_fail,
            upper_bound=Usage.zero,
            timeouts=timeouts,
        ),
        core.tab(route, modality="voice", verb="voices", tags=None, timeouts=timeouts),
    )
    wanted = None if model is None else (known.name if known is not None else route.deployment)
    return tuple(
        voice
        for voice in map(_voice, listed)
        if (locale is None or _within(voice.locale, locale))
        and (wanted is None or (voice.model or "").casefold() == wanted.casefold())
    )


def _voice(row: dict[str, Any]) -> Voice:
    name = str(row["ShortName"])
    rate = str(row.get("SampleRateHertz", ""))
    return Voice(
        name=name,
        locale=as_text(row.get("Locale")),
        gender=as_text(row.get("Gender")),
        display_name=as_text(row.get("DisplayName")),
        model=model_of(name),
        styles=tuple(style for style in as_list(row.get("StyleList")) if isinstance(style, str)),
        sample_rate=int(rate) if rate.isdecimal() else None,
        status=as_text(row.get("Status")),
        raw=row,
    )


def _within(locale: str | None, wanted: str) -> bool:
    """Whether it is that locale, or one of that language."""
    have, want = (locale or "").casefold(), wanted.casefold()
    return have == want or have.startswith(f"{want}-")


def _fail(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    return read_tts_failure(status=status, headers=headers, body=body)
