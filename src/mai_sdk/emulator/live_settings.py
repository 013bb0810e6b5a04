"""The settings of a Voice Live session: what they are at first, and what an update makes of them.

From Microsoft's Voice Live reference (2026-07-15) and the fields of azure-ai-voicelive 1.3.1. An
update is partial: what it leaves out stays, `null` switches off. A field of the session that no one
documents is refused; inside the objects unknown fields pass, as the two sources differ there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_checks import CHECKS, SERVER_VAD
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.untyped import to_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["first_settings", "input_rate", "updated"]

_FREE: Final = frozenset({
    "animation", "avatar", "include", "instructions", "interim_response", "parallel_tool_calls",
    "reasoning_effort", "tool_choice",
})  # fmt: skip
"""Fields whose values are kept as they are."""
_SWITCHES: Final = frozenset({
    "turn_detection", "input_audio_noise_reduction", "input_audio_echo_cancellation",
    "input_audio_transcription", "output_audio_timestamp_types",
})  # fmt: skip
"""What `null` switches off; of the others it brings back what they were at first."""


def first_settings(*, model: str, agent: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a session's settings before the client has said anything."""
    settings: dict[str, Any] = {
        "model": model,
        "modalities": ["text", "audio"],
        "voice": {"type": "azure-standard", "name": "en-US-Ava:DragonHDLatestNeural"},
        "instructions": "",
        "input_audio_sampling_rate": 24_000,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "turn_detection": dict(SERVER_VAD),
        "input_audio_noise_reduction": None,
        "input_audio_echo_cancellation": None,
        "input_audio_transcription": None,
        "output_audio_timestamp_types": None,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    }
    if agent is not None:
        settings["agent"] = dict(agent)
    return settings


def updated(settings: Mapping[str, Any], update: Any) -> dict[str, Any]:
    """Return the settings with the update in them; `settings` stay as they are.

    Raises:
        Refused: The update is not taken, in no part.
    """
    said = to_object(update)
    if said is None:
        raise Refused("'session' must be an object.", code="invalid_type", param="session")
    if "model" in said:
        raise Refused(
            "The model of a session is chosen when it is opened and cannot be changed.",
            code="invalid_parameter",
            param="session.model",
        )
    made = dict(settings)
    for name, value in said.items():
        read = CHECKS.get(name)
        if read is not None and value is None:
            made[name] = None if name in _SWITCHES else first_settings(model="").get(name)
        elif read is not None:
            made[name] = read(f"session.{name}", value)
        elif name in _FREE:
            made[name] = value
        else:
            raise Refused(
                f"Unknown parameter: 'session.{name}'.",
                code="unknown_parameter",
                param=f"session.{name}",
            )
    input_rate(made)
    return made


def input_rate(settings: Mapping[str, Any]) -> int:
    """Return the samples a second of the audio that comes in.

    Raises:
        Refused: The format has no such rate.
    """
    rate, coding = settings["input_audio_sampling_rate"], settings["input_audio_format"]
    if coding in ("g711_ulaw", "g711_alaw"):
        return 8_000
    if rate not in (16_000, 24_000):
        raise Refused(
            "'pcm16' takes a sampling rate of 16000 or 24000.",
            param="session.input_audio_sampling_rate",
        )
    return int(rate)
