"""What every Azure surface shares: keys, headers, and the forms of its errors.

Bodies are those that public pages and recordings show; the ones for schema violations are a guess
in the same form, because none is documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.request import Answer, Request, bearer, json_answer
from mai_sdk.emulator.world import EMULATOR_TOKEN

if TYPE_CHECKING:
    from mai_sdk.emulator.chat import Problem
    from mai_sdk.emulator.world import World

__all__ = [
    "allowed", "bad_schema", "deployment_missing", "error", "identified", "resource_missing",
    "unauthorized", "unrecognized",
]  # fmt: skip

_ROLES = ("system", "developer", "user", "assistant", "tool")


def allowed(request: Request, world: World, *, bearer_key: bool) -> bool:
    """Return whether the request carries the key or the emulator's Entra token.

    Args:
        request: What came.
        world: Knows the key.
        bearer_key: Whether this surface also takes the key as a bearer token; `/mai/v1`
            documents only the `api-key` header.
    """
    if "api-key" in request.headers:
        return request.headers["api-key"] == world.key
    token = bearer(request)
    return token == EMULATOR_TOKEN or (bearer_key and token == world.key)


def identified(answer: Answer, request: Request, world: World) -> Answer:
    """Put the service's request ids on the answer."""
    name = world.guid()
    answer.headers["apim-request-id"] = name
    answer.headers["x-ms-request-id"] = name
    if "x-ms-client-request-id" in request.headers:
        answer.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    return answer


def error(
    status: int,
    code: str | None,
    message: str,
    *,
    kind: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Return an error in the service's form; `type` and `param` appear only where they are said."""
    said: dict[str, Any] = {"code": code, "message": message}
    if kind is not None:
        said |= {"type": kind, "param": param}
    return json_answer({"error": said}, status=status, headers=headers)


def unauthorized() -> Answer:
    """Return the answer to a wrong or missing key."""
    return error(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
        "provide a valid key for an active subscription and use a correct regional API "
        "endpoint for your resource.",
    )


def deployment_missing() -> Answer:
    """Return the answer for a deployment there is none of."""
    return error(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment "
        "within the last 5 minutes, please wait a moment and try again.",
    )


def resource_missing() -> Answer:
    """Return the answer for a path that is not served."""
    return error(404, "404", "Resource not found")


def unrecognized(name: str) -> Answer:
    """Return the answer for a field the surface does not know."""
    return error(
        400,
        "unrecognized_request_argument",
        f"Unrecognized request argument supplied: {name}",
        kind="invalid_request_error",
        param=name,
    )


def bad_schema(problem: Problem, *, status: int = 422) -> Answer:
    """Return the answer for a body of the wrong form."""
    return error(
        status,
        "invalid_request",
        f"{problem.where or 'body'}: {problem.message}",
        kind="invalid_request_error",
        param=problem.where or None,
    )


def bad_role(messages: list[dict[str, Any]]) -> str | None:
    """Return what is wrong with the messages' roles, or None."""
    if not messages:
        return "messages: there must be at least one"
    for number, message in enumerate(messages):
        if message.get("role") not in _ROLES:
            return f"messages.{number}.role: must be one of {', '.join(_ROLES)}"
    return None
