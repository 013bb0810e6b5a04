"""A text being spoken: its requests, one after the other, and the speech they make. Does no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mai_sdk.engine.call import Call
from mai_sdk.errors import StreamTruncated, UnreadableAnswer
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.reading import Reading
from mai_sdk.resources.say import Say, documents_of, speech_route
from mai_sdk.resources.speech import Speech, as_wav
from mai_sdk.wire.speech_events import AudioChunk, SpeechEvent
from mai_sdk.wire.tts import CONTENT_TYPE, AudioReader, read_tts_failure, speech_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from mai_sdk.config import Route, Timeouts
    from mai_sdk.engine.tab import Tab
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.say import Document
    from mai_sdk.wire.formats import AudioFormat

__all__ = ["Speaking", "build_speech", "open_speech"]

_LONGEST_SECONDS = 600.0
_NEARLY = 0.5
"""Seconds: an answer this close to the longest was cut there."""
_MAX_BYTES = 256 * 1024 * 1024
"""Of one answer; ten minutes at 48 kHz are 58 MB."""


def open_speech(core: Core, say: Say, *, verb: str) -> Speaking:
    """Plan a call; nothing is sent yet.

    Raises:
        NotConfigured: No Speech resource leads to the model.
        InvalidRequest: It is wrong as it stands.
    """
    kind = say.check()
    route, voice = speech_route(core, say)
    documents = documents_of(say, voice, kind)
    timeouts = core.config.timeouts_for(say.timeout, modality="voice")
    headers = tuple((say.extra_headers or {}).items())
    calls = [_call(route, one, kind, timeouts, headers, str(say.text)) for one in documents]
    tab = core.tab(route, modality="voice", verb=verb, tags=say.tags, timeouts=timeouts)
    return Speaking(calls, tab, kind, voice=voice, core=core)


class Speaking(Reading[SpeechEvent, Speech]):
    """The audio of one text: whole samples as they come, over as many requests as it takes."""

    def __init__(
        self, calls: list[Call[Any]], tab: Tab, kind: AudioFormat, *, voice: str | None, core: Core
    ) -> None:
        super().__init__(calls[0], tab, open_streams=core.open_streams)
        self._calls = calls[1:]
        self._kind = kind
        self._voice = voice
        self._reader = AudioReader(frame_bytes=kind.frame_bytes)
        self._done: list[bytes] = []
        self._first_content: float | None = None
        self._headers: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Only the end of the body says that the audio is complete."""
        return False

    def open(self, headers: Any) -> None:
        """Take over an open answer.

        Raises:
            UnreadableAnswer: It is text, and so no audio.
        """
        super().open(headers)
        self._headers = dict(headers)
        kind = headers.get("content-type", "").lower()
        if kind.startswith("text/") or "xml" in kind:
            _no_audio(b"", headers)

    def feed(self, data: bytes) -> list[SpeechEvent]:
        """Return the audio in the bytes, cut between samples only."""
        pieces = self._reader.feed(data)
        if pieces and self._first_content is None:
            self._first_content = self.tab.elapsed()
        return [AudioChunk(piece) for piece in pieces]

    def close(self) -> list[SpeechEvent]:
        """Note that an answer has ended.

        Raises:
            StreamTruncated: It ended inside a sample, or where the service stops.
            UnreadableAnswer: It had no audio.
        """
        self._reader.close()
        seconds = self._kind.seconds(self._reader.size)
        if seconds is not None and seconds > _LONGEST_SECONDS - _NEARLY:
            raise StreamTruncated(
                "The service stops after ten minutes of audio, and this request came to that, so "
                "the end of its text was not spoken. Say less in one request, or faster; what was "
                "spoken is on `partial`."
            )
        return []

    def go_on(self) -> bool:
        """Turn to the next piece of the text, if there is one."""
        if not self._calls:
            return False
        self._done.append(self._reader.audio)
        self._reader = AudioReader(frame_bytes=self._kind.frame_bytes)
        self.call = self._calls.pop(0)
        return True

    def used(self, error: BaseException | None) -> Usage:
        """Return the characters of this request: what was sent is billed, heard or not."""
        del error
        return self.call.upper_bound()

    def partial(self) -> Speech:
        """Return the speech as far as it came."""
        audio = b"".join((*self._done, self._reader.audio))
        return build_speech(
            audio, self._kind, self.tab,
            voice=self._voice, first_content=self._first_content, raw=self._headers,
        )  # fmt: skip


def build_speech(
    audio: bytes,
    kind: AudioFormat,
    tab: Tab,
    *,
    voice: str | None,
    first_content: float | None,
    raw: Any,
    boundaries: tuple[Any, ...] = (),
) -> Speech:
    """Return the audio as callers see it, with what it took."""
    receipt = tab.receipt()
    return Speech(
        audio=as_wav(audio, kind) if kind.container == "wav" else audio,
        format=kind.name,
        sample_rate=kind.sample_rate,
        audio_seconds=kind.seconds(len(audio)),
        voice=voice,
        usage=receipt.usage,
        cost=receipt.cost,
        model=tab.route.model,
        deployment=tab.route.deployment,
        call_id=tab.call_id,
        request_id=tab.request_id,
        attempts=len(receipt.attempts),
        timing=tab.timing().model_copy(update={"first_content": first_content}),
        receipt=receipt,
        boundaries=boundaries,
        raw=raw,
    )


def _call(
    route: Route,
    document: Document,
    kind: AudioFormat,
    timeouts: Timeouts,
    headers: tuple[tuple[str, str], ...],
    text: str,
) -> Call[Any]:
    usage = Usage(characters=document.characters, basis="estimated")
    query = f"?{urlencode(route.query)}" if route.query else ""
    return Call(
        route=route,
        url=route.endpoint + speech_path(route.endpoint) + query,
        body=document.ssml.encode("utf-8"),
        read=_no_audio,
        usage_of=lambda _: usage,
        fail=_fail,
        upper_bound=lambda: usage,
        timeouts=timeouts,
        headers=(("x-microsoft-outputformat", kind.wire_name), *headers),
        stream=True,
        content_type=CONTENT_TYPE,
        accept="*/*",
        max_body_bytes=_MAX_BYTES,
        prompts=(text,),
    )


def _no_audio(body: bytes, headers: Mapping[str, str]) -> NoReturn:
    del body
    kind = headers.get("content-type", "")[:60]
    raise UnreadableAnswer(
        f"The answer is {kind or 'of no kind'}, and no audio. Check the speech endpoint: a proxy "
        "or a login page may stand in between.",
        status=200,
    )


def _fail(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    return read_tts_failure(status=status, headers=headers, body=body)
