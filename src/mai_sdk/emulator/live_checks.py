"""What each field of a Voice Live session may hold. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.untyped import objects_in, to_list, to_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CHECKS", "OUTPUT_FORMATS", "SERVER_VAD"]

OUTPUT_FORMATS: Final[Mapping[str, str]] = {
    "pcm16": "raw-24khz-16bit-mono-pcm",
    "pcm16_16000hz": "raw-16khz-16bit-mono-pcm",
    "pcm16_8000hz": "raw-8khz-16bit-mono-pcm",
    "g711_ulaw": "raw-8khz-8bit-mono-mulaw",
    "g711_alaw": "raw-8khz-8bit-mono-alaw",
}
"""What a session calls an output format, and what speech calls it."""

SERVER_VAD: Final = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 400,
    "silence_duration_ms": 500,
    "speech_duration_ms": 200,
    "create_response": True,
    "interrupt_response": True,
    "auto_truncate": False,
}
_SEMANTIC: Final = {**SERVER_VAD, "prefix_padding_ms": 420, "speech_duration_ms": 80}
_DETECTORS: Final[Mapping[str, Mapping[str, Any]]] = {
    "server_vad": SERVER_VAD,
    "azure_semantic_vad": _SEMANTIC,
    "azure_semantic_vad_en": _SEMANTIC,
    "azure_semantic_vad_multilingual": _SEMANTIC,
    "semantic_vad": _SEMANTIC,
}
_VOICES: Final = frozenset({
    "azure-standard", "azure-custom", "azure-personal", "azure-realtime-native", "openai",
    "azure-platform", "avatar-voice-sync",
})  # fmt: skip
_NOISE: Final = frozenset({"azure_deep_noise_suppression", "near_field", "far_field"})
_MODALITIES: Final = frozenset({"text", "audio", "animation", "avatar"})


def _voice(param: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    said = to_object(value) or {}
    if str(said.get("type")) not in _VOICES:
        raise Refused(f"Invalid value for '{param}.type'.", param=f"{param}.type")
    if said["type"] != "avatar-voice-sync" and not isinstance(said.get("name"), str):
        raise _missing(f"{param}.name")
    return said


def _missing(param: str) -> Refused:
    return Refused(f"Missing required parameter: '{param}'.", code="missing_parameter", param=param)


def _one_of(*known: Any) -> Callable[[str, Any], Any]:
    def read(param: str, value: Any) -> Any:
        if isinstance(value, bool) or value not in known:
            supported = ", ".join(repr(one) for one in known)
            raise Refused(
                f"Invalid value: {value!r}. Supported values are: {supported}.", param=param
            )
        return value

    return read


def _between(low: float, high: float, *also: str) -> Callable[[str, Any], Any]:
    def read(param: str, value: Any) -> Any:
        if isinstance(value, str) and value in also:
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused(f"'{param}' must be a number.", code="invalid_type", param=param)
        if not low <= value <= high:
            raise Refused(f"'{param}' must be from {low:g} to {high:g}.", param=param)
        return value

    return read


def _modalities(param: str, value: Any) -> Any:
    listed = to_list(value)
    if not listed or not all(_is_modality(one) for one in listed):
        raise Refused(f"'{param}' must be a list of {sorted(_MODALITIES)}.", param=param)
    if "text" not in listed:
        raise Refused(f"'{param}' cannot be {listed}: 'text' is always among them.", param=param)
    return listed


def _is_modality(value: Any) -> bool:
    return isinstance(value, str) and value in _MODALITIES


def _turn_detection(param: str, value: Any) -> Any:
    said = to_object(value) or {}
    defaults = _DETECTORS.get(str(said.get("type")))
    if defaults is None:
        raise Refused(
            f"Invalid value for '{param}.type'. Supported values are: {', '.join(_DETECTORS)}.",
            param=f"{param}.type",
        )
    made = {**defaults, **{name: one for name, one in said.items() if one is not None}}
    _between(0, 1)(f"{param}.threshold", made["threshold"])
    for name in ("prefix_padding_ms", "silence_duration_ms", "speech_duration_ms"):
        _between(0, 60_000)(f"{param}.{name}", made[name])
    for name in ("create_response", "interrupt_response", "auto_truncate"):
        _one_of_bool(f"{param}.{name}", made[name])
    return made


def _one_of_bool(param: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Refused(f"'{param}' must be a boolean.", code="invalid_type", param=param)


def _with_type(*known: str) -> Callable[[str, Any], Any]:
    def read(param: str, value: Any) -> Any:
        said = to_object(value) or {}
        if said.get("type") not in known:
            raise Refused(f"Invalid value for '{param}.type'.", param=f"{param}.type")
        return said

    return read


def _echo_cancellation(param: str, value: Any) -> Any:
    said = {**_with_type("server_echo_cancellation")(param, value)}
    by_client = said.get("reference_source") == "client"
    if said.get("channels", 1) == 2 and not by_client:
        raise Refused(
            "Two channels need a reference from the client.",
            code="invalid_ec_channels_requires_client",
            param=f"{param}.channels",
        )
    if by_client and said.get("channels", 2) != 2:
        raise Refused(
            "A reference from the client needs two channels.",
            code="invalid_ec_reference_channels",
            param=f"{param}.channels",
        )
    return said


def _transcription(param: str, value: Any) -> Any:
    said = to_object(value) or {}
    if not isinstance(said.get("model"), str):
        raise _missing(f"{param}.model")
    if "language" in said and not isinstance(said["language"], str):
        raise Refused(f"'{param}.language' must be a string.", param=f"{param}.language")
    return said


def _tools(param: str, value: Any) -> Any:
    listed, found = to_list(value), objects_in(value)
    if listed is None or len(found) != len(listed):
        raise Refused(f"'{param}' must be a list of objects.", code="invalid_type", param=param)
    for number, tool in enumerate(found):
        needs = {"function": ("name",), "mcp": ("server_label", "server_url")}
        kind = str(tool.get("type"))
        for name in needs.get(kind, ()):
            if not isinstance(tool.get(name), str):
                raise _missing(f"{param}[{number}].{name}")
    return found


def _metadata(param: str, value: Any) -> Any:
    said = to_object(value)
    if said is None or len(said) > 16:
        raise Refused(f"'{param}' must be an object of at most 16 pairs.", param=param)
    return said


def _timestamps(param: str, value: Any) -> Any:
    listed = to_list(value)
    if listed is None or any(one != "word" for one in listed):
        raise Refused(f"'{param}' must be ['word'].", param=param)
    return listed


CHECKS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "modalities": _modalities,
    "voice": _voice,
    "input_audio_sampling_rate": _one_of(8_000, 16_000, 24_000),
    "input_audio_format": _one_of("pcm16", "g711_ulaw", "g711_alaw"),
    "output_audio_format": _one_of(*OUTPUT_FORMATS),
    "turn_detection": _turn_detection,
    "input_audio_noise_reduction": _with_type(*sorted(_NOISE)),
    "input_audio_echo_cancellation": _echo_cancellation,
    "input_audio_transcription": _transcription,
    "output_audio_timestamp_types": _timestamps,
    "tools": _tools,
    "temperature": _between(0.6, 1.2),
    "max_response_output_tokens": _between(1, 4_096, "inf"),
    "metadata": _metadata,
}
