"""The user's turns in a Voice Live session: audio in, speech found in it, messages made of it."""

from __future__ import annotations

from binascii import Error, a2b_base64
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_audio import InputAudio, decoded
from mai_sdk.emulator.live_items import Kept
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.live_settings import input_rate
from mai_sdk.emulator.tokens import split
from mai_sdk.emulator.untyped import objects_in
from mai_sdk.emulator.voice_activity import VoiceActivity

if TYPE_CHECKING:
    from asyncio import Task, TaskGroup

    from mai_sdk.emulator.live_line import LiveLine
    from mai_sdk.emulator.live_response import Response
    from mai_sdk.emulator.live_talk import Talk
    from mai_sdk.emulator.voice_activity import Edge

__all__ = ["Turns"]

_LEAST_MS: Final = 100
"""Less cannot be committed (OpenAI's realtime service; clients of Voice Live keep to it)."""
_KEPT_MS: Final = 3_000
"""Of silence, how much is kept besides the padding."""


class Turns:
    """What the user says.

    Args:
        line: The connection.
        talk: Where it is put, and who answers.
        settings: What the session begins with.
        tasks: Where transcripts are told from.
    """

    def __init__(
        self, line: LiveLine, *, talk: Talk, settings: dict[str, Any], tasks: TaskGroup
    ) -> None:
        self._line = line
        self._talk = talk
        self._tasks = tasks
        self.settings = settings
        """As they are now."""
        self._audio = InputAudio(input_rate(settings))
        self._activity: VoiceActivity | None = None
        self._turn: tuple[str, int] | None = None
        self._listen()

    async def append(self, event: dict[str, Any]) -> None:
        """Take audio."""
        pcm = decoded(event["audio"], self.settings["input_audio_format"])
        self._audio.pcm += pcm
        if self._activity is None:
            return
        for edge in self._activity.feed(pcm):
            await self._edge(edge)
        if self._turn is None:
            self._audio.keep_last(_KEPT_MS + self.settings["turn_detection"]["prefix_padding_ms"])

    def change(self, settings: dict[str, Any]) -> None:
        """Go on with these settings."""
        before, self.settings = self.settings, settings
        names = ("turn_detection", "input_audio_format", "input_audio_sampling_rate")
        if any(before[name] != settings[name] for name in names):
            if input_rate(settings) != self._audio.sample_rate:
                self._audio.clear(sample_rate=input_rate(settings))
            self._listen()

    def clear(self) -> None:
        """Forget the audio that was not answered."""
        self._audio.clear()
        self._listen()

    async def commit(self) -> None:
        """Make what was appended a message of the user.

        Raises:
            Refused: There is nothing, or next to nothing.
        """
        if self._audio.length_ms < _LEAST_MS:
            raise Refused(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{_LEAST_MS}ms of audio, but buffer only has {self._audio.length_ms:.2f}ms of "
                "audio.",
                code="input_audio_buffer_commit_empty",
            )
        name = self._turn[0] if self._turn else self._talk.name("item_")
        kept, hearing = await self._said(name, self._audio.take())
        self._listen()
        self._transcribe(kept, hearing, None)

    async def add_item(self, raw: Any, *, after: str | None = None) -> None:
        """Put an item of the client into the conversation.

        Raises:
            Refused: It is none.
        """
        kept = self._talk.conversation.read(raw, name=self._talk.name("item_"))
        for part in objects_in(kept.item.get("content")):
            coded = part.pop("audio", None)
            if part.get("type") == "input_audio" and isinstance(coded, str):
                try:
                    data = a2b_base64(coded)
                except Error:
                    raise Refused("Invalid 'audio'.", param="item.content.audio") from None
                pcm = decoded(data, self.settings["input_audio_format"])
                self._talk.hear(kept, pcm, self._audio.sample_rate)
        await self._add(kept, after=after)

    async def _add(self, kept: Kept, *, after: str | None = None, is_audio: bool = False) -> None:
        before = self._talk.conversation.add(kept, after=after)
        if is_audio:
            await self._line.say(
                "input_audio_buffer.committed", previous_item_id=before, item_id=kept.id
            )
        await self._line.say("conversation.item.created", previous_item_id=before, item=kept.item)

    def _listen(self) -> None:
        """Begin to look for speech, from here on."""
        self._turn = None
        asked = self.settings["turn_detection"]
        if asked is None:
            self._activity = None
            return
        self._activity = VoiceActivity(
            sample_rate=self._audio.sample_rate,
            threshold=asked["threshold"],
            prefix_ms=int(asked["prefix_padding_ms"]),
            silence_ms=int(asked["silence_duration_ms"]),
            speech_ms=int(asked["speech_duration_ms"]),
            from_ms=round(self._audio.end_ms),
        )

    async def _edge(self, edge: Edge) -> None:
        asked = self.settings["turn_detection"]
        if edge.kind == "started":
            self._turn = name, begin = self._talk.name("item_"), edge.at_ms
            await self._line.say(
                "input_audio_buffer.speech_started", audio_start_ms=begin, item_id=name
            )
            if asked["interrupt_response"]:
                await self._talk.interrupt(truncates=asked["auto_truncate"])
            return
        assert self._turn is not None  # noqa: S101 - speech that ends has begun
        (name, begin), self._turn = self._turn, None
        await self._line.say(
            "input_audio_buffer.speech_stopped", audio_end_ms=edge.at_ms, item_id=name
        )
        kept, hearing = await self._said(name, self._audio.take(begin, edge.at_ms))
        response = None
        if asked["create_response"]:
            try:
                self._talk.must_be_free()
                response = self._talk.respond(self.settings)
            except Refused as refusal:
                await self._line.say_error(refusal.as_error())
        self._transcribe(kept, hearing, response)

    async def _said(self, name: str, pcm: bytes) -> tuple[Kept, Task[None]]:
        """Put audio into the conversation, and begin to make out what it says."""
        kept = Kept(
            item={
                "id": name,
                "object": "realtime.item",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            }
        )
        hearing = self._talk.hear(kept, pcm, self._audio.sample_rate)
        await self._add(kept, is_audio=True)
        return kept, hearing

    def _transcribe(self, kept: Kept, hearing: Task[None], response: Response | None) -> None:
        """Tell what the user said when it is known, and not before the response was begun."""
        if self.settings["input_audio_transcription"] is None:
            return

        async def tell() -> None:
            await hearing
            if response is not None:
                await response.created.wait()
            kept.item["content"][0]["transcript"] = kept.said
            await self._line.say_heard(kept.id, kept.said, split(kept.said))

        self._tasks.create_task(tell())
