"""Speech over WebSockets: `/cognitiveservices/websocket/v1` and `/v2`, and both under `/tts`.

v1 takes SSML, v2 raw text in pieces as well. What cannot be spoken closes the connection with 1007,
which is how the service says it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.sound import CannotEncode, content_type, encode
from mai_sdk.emulator.speaking import BadDocument, BadVoice, check_voice, utter
from mai_sdk.emulator.untyped import to_object
from mai_sdk.emulator.usp import NOISE, TICKS_PER_MS, Says, next_message, refused
from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.formats import audio_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.sockets import Socket, SocketHandler
    from mai_sdk.emulator.utterance import Utterance
    from mai_sdk.emulator.world import World
    from mai_sdk.wire.formats import AudioFormat
    from mai_sdk.wire.usp import Message

__all__ = ["Synthesis"]

_MAX_SSML = 64 * 1024
"""Bytes of SSML in one turn (Microsoft's quotas page)."""
_FRAME_MS = 100
_SENTENCE = re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]]*\s|\n")
_WANTED = {
    "WordBoundary": "wordBoundaryEnabled",
    "PunctuationBoundary": "punctuationBoundaryEnabled",
}


@dataclass(slots=True)
class _Turn:
    """One synthesis, from its context to its end."""

    says: Says
    format: AudioFormat
    options: dict[str, Any]
    voice: str
    """Of streamed text; SSML names its own."""
    stream_id: str
    text: str = ""
    """Streamed text that was not spoken yet."""
    spoken_ms: float = 0.0
    begun: bool = False
    marks: list[tuple[float, dict[str, Any]]] = field(
        default_factory=list[tuple[float, dict[str, Any]]]
    )


class Synthesis:
    """Speaks on both paths; a connection may carry any number of turns, one after the other."""

    subprotocol: str | None = "USP"
    noise: tuple[str | bytes, ...] = NOISE

    def __init__(self, world: World) -> None:
        self._world = world

    def sockets(self) -> dict[str, SocketHandler]:
        """Return the paths it answers on."""
        ends = ("/cognitiveservices/websocket/v1", "/cognitiveservices/websocket/v2")
        return {prefix + end: self for prefix in ("", "/tts") for end in ends}

    def refuses(self, request: Request) -> Answer | None:
        """See `SocketHandler.refuses`."""
        return refused(request, self._world)

    async def serve(self, line: Socket) -> None:
        """See `SocketHandler.serve`."""
        takes_pieces = line.request.path.endswith("/v2")
        turn: _Turn | None = None
        while True:
            message = await next_message(line)
            path = message.path.lower()
            if path == "synthesis.context":
                turn = await self._context(line, message)
                if to_object(_of(message, "input")) and not takes_pieces:
                    await line.close(1007, "Text streaming is served on /websocket/v2.")
            elif turn is None or path not in {"ssml", "text.piece", "text.end"}:
                continue  # speech.config, telemetry, and what comes too late
            elif path == "ssml":
                await self._ssml(line, turn, str(message.body))
                turn = None
            elif path == "text.piece":
                await self._piece(line, turn, str(message.body))
            else:
                await self._say_text(line, turn, turn.text)
                await self._finish(line, turn)
                turn = None

    async def _context(self, line: Socket, message: Message) -> _Turn:
        line.begin_turn()
        audio = to_object(_of(message, "audio")) or {}
        given = to_object(_of(message, "input")) or {}
        name = str(audio.get("outputFormat"))
        try:
            kind = audio_format(name)
            encode(bytes(2), kind)
        except (InvalidRequest, CannotEncode):
            await line.close(1007, f"Unsupported audio output format: {name}")
        return _Turn(
            Says(line, message.request_id or ""),
            kind,
            to_object(audio.get("metadataOptions")) or {},
            str(given.get("voiceName") or ""),
            self._world.name(32).upper(),
        )

    async def _ssml(self, line: Socket, turn: _Turn, document: str) -> None:
        if len(document.encode()) > _MAX_SSML:
            await line.close(1009, "The SSML is longer than 64 KB.")
        await self._say(
            line, turn, lambda rate: utter(document, self._world.mouth, sample_rate=rate)
        )
        await self._finish(line, turn)

    async def _piece(self, line: Socket, turn: _Turn, piece: str) -> None:
        """Take more text, and speak the sentences that are whole by now."""
        turn.text += piece
        ends = [found.end() for found in _SENTENCE.finditer(turn.text)]
        if ends:
            whole, turn.text = turn.text[: ends[-1]], turn.text[ends[-1] :]
            await self._say_text(line, turn, whole)

    async def _say_text(self, line: Socket, turn: _Turn, text: str) -> None:
        def speak(rate: int) -> Utterance:
            check_voice(turn.voice)
            return self._world.mouth.speak(text, voice=turn.voice, sample_rate=rate)

        await self._say(line, turn, speak)

    async def _say(self, line: Socket, turn: _Turn, speak: Callable[[int], Utterance]) -> None:
        """Speak, or close with what is wrong; the first of a turn opens it."""
        try:
            spoken = await asyncio.to_thread(speak, turn.format.sample_rate or 24_000)
        except BadVoice as error:
            await line.close(1007, f"Unsupported voice: {error}.")
        except BadDocument as error:
            await line.close(1007, f"Ssml input is invalid: {error}")
        if not turn.begun:
            turn.begun = True
            await asyncio.sleep(line.pace.first)
            tag = {"serviceTag": self._world.name(32)}
            await turn.says.json("turn.start", {"context": tag})
            audio = {"type": "inline", "streamId": turn.stream_id}
            await turn.says.json("response", {"context": tag, "audio": audio})
        if spoken.pcm:
            self._world.ears.remember(spoken)
            turn.marks += _marks(spoken, turn)
            await self._deliver(turn, spoken)
            turn.spoken_ms += spoken.seconds * 1000

    async def _deliver(self, turn: _Turn, spoken: Utterance) -> None:
        """Send the audio in frames, each after the metadata of what is heard in it."""
        data = encode(spoken.pcm, turn.format)
        per_frame = len(data) * _FRAME_MS / (spoken.seconds * 1000)
        size = max(round(per_frame / 2) * 2, 2)
        for number, at in enumerate(range(0, len(data), size)):
            until = turn.spoken_ms + (number + 1) * _FRAME_MS
            while turn.marks and turn.marks[0][0] < until:
                await turn.says.json("audio.metadata", {"Metadata": [turn.marks.pop(0)[1]]})
            piece = data[at : at + size]
            kind = content_type(turn.format)
            await turn.says.audio(piece, stream_id=turn.stream_id, kind=kind)
        while turn.marks:
            await turn.says.json("audio.metadata", {"Metadata": [turn.marks.pop(0)[1]]})

    async def _finish(self, line: Socket, turn: _Turn) -> None:
        await turn.says.audio(b"", stream_id=turn.stream_id, kind="")
        if turn.options.get("sessionEndEnabled"):
            end = {"Type": "SessionEnd", "Data": {"Offset": round(turn.spoken_ms * TICKS_PER_MS)}}
            await turn.says.json("audio.metadata", {"Metadata": [end]})
        await turn.says.json("turn.end", {}, is_last=True)
        await line.end_turn()


