"""Speech over a WebSocket: for text that is still being written, and for where each word stands.

Whole sentences are gathered from the pieces, and each run of them is a turn of its own on a warm
connection. With `text_streaming` the pieces themselves go out, in one turn (version 2 of the
service's socket). Does no I/O.
"""

from __future__ import annotations

import platform
import uuid
from collections import deque
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from mai_sdk._version import __version__
from mai_sdk.engine.call import Call
from mai_sdk.engine.flow import opened
from mai_sdk.engine.steps import Await
from mai_sdk.errors import AnswerTooLarge, InvalidRequest, UnsupportedFeature
from mai_sdk.metering.characters import count_characters
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.reading import Reading
from mai_sdk.resources.say import MAX_SSML_BYTES, Document, Say, documents_of, speech_route
from mai_sdk.resources.speaking import build_speech
from mai_sdk.resources.speech import Speech
from mai_sdk.wire.closes import failure_from_close
from mai_sdk.wire.events import Unrecognised
from mai_sdk.wire.sentences import whole_sentences
from mai_sdk.wire.speech_events import (
    AudioChunk,
    Bookmark,
    SentenceBoundary,
    SpeechEnd,
    SpeechEvent,
    Viseme,
    WordBoundary,
)
from mai_sdk.wire.ssml import SSML, plain
from mai_sdk.wire.tts import AudioReader, read_tts_failure, socket_path
from mai_sdk.wire.usp import config_body
from mai_sdk.wire.usp_tts import Context, Turn

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Mapping

    from mai_sdk.config import Route
    from mai_sdk.engine.pieces import AsyncPieces, Pieces
    from mai_sdk.engine.steps import Step, TransportFailed
    from mai_sdk.engine.tab import Tab
    from mai_sdk.errors import CallFailed, MAIError
    from mai_sdk.resources.core import Core
    from mai_sdk.wire.formats import AudioFormat

__all__ = ["Live", "LiveSpeaking", "open_live", "shared_by", "socket_call"]

