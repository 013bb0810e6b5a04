"""Recognition over WebSockets, as the Speech SDK asks for it.

A turn is a stream of audio up to an empty frame. Every turn has its own request id; after it the
client opens the next one on the same connection, with a new stream id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.sockets import Left
from mai_sdk.emulator.untyped import to_object
from mai_sdk.emulator.usp import NOISE, TICKS_PER_MS, Says, next_message, refused
from mai_sdk.wire.wav import read_wav

if TYPE_CHECKING:
    from mai_sdk.emulator.ears import Heard
    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.sockets import Socket, SocketHandler
    from mai_sdk.emulator.world import World
    from mai_sdk.wire.usp import Message

__all__ = ["Recognition"]

_MODES = ("conversation", "interactive", "dictation")
_HEADER = 44
_RATE = 16_000
_EVERY_MS = 500
"""After so much audio, it says what it understands by now."""
_PAUSE_MS = 600
"""So much silence after words ends a phrase, where a stream has several."""
_SILENCE_MS = 5000
"""So much silence is reported as such (5 s is the initial timeout of the Speech SDK's pages)."""
_TOKEN = "x-client-commit-token"  # noqa: S105 - a header, and no secret


@dataclass(slots=True)
class _Turn:
    """One stream of audio."""

    says: Says
    mode: str
    detailed: bool
    rate: int = _RATE
    pcm: bytearray = field(default_factory=bytearray)
    """What was not answered yet."""
    answered_ms: float = 0.0
    hinted_ms: float = 0.0
    hint: str = ""
    started: bool = False

    @property
    def waiting_ms(self) -> float:
        """How much audio was not answered yet."""
        return len(self.pcm) * 500 / self.rate


class Recognition:
    """Hears on every path the Speech SDK knows."""

    subprotocol: str | None = "USP"
    noise: tuple[str | bytes, ...] = NOISE

    def __init__(self, world: World) -> None:
        self._world = world

    def sockets(self) -> dict[str, SocketHandler]:
        """Return the paths it answers on."""
        ends = ["/speech/universal/v2"]
        ends += [f"/speech/recognition/{mode}/cognitiveservices/v1" for mode in _MODES]
        return {prefix + end: self for prefix in ("", "/stt") for end in ends}

    def refuses(self, request: Request) -> Answer | None:
        """See `SocketHandler.refuses`."""
        return refused(request, self._world)

    async def serve(self, line: Socket) -> None:
        """See `SocketHandler.serve`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._talk(line, tasks)
        except* Left:
            pass

    async def _talk(self, line: Socket, tasks: asyncio.TaskGroup) -> None:
        turn: _Turn | None = None
        expiry: asyncio.Task[None] | None = None
        while True:
            if turn is not None and expiry is None:
                fault = line.take("expire")
                lasts = (fault and fault.seconds) or self._world.live.session_seconds
                expiry = tasks.create_task(_expire(line, lasts))
            message = await next_message(line)
            path = message.path.lower()
            if path == "speech.context":
                turn = await self._context(line, message)
            elif path == "audio":
                if turn is None or turn.says.request_id != message.request_id:
                    turn = await self._open(line, message, mode=_mode(line.request.path, {}))
                body = message.body if isinstance(message.body, bytes) else b""
                if await self._audio(line, turn, body):
                    turn = None
            elif path == "audio.commit" and turn is not None:
                await self._phrase(turn, await self._hear(turn), token=message.headers.get(_TOKEN))

    async def _context(self, line: Socket, message: Message) -> _Turn:
        said = to_object(message.json) or {}
        model = (to_object(said.get("model")) or {}).get("name")
        if isinstance(model, str) and model != model.lower():
            # Seen in the field on 2026-10-05: the spelling of the pages is not taken here.
            await line.close(1007, "Unknown speech.context.model.name")
        output = to_object(said.get("phraseOutput")) or {}
        detailed = str(output.get("format")).lower() == "detailed"
        return await self._open(
            line, message, mode=_mode(line.request.path, said), detailed=detailed
        )

    async def _open(
        self, line: Socket, message: Message, *, mode: str, detailed: bool = False
    ) -> _Turn:
        line.begin_turn()
        says = Says(line, message.request_id or "")
        await says.json("turn.start", {"context": {"serviceTag": self._world.name(32)}})
        return _Turn(says, mode, detailed)

    async def _audio(self, line: Socket, turn: _Turn, body: bytes) -> bool:
        """Take a piece of the stream; return whether it was its end, and the turn is over."""
        if not body:
            await self._finish(line, turn)
            return True
        if body[:4] == b"RIFF" and not turn.pcm and not turn.answered_ms:
            turn.rate, body = _rate(body), body[_HEADER:]
        turn.pcm += body
        line.hear(body)
        if turn.waiting_ms - turn.hinted_ms >= _EVERY_MS:
            turn.hinted_ms = turn.waiting_ms
            return await self._listen(line, turn)
        return False

    async def _listen(self, line: Socket, turn: _Turn) -> bool:
        """Say what is understood by now; return whether that ended the turn."""
        heard = await self._hear(turn)
        if heard.how == "silence":
            if turn.waiting_ms < _SILENCE_MS:
                return False
            if turn.mode == "interactive":
                await self._finish(line, turn)
                return True
            await self._phrase(turn, heard, says_silence=True)
            return False
        await self._starts(turn, heard)
        if not heard.words:
            return False
        if heard.text != turn.hint:
            turn.hint = heard.text
            body = {"Text": heard.text, **_times(heard, turn)}
            await turn.says.json("speech.hypothesis", body, is_content=True)
        last = heard.words[-1]
        if heard.duration_ms - last.offset_ms - last.duration_ms >= _PAUSE_MS:
            if turn.mode == "interactive":
                await self._finish(line, turn)
                return True
            await self._phrase(turn, heard)
        return False

    async def _starts(self, turn: _Turn, heard: Heard) -> None:
        if not turn.started:
            turn.started = True
            start = {"Offset": _times(heard, turn)["Offset"]}
            await turn.says.json("speech.startDetected", start)

    async def _hear(self, turn: _Turn) -> Heard:
        return await asyncio.to_thread(self._world.ears.hear, bytes(turn.pcm), turn.rate)

    async def _phrase(
        self, turn: _Turn, heard: Heard, *, token: str | None = None, says_silence: bool = False
    ) -> None:
        """Say what was heard since the last phrase; a commit is always answered."""
        if heard.text:
            await self._starts(turn, heard)
        status = "Success" if heard.text else "InitialSilenceTimeout"
        body: dict[str, Any] = {"RecognitionStatus": status, **_times(heard, turn)}
        if heard.text:
            body["DisplayText"] = heard.text
        if heard.text and turn.detailed:
            best = dict.fromkeys(("Lexical", "ITN", "MaskedITN", "Display"), heard.text)
            body["NBest"] = [{"Confidence": 0.9, **best}]
        if token is not None:
            body["clientAudioMetadata"] = {"X-Client-Commit-Token": token}
        if heard.text or token is not None or says_silence or turn.mode == "interactive":
            await turn.says.json("speech.phrase", body, is_content=True)
        turn.answered_ms += turn.waiting_ms
        turn.hinted_ms, turn.hint = 0.0, ""
        turn.pcm.clear()

    async def _finish(self, line: Socket, turn: _Turn) -> None:
        await self._phrase(turn, await self._hear(turn))
        end = {"Offset": round(turn.answered_ms * TICKS_PER_MS)}
        await turn.says.json("speech.endDetected", end)
        if turn.mode != "interactive":
            done = {"RecognitionStatus": "EndOfDictation", **end, "Duration": 0}
            await turn.says.json("speech.phrase", done)
        await turn.says.json("turn.end", {}, is_last=True)
        await line.end_turn()


async def _expire(line: Socket, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await line.close(1001, "session expired")


def _mode(path: str, said: dict[str, Any]) -> str:
    asked = str((to_object(said.get("phraseDetection")) or {}).get("mode", "")).lower()
    return next((mode for mode in _MODES if mode in path), asked or "conversation")


def _rate(head: bytes) -> int:
    try:
        return read_wav(head + bytes(4)).sample_rate
    except ValueError:
        return _RATE


def _times(heard: Heard, turn: _Turn) -> dict[str, int]:
    """Return when it was said, in ticks of the whole stream."""
    begin, end = 0.0, heard.duration_ms
    if heard.words:
        last = heard.words[-1]
        begin, end = heard.words[0].offset_ms, last.offset_ms + last.duration_ms
    return {
        "Offset": round((turn.answered_ms + begin) * TICKS_PER_MS),
        "Duration": round((end - begin) * TICKS_PER_MS),
    }
