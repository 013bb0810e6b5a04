"""What a session gives to whoever iterates over it, whatever service is behind it. Values only.

One vocabulary for live transcription, voice sessions, and ears, model and mouth put together.
Positions in the user's audio (`offset_ms`) count from the first sample given to the session and go
on counting through reconnections; positions in the agent's audio count from the start of its item.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic_core import from_json

if TYPE_CHECKING:
    from mai_sdk.errors import MAIError
    from mai_sdk.metering.receipt import Receipt

__all__ = [
    "AgentTranscript",
    "AudioChunk",
    "Ended",
    "Failed",
    "Interrupted",
    "Other",
    "Reconnected",
    "SessionEvent",
    "SessionStarted",
    "SpeechEnded",
    "SpeechStarted",
    "ToolAnswered",
    "ToolCalled",
    "TurnDone",
    "UserTranscript",
    "Warned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """The session is configured and listens; comes once, whatever reconnections follow."""

    session_id: str | None = None
    """The service's id: quote it to support."""
    model: str | None = None
    """What the service says answers: a model, a deployment or an agent."""
    expires_at: float | None = None
    """When the service will end this connection, in Unix seconds; None if it did not say."""
    raw: Any = field(default=None, repr=False)
    """The session as the service described it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """The user began to speak. Whatever is playing should stop: an `Interrupted` says what did."""

    offset_ms: float | None = None
    """Where in the user's audio; None if the service did not say."""
    item_id: str | None = None
    """What the user says will be this item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded:
    """The user stopped speaking; the answer comes next."""

    offset_ms: float | None = None
    """Where in the user's audio; None if the service did not say."""
    item_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTranscript:
    """What the user said, as far as it is known; may come after the answer has begun."""

    text: str
    """All of the turn so far: it takes the place of what an earlier event of the item said. An
    empty final text is a turn without words."""
    final: bool
    """Whether this is the last word on the item."""
    settled: int = 0
    """How many characters of `text`, from its start, will not change any more."""
    item_id: str | None = None
    locale: str | None = None
    """The language that was heard; None where the service does not say."""
    raw: Any = field(default=None, repr=False)
    """The service's event behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTranscript:
    """The next piece of what the agent says or writes: append it as it is, spaces and all."""

    text: str
    """The piece. Empty in the final event."""
    final: bool = False
    """Whether the item's text is complete with this."""
    whole: str | None = None
    """All of it, in the final event only, as the service gives it."""
    spoken: bool = True
    """False for an answer in writing, which has no audio."""
    item_id: str | None = None
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioChunk:
    """The next piece of the agent's voice."""

    pcm: bytes = field(repr=False)
    """Signed 16-bit samples, little-endian, one channel; whole samples only. Where the session was
    asked for G.711, its bytes."""
    sample_rate: int
    """Samples a second."""
    item_id: str
    response_id: str
    offset_ms: float = 0.0
    """Where in the item's audio it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled:
    """The model wants a function called, given whole once its arguments are complete."""

    call_id: str
    """The answer names it."""
    name: str
    arguments: str = field(repr=False)
    """JSON text exactly as the model wrote it; it may be invalid."""
    item_id: str | None = None
    response_id: str | None = None
    remote: bool = False
    """True where an MCP server has it called by the service: there is nothing to answer."""

    def parse(self) -> Any:
        """Return the arguments as Python values.

        Raises:
            ValueError: The model wrote invalid JSON.
        """
        return from_json(self.arguments or "{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswered:
    """A function's result went back to the model."""

    call_id: str
    name: str | None = None
    output: str = field(default="", repr=False)
    """As it was sent."""
    failed: bool = False
    """Whether the function raised, or took arguments that do not fit; `output` then says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The agent stopped speaking before its end; no more audio of that response follows."""

    response_id: str | None = None
    item_id: str | None = None
    """What was being heard; None if nothing had been."""
    heard_ms: float = 0.0
    """How much of the item was played. The model remembers no more than that."""
    received_ms: float = 0.0
    """How much of the item's audio had arrived."""
    by: Literal["user", "caller"] = "user"
    """Who stopped it: the user's voice, or `interrupt()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDone:
    """A turn is over: the agent has answered, or will not; or a stretch of speech is written."""

    status: str
    """"completed", "cancelled", "incomplete", "failed", or the service's own word."""
    reason: str | None = None
    """Why it did not complete: "turn_detected", "client_cancelled", "max_output_tokens",
    "content_filter", or the service's own word."""
    user_text: str | None = None
    """What the user said; None if no transcript has come (yet): see `UserTranscript`."""
    agent_text: str | None = None
    """What the agent said or wrote, as far as it came."""
    item_id: str | None = None
    response_id: str | None = None
    heard_ms: float | None = None
    """How much of the voice was played, as far as the caller reports playback; else None."""
    received_ms: float = 0.0
    """How much of the voice had arrived."""
    listened_ms: float = 0.0
    """How much of the user's audio the turn is about."""
    was_interrupted: bool = False
    """Whether the agent was stopped before its end."""
    first_text_ms: float | None = None
    """From the end of what the user said to the first text of the answer; None without either."""
    first_audio_ms: float | None = None
    """From there to the first byte of the voice."""
    first_audible_ms: float | None = None
    """From there to the first sample that was played, where that came before the turn's end."""
    receipt: Receipt | None = None
    """What the turn used and cost; None only where there is nothing to bill."""
    raw: Any = field(default=None, repr=False)
    """The service's event behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected:
    """The connection was replaced; the session goes on. The service resumes nothing by itself."""

    why: str
    """What ended the connection before: a close code and its reason, silence, an expiry."""
    connections: int
    """How many connections the session has had, this one included."""
    resent_ms: float = 0.0
    """How much of the user's audio was sent again, in order, because it was not acknowledged."""
    replayed_items: int = 0
    """How many items of the conversation the model was given again, as text."""
    response_lost: bool = False
    """Whether an answer was under way: what had not arrived of it is gone."""
    down_ms: float = 0.0
    """How long the session had no connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something is not as it was asked for; the session goes on."""

    message: str
    code: str | None = None
    param: str | None = None
    raw: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something failed that did not end the session, such as one turn or one transcript."""

    error: MAIError
    """What happened, and what to do. Failures that end the session are raised instead."""
    item_id: str | None = None
    response_id: str | None = None
    raw: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The session is over; the last event there is. Where it failed, the error is raised next."""

    reason: str
    """Who ended it, and why."""
    code: int | None = None
    """The close code of the last connection."""
    receipt: Receipt | None = None
    """What the whole session used and cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Something the service sent that has no event of ours; kept, never fatal."""

    type: str | None
    """The service's name for it."""
    raw: Any = field(repr=False)
    """As it was decoded."""


SessionEvent: TypeAlias = (
    SessionStarted
    | SpeechStarted
    | SpeechEnded
    | UserTranscript
    | AgentTranscript
    | AudioChunk
    | ToolCalled
    | ToolAnswered
    | Interrupted
    | TurnDone
    | Reconnected
    | Warned
    | Failed
    | Ended
    | Other
)
