"""One transcription, planned: what is asked for, checked before anything is read or sent."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pydantic_core import PydanticSerializationError, to_json

from mai_sdk.engine.call import Call
from mai_sdk.engine.upload import Upload
from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.listening_ask import check_capable, check_listening_ask
from mai_sdk.resources.messages import texts_of
from mai_sdk.resources.recording import as_url
from mai_sdk.wire.multipart import boundary_of
from mai_sdk.wire.transcription import (
    TRANSCRIPTION_PATH,
    TRANSCRIPTION_QUERY,
    TranscriptionRequest,
    definition,
    form,
    read_failed,
    read_transcription,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mai_sdk.catalog import Model
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.listening_ask import ListeningAsk
    from mai_sdk.wire.transcription import Answer

__all__ = ["Listening", "Sent"]

_log = logging.getLogger("mai_sdk")

_LONG_FOR_SPEAKERS: Final = 15 * 60
_SPEAKERS_FAIL: Final = (
    "Recordings of about 15 minutes and more are known to end in 408, 500 or 503 where speakers "
    "are told apart (learn.microsoft.com, mai-transcribe, 2026-09-05): leave diarize out, or send "
    "it in pieces with chunks=600."
)


@dataclass(slots=True, kw_only=True)
class Sent:
    """The audio of one call."""

    filename: str
    size: int
    """In bytes."""
    read: Callable[[], Iterator[bytes]] = field(repr=False)
    """Begins a new reading."""
    seconds: float | None
    """How long it plays, where that is known before the service says so."""


@dataclass(slots=True, kw_only=True)
class Listening:
    """An ask, checked, with the route it takes."""

    core: Core
    ask: ListeningAsk
    route: Route
    model: Model | None
    request: TranscriptionRequest
    timeouts: Timeouts
    prompts: tuple[str, ...] = field(repr=False)
    """Every text of the caller's: must not show up in errors."""

    @classmethod
    def plan(cls, core: Core, ask: ListeningAsk) -> Listening:
        """Return the plan for `ask`; the audio itself is not looked at yet.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The ask is wrong as it stands.
            UnsupportedFeature: The model cannot do it, as far as is known.
        """
        phrases = check_listening_ask(ask)
        url = as_url(ask.audio)
        route, model = core.route(ask.model, "transcribe")
        if route.surface != "speech":
            raise UnsupportedFeature(
                f"{route.model or route.deployment} is reached on the {route.surface} surface, "
                "which hears live audio and takes no files. Use MAI-Transcribe-2 for files."
            )
        if model is not None:
            check_capable(model, ask)
        extra = ask.extra_definition or {}
        request = TranscriptionRequest(
            model=route.deployment or route.model,
            locale=ask.locale,
            phrases=phrases,
            diarize=bool(ask.diarize) or ask.max_speakers is not None,
            max_speakers=ask.max_speakers,
            timestamps=ask.timestamps,
            style=ask.style,
            audio_url=url,
            extra=extra,
        )
        return cls(
            core=core,
            ask=ask,
            route=route,
            model=model,
            request=request,
            timeouts=core.config.timeouts_for(ask.timeout, modality="transcribe"),
            prompts=texts_of([*phrases, url or "", extra, *(ask.extra_headers or {}).values()]),
        )

    def call(self, sent: Sent | None) -> Call[Answer]:
        """Return the call that sends this audio; None where the service fetches it.

        Raises:
            InvalidRequest: Something in it cannot be written as JSON.
        """
        query = {**TRANSCRIPTION_QUERY, **dict(self.route.query)}
        boundary = boundary_of()
        said = definition(self.request)
        try:
            to_json(said)
        except PydanticSerializationError as error:
            raise InvalidRequest(f"The request cannot be written as JSON: {error}.") from None
        filename, seconds = (None, None) if sent is None else (sent.filename, sent.seconds)
        before, after = form(said, filename=filename, boundary=boundary)
        return Call(
            route=self.route,
            url=f"{self.route.endpoint}{TRANSCRIPTION_PATH}?{urlencode(query)}",
            body=before if sent is None else _upload(before, sent, after),
            content_type=f"multipart/form-data; boundary={boundary}",
            read=read_transcription,
            usage_of=lambda answer: _usage(answer.duration_ms, seconds),
            fail=lambda status, headers, body: self._fail(status, headers, body, seconds),
            upper_bound=lambda: _usage(None, seconds),
            timeouts=self.timeouts,
            headers=tuple((self.ask.extra_headers or {}).items()),
            prompts=self.prompts,
            explain_missing=lambda: self.model.explain() if self.model is not None else None,
        )

    def warn(self, sent: Sent) -> None:
        """Log what the service may refuse; sources disagree, so it decides."""
        if self.model is not None:
            bytes_, seconds = self.model.limit("audio_bytes"), self.model.limit("audio_seconds")
            if bytes_ is not None and sent.size > bytes_:
                _log.warning(
                    "The audio has %s bytes; the most that is said of %s is %s, and the service "
                    "may refuse it. Send it in pieces with chunks=600.",
                    f"{sent.size:,}", self.model.name, f"{bytes_:,}",
                )  # fmt: skip
            elif seconds is not None and sent.seconds is not None and sent.seconds > seconds:
                _log.warning(
                    "The audio lasts %s seconds; the most that is said of %s is %s, and the "
                    "service may refuse it. Send it in pieces with chunks=600.",
                    f"{sent.seconds:,.0f}", self.model.name, f"{seconds:,}",
                )  # fmt: skip
        if self.request.diarize and (sent.seconds or 0) >= _LONG_FOR_SPEAKERS:
            _log.warning(_SPEAKERS_FAIL)

    def _fail(
        self, status: int, headers: Mapping[str, str], body: bytes, seconds: float | None
    ) -> CallFailed:
        failure = read_failed(status, headers, body)
        short = seconds is not None and seconds < _LONG_FOR_SPEAKERS
        if self.request.diarize and status in (408, 500, 503) and not short:
            failure.message = f"{failure.message} {_SPEAKERS_FAIL}"
            failure.args = (failure.message,)
        return failure


def _upload(before: bytes, sent: Sent, after: bytes) -> Upload:
    def pieces() -> Iterator[bytes]:
        yield before
        yield from sent.read()
        yield after

    return Upload(len(before) + sent.size + len(after), pieces)


def _usage(duration_ms: int | None, seconds: float | None) -> Usage:
    """What is billed: a request's last, begun second counts whole."""
    if duration_ms is not None:
        return Usage(audio_seconds=math.ceil(duration_ms / 1000))
    if seconds is not None:
        return Usage(audio_seconds=math.ceil(seconds), basis="estimated")
    return Usage(basis="unknown")
