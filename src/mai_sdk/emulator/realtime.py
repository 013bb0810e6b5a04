"""Live transcription by MAI-Transcribe-2-Streaming: `/mai/v1/realtime?intent=transcription`.

From Microsoft's Realtime page (2026-09-30) and what clients measured against the service in October
2026. It finds no speech by itself and commits nothing by itself.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator import azure
from mai_sdk.emulator.live_handshake import refused
from mai_sdk.emulator.live_line import NOISE, LiveLine, client_id
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.realtime_settings import FIRST, rate_of, updated
from mai_sdk.emulator.sockets import Left
from mai_sdk.emulator.tokens import split

if TYPE_CHECKING:
    from asyncio import Task, TaskGroup

    from mai_sdk.emulator.ears import Heard
    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.sockets import Socket, SocketHandler
    from mai_sdk.emulator.world import World

__all__ = ["Realtime"]

_EVERY_MS: Final = 300
"""After so much audio, it says what it understands by now."""
_FINAL_MS: Final = 600
"""A word that ended this long ago will not change any more."""


class Realtime:
    """Transcribes."""

    subprotocol: str | None = None
    noise: tuple[str | bytes, ...] = NOISE

    def __init__(self, world: World) -> None:
        self._world = world

    def sockets(self) -> dict[str, SocketHandler]:
        """Return the paths it answers on."""
        return {"/mai/v1/realtime": self}

    def refuses(self, request: Request) -> Answer | None:
        """See `SocketHandler.refuses`."""
        answer = refused(request, self._world)
        if answer is None and request.parameters.get("intent") != "transcription":
            return azure.error(400, "400", "The query parameter 'intent' must be 'transcription'.")
        return answer

    async def serve(self, line: Socket) -> None:
        """See `SocketHandler.serve`."""
        line.begin_turn()
        name = f"sess_{self._world.name(20)}"
        try:
            async with asyncio.TaskGroup() as tasks:
                await _Session(LiveLine(line, name), world=self._world, tasks=tasks).run()
        except* Left:
            pass


class _Session:
    """One connection."""

    def __init__(self, line: LiveLine, *, world: World, tasks: TaskGroup) -> None:
        self._line = line
        self._world = world
        self._tasks = tasks
        self._settings: dict[str, Any] = FIRST
        self._is_ready = self._is_frozen = False
        fault = line.socket.take("expire")
        self._lasts = (fault and fault.seconds) or world.live.session_seconds
        self._expires_at = int(time.time() + self._lasts)
        self._segment = _Segment(line, world=world, tasks=tasks)
        self._previous: str | None = None

    async def run(self) -> None:
        """Talk until the connection is over.

        Raises:
            Left: Always.
        """
        await self._line.say("session.created", session=self._shown())
        self._tasks.create_task(self._expire())
        while True:
            event: dict[str, Any] = {}
            try:
                event = await self._line.next_event()
                await self._act(event)
            except Refused as refusal:
                refusal.event_id = refusal.event_id or client_id(event)
                await self._line.say_error(refusal.as_error())

    async def _act(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "input_audio_buffer.append":
            if not self._is_ready:
                raise Refused(
                    "Audio cannot be appended before the session is configured: send "
                    "session.update and wait for session.updated.",
                    code="session_not_configured",
                )
            self._is_frozen = True
            self._segment.append(event["audio"], rate_of(self._settings))
        elif kind == "input_audio_buffer.commit":
            await self._commit()
        elif kind == "session.update":
            if self._is_frozen:
                raise Refused(
                    "The session cannot be updated after audio was appended.",
                    code="session_update_not_allowed",
                    param="session",
                )
            known = (*self._world.deployments, "MAI-Transcribe-2-Streaming")
            self._settings = updated(self._settings, event.get("session"), deployments=known)
            self._is_ready = True
            await self._line.say("session.updated", session=self._shown())
        else:
            raise Refused(
                f"Invalid value: '{kind}'. Supported values are: 'session.update', "
                "'input_audio_buffer.append', 'input_audio_buffer.commit'.",
                param="type",
            )

    async def _commit(self) -> None:
        segment = self._segment
        if not segment.has_audio:
            raise Refused(
                "Error committing input audio buffer: the buffer is empty.",
                code="input_audio_buffer_commit_empty",
            )
        self._line.socket.begin_turn()
        self._segment = _Segment(self._line, world=self._world, tasks=self._tasks)
        await self._line.say(
            "input_audio_buffer.committed", previous_item_id=self._previous, item_id=segment.name
        )
        self._segment.waits_for = segment.finish()
        self._previous = segment.name

    def _shown(self) -> dict[str, Any]:
        return {
            "id": self._line.name,
            "object": "realtime.transcription_session",
            **self._settings,
            "expires_at": self._expires_at,
        }

    async def _expire(self) -> None:
        await asyncio.sleep(self._lasts)
        await self._line.say_error(
            {
                "type": "invalid_request_error",
                "code": "session_expired",
                "message": "Your session hit the maximum duration of 60 minutes.",
                "param": None,
                "event_id": None,
            }
        )
        await self._line.socket.close(1001, "session expired")


class _Segment:
    """The audio between two commits, and what was said of it."""

    def __init__(self, line: LiveLine, *, world: World, tasks: TaskGroup) -> None:
        self.name = f"item_{world.name(20)}"
        self.waits_for: Task[None] | None = None
        """What is said of the segment before; this one comes after it."""
        self._line = line
        self._world = world
        self._tasks = tasks
        self._rate = 24_000
        self._pcm = bytearray()
        self._heard_to = 0
        self._looked_at = 0
        self._said = ""
        self._shown = ""
        self._is_foreign = False
        self._looking: Task[None] | None = None

    @property
    def has_audio(self) -> bool:
        """Whether anything was appended."""
        return bool(self._pcm)

    def append(self, audio: bytes, rate: int) -> None:
        """Take audio, and say what is understood by now if it is time for that."""
        self._rate = rate
        self._pcm += audio
        if self._looking is not None and not self._looking.done():
            return
        if not self._is_foreign and len(self._pcm) - self._looked_at >= rate * _EVERY_MS // 500:
            self._looked_at = len(self._pcm)
            self._looking = self._tasks.create_task(self._look())

    def finish(self) -> Task[None]:
        """Say all the rest of it, and that it is complete."""
        return self._tasks.create_task(self._complete())

    async def _complete(self) -> None:
        for earlier in (self.waits_for, self._looking):
            if earlier is not None:
                await asyncio.wait((earlier,))
        heard = await self._hear()
        text = self._spaced(heard.text)
        await self._line.say_heard(self.name, self._said + text, split(text))

    async def _look(self) -> None:
        if self.waits_for is not None:
            await asyncio.wait((self.waits_for,))
        heard = await self._hear()
        self._is_foreign = heard.how == "not_listened"
        sure = [
            word for word in heard.words
            if word.offset_ms + word.duration_ms <= heard.duration_ms - _FINAL_MS
        ]  # fmt: skip
        if sure:
            rest = heard.words[len(sure)].text_offset if len(sure) < len(heard.words) else None
            await self._say_final(heard.text[:rest].rstrip())
            end = sure[-1].offset_ms + sure[-1].duration_ms
            self._heard_to += round(end * self._rate / 1000) * 2
        tail = " ".join(word.text for word in heard.words[len(sure) :])
        # What is not final yet is spelled in its own way.
        tail = "".join(mark for mark in tail.lower() if mark.isalnum() or mark in " '-")
        tail = self._spaced(tail)
        if tail != self._shown and not self._is_foreign:
            self._shown = tail
            await self._say("intermediate", intermediate=tail)

    async def _hear(self) -> Heard:
        pcm = bytes(self._pcm[self._heard_to :])
        return await asyncio.to_thread(self._world.ears.hear, pcm, self._rate)

    async def _say_final(self, text: str) -> None:
        text = self._spaced(text)
        for piece in split(text):
            await self._say("delta", delta=piece)
        self._said += text

    def _spaced(self, text: str) -> str:
        return f" {text}" if text and self._said else text

    async def _say(self, kind: str, **fields: Any) -> None:
        kind = f"conversation.item.input_audio_transcription.{kind}"
        await self._line.say(kind, item_id=self.name, content_index=0, **fields)
