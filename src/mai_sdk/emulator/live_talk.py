"""The conversation of a Voice Live session, and its responses: begun, cut off, one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.live_brain import draft_of, message_of, shown
from mai_sdk.emulator.live_items import Conversation, Kept, Tokens
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.live_response import Response, Source
from mai_sdk.emulator.replies import Draft
from mai_sdk.emulator.tokens import count

if TYPE_CHECKING:
    from asyncio import Task, TaskGroup

    from mai_sdk.emulator.live_audio import Speech
    from mai_sdk.emulator.live_line import LiveLine
    from mai_sdk.emulator.live_voice import Voice
    from mai_sdk.emulator.world import World

__all__ = ["Talk"]


class Talk:
    """What was said, and what is being said; see `LiveSession` for the arguments."""

    def __init__(self, line: LiveLine, *, world: World, voice: Voice, tasks: TaskGroup) -> None:
        self.conversation = Conversation()
        self._line = line
        self._world = world
        self._voice = voice
        self._tasks = tasks
        self._hearings: set[Task[None]] = set()
        self._response: Response | None = None
        self._last: Response | None = None
        self._running: Task[None] | None = None
        self._read = Tokens()

    def hear(self, kept: Kept, pcm: bytes, sample_rate: int) -> Task[None]:
        """Begin to make out what the audio of an item says; responses wait for it."""

        async def hear() -> None:
            heard = await asyncio.to_thread(self._world.ears.hear, pcm, sample_rate)
            kept.said = heard.text

        kept.heard_ms = len(pcm) * 500 / sample_rate
        hearing = self._tasks.create_task(hear())
        self._hearings.add(hearing)
        hearing.add_done_callback(self._hearings.discard)
        return hearing

    def must_be_free(self) -> None:
        """Return if a response can begin.

        Raises:
            Refused: One is under way.
        """
        if self._response is not None and not self._response.is_cancelled:
            raise Refused(
                "Conversation already has an active response",
                code="conversation_already_has_active_response",
            )

    def cancel(self, reason: str, *, response_id: Any = None) -> bool:
        """Cancel the response under way; return whether there is one."""
        response = self._response
        if response is None or response.is_cancelled or response_id not in (None, response.id):
            return False
        response.cancel(reason)
        return True

    async def interrupt(self, *, truncates: bool) -> None:
        """Cut the response off; with `truncates`, at what was heard if played as it came."""
        is_going = self._response is not None
        response = self._response or self._last
        self.cancel("turn_detected")
        if not truncates or response is None or response.spoken is None:
            return
        kept = response.spoken
        heard = asyncio.get_running_loop().time() - (response.first_audio_at or 0.0)
        sent_ms = int(kept.spoken_ms or 0.0)
        heard_ms = min(int(heard * 1000), sent_ms)
        if kept.is_truncated or not heard_ms or (heard_ms == sent_ms and not is_going):
            return
        self.conversation.truncate(kept.id, content_index=0, audio_end_ms=heard_ms)
        await self._line.say(
            "conversation.item.truncated", item_id=kept.id, content_index=0, audio_end_ms=heard_ms
        )

    def respond(
        self,
        asked: dict[str, Any],
        *,
        text: str | None = None,
        items: list[dict[str, Any]] | None = None,
    ) -> Response:
        """Begin a response; one that was cancelled ends first.

        Args:
            asked: The settings of this response.
            text: What it says, if the client wrote it.
            items: What it answers instead of the conversation.
        """
        before = list(self.conversation)
        read, cached = Tokens(), Tokens()

        async def think() -> tuple[Draft, bool]:
            if self._hearings:
                await asyncio.wait(self._hearings)
            self._count(before, asked, read=read, cached=cached)
            if text is not None:
                return Draft(text=text, exact=True), False
            seen = items if items is not None else [shown(kept) for kept in before]
            handshake = self._line.socket.request
            return draft_of(self._world, handshake, asked, [message_of(item) for item in seen])

        async def speak(said: str) -> Speech:
            return await self._voice.speak(
                said, voice=asked["voice"], output=asked["output_audio_format"]
            )

        response = Response(
            line=self._line,
            conversation=self.conversation,
            asked=asked,
            flags=self._world.live,
            source=Source(
                think=think, speak=speak, name=self.name, count_input=lambda: (read, cached)
            ),
            id=self.name("resp_"),
        )
        self._response, waits_for = response, self._running
        self._running = self._tasks.create_task(self._run(response, waits_for))
        return response

    def name(self, begins: str) -> str:
        """Return a fresh id that begins like this."""
        return begins + self._world.name(20)

    async def _run(self, response: Response, waits_for: Task[None] | None) -> None:
        if waits_for is not None:
            await asyncio.wait((waits_for,))
        self._line.socket.begin_turn()
        await response.run()
        self._last = response
        if self._response is response:
            self._response = None
        await self._line.socket.end_turn(goes_on=True)

    def _count(
        self, before: list[Kept], asked: dict[str, Any], *, read: Tokens, cached: Tokens
    ) -> None:
        """Count what the model reads; what it read the last time as well is cached."""
        for kept in before:
            read.add(kept.tokens)
        read.add(Tokens(text=count(str(asked["instructions"] or ""))))
        last, self._read = self._read, read
        cached.add(Tokens(text=min(read.text, last.text), audio=min(read.audio, last.audio)))
