"""The faults of answers with pictures: none in them, or their usage said in another form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.emulator import bodies
from mai_sdk.emulator.faults import fault

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request

__all__: list[str] = []


@fault()
def no_picture(answer: Answer, request: Request, *, shape: str = "empty") -> Answer:
    """Answers 200 without the picture, as a filtered prompt may: shape empty, or null for b64_json."""  # noqa: E501 - one sentence is the table's entry
    if shape not in ("empty", "null"):
        raise ValueError(f"shape is {shape!r}; it can be empty or null.")

    def taken(value: dict[str, Any]) -> None:
        if "data" in value:
            value["data"] = [] if shape == "empty" else [{"b64_json": None}]

    answer.pieces = [bodies.changed(piece, taken) for piece in answer.pieces]
    return answer


@fault()
def image_usage(answer: Answer, request: Request, *, shape: str = "top_level") -> Answer:
    """Says a picture's usage in another form: top_level, output_only, or output_image_tokens beside it."""  # noqa: E501 - one sentence is the table's entry
    if shape not in ("top_level", "output_only", "output_image_tokens"):
        raise ValueError(
            f"shape is {shape!r}; it can be top_level, output_only or output_image_tokens."
        )

    def said(value: dict[str, Any]) -> None:
        made = value.get("usage", {}).get("num_output_tokens")
        if made is None:
            return
        if shape == "top_level":
            del value["usage"]
            value["num_output_tokens"] = made
        elif shape == "output_only":
            value["usage"] = {"num_output_tokens": made}
        else:
            value["usage"] = {"num_output_tokens": made, "output_image_tokens": made}

    answer.pieces = [bodies.changed(piece, said) for piece in answer.pieces]
    return answer
