"""Voice Live: `/voice-live/realtime`, below any base path.

From Microsoft's Voice Live pages (2026-09-29), the models of azure-ai-voicelive 1.3.1 and what its
users report. The brain is the emulator's own, whatever model is named.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator import azure
from mai_sdk.emulator.live_handshake import is_agent, refused
from mai_sdk.emulator.live_line import NOISE, LiveLine
from mai_sdk.emulator.live_session import LiveSession
from mai_sdk.emulator.live_settings import first_settings
from mai_sdk.emulator.live_voice import Voice
from mai_sdk.emulator.sockets import Left

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.sockets import Socket, SocketHandler
    from mai_sdk.emulator.world import World

__all__ = ["VoiceLive"]

_PATH: Final = "/voice-live/realtime"
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class VoiceLive:
    """Holds conversations."""

    subprotocol: str | None = None
    noise: tuple[str | bytes, ...] = NOISE

    def __init__(self, world: World) -> None:
        self._world = world
        self._voice = Voice(world)

    def sockets(self) -> dict[str, SocketHandler]:
        """Return the paths it answers on."""
        return {_PATH: self}

    def refuses(self, request: Request) -> Answer | None:
        """See `SocketHandler.refuses`."""
        asked = request.parameters
        answer = refused(request, self._world, needs_token=is_agent(asked))
        if answer is not None:
            return answer
        if not _VERSION.fullmatch(asked.get("api-version", "")):
            return azure.error(400, "UnsupportedApiVersion", "The api-version is missing or wrong.")
        if not asked.get("model") and not is_agent(asked):
            return azure.error(400, "MissingModel", "The query parameter 'model' is missing.")
        return None

    async def serve(self, line: Socket) -> None:
        """See `SocketHandler.serve`."""
        name = f"sess_{self._world.name(20)}"
        line.begin_turn()
        settings = _settings(line.request.parameters)
        try:
            async with asyncio.TaskGroup() as tasks:
                session = LiveSession(
                    LiveLine(line, name),
                    world=self._world,
                    voice=self._voice,
                    settings=settings,
                    tasks=tasks,
                )
                await session.run()
        except* Left:
            pass


def _settings(asked: dict[str, str]) -> dict[str, Any]:
    """Return the first settings; an agent ignores whatever model is named beside it."""
    if not is_agent(asked):
        return first_settings(model=asked.get("model", ""))
    named = asked.get("agent-name") or asked.get("agent-id") or asked.get("agent_id") or ""
    agent = {"type": "agent", "name": named, "agent_id": named, "thread_id": None}
    return first_settings(model=named, agent=agent)
