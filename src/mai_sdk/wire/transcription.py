"""Transcription of files: what is asked, in which form, and how the answer is read. No I/O.

From learn.microsoft.com, speech-service/mai-transcribe (2026-09-05); the form as
azure-ai-transcription 1.0.0 sends it. An answer's fields may each be null or absent, no phrases at
all is silence, and a confidence of 0 says nothing: services of this kind never give another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import to_json

from mai_sdk.wire.failures import failure_from_event, read_failure
from mai_sdk.wire.multipart import Part, part_head, tail
from mai_sdk.wire.shapes import as_count, as_list, as_object, as_text, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.errors import CallFailed

__all__ = [
    "TRANSCRIPTION_PATH",
    "TRANSCRIPTION_QUERY",
    "Answer",
    "Phrase",
    "Spoken",
    "TranscriptionRequest",
    "definition",
    "form",
    "read_failed",
    "read_transcription",
]

TRANSCRIPTION_PATH: Final = "/speechtotext/transcriptions:transcribe"
TRANSCRIPTION_QUERY: Final = {"api-version": "2025-10-15"}
"""What the page, the official client and others send; a route's own query wins."""

_ANSWER = ("combinedPhrases", "phrases", "durationMilliseconds")
_LONGEST_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """What is asked for, apart from the audio itself."""

    model: str | None = None
    """Sent as it is; None leaves the choice to the service."""
    locale: str | None = None
    phrases: tuple[str, ...] = field(default=(), repr=False)
    diarize: bool = False
    max_speakers: int | None = None
    timestamps: str | None = None
    style: str | None = None
    audio_url: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Fields of the definition as they are; they win, and objects are merged."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One word; the times are None where the service gave none."""

    text: str
    offset_ms: int | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A stretch of speech in one language and, where speakers are told apart, of one speaker."""

    text: str
    offset_ms: int | None = None
    duration_ms: int | None = None
    words: tuple[Spoken, ...] = ()
    speaker: str | None = None
    """The service's number for the speaker; it means nothing outside this answer."""
    language: str | None = None
    """As the service spells it: "en-us" as well as "en-US"."""
    confidence: float | None = None
    channel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service heard."""

    text: str
    """Everything; empty for silence."""
    phrases: tuple[Phrase, ...] = ()
    duration_ms: int | None = None
    """Of the audio, which is what is billed; None where the service did not say."""
    raw: Any = field(default=None, repr=False)


def definition(request: TranscriptionRequest) -> dict[str, Any]:
    """Return the `definition`; without `enhancedMode.enabled` it would not be MAI that listens."""
    enhanced: dict[str, Any] = {"enabled": True}
    if request.model is not None:
        enhanced["model"] = request.model
    options = {"timestamps": request.timestamps, "transcribeStyle": request.style}
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        enhanced["modelOptions"] = options
    made: dict[str, Any] = {}
    if request.audio_url is not None:
        made["audioUrl"] = request.audio_url
    if request.locale is not None:
        made["locales"] = [request.locale]
    if request.diarize:
        most = request.max_speakers
        made["diarization"] = {"enabled": True} | ({} if most is None else {"maxSpeakers": most})
    made["enhancedMode"] = enhanced
    if request.phrases:
        made["phraseList"] = {"phrases": list(request.phrases)}
    return _merged(made, request.extra)


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(ours)
    for name, value in theirs.items():
        mine = made.get(name)
        if isinstance(value, dict) and isinstance(mine, dict):
            value = _merged(cast("dict[str, Any]", mine), cast("dict[str, Any]", value))
        made[name] = value
    return made


def form(said: Mapping[str, Any], *, filename: str | None, boundary: str) -> tuple[bytes, bytes]:
    """Return what goes before the audio and what after it; with no filename there is no audio.

    The official client sends neither part with a content type, but the definition alone as JSON.
    """
    data = to_json(said)
    if filename is None:
        part = Part(name="definition", content_type="application/json")
        return part_head(part, boundary=boundary) + data + tail(boundary=boundary), b""
    before = part_head(Part(name="audio", filename=filename), boundary=boundary)
    after = b"\r\n" + part_head(Part(name="definition"), boundary=boundary)
    return before, after + data + tail(boundary=boundary)


def read_transcription(body: bytes, headers: Mapping[str, str]) -> Answer:
    """Return what a 2xx answer says.

    Raises:
        UnreadableAnswer: It is none of this service.
        ServiceError: It reports a failure, whatever its status says.
    """
    raw = parsed(body)
    said = as_object(raw)
    if said.get("error"):
        raise failure_from_event(raw, surface="speech")
    if not any(name in said for name in _ANSWER):
        raise read_failed(200, headers, body)
    phrases = tuple(_phrase(as_object(each)) for each in as_list(said.get("phrases")))
    combined = [
        as_text(as_object(each).get("text")) for each in as_list(said.get("combinedPhrases"))
    ]
    text = "\n".join(each for each in combined if each)  # one entry a channel
    return Answer(
        text=text or " ".join(each.text for each in phrases if each.text),
        phrases=phrases,
        duration_ms=_count(said.get("durationMilliseconds")) or None,  # 0 says nothing
        raw=raw,
    )


def read_failed(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """Return the error that any other answer is; also where its body is a bare sentence."""
    text = body.decode("utf-8", "replace").strip() if len(body) <= _LONGEST_TEXT else ""
    if status >= 400 and text and text[0] not in '{[<"':
        body = to_json({"message": text})
    return read_failure(status=status, headers=headers, body=body, surface="speech")


def _phrase(said: dict[str, Any]) -> Phrase:
    speaker: Any = said.get("speaker")
    sure: Any = said.get("confidence")
    return Phrase(
        text=as_text(said.get("text")) or "",
        offset_ms=_count(said.get("offsetMilliseconds")),
        duration_ms=_count(said.get("durationMilliseconds")),
        words=tuple(_word(as_object(each)) for each in as_list(said.get("words"))),
        speaker=str(speaker) if isinstance(speaker, int | str) and speaker != "" else None,
        language=as_text(said.get("locale")),
        confidence=float(sure) if _is_number(sure) and 0 < sure <= 1 else None,
        channel=_count(said.get("channel")),
    )


def _word(said: dict[str, Any]) -> Spoken:
    return Spoken(
        as_text(said.get("text")) or "",
        _count(said.get("offsetMilliseconds")),
        _count(said.get("durationMilliseconds")),
    )


def _count(value: Any) -> int | None:
    """Return a number of milliseconds or the like; None for what cannot be one."""
    return as_count(math.floor(value)) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return value.__class__ is int or (value.__class__ is float and math.isfinite(value))
