"""One response of a Voice Live session, from `response.created` to `response.done`."""

from __future__ import annotations

import asyncio
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.live_audio import Failed, Words
from mai_sdk.emulator.live_items import Kept, Tokens, spoken_tokens, usage
from mai_sdk.emulator.tokens import count, split

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mai_sdk.emulator.live_audio import Speech
    from mai_sdk.emulator.live_flags import LiveFlags
    from mai_sdk.emulator.live_items import Conversation
    from mai_sdk.emulator.live_line import LiveLine
    from mai_sdk.emulator.replies import Call, Draft

__all__ = ["Response", "Source"]

_BREATHE = 8
"""After so many deltas written without a wait, others get their turn."""


@dataclass(slots=True, kw_only=True)
class Source:
    """Where a response gets what it says."""

    think: Callable[[], Awaitable[tuple[Draft, bool]]]
    """Returns what the model means to say, and whether a limit cut it."""
    speak: Callable[[str], Awaitable[Speech]]
    """Returns a text spoken; raises `Failed`."""
    name: Callable[[str], str]
    """Returns a fresh id that begins like this."""
    count_input: Callable[[], tuple[Tokens, Tokens]]
    """Returns what the model has read, and what of it was cached."""


@dataclass(slots=True, kw_only=True)
class Response:
    """A response on its way."""

    line: LiveLine
    conversation: Conversation
    asked: dict[str, Any]
    """The session's settings with what `response.create` says in their place."""
    flags: LiveFlags
    source: Source
    id: str
    created: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the client knows of it."""
    first_audio_at: float | None = None
    """When the first audio went out, in the loop's time."""
    spoken: Kept | None = None
    """The item that is spoken."""
    _output: list[Kept] = field(default_factory=list[Kept])
    _written: Tokens = field(default_factory=Tokens)
    _reason: str | None = None
    _alarm: asyncio.Future[None] | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether it ends as soon as what is on its way has gone out."""
        return self._reason is not None

    def cancel(self, reason: str) -> None:
        """End it; late deltas still follow."""
        self._reason = self._reason or reason
        if self._alarm is not None and not self._alarm.done():
            self._alarm.set_result(None)

    async def run(self) -> None:
        """Say it all."""
        await self._say_whole("response.created", "in_progress")
        self.created.set()
        details: dict[str, Any] | None = None
        status = "completed"
        await self._rest(self.line.socket.pace.first)
        fault = self.line.socket.take("fail")
        try:
            if fault is not None:
                raise Failed("The response failed.", code=fault.reason)
            draft, was_cut = await self.source.think()
            if draft.text and not self.is_cancelled:
                await self._message(draft.text)
            for call in draft.calls:
                if not self.is_cancelled:
                    await self._call(call)
            if was_cut:
                status, details = (
                    "incomplete",
                    {"type": "incomplete", "reason": "max_output_tokens"},
                )
        except Failed as error:
            said = {"type": "server_error", "code": error.code, "message": str(error)}
            status, details = "failed", {"type": "failed", "error": said}
        if self._reason is not None:
            status, details = "cancelled", {"type": "cancelled", "reason": self._reason}
        await self._say_whole("response.done", status, details=details)

    async def _message(self, text: str) -> None:
        is_spoken = "audio" in self.asked["modalities"]
        speech = await self.source.speak(text) if is_spoken else None
        if self.is_cancelled:
            return
        item: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
        kept, place = await self._begin(item)
        part: dict[str, Any] = {"type": "text", "text": ""}
        if speech is not None:
            part = {"type": "audio", "transcript": ""}
            kept.spoken_ms = 0.0
            self.spoken = kept
        kept.item["content"] = [part]
        where = {**place, "item_id": kept.id, "content_index": 0}
        await self.line.say("response.content_part.added", **where, part=part)
        if speech is None:
            await self._write(text, part, where)
            await self.line.say("response.text.done", **where, text=part["text"])
        else:
            await self._say_speech(text, speech, kept, where)
            await self.line.say("response.audio.done", **where)
            said = part["transcript"]
            await self.line.say("response.audio_transcript.done", **where, transcript=said)
        shown = part.get("text") or part.get("transcript") or ""
        self._written.add(Tokens(text=count(shown), audio=spoken_tokens(kept.spoken_ms or 0.0)))
        await self.line.say("response.content_part.done", **where, part=part)
        await self._end(kept, place)

    async def _write(self, text: str, part: dict[str, Any], where: dict[str, Any]) -> None:
        each = self.line.socket.pace.each
        for number, piece in enumerate(split(text)):
            if self.is_cancelled:
                return
            await self.line.say("response.text.delta", **where, delta=piece)
            part["text"] += piece
            await self._breathe(number, each)

    async def _say_speech(
        self, text: str, speech: Speech, kept: Kept, where: dict[str, Any]
    ) -> None:
        """Send audio with the words that begin in it, and what is still on its way when cut off."""
        loop = asyncio.get_running_loop()
        size = speech.bytes_per_ms * self.flags.delta_ms
        pace, start, late = self.flags.audio_pace, loop.time(), self.flags.late_deltas
        seconds = self.flags.delta_ms / 1000 / pace if pace else 0.0
        words = Words(text, speech)
        kept.words = words.ends
        head, tail = self._audio_frame(where)
        for number, at in enumerate(range(0, len(speech.data), size)):
            if pace:
                await self._rest(start + number * seconds - loop.time())
            else:
                await self._breathe(number, 0.0)
            late -= self.is_cancelled
            if late < 0:
                break
            await self._say_words(
                words, at / speech.bytes_per_ms + self.flags.delta_ms, kept, where
            )
            piece = speech.data[at : at + size]
            coded = binascii.b2a_base64(piece, newline=False).decode("ascii")
            self.first_audio_at = self.first_audio_at or loop.time()
            await self.line.socket.send_text(
                f'{head}{self.line.event_id()}{tail}{coded}"}}',
                name="response.audio.delta",
                is_content=True,
            )
            if not kept.is_truncated:
                kept.spoken_ms = (at + len(piece)) / speech.bytes_per_ms
        else:
            await self._say_words(words, float("inf"), kept, where)
        if self.asked.get("output_audio_timestamp_types"):
            await self.line.say("response.audio_timestamp.done", **where)

    def _audio_frame(self, where: dict[str, Any]) -> tuple[str, str]:
        """Return what is around the two things that change from delta to delta."""
        head = '{"type":"response.audio.delta","event_id":"'
        tail = (
            f'","response_id":"{self.id}","item_id":"{where["item_id"]}",'
            f'"output_index":{where["output_index"]},"content_index":0,"delta":"'
        )
        return head, tail

    async def _say_words(
        self, words: Words, until_ms: float, kept: Kept, where: dict[str, Any]
    ) -> None:
        timed = self.asked.get("output_audio_timestamp_types")
        for piece, word in words.before(until_ms):
            await self.line.say("response.audio_transcript.delta", **where, delta=piece)
            kept.item["content"][0]["transcript"] += piece
            if timed and word is not None:
                await self.line.say(
                    "response.audio_timestamp.delta",
                    **where,
                    audio_offset_ms=round(word.offset_ms),
                    audio_duration_ms=round(word.duration_ms),
                    text=word.text,
                    timestamp_type="word",
                )

    async def _call(self, call: Call) -> None:
        call_id = call.id or self.source.name("call_")
        item = {"type": "function_call", "name": call.name, "call_id": call_id, "arguments": ""}
        kept, place = await self._begin(item)
        where = {**place, "item_id": kept.id, "call_id": call_id}
        for number, piece in enumerate(split(call.arguments)):
            await self.line.say("response.function_call_arguments.delta", **where, delta=piece)
            await self._breathe(number, 0.0)
        kept.item["arguments"] = call.arguments
        self._written.add(Tokens(text=count(call.name) + count(call.arguments)))
        await self.line.say(
            "response.function_call_arguments.done",
            **where, arguments=call.arguments, name=call.name,
        )  # fmt: skip
        await self._end(kept, place, status="completed")

    async def _begin(self, item: dict[str, Any]) -> tuple[Kept, dict[str, Any]]:
        """Announce an item of the response; return it and its place in the response."""
        name = self.source.name("item_")
        kept = Kept(item={"id": name, "object": "realtime.item", "status": "in_progress", **item})
        place = {"response_id": self.id, "output_index": len(self._output)}
        self._output.append(kept)
        before = self.conversation.add(kept)
        await self.line.say("response.output_item.added", **place, item=kept.item)
        await self.line.say("conversation.item.created", previous_item_id=before, item=kept.item)
        return kept, place

    async def _end(self, kept: Kept, place: dict[str, Any], status: str | None = None) -> None:
        kept.item["status"] = status or ("incomplete" if self.is_cancelled else "completed")
        await self.line.say("response.output_item.done", **place, item=kept.item)

    async def _say_whole(
        self, kind: str, status: str, *, details: dict[str, Any] | None = None
    ) -> None:
        is_over = status != "in_progress"
        response = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": [kept.item for kept in self._output],
            "usage": self._usage() if is_over else None,
            "conversation_id": f"conv_{self.line.name[-20:]}",
            "voice": self.asked["voice"],
            "modalities": self.asked["modalities"],
            "output_audio_format": self.asked["output_audio_format"],
            "temperature": self.asked["temperature"],
            "max_output_tokens": self.asked["max_response_output_tokens"],
            "metadata": self.asked.get("metadata"),
        }
        await self.line.say(kind, response=response)

    def _usage(self) -> dict[str, Any] | None:
        """Return what it took; nothing is told of one that never said anything."""
        if not self._output:
            return None
        read, cached = self.source.count_input()
        return usage(read=read, cached=cached, written=self._written)

    async def _breathe(self, number: int, seconds: float) -> None:
        if seconds:
            await self._rest(seconds)
        elif number % _BREATHE == _BREATHE - 1:
            await asyncio.sleep(0)

    async def _rest(self, seconds: float) -> None:
        """Wait; a cancellation ends it."""
        if seconds <= 0 or self.is_cancelled:
            return
        loop = asyncio.get_running_loop()
        self._alarm = alarm = loop.create_future()
        bell = loop.call_later(seconds, _ring, alarm)
        try:
            await alarm
        finally:
            bell.cancel()


def _ring(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)
