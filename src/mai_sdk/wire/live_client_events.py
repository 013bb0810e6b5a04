"""What the client sends in a live session, Voice Live and MAI-Transcribe's Realtime. Values only.

Fields: azure-ai-voicelive 1.3.1. None is left out of what is sent; a null goes into `session`,
`response`, `item` or `extra`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mai_sdk.wire.live_fields import Part
from mai_sdk.wire.live_parts import Item

__all__ = [
    "ClientEvent",
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "InputAudioClear",
    "InputAudioTurnAppend",
    "InputAudioTurnCancel",
    "InputAudioTurnEnd",
    "InputAudioTurnStart",
    "InputTextDelta",
    "InputTextDone",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "SessionAvatarConnect",
    "SessionUpdate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent(Part):
    """What every event of the client has."""

    type: ClassVar[str]
    event_id: str | None = None
    """Ours, if any: an `error` that answers the event names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdate(ClientEvent):
    """Change the session: what is left out stays as it is, null switches a thing off."""

    type: ClassVar[str] = "session.update"
    session: dict[str, Any] = field(repr=False)
    """As `live_update` writes it. May hold the keys of MCP servers, and so is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAvatarConnect(ClientEvent):
    """Offer a WebRTC connection for the avatar."""

    type: ClassVar[str] = "session.avatar.connect"
    client_sdp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferAppend(ClientEvent):
    """Send audio; never acknowledged. At most 15 MiB an event."""

    type: ClassVar[str] = "input_audio_buffer.append"
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferCommit(ClientEvent):
    """End the user's turn."""

    type: ClassVar[str] = "input_audio_buffer.commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioBufferClear(ClientEvent):
    """Forget the audio that is not committed."""

    type: ClassVar[str] = "input_audio_buffer.clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTurnStart(ClientEvent):
    """Begin a turn of one's own naming. In the official client, not in the documentation."""

    type: ClassVar[str] = "input_audio.turn.start"
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTurnAppend(ClientEvent):
    """Send audio of a turn. In the official client, not in the documentation."""

    type: ClassVar[str] = "input_audio.turn.append"
    turn_id: str
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTurnEnd(ClientEvent):
    """End a turn. In the official client, not in the documentation."""

    type: ClassVar[str] = "input_audio.turn.end"
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioTurnCancel(ClientEvent):
    """Drop a turn. In the official client, not in the documentation."""

    type: ClassVar[str] = "input_audio.turn.cancel"
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioClear(ClientEvent):
    """Forget the audio of all turns. In the official client, not in the documentation."""

    type: ClassVar[str] = "input_audio.clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTextDelta(ClientEvent):
    """Send the next piece of a text that is still being written."""

    type: ClassVar[str] = "input_text.delta"
    id: str
    delta: str
    content_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTextDone(ClientEvent):
    """End that text."""

    type: ClassVar[str] = "input_text.done"
    id: str
    content_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemCreate(ClientEvent):
    """Add an item to the conversation: a message, a tool's answer, an approval."""

    type: ClassVar[str] = "conversation.item.create"
    previous_item_id: str | None = None
    """The item to put it after; None puts it last."""
    item: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemRetrieve(ClientEvent):
    """Ask for an item."""

    type: ClassVar[str] = "conversation.item.retrieve"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemTruncate(ClientEvent):
    """Say how much of an item was heard, so that the model knows it."""

    type: ClassVar[str] = "conversation.item.truncate"
    item_id: str
    content_index: int = 0
    audio_end_ms: int
    """Of audio that was played: not more than was received, and never 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationItemDelete(ClientEvent):
    """Take an item out of the conversation."""

    type: ClassVar[str] = "conversation.item.delete"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCreate(ClientEvent):
    """Ask for an answer now."""

    type: ClassVar[str] = "response.create"
    response: dict[str, Any] | None = field(default=None, repr=False)
    """Settings of this one answer. May hold keys like a session."""
    additional_instructions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCancel(ClientEvent):
    """Stop the answer that is being made."""

    type: ClassVar[str] = "response.cancel"
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputAudioBufferClear(ClientEvent):
    """Stop what the avatar has still to say."""

    type: ClassVar[str] = "output_audio_buffer.clear"
