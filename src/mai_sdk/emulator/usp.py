"""What both speech WebSockets share: keys, refusals, and messages with their turn's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator.request import text_answer
from mai_sdk.emulator.world import EMULATOR_TOKEN
from mai_sdk.wire.usp import Malformed, Message, decode, encode

if TYPE_CHECKING:
    from mai_sdk.emulator.request import Answer, Request
    from mai_sdk.emulator.sockets import Socket
    from mai_sdk.emulator.world import World

__all__ = ["NOISE", "TICKS_PER_MS", "Says", "next_message", "refused"]

TICKS_PER_MS = 10_000
_JSON = "application/json; charset=utf-8"
_OTHER = {"X-RequestId": "0" * 32}
NOISE = (
    encode(Message("service.notice", '{"new":true}')),
    encode(Message("turn.end", "{}", _OTHER)),
    encode(Message("audio", b"\x7f" * 64, {**_OTHER, "X-StreamId": "0"})),
    encode(Message("picture", b"\x00")),
)
"""Messages of unknown paths, of other turns and of other streams."""
_KEY = "ocp-apim-subscription-key"


def refused(request: Request, world: World) -> Answer | None:
    """Return the refusal of a handshake without the right key; browsers send it in the query.

    The key comes first: the official client sends an empty token beside it.
    """
    said = {name.lower(): value for name, value in request.parameters.items()}
    key = request.headers.get(_KEY) or said.get(_KEY)
    if key:
        return None if key == world.key else text_answer("", status=401)
    proof = request.headers.get("authorization") or said.get("authorization", "")
    token = proof.partition(" ")[2].strip()
    # An Entra token for a regional host is written aad#<resource id>#<token>.
    return None if token.rpartition("#")[2] == EMULATOR_TOKEN else text_answer("", status=401)


async def next_message(line: Socket) -> Message:
    """Return the client's next message; a frame that is none ends the connection."""
    while True:
        frame = await line.receive()
        try:
            return decode(frame)
        except Malformed as error:
            await line.close(1007, f"Invalid message: {error}")


@dataclass(frozen=True, slots=True)
class Says:
    """Writes the messages of one turn."""

    line: Socket
    request_id: str

    async def json(
        self, path: str, body: Any, *, is_content: bool = False, is_last: bool = False
    ) -> None:
        """Send a message with a JSON body."""
        headers = {"Content-Type": _JSON, "X-RequestId": self.request_id}
        frame = encode(Message(path, to_json(body).decode(), headers))
        assert isinstance(frame, str)  # noqa: S101 - a text body makes a text frame
        await self.line.send_text(frame, name=path, is_content=is_content, is_last=is_last)

    async def audio(self, data: bytes, *, stream_id: str, kind: str) -> None:
        """Send a piece of audio; an empty one says that there is no more."""
        headers = {"X-RequestId": self.request_id, "X-StreamId": stream_id}
        if data:
            headers["Content-Type"] = kind
        frame = encode(Message("audio", data, headers))
        assert isinstance(frame, bytes)  # noqa: S101 - a body of bytes makes a binary frame
        await self.line.send_bytes(frame, is_content=bool(data))
