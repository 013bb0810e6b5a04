"""What the events of a live session are made of: sessions, responses, items, usage. Values only.

Fields: azure-ai-voicelive 1.3.1 (2026-10-23) and the Realtime page of MAI-Transcribe-2-Streaming
(2026-09-30). What a service leaves out is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mai_sdk.wire.live_fields import Part

__all__ = [
    "CachedTokenDetails",
    "ContentPart",
    "InputTokenDetails",
    "Item",
    "OutputTokenDetails",
    "Problem",
    "Response",
    "Session",
    "TokenUsage",
    "TranscriptPhrase",
    "TranscriptWord",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Part):
    """What went wrong, in the service's words: may quote what the caller sent."""

    message: str | None = None
    code: str | None = None
    """For example "response_cancel_not_active"."""
    type: str | None = None
    """For example "invalid_request_error"."""
    param: str | None = None
    event_id: str | None = None
    """The client event that it answers, if that had an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Part):
    """A session as the service has it: what was asked for, and what it decided."""

    id: str | None = None
    expires_at: float | None = None
    """When the service will end it, in Unix seconds; since API version 2026-07-15."""
    model: str | None = None
    """In agent mode, the agent's name."""
    agent: dict[str, Any] | None = None
    type: str | None = None
    """"transcription" on the Realtime route of MAI-Transcribe; Voice Live has none."""
    audio: dict[str, Any] | None = None
    """The settings on that route; Voice Live has its own fields, which follow."""
    modalities: list[Any] | None = None
    animation: dict[str, Any] | None = None
    voice: dict[str, Any] | str | None = None
    instructions: str | None = None
    input_audio_sampling_rate: int | None = None
    input_audio_format: str | None = None
    output_audio_format: str | None = None
    turn_detection: dict[str, Any] | None = None
    """None where turns are the client's business."""
    input_audio_noise_reduction: dict[str, Any] | None = None
    input_audio_echo_cancellation: dict[str, Any] | None = None
    avatar: dict[str, Any] | None = field(default=None, repr=False)
    input_audio_transcription: dict[str, Any] | None = None
    output_audio_timestamp_types: list[Any] | None = None
    tools: list[Any] | None = field(default=None, repr=False)
    """May repeat the keys of MCP servers, and so is not shown."""
    tool_choice: dict[str, Any] | str | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    max_response_output_tokens: int | str | None = None
    """A number, or "inf"."""
    reasoning_effort: str | None = None
    interim_response: dict[str, Any] | None = None
    include: list[Any] | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPart(Part):
    """One part of a message: text, audio or an image."""

    type: str | None = None
    text: str | None = None
    audio: str | None = field(default=None, repr=False)
    """Base64."""
    transcript: str | None = None
    image_url: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Part):
    """One item of the conversation, of any type: the fields of all of them in one class."""

    type: str | None = None
    """"message", "function_call", "function_call_output", "mcp_call", "mcp_list_tools",
    "mcp_approval_request", "mcp_approval_response", "web_search_call", "file_search_call"."""
    id: str | None = None
    object: str | None = None
    status: str | None = None
    role: str | None = None
    content: tuple[ContentPart, ...] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    """JSON text as the model wrote it; it may be invalid."""
    output: str | None = None
    error: Any = None
    server_label: str | None = None
    approval_request_id: str | None = None
    approve: bool | None = None
    reason: str | None = None
    tools: list[Any] | None = None
    queries: list[Any] | None = None
    results: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedTokenDetails(Part):
    """Which kinds the cached tokens were of."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTokenDetails(Part):
    """Which kinds the input tokens were of."""

    cached_tokens: int | None = None
    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens_details: CachedTokenDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTokenDetails(Part):
    """Which kinds the output tokens were of."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage(Part):
    """What a response used, as the service reports it; what is billed for audio may be more."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: InputTokenDetails | None = None
    output_token_details: OutputTokenDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Part):
    """One answer of the model."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    """"in_progress", "completed", "cancelled", "incomplete" or "failed"."""
    status_details: dict[str, Any] | None = None
    """With status "cancelled", its `reason` is "turn_detected" or "client_cancelled"."""
    output: tuple[Item, ...] | None = None
    usage: TokenUsage | None = None
    """May be None for a response that was cancelled or failed."""
    conversation_id: str | None = None
    voice: dict[str, Any] | str | None = None
    modalities: list[Any] | None = None
    output_audio_format: str | None = None
    temperature: float | None = None
    max_output_tokens: int | str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptWord(Part):
    """One word of a user's transcript."""

    text: str | None = None
    offset_milliseconds: int | None = None
    duration_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptPhrase(Part):
    """One phrase of a user's transcript, if phrases were asked for with `include`."""

    text: str | None = None
    offset_milliseconds: int | None = None
    duration_milliseconds: int | None = None
    words: tuple[TranscriptWord, ...] | None = None
    locale: str | None = None
    confidence: float | None = None
