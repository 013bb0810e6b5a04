"""Live transcription over the Speech service's WebSocket (USP), as a state machine. Pure.

The service finds phrases by itself, and each final one names its place in the audio: so it is a
turn, has a receipt, and acknowledges all audio up to its end. Nothing else does, but silence that
the service has surely had for a while. A turn of the protocol is something else: a stream of audio
with a request id. When the service ends one, or a line breaks, another goes on from the last
phrase, as the official client does; at the end of a session the stream is ended, and what the
service still says until `turn.end` are the last words.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import ServiceUnavailable
from mai_sdk.session.hearing import Hearing
from mai_sdk.session.phrases import Phrases
from mai_sdk.session.transcription import Transcription, ms_between
from mai_sdk.wire.session_events import Other, Reconnected, SessionStarted
from mai_sdk.wire.shapes import as_object, as_text
from mai_sdk.wire.usp import Malformed, decode
from mai_sdk.wire.usp_stt import (
    Hypothesis,
    Phrase,
    Recogniser,
    SpeechFound,
    SpeechOver,
    TurnEnded,
    TurnStarted,
    read_recognition,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mai_sdk.audio.turns import TurnDetector
    from mai_sdk.session.hearing import Said
    from mai_sdk.wire.session_events import SessionEvent
    from mai_sdk.wire.usp import Message
    from mai_sdk.wire.usp_stt import RecognitionEvent

__all__ = ["Recognition"]

_SLACK_MS: Final = 1000.0
_SURE: Final = 5.0
"""Seconds after which the service would have reported speech in what it has."""
_BRIEF: Final = 1.0
_FRUITLESS: Final = 8
"""So many turns in a row that end at once and say nothing are a service that does not listen."""


@dataclass(slots=True)
class _Stream:
    """One turn of the protocol."""

    asks: Recogniser
    began_at: float
    is_ended: bool = False
    """Whether we said that there is no more audio."""
    is_heard: bool = False
    """Whether the service said that it has all of it."""
    phrases: set[Phrase] = field(default_factory=set[Phrase])


class Recognition(Transcription):
    """See the module.

    Args:
        context: The body of speech.context.
        config: The body of speech.config.
        sample_rate: Of the audio.
        detector: What ends turns before the service does; None leaves it to the service, and to
            the caller's commits.
        buffer_seconds: How much audio is kept that is not written down.
        lifetime_seconds: How long a connection lives.
        new_id: Makes the ids of requests.
    """

    def __init__(
        self,
        context: Mapping[str, Any],
        *,
        config: str,
        sample_rate: int,
        detector: TurnDetector | None = None,
        buffer_seconds: float = 300.0,
        lifetime_seconds: float = 3600.0,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        super().__init__(
            Hearing(sample_rate, buffer_seconds, slack_ms=_SLACK_MS),
            detector=detector,
            lifetime_seconds=lifetime_seconds,
        )
        self._context = dict(context)
        self._config = config
        self._new_id = new_id
        self._stream = _Stream(Recogniser(""), 0.0)
        self._service_tag: str | None = None
        self._now = 0.0
        self._resent_ms = 0.0
        self._commits = self._fruitless = 0
        self._phrases = Phrases(tells_speech=detector is None)
        self._is_done = self._is_asked_again = False
        self._delivered: deque[tuple[int, float]] = deque()

    # What the user says.

    def send_audio(self, audio: bytes, *, now: float) -> None:
        """Take the next piece of audio; see `Transcription`."""
        self._now = now
        super().send_audio(audio, now=now)

    def close(self) -> None:
        """Note that no more audio comes: the stream ends here."""
        if not self.is_closing:
            super().close()
            if self._is_ready:
                self._end_stream()

    @property
    def is_drained(self) -> bool:
        """Whether, once closed, all is written down."""
        return self.is_closing and (self._is_done or not len(self.hearing.buffer))

    # The connection.

    @property
    def detects_turns(self) -> bool:
        """Whether audio without speech needs no commit; not while somebody speaks."""
        return self._detector is None or not self._detector.speaking

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks and nothing is being written down."""
        return self.detects_turns and not self.hearing.said

    def tick(self, now: float) -> None:
        """Acknowledge silence that the service has had for so long that speech would be known."""
        self._now = now
        while self._delivered and now - self._delivered[0][1] >= _SURE:
            offset, _ = self._delivered.popleft()
            if self.detects_turns:
                self.hearing.proven(offset)

    def pong(self, payload: bytes) -> None:
        """Note that a ping was answered."""
        offset = self._pings.pop(payload, None)
        if offset is not None:
            self._delivered.append((offset, self._now))

    def _open(self, now: float) -> None:
        self._is_ready, self._now = True, now
        self._resent_ms = self._begin_stream(now, is_first=True)

    def _lost(self, now: float) -> None:
        self._is_ready = False
        self._delivered.clear()
        self._news = Reconnected(why=self._why, connections=0)

    def _begin_stream(self, now: float, *, is_first: bool = False) -> float:
        """Open a turn, from the last acknowledged sample; return how many ms are sent again."""
        self._delivered.clear()
        self._stream = _Stream(Recogniser(self._new_id()), now)
        asks, at = self._stream.asks, self._wall
        if is_first:
            self._put(asks.config(self._config, at=at))
        start_ms = self.hearing.ms(self.hearing.buffer.start)
        self._put(
            asks.context(self._context, service_tag=self._service_tag, offset_ms=start_ms, at=at)
        )
        self._put(asks.head(sample_rate=self.hearing.sample_rate, at=at))
        again = self._send_again()
        if self.is_closing:
            self._end_stream()
        return again

    def _end_stream(self) -> None:
        self._stream.is_ended = True
        self._put(self._stream.asks.audio(b"", at=self._wall))

    def _append(self, audio: bytes) -> None:
        self._queued_to += len(audio) // self.hearing.sample_bytes
        self._put(self._stream.asks.audio(audio, at=self._wall))

    def _put_commit(self, said: Said) -> None:
        self._commits += 1
        said.item_id = str(self._commits)
        self._put(self._stream.asks.commit(said.item_id, at=self._wall))

    @property
    def _wall(self) -> float:
        return max(self._wall_less_now + self._now, 0.0)

    # What the service says.

    def receive(self, frame: str | bytes, *, now: float) -> None:
        """Take what came over the connection."""
        self._now = now
        try:
            message = decode(frame)
        except Malformed as error:
            self.emit(Other(type=None, raw=str(error)))
            return
        event = read_recognition(message)
        request_id = self._stream.asks.request_id
        is_ours = (message.request_id or request_id).lower() == request_id
        if event is None or not is_ours or self._is_done:
            self.emit(Other(type=message.path, raw=message))
        else:
            self._read(event, message, now)

    def _read(self, event: RecognitionEvent, message: Message, now: float) -> None:
        told = len(self._events)
        self._stand(event, message, now)
        if isinstance(event, TurnEnded):
            self._end(now)
        elif isinstance(event, Phrase):
            self._write(event, message, now)
        elif isinstance(event, Hypothesis):
            if event.text:
                self._begin_speech(event.offset_ms)
            self._tell(self._phrases.supposed(event, raw=message))
        elif isinstance(event, SpeechFound):
            self._begin_speech(event.offset_ms)
        elif isinstance(event, SpeechOver):
            self._stop_speech(event.offset_ms)
        if len(self._events) == told:
            self.emit(Other(type=message.path, raw=message))

    def _stand(self, event: RecognitionEvent, message: Message, now: float) -> None:
        """Note that the service listens on this connection."""
        self.is_proven = self.is_proven or not isinstance(event, (TurnStarted, TurnEnded))
        tag = event.service_tag if isinstance(event, TurnStarted) else None
        self._service_tag = tag or self._service_tag
        if not self._has_started:
            self._has_started = True
            name = as_text(as_object(self._context.get("model")).get("name"))
            self.emit(SessionStarted(session_id=tag, model=name, raw=message))
        if self._news is not None:
            self._news = Reconnected(why=self._why, connections=0, resent_ms=self._resent_ms)
            self._returned(now)

    def _place(self, ms: float | None) -> int | None:
        """Return the offset that the service means; nothing that it was not sent."""
        return None if ms is None else min(self.hearing.position(ms), self._flushed_to)

    def _begin_speech(self, offset_ms: float | None) -> None:
        start = self.hearing.found(self._place(offset_ms))
        self._tell(self._phrases.begun(None if offset_ms is None else self.hearing.ms(start)))

    def _stop_speech(self, ms: float | None) -> None:
        end = self._place(ms)
        self._tell(self._phrases.stopped(None if end is None else self.hearing.ms(end)))

    def _write(self, event: Phrase, message: Message, now: float) -> None:
        self._stream.is_heard |= event.is_end and self._stream.is_ended
        if event.is_end or self._is_repeated(event):
            return
        start, end = self._place(event.offset_ms), self._place(event.end_ms)
        if end is None:
            end = self.hearing.end_of(event.commit_token)
        if event.text:
            self._begin_speech(event.offset_ms)
        given_at = None if end is None else self.hearing.given_at(end)
        answers = self.hearing.written_to(end)
        is_turn = event.text or event.is_failure or event.commit_token or answers
        if not (is_turn or self._phrases.hypothesis):
            return
        self._stop_speech(event.end_ms)
        length = 0 if start is None or end is None else max(end - start, 0)
        self._tell(
            self._phrases.written(
                event,
                raw=message,
                request_id=self._stream.asks.request_id,
                listened_ms=self.hearing.ms(length),
                first_text_ms=ms_between(given_at, now),
            )
        )

    def _tell(self, events: Iterable[SessionEvent]) -> None:
        for each in events:
            self.emit(each)

    def _is_repeated(self, event: Phrase) -> bool:
        """Whether it came before; only one that names its place or a commit can be told apart."""
        if event.offset_ms is None and event.commit_token is None:
            return False
        known = event in self._stream.phrases
        self._stream.phrases.add(event)
        return known

    def _end(self, now: float) -> None:
        """Take the end of a turn: of the session, or of a stream that another one continues.

        An end of the service's own may cross ours. Unless it says that it has everything, what no
        phrase covers is sent once more, as the official client does.
        """
        stream = self._stream
        is_all = stream.is_heard or self._is_asked_again or not len(self.hearing.buffer)
        if not (stream.is_ended and is_all):
            self._is_asked_again = stream.is_ended
            self._go_on(now)
            return
        self._is_done = True
        if self.hearing.written_to(self._flushed_to) or self._phrases.hypothesis:
            self._tell(self._phrases.given_up(request_id=stream.asks.request_id))

    def _go_on(self, now: float) -> None:
        stream = self._stream
        is_fruitless = not stream.phrases and now - stream.began_at < _BRIEF
        self._fruitless = self._fruitless + 1 if is_fruitless else 0
        if self._fruitless >= _FRUITLESS:
            self.failure = ServiceUnavailable(
                f"The service ended {self._fruitless} turns in a row at once, without a word. "
                "Check the model and the language; else try again later."
            )
            return
        self._start_over()
        self._begin_stream(now)
