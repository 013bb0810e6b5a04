"""What both live services share on the wire: events as JSON, one frame each."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.untyped import to_object

if TYPE_CHECKING:
    from mai_sdk.emulator.sockets import Socket

__all__ = ["NOISE", "LiveLine", "client_id"]

_MOST_AUDIO = 15 * 1024 * 1024
"""Characters of base64 in one event (Voice Live reference)."""

NOISE = (
    '{"type":"service.notice","event_id":"event_x1","notice":{"new":true}}',
    '{"type":"response.audio.sparkle","event_id":"event_x2","response_id":"resp_other","delta":""}',
    '{"event_id":"event_x3"}',
    '{"type":"rate_limits.updated","event_id":"event_x4","rate_limits":[]}',
)
"""Events that no client knows, and one of no type."""


def client_id(event: dict[str, Any]) -> str | None:
    """Return the id the client gave its event."""
    name = event.get("event_id")
    return name if isinstance(name, str) else None


def _audio(coded: Any) -> bytes | None:
    if not isinstance(coded, str) or len(coded) > _MOST_AUDIO:
        return None
    try:
        return binascii.a2b_base64(coded, strict_mode=True)
    except ValueError:
        return None


class LiveLine:
    """Events in and out of one connection.

    Args:
        socket: The connection.
        name: The session's id; ids of events begin like it.
    """

    def __init__(self, socket: Socket, name: str) -> None:
        self.socket = socket
        self.name = name
        self._events = 0

    async def next_event(self) -> dict[str, Any]:
        """Return the next event of the client; one with audio has it as bytes, and is journaled.

        Raises:
            Refused: It is none.
            Left: The connection is over.
        """
        frame = await self.socket.receive(is_noted=False)
        try:
            event = to_object(from_json(frame))
        except ValueError:
            event = None
        if event is not None and event.get("type") == "input_audio_buffer.append":
            event["audio"] = audio = _audio(event.get("audio"))
            if audio is not None:
                self.socket.note_audio(audio)
                return event
        self.socket.note(frame)
        if event is None:
            raise Refused("The event is not a JSON object.", code="invalid_json")
        if not isinstance(event.get("type"), str):
            raise Refused(
                "Missing required parameter: 'type'.",
                code="missing_parameter",
                param="type",
                event_id=client_id(event),
            )
        if event["type"] == "input_audio_buffer.append":
            raise Refused(
                "Invalid 'audio'. Expected base64-encoded audio bytes, at most 15 MiB.",
                param="audio",
                event_id=client_id(event),
            )
        return event

    def event_id(self) -> str:
        """Return a fresh id."""
        self._events += 1
        return f"event_{self.name[-12:]}{self._events:06d}"

    async def say(self, kind: str, /, **fields: Any) -> None:
        """Send an event."""
        await self.socket.send_text(
            to_json({"type": kind, "event_id": self.event_id(), **fields}).decode(),
            name=kind,
            is_content=kind.endswith(".delta"),
            is_last=kind == "response.done",
        )

    async def say_heard(self, item_id: str, transcript: str, pieces: list[str]) -> None:
        """Send the transcript of a user's audio, piece by piece and whole; or that it failed."""
        kind = "conversation.item.input_audio_transcription"
        where = {"item_id": item_id, "content_index": 0}
        if self.socket.take("mishear") is not None:
            error = {
                "type": "server_error",
                "code": "transcription_failed",
                "message": "Input transcription failed.",
                "param": None,
            }
            await self.say(f"{kind}.failed", **where, error=error)
            return
        for piece in pieces:
            await self.say(f"{kind}.delta", **where, delta=piece)
        await self.say(f"{kind}.completed", **where, transcript=transcript)

    async def say_error(self, error: dict[str, Any]) -> None:
        """Send an `error` event."""
        await self.say("error", error=error)
