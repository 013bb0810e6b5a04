"""The settings of a live transcription: what an update may say. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.untyped import to_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FIRST", "rate_of", "updated"]

FIRST: Final[dict[str, Any]] = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": None,
            "turn_detection": None,
            "noise_reduction": None,
        }
    },
}
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


def rate_of(settings: Mapping[str, Any]) -> int:
    """Return the samples a second of the audio."""
    return int(settings["audio"]["input"]["format"]["rate"])


def updated(
    settings: Mapping[str, Any], update: Any, *, deployments: Sequence[str]
) -> dict[str, Any]:
    """Return the settings with the update in them.

    Raises:
        Refused: The update is not taken, in no part.
    """
    said = to_object(update) or {}
    if said.get("type") != "transcription":
        raise Refused("'session.type' must be 'transcription'.", param="session.type")
    for name in said:
        if name not in ("type", "audio", "include"):
            raise Refused(
                f"Unknown parameter: 'session.{name}'.",
                code="unknown_parameter",
                param=f"session.{name}",
            )
    given = to_object((to_object(said.get("audio")) or {}).get("input")) or {}
    made = {**settings["audio"]["input"], **given}
    _check_format(made["format"])
    _check_transcription(made["transcription"], deployments)
    for name in ("turn_detection", "noise_reduction"):
        if made[name] is not None:
            raise Refused(
                f"'session.audio.input.{name}' is not supported by this model: it must be null.",
                param=f"session.audio.input.{name}",
            )
    return {"type": "transcription", "audio": {"input": made}}


def _check_format(value: Any) -> None:
    said = to_object(value) or {}
    if said.get("type") != "audio/pcm" or said.get("rate") not in (16_000, 24_000):
        raise Refused(
            "'session.audio.input.format' must be audio/pcm with a rate of 16000 or 24000.",
            param="session.audio.input.format",
        )


def _check_transcription(value: Any, deployments: Sequence[str]) -> None:
    said = to_object(value) or {}
    model = said.get("model")
    param = "session.audio.input.transcription"
    if not isinstance(model, str):
        raise Refused(
            f"Missing required parameter: '{param}.model'.",
            code="missing_parameter",
            param=f"{param}.model",
        )
    if model.casefold() not in {name.casefold() for name in deployments}:
        raise Refused(
            "The API deployment for this resource does not exist.",
            code="DeploymentNotFound",
            param=f"{param}.model",
        )
    if "language" in said and not _is_language(said["language"]):
        # The page shows null; the service refused it, and tags with a region (October 2026).
        raise Refused(
            f"Invalid value for '{param}.language': expected a language code such as 'en'.",
            code="400",
            param=f"{param}.language",
        )


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None
