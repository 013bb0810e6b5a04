"""The `session` object of session.update, for Voice Live and MAI-Transcribe's Realtime. No I/O.

Refused here is only what the documentation says the service refuses, so that a mistake is found
before a connection is made. Everything else goes out as given: the service decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.live_options import (
    AzureStandardVoice,
    EchoCancellation,
    LiveOption,
    LiveSettings,
    MaiVoice,
    Voice,
)
from mai_sdk.wire.shapes import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "live_features",
    "live_session",
    "named_voice",
    "primary_subtag",
    "sample_rate_of",
    "transcription_session",
]

_SHORT_FOR: Final = {"input_audio_transcription": "model", "input_audio_noise_reduction": "type"}
_OF_AZURE = re.compile(r"[a-z]{2,3}-[A-Za-z0-9]{2,8}(-[A-Za-z0-9]+)*-\w+(:.+)?")
_EARS = re.compile(r"mai-transcribe", re.IGNORECASE)
_RATES: Final = {
    "pcm16": 24_000, "pcm16_16000hz": 16_000, "pcm16_8000hz": 8_000,
    "pcm16-16000hz": 16_000, "pcm16-8000hz": 8_000,
    "g711_ulaw": 8_000, "g711_alaw": 8_000,
}  # fmt: skip


def live_session(settings: LiveSettings) -> dict[str, Any]:
    """Return the `session` object: what was given, None as null, `extra` last; never `model`.

    Raises:
        InvalidRequest: A value is outside the range that Voice Live documents.
    """
    _check(settings)
    session = cast("dict[str, Any]", _written(settings))
    for name, member in _SHORT_FOR.items():
        if isinstance(session.get(name), str):
            session[name] = {member: session[name]}
    ears = as_object(session.get("input_audio_transcription"))
    if isinstance(ears.get("model"), str) and _EARS.match(ears["model"]):
        session["input_audio_transcription"] = {**ears, "model": ears["model"].lower()}
    if isinstance(session.get("tools"), list):
        session["tools"] = [_flat(tool) for tool in session["tools"]]
    session.pop("model", None)
    return session


def live_features(settings: LiveSettings) -> str | None:
    """Return what the connection's `features` query must say for these settings, if anything."""
    echo = settings.input_audio_echo_cancellation
    source = echo.get("reference_source") if isinstance(echo, dict) else (
        echo.reference_source if echo is not None else None
    )  # fmt: skip
    return "client_ec_reference:true" if source == "client" else None


def named_voice(name: str, *, model: str | None = None) -> Voice | str:
    """Return the voice that a caller named, with the MAI model that shall speak it, if any.

    A name that begins with a language ("en-US-Harper", "en-US-AvaNeural") is one of Azure's;
    any other is sent as it is, which is how OpenAI's are named.
    """
    if model is not None:
        return MaiVoice(name=name, model=model)
    return AzureStandardVoice(name=name) if _OF_AZURE.fullmatch(name) else name


def sample_rate_of(output_audio_format: str | None) -> int:
    """Return the samples a second of audio in that output format; 24 kHz if the session has none.

    Raises:
        InvalidRequest: It is none of the documented formats, so nobody knows.
    """
    rate = _RATES.get(output_audio_format or "pcm16")
    if rate is None:
        raise InvalidRequest(
            f"The sample rate of output_audio_format={output_audio_format!r} is not known. "
            f"Formats with a known rate: {', '.join(name for name in _RATES if '-' not in name)}."
        )
    return rate


