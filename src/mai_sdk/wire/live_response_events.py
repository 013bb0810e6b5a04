"""What the service says in a live session: its answers, their voice, text and face. Values only.

Fields: azure-ai-voicelive 1.3.1. After `speech_started` events of the interrupted response may
still come, until its `response.done`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mai_sdk.wire.live_events import ServerEvent
from mai_sdk.wire.live_parts import ContentPart, Item, Response

__all__ = [
    "ResponseAnimationBlendshapeDelta",
    "ResponseAnimationBlendshapeDone",
    "ResponseAnimationVisemeDelta",
    "ResponseAnimationVisemeDone",
    "ResponseAudioDelta",
    "ResponseAudioDone",
    "ResponseAudioTimestampDelta",
    "ResponseAudioTimestampDone",
    "ResponseAudioTranscriptAnnotationAdded",
    "ResponseAudioTranscriptDelta",
    "ResponseAudioTranscriptDone",
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseTextDelta",
    "ResponseTextDone",
    "ResponseVideoDelta",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCreated(ServerEvent):
    """The model begins to answer."""

    type: ClassVar[str] = "response.created"
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDone(ServerEvent):
    """The answer has ended, well or not: `response.status` says how."""

    type: ClassVar[str] = "response.done"
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOutputItemAdded(ServerEvent):
    """An item of the answer begins."""

    type: ClassVar[str] = "response.output_item.added"
    response_id: str
    output_index: int = 0
    item: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOutputItemDone(ServerEvent):
    """An item of the answer is whole."""

    type: ClassVar[str] = "response.output_item.done"
    response_id: str
    output_index: int = 0
    item: Item | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseContentPartAdded(ServerEvent):
    """A part of an item begins."""

    type: ClassVar[str] = "response.content_part.added"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    part: ContentPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseContentPartDone(ServerEvent):
    """A part of an item is whole."""

    type: ClassVar[str] = "response.content_part.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    part: ContentPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTextDelta(ServerEvent):
    """The next piece of a written answer."""

    type: ClassVar[str] = "response.text.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTextDone(ServerEvent):
    """A written answer, whole."""

    type: ClassVar[str] = "response.text.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioTranscriptDelta(ServerEvent):
    """The next piece of the text of what is said."""

    type: ClassVar[str] = "response.audio_transcript.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioTranscriptDone(ServerEvent):
    """The text of what was said, whole."""

    type: ClassVar[str] = "response.audio_transcript.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    transcript: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioTranscriptAnnotationAdded(ServerEvent):
    """A note on the text of what is said, such as its source."""

    type: ClassVar[str] = "response.audio_transcript.annotation.added"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    annotation_index: int = 0
    annotation: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioDelta(ServerEvent):
    """The next piece of the voice."""

    type: ClassVar[str] = "response.audio.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    delta: bytes = field(repr=False)
    """Samples, decoded, in the output format of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioDone(ServerEvent):
    """The voice has nothing more to say in this part."""

    type: ClassVar[str] = "response.audio.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioTimestampDelta(ServerEvent):
    """When a word is heard."""

    type: ClassVar[str] = "response.audio_timestamp.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    audio_offset_ms: int
    audio_duration_ms: int
    text: str
    timestamp_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAudioTimestampDone(ServerEvent):
    """Every word has its time."""

    type: ClassVar[str] = "response.audio_timestamp.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAnimationVisemeDelta(ServerEvent):
    """When the mouth takes a shape."""

    type: ClassVar[str] = "response.animation_viseme.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    audio_offset_ms: int
    viseme_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAnimationVisemeDone(ServerEvent):
    """The mouth has taken its last shape."""

    type: ClassVar[str] = "response.animation_viseme.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAnimationBlendshapeDelta(ServerEvent):
    """The next frames of a face."""

    type: ClassVar[str] = "response.animation_blendshapes.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    frames: list[Any] | str
    """A list of frames, each a list of numbers, or a text the service packed them into."""
    frame_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAnimationBlendshapeDone(ServerEvent):
    """The face has no more frames."""

    type: ClassVar[str] = "response.animation_blendshapes.done"
    response_id: str
    item_id: str
    output_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseVideoDelta(ServerEvent):
    """The next piece of the avatar's video."""

    type: ClassVar[str] = "response.video.delta"
    output_index: int = 0
    codec: str | None = None
    delta: str = field(repr=False)
    """As received: what encoding it has is not documented."""
