"""The name of a voice, `<locale>-<Speaker>:<Model>`, put together and taken apart. Pure.

The suffix is what picks the model: the request has no other field for it.
"""

from __future__ import annotations

__all__ = [
    "DEFAULT_BRAIN",
    "DEFAULT_STREAMING_MODEL",
    "DEFAULT_VOICE",
    "locale_of",
    "model_of",
    "voice_name",
]

DEFAULT_VOICE = "en-US-Harper"
"""Who speaks where no voice is named: every model of MAI-Voice from 2 on has her."""

DEFAULT_BRAIN = "gpt-realtime"
"""What thinks in a conversation, where nothing is named: Voice Live has no text model of MAI."""
DEFAULT_STREAMING_MODEL = "MAI-Transcribe-2-Streaming"


def voice_name(voice: str, *, model: str | None) -> str:
    """Return the whole name; a voice that names its model keeps it."""
    return voice if ":" in voice or not model else f"{voice}:{model}"


def model_of(voice: str) -> str | None:
    """Return the model that the voice's name says, or None."""
    return voice.partition(":")[2] or None


def locale_of(voice: str) -> str:
    """Return the locale in front of the speaker: "zh-CN-liaoning" of "zh-CN-liaoning-Xiaobei"."""
    return voice.partition(":")[0].rpartition("-")[0] or "en-US"
