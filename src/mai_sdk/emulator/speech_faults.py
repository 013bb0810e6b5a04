"""The faults of the speech services: their errors, in all the forms they are seen in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.faults import fault
from mai_sdk.emulator.request import json_answer, text_answer

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request

__all__: list[str] = []


@fault(fidelity="emulated")
def speech_error(
    answer: Answer,
    request: Request,
    *,
    code: int = 503,
    reason: str = "diarization_unavailable",
    message: str = "Speaker diarization is temporarily unavailable.",
    shape: str = "error",
) -> Answer:
    """Answers as the speech service does; shapes error (an object), top (its fields), text."""
    said: dict[str, Any] = {"code": reason, "message": message}
    if shape == "error":
        return json_answer({"error": said}, status=code)
    if shape == "top":
        return json_answer(said, status=code)
    if shape == "text":
        return text_answer(message, status=code, content_type="text/plain")
    raise ValueError(f"shape is {shape!r}; it can be error, top or text.")
