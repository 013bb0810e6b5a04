"""Recognition over the Speech service's WebSocket (USP): what is said, what its answers mean. Pure.

    speech.config      once for a connection
    speech.context     opens a turn: model, language, and where the audio goes on
    audio              a WAV header without lengths, then samples, then an empty one: the end
    audio.commit       a boundary here, with a token that the phrase before it gives back

Positions come in ticks of 100 ns and count from the start of the turn's own audio, also where the
turn continues another (so the official client 1.53 has them, on a loopback server).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic_core import to_json

from mai_sdk.wire.shapes import as_list, as_object, as_text
from mai_sdk.wire.usp import Message, encode, timestamp
from mai_sdk.wire.wav import stream_header

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Hypothesis",
    "Phrase",
    "Recogniser",
    "RecognitionEvent",
    "SpeechFound",
    "SpeechOver",
    "TurnEnded",
    "TurnStarted",
    "read_recognition",
    "recognition_context",
]

_TOKEN: Final = "X-Client-Commit-Token"  # noqa: S105 - a header, and no secret
_TICKS_PER_MS: Final = 10_000
_QUIET: Final = frozenset({
    "", "success", "nomatch", "initialsilencetimeout", "babbletimeout", "endofdictation",
})  # fmt: skip
"""Statuses of a phrase that are no failure, in lower case (the Speech SDK's enumeration)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """The service listens."""

    service_tag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFound:
    """Somebody speaks."""

    offset_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOver:
    """Nobody speaks any more."""

    offset_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """All of the phrase as it is understood by now; the next one takes its place."""

    text: str
    offset_ms: float | None
    locale: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """The last word on a stretch of audio."""

    status: str
    text: str
    offset_ms: float | None
    duration_ms: float | None
    """None, as the offset, where the service does not say."""
    locale: str | None
    commit_token: str | None
    """Of the commit that it answers."""

    @property
    def is_end(self) -> bool:
        """Whether it only says that the audio is over."""
        return self.status.lower() == "endofdictation"

    @property
    def is_failure(self) -> bool:
        """Whether the stretch could not be written down."""
        return not self.text and self.status.lower() not in _QUIET

    @property
    def end_ms(self) -> float | None:
        """Where the stretch ends."""
        if self.offset_ms is None or self.duration_ms is None:
            return None
        return self.offset_ms + self.duration_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The service is done with the turn."""


RecognitionEvent: TypeAlias = (
    TurnStarted | SpeechFound | SpeechOver | Hypothesis | Phrase | TurnEnded
)


class Recogniser:
    """Writes the frames of one turn. `at` is the time of day, in Unix seconds."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        """A fresh one for every turn: the service tells turns apart by it."""
        whole = self._audio(b"", at=0.0)
        self._before, self._after = whole.split(timestamp(0.0).encode(), 1)

    def config(self, body: str, *, at: float) -> str | bytes:
        """Return who is calling, for the start of a connection."""
        message = Message("speech.config", body, {"Content-Type": "application/json"})
        return encode(message, at=timestamp(at))

    def context(
        self, context: Mapping[str, Any], *, service_tag: str | None, offset_ms: float, at: float
    ) -> str | bytes:
        """Return what opens the turn; its audio begins there in what `service_tag` had."""
        body = dict(context)
        if service_tag is not None:
            stream = {"offset": str(round(offset_ms * _TICKS_PER_MS))}
            past = {"previousServiceTag": service_tag, "audio": {"streams": {"1": stream}}}
            body["continuation"] = past
        headers = {"Content-Type": "application/json", "X-RequestId": self.request_id}
        return encode(Message("speech.context", to_json(body).decode(), headers), at=timestamp(at))

    def head(self, *, sample_rate: int, at: float) -> str | bytes:
        """Return what the samples are: 16 bits, one channel."""
        return self._audio(stream_header(sample_rate=sample_rate), at=at, kind="audio/x-wav")

    def audio(self, samples: bytes, *, at: float) -> str | bytes:
        """Return samples; none are the end of the audio."""
        return b"".join((self._before, timestamp(at).encode(), self._after, samples))

    def commit(self, token: str, *, at: float) -> str | bytes:
        """Return that a phrase ends here; advisory, and answered with the token."""
        headers = {"X-RequestId": self.request_id, _TOKEN: token}
        return encode(Message("audio.commit", "", headers), at=timestamp(at))

    def _audio(self, body: bytes, *, at: float, kind: str | None = None) -> bytes:
        headers = {} if kind is None else {"Content-Type": kind}
        headers |= {"X-RequestId": self.request_id, "X-StreamId": "1"}
        frame = encode(Message("audio", body, headers), at=timestamp(at))
        assert isinstance(frame, bytes)  # noqa: S101 - a body of bytes makes a binary frame
        return frame


def recognition_context(
    *, model: str, language: str | None = None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the body of `speech.context`; `extra` is laid over it, objects are merged.

    The model's name is sent as it is: the service took only lower case (live check, 2026-10-05).
    """
    phrases = {"mode": "CONVERSATION", **({"language": language} if language else {})}
    body = {
        "phraseDetection": phrases,
        "model": {"name": model},
        "audio": {"streams": {"1": None}},
    }
    return _over(body, extra or {})


def read_recognition(message: Message) -> RecognitionEvent | None:
    """Return what a message of the service means; None for one that nobody knows."""
    body = as_object(message.json)
    offset_ms = _ms(body.get("Offset"))
    match message.path.lower():
        case "turn.start":
            tag = as_text(as_object(body.get("context")).get("serviceTag"))
            return TurnStarted(service_tag=tag)
        case "speech.startdetected":
            return SpeechFound(offset_ms=offset_ms)
        case "speech.enddetected":
            return SpeechOver(offset_ms=offset_ms)
        case "speech.hypothesis" | "speech.fragment":
            text = as_text(body.get("Text")) or ""
            return Hypothesis(text=text, offset_ms=offset_ms, locale=_locale(body))
        case "speech.phrase":
            told = as_object(body.get("clientAudioMetadata"))
            return Phrase(
                status=as_text(body.get("RecognitionStatus")) or "",
                text=as_text(body.get("DisplayText")) or _best(body),
                offset_ms=offset_ms,
                duration_ms=_ms(body.get("Duration")),
                locale=_locale(body),
                commit_token=as_text(told.get(_TOKEN)),
            )
        case "turn.end":
            return TurnEnded()
        case _:
            return None


def _best(body: dict[str, Any]) -> str:
    """Return the text of the detailed format."""
    best = next(iter(as_list(body.get("NBest"))), None)
    return as_text(as_object(best).get("Display")) or ""


def _locale(body: dict[str, Any]) -> str | None:
    return as_text(as_object(body.get("PrimaryLanguage")).get("Language")) or None


def _ms(ticks: Any) -> float | None:
    if isinstance(ticks, bool) or not isinstance(ticks, (int, float)) or ticks < 0:
        return None
    return ticks / _TICKS_PER_MS


def _over(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(body)
    for name, value in extra.items():
        below = merged.get(name)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[name] = _over(as_object(below), as_object(value)) if both else value
    return merged
