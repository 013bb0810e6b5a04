"""The user's end of `mai talk`, in files and in writing: what is said, and where answers go."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from mai_sdk.audio.pcm import SAMPLE_BYTES, level_db
from mai_sdk.cli.talk_sound import RATE, Playing, Recording, VirtualSpeaker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mai_sdk.cli.talk_progress import Progress
    from mai_sdk.resources.conversations import Call
    from mai_sdk.wire.session_events import AudioChunk

__all__ = ["End", "FileEnd", "Shown", "TextEnd"]

_FRAMES_A_SECOND: Final = 50
_TAIL_S: Final = 2.0
"""The silence after a file: enough for any usual detection of turns."""
_LONGEST_TAIL_S: Final = 12.0
"""The silence after a file whose speech the service does not see ending."""


class Shown(Protocol):
    """What an end tells of the user, and looks at."""

    progress: Progress

    def loud(self, level_db: float) -> None:
        """Take how loud the user is, in dBFS."""
        ...

    def wrote(self, text: str) -> None:
        """Take what the user says in writing."""
        ...

    def note(self, text: str) -> None:
        """Take a remark."""
        ...


class End(Protocol):
    """What `mai talk` needs of whoever speaks and listens."""

    sample_rate: int
    """Of the audio it sends."""
    recording: Recording
    """What was heard of the agent."""
    options: dict[str, Any]
    """What the session must be told for its sake."""

    async def speak(self, call: Call, shown: Shown) -> None:
        """Say everything; return once nothing more is to come of it."""
        ...

    def hear(self, chunk: AudioChunk) -> None:
        """Take a piece of the agent's voice."""
        ...

    def answered(self) -> None:
        """Note that an answer is whole."""
        ...

    def stop(self) -> None:
        """Let no more be heard of what was taken: the agent was interrupted."""
        ...


class _Virtual:
    """Hears the agent over a loudspeaker that nobody hears, and keeps what came out of it."""

    def __init__(self, *, clock: Callable[[], float], at_once: bool) -> None:
        self.recording = Recording()
        self._speaker = VirtualSpeaker(Playing(self.recording), clock=clock, at_once=at_once)

    def hear(self, chunk: AudioChunk) -> None:
        """Take a piece of the agent's voice."""
        self._speaker.give(chunk)

    def answered(self) -> None:
        """Note that an answer is whole."""
        self._speaker.finish()

    def stop(self) -> None:
        """Let no more be heard of it."""
        self._speaker.stop()

    async def _played(self, call: Call) -> None:
        ms = self._speaker.played()
        if ms:
            await call.played(ms)


class FileEnd(_Virtual):
    """Says what is in a file, as it would be said, or as fast as it is taken.

    In real time the answers are heard by a loudspeaker that nobody hears, so that an interruption
    in the file cuts the agent off where a listener would have. In a hurry they are heard as they
    come.
    """

    def __init__(
        self,
        pcm: bytes,
        *,
        sample_rate: int,
        fast: bool = False,
        push_to_talk: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(clock=clock, at_once=fast)
        self.sample_rate = sample_rate
        self.options: dict[str, Any] = {"turn_detection": None} if push_to_talk else {}
        self._pcm = pcm
        self._is_fast = fast
        self._is_by_hand = push_to_talk
        self._clock = clock
        self._sleep = sleep
        self._frame = sample_rate // _FRAMES_A_SECOND * SAMPLE_BYTES
        self._began = 0.0
        self._sent = 0

    async def speak(self, call: Call, shown: Shown) -> None:
        """Say the file, then silence; return once nothing more is to come."""
        self._began = self._clock()
        for at in range(0, len(self._pcm), self._frame):
            if shown.progress.is_over:
                break
            await self._say(call, self._pcm[at : at + self._frame], shown)
        if self._is_by_hand:
            shown.progress.asked()
            await call.commit()
        elif not shown.progress.is_over:
            await self._fall_silent(call, shown)
        while shown.progress.expects_more():
            await self._sleep(1 / _FRAMES_A_SECOND)
            await self._played(call)
        await call.played(self._speaker.rest())

    async def _fall_silent(self, call: Call, shown: Shown) -> None:
        nothing, said = bytes(self._frame), 0.0
        while said < (_LONGEST_TAIL_S if shown.progress.is_speaking else _TAIL_S):
            await self._say(call, nothing, shown)
            said += 1 / _FRAMES_A_SECOND

    async def _say(self, call: Call, pcm: bytes, shown: Shown) -> None:
        await call.send(pcm)
        self._sent += len(pcm) // SAMPLE_BYTES
        shown.loud(level_db(pcm))
        wait = self._began + self._sent / self.sample_rate - self._clock()
        await self._sleep(0 if self._is_fast else max(wait, 0))
        await self._played(call)


class TextEnd(_Virtual):
    """Says one text after another in writing, each once the last was answered."""

    options: dict[str, Any]

    def __init__(
        self,
        texts: Sequence[str],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(clock=time.monotonic, at_once=True)
        self.sample_rate = RATE
        self.options = {}
        self._texts = tuple(texts)
        self._sleep = sleep

    async def speak(self, call: Call, shown: Shown) -> None:
        """Say the texts; return once the last was answered."""
        for text in self._texts:
            if shown.progress.is_over:
                break
            shown.wrote(text)
            shown.progress.asked()
            await call.send_text(text)
            while shown.progress.owes_answer and shown.progress.expects_more():
                await self._sleep(1 / _FRAMES_A_SECOND)
                await self._played(call)
        await self._played(call)
