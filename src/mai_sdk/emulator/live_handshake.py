"""Whether a live connection is let in: its key or token, its quota, what its address names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mai_sdk.emulator import azure
from mai_sdk.emulator.world import EMULATOR_TOKEN

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.world import World

__all__ = ["is_agent", "refused"]

_MINUTE = 60.0
_AGENTS = ("agent-name", "agent-id", "agent_id")


def is_agent(parameters: dict[str, str]) -> bool:
    """Return whether the address asks for an agent rather than a model."""
    return any(parameters.get(name) for name in _AGENTS)


def refused(request: Request, world: World, *, needs_token: bool = False) -> Answer | None:
    """Return the refusal of a handshake, or None.

    The key comes in the `api-key` header or, from browsers, in the query; so does the token.
    """
    asked = {name.lower(): value for name, value in request.parameters.items()}
    key = request.headers.get("api-key") or asked.get("api-key")
    if key and (key != world.key or needs_token):
        return azure.unauthorized()
    if not key:
        proof = request.headers.get("authorization") or asked.get("authorization", "")
        scheme, _, token = proof.partition(" ")
        if scheme.lower() != "bearer" or token.strip() != EMULATOR_TOKEN:
            return azure.unauthorized()
    return _over_quota(world)


def _over_quota(world: World) -> Answer | None:
    most, opened, now = world.live.connections_per_minute, world.connections, time.monotonic()
    while opened and now - opened[0] > _MINUTE:
        opened.popleft()
    if most is not None and len(opened) >= most:
        wait = max(1, round(_MINUTE - (now - opened[0])))
        return azure.error(
            429,
            "429",
            "Too many new connections: the quota of this resource is used up. Try again later.",
            headers={"retry-after": str(wait)},
        )
    opened.append(now)
    return None
