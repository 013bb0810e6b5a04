"""What the service sends in a live session: the session, the user's audio, the conversation.

What belongs to a response is in `live_response_events` and `live_tool_events`. Fields:
azure-ai-voicelive 1.3.1, and the Realtime page of MAI-Transcribe-2-Streaming (2026-09-30) for
`InputAudioTranscriptionIntermediate`. Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mai_sdk.wire.live_fields import Part
from mai_sdk.wire.live_parts import Item, Problem, Session, TranscriptPhrase

__all__ = [
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
    "InputAudioTranscriptionCompleted",
    "InputAudioTranscriptionDelta",
    "InputAudioTranscriptionFailed",
    "InputAudioTranscriptionIntermediate",
    "OutputAudioBufferCleared",
    "RateLimitsUpdated",
    "ServerError",
    "ServerEvent",
    "ServerWarning",
    "SessionAvatarConnecting",
    "SessionAvatarSwitchToIdle",
    "SessionAvatarSwitchToSpeaking",
    "SessionCreated",
    "SessionUpdated",
    "UnrecognisedEvent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent(Part):
    """What every event of the service has."""

    type: ClassVar[str]
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrecognisedEvent:
    """An event this version does not know, or one that lacks what it is for; kept, never fatal."""

    type: str | None
    """The service's name for it; None if it gave none."""
    raw: dict[str, Any] = field(repr=False)
    """The event as received."""
    why: str | None = None
    """What was wrong with an event whose type is known; None for an unknown type."""

    @property
    def event_id(self) -> str | None:
        """The service's id of the event, if it has one."""
        value = self.raw.get("event_id")
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError(ServerEvent):
    """Something was refused or failed; the session may well go on."""

    type: ClassVar[str] = "error"
    error: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWarning(ServerEvent):
    """Something is not as it was asked for; the session goes on."""

    type: ClassVar[str] = "warning"
    warning: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated(ServerEvent):
    """The first event of every connection."""

    type: ClassVar[str] = "session.created"
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated(ServerEvent):
    """The answer to `session.update`: the whole session as it is now."""

    type: ClassVar[str] = "session.updated"
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAvatarConnecting(ServerEvent):
    """The answer to `session.avatar.connect`."""

    type: ClassVar[str] = "session.avatar.connecting"
    server_sdp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAvatarSwitchToSpeaking(ServerEvent):
    """The avatar begins to speak."""

    type: ClassVar[str] = "session.avatar.switch_to_speaking"
    turn_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAvatarSwitchToIdle(ServerEvent):
    """The avatar has stopped speaking."""

    type: ClassVar[str] = "session.avatar.switch_to_idle"
    turn_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitsUpdated(ServerEvent):
    """What is left of the quota. In the documentation, not in the official client."""

    type: ClassVar[str] = "rate_limits.updated"
    rate_limits: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemCreated(ServerEvent):
    """An item has joined the conversation."""

    type: ClassVar[str] = "conversation.item.created"
    previous_item_id: str | None = None
    item: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemRetrieved(ServerEvent):
    """The answer to `conversation.item.retrieve`."""

    type: ClassVar[str] = "conversation.item.retrieved"
    item: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemTruncated(ServerEvent):
    """The model now remembers the item only as far as it was heard."""

    type: ClassVar[str] = "conversation.item.truncated"
    item_id: str
    content_index: int = 0
    audio_end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemDeleted(ServerEvent):
    """The answer to `conversation.item.delete`."""

    type: ClassVar[str] = "conversation.item.deleted"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTranscriptionDelta(ServerEvent):
    """The next piece of what the user said: append it as it is, spaces and all."""

    type: ClassVar[str] = "conversation.item.input_audio_transcription.delta"
    item_id: str | None = None
    """The user's item; MAI-Transcribe's Realtime route need not name one."""
    content_index: int = 0
    delta: str = ""
    logprobs: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTranscriptionIntermediate(ServerEvent):
    """The whole provisional rest after the last delta: it replaces the one before. MAI only."""

    type: ClassVar[str] = "conversation.item.input_audio_transcription.intermediate"
    item_id: str | None = None
    content_index: int = 0
    intermediate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTranscriptionCompleted(ServerEvent):
    """All the user said in one turn; an empty text is a turn without words, and no failure.

    Comes when it comes: often after the response to that very turn has begun.
    """

    type: ClassVar[str] = "conversation.item.input_audio_transcription.completed"
    item_id: str | None = None
    content_index: int = 0
    transcript: str
    logprobs: list[Any] | None = None
    phrases: tuple[TranscriptPhrase, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTranscriptionFailed(ServerEvent):
    """What the user said in one turn could not be written down."""

    type: ClassVar[str] = "conversation.item.input_audio_transcription.failed"
    item_id: str | None = None
    content_index: int = 0
    error: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferCommitted(ServerEvent):
    """The audio sent so far has become an item."""

    type: ClassVar[str] = "input_audio_buffer.committed"
    previous_item_id: str | None = None
    item_id: str | None = None
    """The user's item to be; MAI-Transcribe's Realtime route need not name one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferCleared(ServerEvent):
    """The audio sent and not yet committed is gone."""

    type: ClassVar[str] = "input_audio_buffer.cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferSpeechStarted(ServerEvent):
    """The user began to speak: whatever plays must stop."""

    type: ClassVar[str] = "input_audio_buffer.speech_started"
    audio_start_ms: int
    """Counted from the first audio sent on this connection."""
    item_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferSpeechStopped(ServerEvent):
    """The user stopped speaking."""

    type: ClassVar[str] = "input_audio_buffer.speech_stopped"
    audio_end_ms: int
    """Counted from the first audio sent on this connection."""
    item_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputAudioBufferCleared(ServerEvent):
    """What the avatar had still to say is gone."""

    type: ClassVar[str] = "output_audio_buffer.cleared"