def transcription_session(
    *,
    deployment: str,
    sample_rate: int = 16_000,
    language: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the `session` object for MAI-Transcribe-2-Streaming on the Realtime route.

    Send it once, wait for `session.updated`, then append: settings freeze with the first audio.
    There is no turn detection on this route, so commits are the caller's. `extra` is laid over
    `session.audio.input`.

    Raises:
        InvalidRequest: The sample rate is neither 16000 nor 24000.
    """
    if sample_rate not in (16_000, 24_000):
        raise InvalidRequest(
            f"sample_rate is {sample_rate}, and MAI-Transcribe's Realtime route takes 16000 or "
            "24000 samples a second. Resample the audio, with mai_sdk.audio or before."
        )
    # The documentation shows "language": null, and the service answers 400 to it.
    ears = {"model": deployment, **({"language": primary_subtag(language)} if language else {})}
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": sample_rate},
                "transcription": ears,
                "turn_detection": None,
                "noise_reduction": None,
                **(extra or {}),
            }
        },
    }


def primary_subtag(language: str) -> str:
    """Return the language without region or script: "fr-CA" is "fr", all the streaming model takes.

    Which languages it knows is the service's to say: sources disagree.
    """
    return re.split(r"[-_]", language.strip(), maxsplit=1)[0].lower()


def _written(value: Any) -> Any:
    """Return an option as JSON: what was given, and defaults that say something; `extra` last."""
    if isinstance(value, MaiVoice):
        name = value.name if ":" in value.name else f"{value.name}:{value.model}"
        given = {**_given(value), "name": name, "type": "azure-standard"}
        return {**{key: entry for key, entry in given.items() if key != "model"}, **value.extra}
    if isinstance(value, LiveOption):
        return {**_given(value), **value.extra}
    return [_written(entry) for entry in as_list(value)] or value


def _given(option: LiveOption) -> dict[str, Any]:
    values = {
        name: _written(getattr(option, name))
        for name, field in type(option).model_fields.items()
        if name != "extra" and (name in option.model_fields_set or field.default is not None)
    }
    if isinstance(values.get("rate"), float):
        values["rate"] = f"{values['rate']:g}"  # the official model has it as a text
    return values


def _flat(tool: Any) -> Any:
    """Return a tool as Voice Live shapes it; chat completions put a function one level deeper."""
    shape = as_object(tool)
    function = as_object(shape.get("function"))
    if shape.get("type") != "function" or not function:
        return tool
    return {"type": "function", **function}


def _check(settings: LiveSettings) -> None:
    if settings.modalities is not None and set(settings.modalities) == {"audio"}:
        raise InvalidRequest(
            'modalities is ["audio"], and Voice Live does not speak without text. Use '
            '["text", "audio"].'
        )
    _within("temperature", settings.temperature, 0.6, 1.2)
    if settings.max_response_output_tokens != "inf":
        _within("max_response_output_tokens", settings.max_response_output_tokens, 1, 4096)
    if settings.metadata is not None and len(settings.metadata) > 16:
        raise InvalidRequest(f"metadata has {len(settings.metadata)} pairs; 16 are the most.")
    _check_rate(settings)
    rate = getattr(settings.voice, "rate", None)
    if rate is not None and re.fullmatch(r"[\d.]+", str(rate)) and str(rate).count(".") < 2:
        _within("voice.rate", float(rate), 0.5, 1.5)
    turns = settings.turn_detection
    if turns is not None and not isinstance(turns, dict):
        _within("turn_detection.threshold", turns.threshold, 0.0, 1.0)
    echo = settings.input_audio_echo_cancellation
    if isinstance(echo, EchoCancellation) and echo.channels not in (None, 1):
        _check_echo(echo)


def _check_rate(settings: LiveSettings) -> None:
    rate, kind = settings.input_audio_sampling_rate, settings.input_audio_format or "pcm16"
    allowed = {"pcm16": (16_000, 24_000), "g711_ulaw": (8_000,), "g711_alaw": (8_000,)}.get(kind)
    if rate is not None and allowed is not None and rate not in allowed:
        raise InvalidRequest(
            f"input_audio_sampling_rate is {rate}, and Voice Live takes {kind} at "
            f"{' or '.join(map(str, allowed))}. Resample the audio, with mai_sdk.audio or before."
        )


def _check_echo(echo: EchoCancellation) -> None:
    if echo.channels != 2 or echo.reference_source != "client":
        raise InvalidRequest(
            f"input_audio_echo_cancellation has channels={echo.channels} and reference_source="
            f"{echo.reference_source!r}. One channel is the rule; 2 go with "
            'reference_source="client", where the second is what the user hears.'
        )


def _within(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidRequest(f"{name} is {value:g}, and Voice Live takes {least:g} to {most:g}.")