_CONFIG = config_body(name="mai-sdk", version=__version__, platform=platform.system())
_MAX_BYTES = 256 * 1024 * 1024
_NO_USAGE = Usage(characters=0, basis="estimated")
_NO_LIMIT = Usage(basis="unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is asked of the socket, beside what is said."""

    boundaries: bool = False
    visemes: bool = False
    text_streaming: bool = False

    @property
    def needs_socket(self) -> bool:
        """Whether REST cannot give it."""
        return self.boundaries or self.visemes or self.text_streaming

    def written(self, text: Any) -> Any:
        """Return the pieces of a text that is still being written; None for a whole one."""
        if isinstance(text, str):
            return [text] if self.text_streaming and not isinstance(text, SSML) else None
        is_bytes = isinstance(text, (bytes, bytearray, memoryview))
        pieces: Any = text
        return pieces if isinstance(text, (Iterable, AsyncIterable)) and not is_bytes else None


def open_live(
    core: Core, say: Say, live: Live, *, pieces: Pieces | AsyncPieces | None
) -> LiveSpeaking:
    """Plan a call; nothing is sent yet.

    Args:
        core: The client's.
        say: How it is said; its text counts only where there are no pieces.
        live: What else is wanted.
        pieces: The text, while it is written.

    Raises:
        NotConfigured: No Speech resource leads to the model.
        InvalidRequest: It is wrong as it stands.
        UnsupportedFeature: The format cannot be joined, or SSML was to be streamed.
    """
    if live.text_streaming and isinstance(say.text, SSML):
        raise UnsupportedFeature(
            "text_streaming takes plain text: the service reads no SSML there."
        )
    if isinstance(say.text, SSML) and len(say.text.encode("utf-8", "replace")) > MAX_SSML_BYTES:
        raise InvalidRequest(
            "The SSML is longer than the 64 KB that a WebSocket turn takes. Cut it into several "
            "documents, or stream it without boundaries and visemes."
        )
    kind = replace(say, text="text").check() if pieces is not None else say.check()
    if pieces is not None and not kind.is_joinable and not live.text_streaming:
        raise UnsupportedFeature(
            f"Each sentence is spoken on its own, and pieces of {kind.name} cannot be joined. Ask "
            "for format='pcm', 'wav', 'mp3' or 'ogg'."
        )
    route, voice = speech_route(core, replace(say, text="text") if pieces is not None else say)
    timeouts = core.config.timeouts_for(say.timeout, modality="voice")
    tab = core.tab(route, modality="voice", verb="stream", tags=say.tags, timeouts=timeouts)
    call = socket_call(core, say, route, version=2 if live.text_streaming else 1)
    documents = [] if pieces is not None else documents_of(say, voice, kind)
    return LiveSpeaking(
        call, tab, kind, say=say, live=live, voice=voice, documents=documents, pieces=pieces,
        core=core,
    )  # fmt: skip


def socket_call(core: Core, say: Say, route: Route, *, version: int) -> Call[Any]:
    """Return the call that opens the socket; what a turn on it says is told apart."""
    query = "&".join(f"{name}={value}" for name, value in route.query)
    url = route.endpoint + socket_path(route.endpoint, version=version)
    return Call(
        route=route,
        url=f"{url}?{query}" if query else url,
        body=b"",
        read=lambda body, headers: None,
        usage_of=lambda _: _NO_USAGE,
        fail=_fail,
        upper_bound=lambda: _NO_USAGE,
        timeouts=core.config.timeouts_for(say.timeout, modality="voice"),
        headers=(
            ("X-ConnectionId", uuid.uuid4().hex),
            *(say.extra_headers or {}).items(),
        ),
        stream=True,
        max_body_bytes=_MAX_BYTES,
    )


def shared_by(call: Call[Any]) -> Hashable:
    """Return what a connection can be shared by: the same place, proof and headers."""
    return (call.url, id(call.route.credential), *call.route.headers, *call.headers[1:])


class LiveSpeaking(Reading[SpeechEvent, Speech]):
    """The events of one text, over as many turns as it takes; offsets count from its beginning."""

    def __init__(
        self,
        call: Call[Any],
        tab: Tab,
        kind: AudioFormat,
        *,
        say: Say,
        live: Live,
        voice: str | None,
        documents: list[Document],
        pieces: Pieces | AsyncPieces | None,
        core: Core,
    ) -> None:
        call = replace(call, fail=self._refused, upper_bound=self._most)
        super().__init__(call, tab, open_streams=core.open_streams)
        self.pieces = pieces
        self._kind = kind
        self._say = say
        self._live = live
        self._voice = voice
        self._documents = deque(documents)
        self._clock = core.engine.wall_clock
        self._rest = ""
        """Text that is no whole sentence yet."""
        self._now = Document(ssml="", characters=0, text="")
        self._reader = AudioReader(frame_bytes=kind.frame_bytes)
        self._done: list[bytes] = []
        self._marks: list[Any] = []
        self._first_content: float | None = None
        self._begins_ms = 0.0
        self._ends_ms = 0.0
        self._text_begins = 0
        self._headers: dict[str, str] = {}
        self._began: dict[str, float | None] | None = None
        """How long the first turn took to begin: the listener waited for that one."""

    @property
    def key(self) -> Hashable:
        """See `shared_by`."""
        return shared_by(self.call)

    @property
    def streamed(self) -> Pieces | AsyncPieces | None:
        """The pieces, where they are to go out as they are."""
        return self.pieces if self._live.text_streaming else None

    @property
    def is_over(self) -> bool:
        """The turn itself says so."""
        return False

    def turn(self) -> Turn:
        """Return a fresh turn for what is to be said next."""
        streamed = self.streamed is not None
        seconds = self._kind.seconds(100_000)
        rate = round(100_000 / seconds) if seconds and self._kind.is_samples else None
        context = Context(
            output_format=self._kind.wire_name,
            bytes_per_second=rate,
            boundaries=self._live.boundaries,
            visemes=self._live.visemes,
            input=self._input() if streamed else None,
        )
        return Turn(
            context,
            text="" if streamed else self._now.text,
            ssml=None if streamed else self._now.ssml,
            config=_CONFIG,
            clock=self._clock,
        )

    def request(self) -> Generator[Step, Any, Any]:
        """See `Reading.request`: the text of the next turn may have to be waited for."""
        whole, self.result = self.result, None
        document = yield from self._next()
        if document is None:
            if self.requested:
                self.result = whole
                return None
            raise InvalidRequest("The text is empty, so there is nothing to be said.")
        if self.requested:
            self._turn_over()
        self.requested = True
        self._now = document
        self._hide()
        self.check_left()
        return (yield from opened(self.call, self.tab))

    def open(self, headers: Any) -> None:
        """Take over a turn that has begun to be heard."""
        super().open(headers)
        self._headers = dict(headers)
        if self._began is None:
            self._began = {"queued": self.tab.queued, "first_byte": self.tab.first_byte}

    def take(self, data: bytes | list[SpeechEvent]) -> list[SpeechEvent]:
        """Return the events, their times and places counted from the beginning of all text."""
        events = [] if isinstance(data, bytes) else data
        shown: list[SpeechEvent] = []
        for event in events:
            if isinstance(event, AudioChunk):
                shown += self.feed(event.data)
            else:
                shown.append(self._placed(event))
        if any(not isinstance(event, Unrecognised) for event in shown):
            self.pace.fresh = True  # what nobody knows is no sign that audio will come
        return shown

    def feed(self, data: bytes) -> list[SpeechEvent]:
        """Return the audio in whole samples."""
        self.room -= len(data)
        if self.room < 0:
            raise AnswerTooLarge(f"The audio is longer than {_MAX_BYTES} bytes in one turn.")
        pieces = self._reader.feed(data)
        if pieces and self._first_content is None:
            self.tab.first_content = self._first_content = self.tab.elapsed()
        return [AudioChunk(piece) for piece in pieces]

    def close(self) -> list[SpeechEvent]:
        """Note that a turn has ended.

        Raises:
            StreamTruncated: It ended inside a sample.
        """
        self._reader.close()
        return []

    def used(self, error: BaseException | None) -> Usage:
        """Return the characters of this turn: what was sent is billed, heard or not."""
        del error
        if self.streamed is None:
            return Usage(characters=self._now.characters, basis="estimated")
        said = sum(map(count_characters, self.streamed.said))
        whole = self.streamed.is_over
        return Usage(characters=said, basis="estimated" if whole else "lower_bound")

    def _most(self) -> Usage:
        """Return what this turn can use at most; of text that is being written nobody knows."""
        used = self.used(None)
        return _NO_LIMIT if used.basis == "lower_bound" else used

    def partial(self) -> Speech:
        """Return the speech as far as it came."""
        speech = build_speech(
            b"".join((*self._done, self._reader.audio)),
            self._kind,
            self.tab,
            voice=self._voice,
            first_content=self._first_content,
            boundaries=tuple(self._marks),
            raw=self._headers,
        )
        timing = speech.timing.model_copy(update=self._began or {})
        return speech.model_copy(update={"timing": timing})

    def failed(self, error: MAIError | TransportFailed) -> MAIError:
        """See `Reading.failed`."""
        self._hide()
        return super().failed(error)

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
        """See `_fail`."""
        self._hide()
        return _fail(status, headers, body)

    def _hide(self) -> None:
        """Keep what was said by now out of errors."""
        said = self._now.text if self.streamed is None else "".join(self.streamed.said)
        self.call.prompts = (said,)

    def _turn_over(self) -> None:
        """Keep what the turn gave, and count on from its end."""
        self._done.append(self._reader.audio)
        seconds = self._kind.seconds(self._reader.size)
        self._begins_ms = self._ends_ms if seconds is None else self._begins_ms + seconds * 1000
        self._text_begins += len(self._now.text)
        self._reader = AudioReader(frame_bytes=self._kind.frame_bytes)

    def _placed(self, event: SpeechEvent) -> SpeechEvent:
        if isinstance(event, (WordBoundary, SentenceBoundary)):
            where = event.text_offset
            event = replace(
                event,
                offset_ms=event.offset_ms + self._begins_ms,
                text_offset=None if where is None else where + self._text_begins,
            )
        elif isinstance(event, (Viseme, Bookmark, SpeechEnd)):
            event = replace(event, offset_ms=event.offset_ms + self._begins_ms)
            if isinstance(event, SpeechEnd):
                self._ends_ms = event.offset_ms
                return event
        if isinstance(event, (WordBoundary, SentenceBoundary, Viseme, Bookmark)):
            self._marks.append(event)
        return event

    def _next(self) -> Generator[Step, Any, Document | None]:
        """Return what the next turn says; None if all is said."""
        if self.streamed is not None:
            return None if self.requested else (yield from self._first_piece())
        while not self._documents and self.pieces is not None:
            cut = whole_sentences(self._rest)
            if not cut and not self.pieces.is_over:
                self._rest += (yield Await(self.pieces.next)) or ""
                continue
            cut = cut or len(self._rest)
            text, self._rest = self._rest[:cut], self._rest[cut:]
            if any(map(str.isalnum, text)):
                said = replace(self._say, text=text)
                self._documents += documents_of(said, self._voice, self._kind)
            elif self.pieces.is_over and not self._rest:
                break
            else:
                self._text_begins += len(text)
        return self._documents.popleft() if self._documents else None

    def _first_piece(self) -> Generator[Step, Any, Document | None]:
        """Wait for some text before anything is sent: without any there is nothing to be said."""
        pieces = cast("Pieces", self.streamed)
        while not (said := any(plain(text).strip() for text in pieces.said)):
            if pieces.is_over:
                break
            yield Await(pieces.next)
        return Document(ssml="", characters=0, text="") if said else None

    def _input(self) -> Mapping[str, str]:
        manner = self._say.manner(self._voice or "")
        said = {
            "voiceName": manner.voice,
            "language": manner.language or "",
            "rate": manner.rate,
            "pitch": manner.pitch,
            "style": manner.style,
        }
        return {name: plain(value) for name, value in said.items() if value is not None}


def _fail(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """Return the error of a refused handshake, or of a close before the first audio."""
    if status < 1000:
        return read_tts_failure(status=status, headers=headers, body=body)
    return failure_from_close(status, body.decode("utf-8", "replace"), before="turn.end")