def _of(message: Message, name: str) -> Any:
    return (to_object((to_object(message.json) or {}).get("synthesis")) or {}).get(name)


def _marks(spoken: Utterance, turn: _Turn) -> list[tuple[float, dict[str, Any]]]:
    """Return what was asked for of words, sentences and mouth shapes, in order of time."""
    marks: list[tuple[float, dict[str, Any]]] = []

    def add(kind: str, at_ms: float, **data: Any) -> None:
        at_ms += turn.spoken_ms
        told = {"Offset": round(at_ms * TICKS_PER_MS), **data}
        marks.append((at_ms, {"Type": kind, "Data": told}))

    for word in spoken.words:
        kind = "WordBoundary" if word.text[0].isalnum() else "PunctuationBoundary"
        if turn.options.get(_WANTED[kind]):
            add("WordBoundary", word.offset_ms, **_told(word.text, word.duration_ms, kind))
        if turn.options.get("visemeEnabled"):
            shape = sum(map(ord, word.text)) % 21 + 1
            add("Viseme", word.offset_ms, VisemeId=shape, IsLastAnimation=True)
    if turn.options.get("sentenceBoundaryEnabled"):
        for begin, end in _sentences(spoken.text):
            heard = [word for word in spoken.words if begin <= word.text_offset < end]
            if heard:
                last = heard[-1].offset_ms + heard[-1].duration_ms
                told = _told(
                    spoken.text[begin:end].strip(), last - heard[0].offset_ms, "SentenceBoundary"
                )
                add("SentenceBoundary", heard[0].offset_ms, **told)
    return sorted(marks, key=lambda mark: mark[0])


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for found in _SENTENCE.finditer(text):
        yield begin, found.end()
        begin = found.end()
    yield begin, len(text)


def _told(text: str, duration_ms: float, kind: str) -> dict[str, Any]:
    said = {"Text": text, "Length": len(text), "BoundaryType": kind}
    return {"Duration": round(duration_ms * TICKS_PER_MS), "text": said}
