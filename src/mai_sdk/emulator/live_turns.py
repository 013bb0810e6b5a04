"""Whose turn it is in a Voice Live session: audio in, speech found in it, responses begun and cut."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mai_sdk.emulator.generation import generate
from mai_sdk.emulator.live_audio import InputAudio, decoded
from mai_sdk.emulator.live_items import Conversation, Kept, Tokens
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.live_response import Response, Source
from mai_sdk.emulator.live_settings import input_rate
from mai_sdk.emulator.prompt import Prompt, Tool
from mai_sdk.emulator.replies import Draft
from mai_sdk.emulator.request import Request
from mai_sdk.emulator.tokens import count, split
from mai_sdk.emulator.untyped import objects_in, to_object
from mai_sdk.emulator.voice_activity import VoiceActivity

if TYPE_CHECKING:
    from asyncio import Task, TaskGroup

    from mai_sdk.emulator.live_audio import Speech
    from mai_sdk.emulator.live_line import LiveLine
    from mai_sdk.emulator.live_voice import Voice
    from mai_sdk.emulator.voice_activity import Edge
    from mai_sdk.emulator.world import World

__all__ = ["Turns"]

_LEAST_MS: Final = 100
"""Less cannot be committed (OpenAI's realtime service; clients of Voice Live keep to it)."""
_KEPT_MS: Final = 3_000
"""Of silence, how much is kept besides the padding."""
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_SENTENCES: Final = 2


class Turns:
    """The state of one conversation; see `LiveSession` for the arguments."""

    def __init__(
        self,
        line: LiveLine,
        *,
        world: World,
        voice: Voice,
        settings: dict[str, Any],
        tasks: TaskGroup,
    ) -> None:
        self._line = line
        self._world = world
        self._voice = voice
        self._tasks = tasks
        self.settings = settings
        """As they are now."""
        self.conversation = Conversation()
        self._audio = InputAudio(input_rate(settings))
        self._activity: VoiceActivity | None = None
        self._turn: tuple[str, int] | None = None
        self._response: Response | None = None
        self._running: Task[None] | None = None
        self._hearings: set[Task[None]] = set()
        self._read = Tokens()
        self._listen()

    # Audio in

    async def append(self, event: dict[str, Any]) -> None:
        """Take audio."""
        pcm = decoded(event["audio"], self.settings["input_audio_format"])
        audio, activity = self._audio, self._activity
        audio.pcm += pcm
        if activity is None:
            return
        for edge in activity.feed(pcm):
            await self._edge(edge)
        if self._turn is None:
            audio.keep_last(_KEPT_MS + self.settings["turn_detection"]["prefix_padding_ms"])

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
        name = self._turn[0] if self._turn else self._name("item_")
        kept, hearing = await self._user_said(name, self._audio.take())
        self._listen()
        self._transcribe(kept, hearing, None)

    def _listen(self) -> None:
        """Begin to look for speech, from here on."""
        self._turn = None
        asked = self.settings["turn_detection"]
        self._activity = None if asked is None else VoiceActivity(
            sample_rate=self._audio.sample_rate,
            threshold=asked["threshold"],
            prefix_ms=int(asked["prefix_padding_ms"]),
            silence_ms=int(asked["silence_duration_ms"]),
            speech_ms=int(asked["speech_duration_ms"]),
            from_ms=round(self._audio.end_ms),
        )  # fmt: skip

    async def _edge(self, edge: Edge) -> None:
        asked = self.settings["turn_detection"]
        if edge.kind == "started":
            self._turn = name, begin = self._name("item_"), edge.at_ms
            await self._line.say(
                "input_audio_buffer.speech_started", audio_start_ms=begin, item_id=name
            )
            if asked["interrupt_response"]:
                await self._interrupt(truncates=asked["auto_truncate"])
            return
        assert self._turn is not None  # noqa: S101 - speech that ends has begun
        (name, begin), self._turn = self._turn, None
        await self._line.say(
            "input_audio_buffer.speech_stopped", audio_end_ms=edge.at_ms, item_id=name
        )
        kept, hearing = await self._user_said(name, self._audio.take(begin, edge.at_ms))
        response = None
        if asked["create_response"]:
            try:
                self.must_be_free()
                response = self.respond(self.settings)
            except Refused as refusal:
                await self._line.say_error(refusal.as_error())
        self._transcribe(kept, hearing, response)

    async def _user_said(self, name: str, pcm: bytes) -> tuple[Kept, Task[None]]:
        """Put audio into the conversation, and begin to make out what it says."""
        kept = Kept(
            item={
                "id": name,
                "object": "realtime.item",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
            heard_ms=len(pcm) * 500 / self._audio.sample_rate,
        )
        before = self.conversation.add(kept)
        await self._line.say("input_audio_buffer.committed", previous_item_id=before, item_id=name)
        await self._line.say("conversation.item.created", previous_item_id=before, item=kept.item)
        return kept, self._hear(kept, pcm)

    def _hear(self, kept: Kept, pcm: bytes) -> Task[None]:
        rate = self._audio.sample_rate

        async def hear() -> None:
            heard = await asyncio.to_thread(self._world.ears.hear, pcm, rate)
            kept.said = heard.text

        hearing = self._tasks.create_task(hear())
        self._hearings.add(hearing)
        hearing.add_done_callback(self._hearings.discard)
        return hearing

    def _transcribe(self, kept: Kept, hearing: Task[None], response: Response | None) -> None:
        """Tell what the user said when it is known, and not before the response was begun."""
        if self.settings["input_audio_transcription"] is None:
            return

        async def tell() -> None:
            await hearing
            if response is not None:
                await response.created.wait()
            kept.item["content"][0]["transcript"] = kept.said
            where = {"item_id": kept.id, "content_index": 0}
            kind = "conversation.item.input_audio_transcription"
            for piece in split(kept.said):
                await self._line.say(f"{kind}.delta", **where, delta=piece)
            await self._line.say(f"{kind}.completed", **where, transcript=kept.said)

        self._tasks.create_task(tell())

    # The conversation

    async def add_item(self, raw: Any, *, after: str | None = None) -> None:
        """Put an item of the client into the conversation.

        Raises:
            Refused: It is none.
        """
        kept = self.conversation.read(raw, name=self._name("item_"))
        for part in objects_in(kept.item.get("content")):
            coded = part.pop("audio", None)
            if part.get("type") == "input_audio" and isinstance(coded, str):
                self._add_audio(kept, coded)
        before = self.conversation.add(kept, after=after)
        await self._line.say("conversation.item.created", previous_item_id=before, item=kept.item)

    def _add_audio(self, kept: Kept, coded: str) -> None:
        from binascii import Error, a2b_base64

        try:
            data = a2b_base64(coded)
        except Error:
            raise Refused("Invalid 'audio'.", param="item.content.audio") from None
        pcm = decoded(data, self.settings["input_audio_format"])
        kept.heard_ms = len(pcm) * 500 / self._audio.sample_rate
        self._hear(kept, pcm)

    # Responses

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

    async def _interrupt(self, *, truncates: bool) -> None:
        """Cut the response off; with `truncates`, at what was heard if played as it came."""
        response = self._response or self._last
        if self._response is not None:
            self._response.cancel("turn_detected")
        if not truncates or response is None or response.spoken is None:
            return
        kept = response.spoken
        heard = asyncio.get_running_loop().time() - (response.first_audio_at or 0.0)
        heard_ms = int(heard * 1000)
        if kept.is_truncated or not 0 < heard_ms < (kept.spoken_ms or 0.0):
            return
        where = {"content_index": 0, "audio_end_ms": heard_ms}
        self.conversation.truncate(kept.id, **where)
        await self._line.say("conversation.item.truncated", item_id=kept.id, **where)

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
        read, cached = Tokens(), Tokens()

        async def think() -> tuple[Draft, bool]:
            if self._hearings:
                await asyncio.wait(self._hearings)
            seen = items if items is not None else [_plain(kept) for kept in before]
            for kept in before:
                read.add(kept.tokens)
            read.add(Tokens(text=count(str(asked["instructions"] or ""))))
            cached.add(
                Tokens(
                    text=min(read.text, self._read.text), audio=min(read.audio, self._read.audio)
                )
            )
            self._read = read
            return self._draft(asked, text=text, messages=list(map(_message, seen)))

        before = list(self.conversation)
        response = Response(
            line=self._line,
            conversation=self.conversation,
            asked=asked,
            flags=self._world.live,
            source=Source(
                think=think,
                speak=lambda said: self._speak(said, asked),
                name=self._name,
                count_input=lambda: (read, cached),
            ),
            id=self._name("resp_"),
        )
        self._response, waits_for = response, self._running
        self._running = self._tasks.create_task(self._run(response, waits_for))
        return response

    async def _run(self, response: Response, waits_for: Task[None] | None) -> None:
        if waits_for is not None:
            await asyncio.wait((waits_for,))
        self._line.socket.begin_turn()
        await response.run()
        self._last = response
        if self._response is response:
            self._response = None

    _last: Response | None = None

    async def _speak(self, text: str, asked: dict[str, Any]) -> Speech:
        return await self._voice.speak(
            text, voice=asked["voice"], output=asked["output_audio_format"]
        )

    def _draft(
        self, asked: dict[str, Any], *, text: str | None, messages: list[dict[str, Any]]
    ) -> tuple[Draft, bool]:
        """Return what is said: the client's own text, the script's, or something made up."""
        if text is not None:
            return Draft(text=text, exact=True), False
        model, choice = str(asked["model"]), asked.get("tool_choice")
        if not isinstance(choice, str):
            choice = (to_object(choice) or {}).get("name")
        system = [{"role": "system", "content": str(asked["instructions"] or "")}]
        body = {"model": model, "messages": system + messages, "tools": asked["tools"]}
        handshake = self._line.socket.request
        draft = self._world.drafts(
            Prompt(
                model=model,
                messages=tuple(body["messages"]),
                tools=_tools(asked),
                tool_choice=choice,
            ),
            replace(handshake, body=to_json(body), _parsed=None, _read=False),
        )[0]
        if not draft.exact and draft.text:
            draft = replace(draft, text=" ".join(_SENTENCE.split(draft.text)[:_SENTENCES]))
        limit = asked["max_response_output_tokens"]
        made = generate(
            replace(draft, reasoning=""), limit=limit if isinstance(limit, int) else None
        )
        was_cut = made.finish_reason == "length"
        return replace(draft, text="".join(made.text), calls=made.calls), was_cut

    def _name(self, begins: str) -> str:
        return begins + self._world.name(20)


def _plain(kept: Kept) -> dict[str, Any]:
    return {**kept.item, "text": kept.text}


def _message(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as a message that the made-up model reads."""
    if item.get("type") == "function_call_output":
        return {"role": "tool", "content": str(item.get("output") or "")}
    if item.get("type") == "function_call":
        call = {"name": item.get("name"), "arguments": item.get("arguments")}
        return {"role": "assistant", "content": "", "tool_calls": [{"function": call}]}
    text = item.get("text")
    if text is None:
        parts = objects_in(item.get("content"))
        text = "".join(str(part.get("text") or part.get("transcript") or "") for part in parts)
    return {"role": item.get("role"), "content": text}


def _tools(asked: dict[str, Any]) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            str(tool["name"]),
            str(tool.get("description") or ""),
            to_object(tool.get("parameters")) or {},
        )
        for tool in objects_in(asked["tools"])
        if tool.get("type") == "function"
    )
