"""One turn of speech over a USP WebSocket: what is said, and what its answers mean. Pure.

    speech.config          once for a connection
    synthesis.context      the format, and what metadata is wanted
    ssml                   v1: the whole turn
    text.piece, text.end   v2: raw text while it is still being written

Success is `turn.end` and nothing else: a connection that closes before it, with whatever code,
has not delivered.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mai_sdk.errors import StreamTruncated, UnreadableAnswer
from mai_sdk.wire.closes import failure_from_close
from mai_sdk.wire.events import Unrecognised
from mai_sdk.wire.shapes import as_object, as_text
from mai_sdk.wire.speech_events import AudioChunk, SpeechEnd
from mai_sdk.wire.ssml import plain
from mai_sdk.wire.usp import Malformed, Message, decode, encode, timestamp
from mai_sdk.wire.usp_metadata import MetadataReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.errors import CallFailed
    from mai_sdk.wire.speech_events import SpeechEvent

__all__ = ["Context", "Turn"]

_LOST_MS: Final = 250.0
"""So much less audio than the service says it sent is a loss; less may be how it rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is asked of a turn besides its text."""

    output_format: str
    """The wire's name, such as "raw-24khz-16bit-mono-pcm"."""
    bytes_per_second: int | None = None
    """Of that format, where it is constant: then audio that got lost is noticed."""
    boundaries: bool = False
    """Whether words, punctuation, sentences and bookmarks are wanted."""
    visemes: bool = False
    input: Mapping[str, Any] | None = field(default=None, repr=False)
    """v2 only: `voiceName`, `rate`, `style`... The service takes text where this is set."""

    def body(self) -> str:
        """Return the body of `synthesis.context`, keyed and ordered like the official client's."""
        said: dict[str, Any] = {
            "audio": {
                "outputFormat": self.output_format,
                "metadataOptions": {
                    "visemeEnabled": self.visemes,
                    "bookmarkEnabled": self.boundaries,
                    "wordBoundaryEnabled": self.boundaries,
                    "punctuationBoundaryEnabled": self.boundaries,
                    "sentenceBoundaryEnabled": self.boundaries,
                    "sessionEndEnabled": True,
                },
            },
            "language": {"autoDetection": False},
        }
        if self.input is not None:
            said["input"] = {"bidirectionalStreamingMode": True, **self.input}
        return to_json({"synthesis": said}).decode()


class Turn:
    """One turn. Send what the first methods return, `feed` what comes, until `is_over`."""

    def __init__(
        self,
        context: Context,
        *,
        text: str,
        ssml: str | None,
        config: str,
        clock: Callable[[], float],
    ) -> None:
        self.request_id = uuid.uuid4().hex
        """A fresh one for every turn: the service tells turns apart by it."""
        self.is_over = False
        """Whether `turn.end` has come."""
        self.has_begun = False
        """Whether the service has answered anything to this turn."""
        self.audio_bytes = 0
        self.session_end_ms: float | None = None
        """How much audio the service says it sent."""
        self._context = context
        self._ssml = ssml
        self._config = config
        self._clock = clock
        self._stream_id: str | None = None
        self._metadata = MetadataReader(text)

    def opening(self, *, first: bool) -> list[str]:
        """Return the frames that open the turn; of v1 these are all there are.

        Args:
            first: Whether this is the connection's first turn, which says who is calling.
        """
        frames = [self._text("speech.config", self._config, asks=False)] if first else []
        frames.append(self._text("synthesis.context", self._context.body()))
        if self._ssml is not None:
            frames.append(self._text("ssml", self._ssml, kind="application/ssml+xml"))
        return frames

    def piece(self, text: str) -> str:
        """Return the frame of the next piece of text, of v2: neither SSML nor escaped.

        A frame holds no half of a surrogate pair; what XML cannot hold is a space here, too.
        """
        text = plain(text)
        self._metadata.text += text
        return self._text("text.piece", text, kind="text/plain")

    def end(self) -> str:
        """Return the frame that says the text is complete, of v2."""
        return self._text("text.end", "", kind="text/plain")

    def feed(self, frame: str | bytes) -> list[SpeechEvent]:
        """Return the events in a frame; of another turn, or another stream, there are none.

        Raises:
            StreamTruncated: The turn ended, and not all of its audio has come.
            UnreadableAnswer: The frame is none of this protocol, or no audio came at all.
        """
        try:
            message = decode(frame)
        except Malformed as error:
            raise UnreadableAnswer(
                f"The service sent what is no speech message: {error}."
            ) from None
        if self.is_over or (message.request_id or self.request_id).lower() != self.request_id:
            return []
        self.has_begun = True
        path = message.path.lower()
        if isinstance(message.body, bytes):
            return self._audio(message) if path == "audio" else [Unrecognised(message)]
        if path == "turn.start":
            return []
        if path == "response":
            self._stream_id = as_text(
                as_object(as_object(message.json).get("audio")).get("streamId")
            )
            return []
        if path == "audio.metadata":
            return self._noted(self._metadata.read(message.json))
        if path == "turn.end":
            self.is_over = True
            self._check()
            return []
        return [Unrecognised(message)]

    def closed(self, code: int, reason: str) -> CallFailed:
        """Return the error that a close is which came before the turn was over."""
        return failure_from_close(code, reason, before="turn.end")

    def _audio(self, message: Message) -> list[SpeechEvent]:
        ours = self._stream_id is None or message.stream_id in {None, self._stream_id}
        if not (ours and isinstance(message.body, bytes) and message.body):
            return []
        self.audio_bytes += len(message.body)
        return [AudioChunk(message.body)]

    def _noted(self, events: list[SpeechEvent]) -> list[SpeechEvent]:
        for event in events:
            if isinstance(event, SpeechEnd):
                self.session_end_ms = event.offset_ms
        return events

    def _check(self) -> None:
        """Return if what came is what the service says it sent."""
        if not self.audio_bytes and not self.session_end_ms:
            raise UnreadableAnswer("The turn ended without any audio. Check text and voice.")
        pace = self._context.bytes_per_second
        if pace is None and self.audio_bytes:
            return
        came_ms = self.audio_bytes * 1000 / pace if pace else 0.0
        if self.session_end_ms is not None and came_ms + _LOST_MS < self.session_end_ms:
            raise StreamTruncated(
                f"The service says it sent {self.session_end_ms:.0f} ms of audio, and "
                f"{came_ms:.0f} ms came. Ask again, or for less text at once."
            )

    def _text(self, path: str, body: str, *, kind: str = "", asks: bool = True) -> str:
        headers = {"Content-Type": kind} if kind else {}
        if asks:
            headers["X-RequestId"] = self.request_id
        frame = encode(Message(path, body, headers), at=timestamp(self._clock()))
        assert isinstance(frame, str)  # noqa: S101 - a text body makes a text frame
        return frame
