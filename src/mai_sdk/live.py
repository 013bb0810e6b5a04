"""What live sessions are asked for, and what they give: the names to import.

`client.voice.session` and `client.transcribe.session` are in docs/voice-sessions.md.
"""

from __future__ import annotations

from mai_sdk.audio.detectors import EnergyDetector, SileroDetector, SpeechDetector
from mai_sdk.audio.turns import TurnDetector
from mai_sdk.engine.live import Endurance
from mai_sdk.resources.cascade_session import CascadeSession
from mai_sdk.resources.cascade_settings import CascadeSettings
from mai_sdk.resources.transcribe_session import TranscribeSession
from mai_sdk.resources.voice_session import VoiceSession
from mai_sdk.wire.live_options import (
    AvatarVoiceSync,
    AzureCustomVoice,
    AzurePersonalVoice,
    AzureRealtimeNativeVoice,
    AzureSemanticVad,
    AzureSemanticVadEn,
    AzureSemanticVadMultilingual,
    AzureStandardVoice,
    EchoCancellation,
    EndOfUtterance,
    FunctionTool,
    InputTranscription,
    LiveSettings,
    LlmInterimResponse,
    MaiVoice,
    McpServer,
    NoiseReduction,
    OpenAIVoice,
    SemanticVad,
    ServerVad,
    StaticInterimResponse,
)
from mai_sdk.wire.session_events import (
    AgentTranscript,
    AudioChunk,
    Ended,
    Failed,
    Interrupted,
    Other,
    Reconnected,
    SessionEvent,
    SessionStarted,
    SpeechEnded,
    SpeechStarted,
    ToolAnswered,
    ToolCalled,
    TurnDone,
    UserTranscript,
    Warned,
)

__all__ = [
    "AgentTranscript",
    "AudioChunk",
    "AvatarVoiceSync",
    "AzureCustomVoice",
    "AzurePersonalVoice",
    "AzureRealtimeNativeVoice",
    "AzureSemanticVad",
    "AzureSemanticVadEn",
    "AzureSemanticVadMultilingual",
    "AzureStandardVoice",
    "CascadeSession",
    "CascadeSettings",
    "EchoCancellation",
    "EndOfUtterance",
    "Ended",
    "Endurance",
    "EnergyDetector",
    "Failed",
    "FunctionTool",
    "InputTranscription",
    "Interrupted",
    "LiveSettings",
    "LlmInterimResponse",
    "MaiVoice",
    "McpServer",
    "NoiseReduction",
    "OpenAIVoice",
    "Other",
    "Reconnected",
    "SemanticVad",
    "ServerVad",
    "SessionEvent",
    "SessionStarted",
    "SileroDetector",
    "SpeechDetector",
    "SpeechEnded",
    "SpeechStarted",
    "StaticInterimResponse",
    "ToolAnswered",
    "ToolCalled",
    "TranscribeSession",
    "TurnDetector",
    "TurnDone",
    "UserTranscript",
    "VoiceSession",
    "Warned",
]
