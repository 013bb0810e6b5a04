"""What a Voice Live session can be asked for. Values only; `live_update` checks and writes them.

Names and meanings are those of the service (Voice Live reference, API version 2026-07-15). A field
that is left out is not sent, and the service decides. A field that is given as None is sent as
null, which switches the thing off. What has no field here goes into `extra`, on any level.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field

from mai_sdk.value import Value

__all__ = [
    "AvatarVoiceSync",
    "AzureCustomVoice",
    "AzurePersonalVoice",
    "AzureRealtimeNativeVoice",
    "AzureSemanticVad",
    "AzureSemanticVadEn",
    "AzureSemanticVadMultilingual",
    "AzureStandardVoice",
    "EchoCancellation",
    "EndOfUtterance",
    "FunctionTool",
    "InputTranscription",
    "InterimResponse",
    "LiveOption",
    "LiveSettings",
    "LlmInterimResponse",
    "MaiVoice",
    "McpServer",
    "NoiseReduction",
    "OpenAIVoice",
    "Raw",
    "SemanticVad",
    "ServerVad",
    "StaticInterimResponse",
    "TurnDetection",
    "Voice",
]


Raw: TypeAlias = dict[str, Any]
"""The service's own shape: sent as it is, unchecked."""

# Else pydantic would take an object for the class it resembles, and the class would be checked.
_AS_GIVEN = Field(union_mode="left_to_right")


class LiveOption(Value):
    """A part of the settings: what was given is sent, None as null, the rest is left out."""

    # What was given may hold keys; pydantic would quote it in its errors.
    model_config = ConfigDict(hide_input_in_errors=True)

    extra: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Sent as it is, and wins over the fields."""


class _Spoken(LiveOption):
    """How an Azure voice speaks."""

    temperature: float | None = None
    """0 to 1; higher varies more."""
    style: str | None = None
    """A style of that voice, such as "excited"; there is no complete list."""
    pitch: str | None = None
    """SSML's pitch, such as "+5%"."""
    rate: float | str | None = None
    """0.5 to 1.5, where 1 is normal."""
    volume: str | None = None
    """SSML's volume, such as "-20%"."""
    locale: str | None = None
    prefer_locales: list[str] | None = None
    custom_lexicon_url: str | None = None
    custom_text_normalization_url: str | None = None


class AzureStandardVoice(_Spoken):
    """A voice of Azure Speech, by its full name."""

    type: Literal["azure-standard"] = "azure-standard"
    name: str


class MaiVoice(_Spoken):
    """A voice of MAI-Voice. Sent as the azure-standard voice "en-US-Harper:MAI-Voice-2.1-Flash".

    Microsoft documents it for MAI-Voice-2-Flash; users report -2, -2.1 and -2.1-Flash. That the
    service takes the name is no proof that it speaks: the first audio is.
    """

    name: str
    """Such as "en-US-Harper"; one that already names its model is sent as it is."""
    model: str
    """Such as "MAI-Voice-2.1-Flash"."""


class AzureCustomVoice(_Spoken):
    """A voice trained for one customer."""

    type: Literal["azure-custom"] = "azure-custom"
    name: str
    endpoint_id: str


class AzurePersonalVoice(_Spoken):
    """A voice made from a sample of a speaker who agreed."""

    type: Literal["azure-personal"] = "azure-personal"
    name: str
    """The speaker's profile."""
    model: str
    """Such as "DragonLatestNeural" or "MAI-Voice-1"."""


class AvatarVoiceSync(_Spoken):
    """The voice that belongs to a custom avatar."""

    type: Literal["avatar-voice-sync"] = "avatar-voice-sync"
    model: str


class AzureRealtimeNativeVoice(LiveOption):
    """A voice of the model azure-realtime, and of no other."""

    type: Literal["azure-realtime-native"] = "azure-realtime-native"
    name: str


class OpenAIVoice(LiveOption):
    """A voice of OpenAI's realtime models, and of no other."""

    type: Literal["openai"] = "openai"
    name: str


Voice: TypeAlias = (
    MaiVoice
    | AzureStandardVoice
    | AzureCustomVoice
    | AzurePersonalVoice
    | AvatarVoiceSync
    | AzureRealtimeNativeVoice
    | OpenAIVoice
)


class EndOfUtterance(LiveOption):
    """How the service decides that a pause is the end of what the user wants to say."""

    model: str = "semantic_detection_v1"
    """Or "semantic_detection_v1_en", "semantic_detection_v1_multilingual"."""
    threshold_level: str | None = None
    """"low", "medium", "high" or "default"."""
    timeout_ms: int | None = None


class _Turns(LiveOption):
    """What every way to find turns can be told."""

    threshold: float | None = None
    """How sure it must be that this is speech: 0 to 1."""
    prefix_padding_ms: int | None = None
    """Audio before the detected start that belongs to the turn."""
    silence_duration_ms: int | None = None
    """Silence that ends the turn."""
    speech_duration_ms: int | None = None
    """Speech that starts one."""
    end_of_utterance_detection: Annotated[Raw | EndOfUtterance | None, _AS_GIVEN] = None
    create_response: bool | None = None
    """Whether the end of a turn asks for an answer by itself."""
    interrupt_response: bool | None = None
    """Whether speech stops the answer under way."""
    auto_truncate: bool | None = None
    """Whether the service cuts an interrupted answer to what it thinks was heard: it assumes that
    all audio plays at once and in real time. Off, the session says what was played."""


class ServerVad(_Turns):
    """By silence alone."""

    type: Literal["server_vad"] = "server_vad"


