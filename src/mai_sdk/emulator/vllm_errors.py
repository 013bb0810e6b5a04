"""How the emulated vLLM server says no; bodies as recorded from 0.32.0."""

from __future__ import annotations

from typing import Any

from mai_sdk.emulator.chat import Problem
from mai_sdk.emulator.request import Answer, Request, json_answer
from mai_sdk.emulator.untyped import to_object

__all__ = ["HEADERS", "failure", "invalid", "rejected", "unreadable"]

HEADERS = {"server": "uvicorn", "vary": "Origin"}
"""What every answer of the server carries."""


def failure(
    status: int, message: str, *, kind: str = "BadRequestError", param: str | None = None
) -> Answer:
    """Return an error in the server's form."""
    said = {"message": message, "type": kind, "param": param, "code": status}
    return json_answer({"error": said}, status=status, headers=HEADERS)


def invalid(problem: Problem) -> Answer:
    """Return the answer to a body of the wrong form: 400, never 422."""
    given = to_object(problem.given)
    said: dict[str, Any] = {
        "type": problem.kind,
        "loc": f"body.{problem.where}" if problem.where else "body",
        "msg": problem.message,
        "input": problem.given if given is None else f"<dict of {len(given)} items>",
    }
    if problem.context:
        said["ctx"] = problem.context
    return failure(
        400, f"1 validation error:\n  {said}", kind="Bad Request", param=str(said["loc"])
    )


def unreadable(request: Request) -> Answer | None:
    """Return the answer to a body that is not JSON or not said to be, or None."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/json"):
        return failure(
            400,
            "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed",
            kind="Bad Request",
        )
    if request.json is None:
        at = len(request.body)
        return invalid(
            Problem("json_invalid", str(at), "JSON decode error", {}, {"error": "Expecting value"})
        )
    return None


def rejected(message: str, param: str, value: Any) -> Answer:
    """Return the answer to a value out of range, in the words of the server's own checks."""
    return failure(400, f"{message} (parameter={param}, value={value})", param=param)