class AzureSemanticVad(_Turns):
    """By what is said."""

    type: Literal["azure_semantic_vad"] = "azure_semantic_vad"
    remove_filler_words: bool | None = None
    languages: list[str] | None = None


class AzureSemanticVadEn(_Turns):
    """By what is said, in English."""

    type: Literal["azure_semantic_vad_en"] = "azure_semantic_vad_en"
    remove_filler_words: bool | None = None


class AzureSemanticVadMultilingual(_Turns):
    """By what is said, in several languages."""

    type: Literal["azure_semantic_vad_multilingual"] = "azure_semantic_vad_multilingual"
    remove_filler_words: bool | None = None
    languages: list[str] | None = None


class SemanticVad(_Turns):
    """OpenAI's, for its realtime models; documented, but absent from the official client."""

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: str | None = None


TurnDetection: TypeAlias = (
    ServerVad | AzureSemanticVad | AzureSemanticVadEn | AzureSemanticVadMultilingual | SemanticVad
)


class NoiseReduction(LiveOption):
    """What is taken out of the user's audio."""

    type: str = "azure_deep_noise_suppression"
    """Or "near_field", "far_field"."""


class EchoCancellation(LiveOption):
    """The agent's own voice taken out of the user's audio; it must play within 2 s of coming."""

    type: str = "server_echo_cancellation"
    reference_source: str | None = None
    """"server": what it said; "client": the second channel of the input."""
    channels: int | None = None
    """2 only with reference_source="client"."""


class InputTranscription(LiveOption):
    """The ears: what writes down what the user says."""

    model: str = "mai-transcribe"
    """"mai-transcribe" is the newest one the service has; "mai-transcribe-1.5", "-2",
    "azure-speech" and OpenAI's are others. Names of MAI-Transcribe are sent in lower case."""
    language: str | None = None
    custom_speech: dict[str, str] | None = None
    phrase_list: list[str] | None = None
    """Words to expect; azure-speech and MAI-Transcribe."""


class StaticInterimResponse(LiveOption):
    """One of these texts is said while the answer is not ready."""

    type: Literal["static_interim_response"] = "static_interim_response"
    triggers: list[str] | None = None
    """"latency", "tool"."""
    latency_threshold_ms: int | None = None
    texts: list[str] | None = None


class LlmInterimResponse(LiveOption):
    """A model says something while the answer is not ready."""

    type: Literal["llm_interim_response"] = "llm_interim_response"
    triggers: list[str] | None = None
    """"latency", "tool"."""
    latency_threshold_ms: int | None = None
    model: str | None = None
    instructions: str | None = None
    max_completion_tokens: int | None = None


InterimResponse: TypeAlias = StaticInterimResponse | LlmInterimResponse


class FunctionTool(LiveOption):
    """A function the model may call; the session's user runs it."""

    type: Literal["function"] = "function"
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """JSON schema."""


class McpServer(LiveOption):
    """An MCP server the service calls by itself: it must be reachable from Azure."""

    type: Literal["mcp"] = "mcp"
    server_label: str
    server_url: str
    authorization: str | None = Field(default=None, repr=False)
    headers: dict[str, str] | None = Field(default=None, repr=False)
    allowed_tools: list[str] | None = None
    require_approval: str | dict[str, list[str]] | None = None
    """"never", "always", or which tools for each."""


class LiveSettings(LiveOption):
    """What a Voice Live session is asked for.

    There is no model: the service fixes it with the connection and refuses it here.
    """

    instructions: str | None = None
    modalities: list[str] | None = None
    """"text", "audio", "animation", "avatar"; audio does not go without text."""
    voice: Annotated[Raw | Voice | str | None, _AS_GIVEN] = None
    """A text is sent as it is, which is how OpenAI's voices may be named."""
    input_audio_transcription: Annotated[Raw | InputTranscription | str | None, _AS_GIVEN] = None
    """A text is the model."""
    turn_detection: Annotated[Raw | TurnDetection | None, _AS_GIVEN] = None
    """None leaves turns to the caller: commit and ask for answers yourself."""
    input_audio_noise_reduction: Annotated[Raw | NoiseReduction | str | None, _AS_GIVEN] = None
    """A text is the type."""
    input_audio_echo_cancellation: Annotated[Raw | EchoCancellation | None, _AS_GIVEN] = None
    input_audio_sampling_rate: int | None = None
    """16000 or 24000 for pcm16; 8000 for G.711."""
    input_audio_format: str | None = None
    """"pcm16", "g711_ulaw" or "g711_alaw"."""
    output_audio_format: str | None = None
    """"pcm16" (24 kHz), "pcm16_16000hz", "pcm16_8000hz", "g711_ulaw" or "g711_alaw"."""
    output_audio_timestamp_types: list[str] | None = None
    """"word"."""
    tools: list[Annotated[Raw | FunctionTool | McpServer, _AS_GIVEN]] | None = Field(
        default=None, repr=False
    )
    """Also as `Tool.schema()` gives them."""
    tool_choice: str | dict[str, Any] | None = None
    """"auto", "none", "required", or one tool."""
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    """0.6 to 1.2."""
    max_response_output_tokens: int | Literal["inf"] | None = None
    """1 to 4096, or "inf"."""
    reasoning_effort: str | None = None
    interim_response: Annotated[Raw | InterimResponse | None, _AS_GIVEN] = None
    """Not with models that hear and speak themselves."""
    avatar: dict[str, Any] | None = Field(default=None, repr=False)
    animation: dict[str, Any] | None = None
    include: list[str] | None = None
    """"item.input_audio_transcription.logprobs", "item.input_audio_transcription.phrases",
    "file_search_call.results"."""
    metadata: dict[str, str] | None = None
    """At most 16 pairs."""
