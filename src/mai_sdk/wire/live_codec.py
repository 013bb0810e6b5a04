"""Text frames of a live session into events, and back. No I/O.

One frame is one JSON object. Only what is no event at all is an error; what is unknown, or known
but not as it should be, comes back as an `UnrecognisedEvent`.
"""

from __future__ import annotations

from binascii import b2a_base64
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from pydantic_core import from_json, to_json

from mai_sdk.wire import (
    live_client_events,
    live_events,
    live_response_events,
    live_tool_events,
)
from mai_sdk.wire.live_client_events import ClientEvent, InputAudioBufferAppend
from mai_sdk.wire.live_events import ServerError, ServerEvent, UnrecognisedEvent
from mai_sdk.wire.live_fields import Unfit, read_part, write_part
from mai_sdk.wire.shapes import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

EventT = TypeVar("EventT", ServerEvent, ClientEvent)

__all__ = [
    "CLIENT_EVENTS",
    "MAX_EVENT_BYTES",
    "SERVER_EVENTS",
    "EventTooLarge",
    "Received",
    "UnreadableEvent",
    "decode",
    "decode_client",
    "encode",
    "encode_append",
]

MAX_EVENT_BYTES: Final = 16 * 2**20
"""Above the largest event there is: 15 MiB of base64 in one append (Voice Live reference)."""

Received: TypeAlias = ServerEvent | UnrecognisedEvent
"""What `decode` returns."""


class UnreadableEvent(ValueError):
    """The frame is no event: not JSON, or no JSON object. The text never quotes the frame."""


class EventTooLarge(UnreadableEvent):
    """The frame is larger than any event should be."""


def _table(base: type[EventT], *modules: ModuleType) -> Mapping[str, type[EventT]]:
    found: list[Any] = [kind for module in modules for kind in vars(module).values()]
    events: list[Any] = [
        kind for kind in found if isinstance(kind, type) and issubclass(kind, base)
    ]
    return MappingProxyType({kind.type: kind for kind in events if kind is not base})


SERVER_EVENTS: Final[Mapping[str, type[ServerEvent]]] = _table(
    ServerEvent, live_events, live_response_events, live_tool_events
)
"""Every event of a service, by its name on the wire."""

CLIENT_EVENTS: Final[Mapping[str, type[ClientEvent]]] = _table(ClientEvent, live_client_events)
"""Every event of a client, by its name on the wire."""


def decode(text: str | bytes, *, max_bytes: int = MAX_EVENT_BYTES) -> Received:
    """Return the event of the service that the frame holds.

    Raises:
        UnreadableEvent: It is not JSON, or no object.
        EventTooLarge: It has more than `max_bytes` characters or bytes.
    """
    raw = _object(text, max_bytes)
    name = _name(raw)
    if name is None and raw.get("error").__class__ is dict:
        name = ServerError.type  # bare, as HTTP services write it
    return _read(SERVER_EVENTS.get(name or ""), name, raw)


def decode_client(
    text: str | bytes, *, max_bytes: int = MAX_EVENT_BYTES
) -> ClientEvent | UnrecognisedEvent:
    """Return the event of a client that the frame holds: the other side of `decode`.

    Raises:
        UnreadableEvent: It is not JSON, or no object.
        EventTooLarge: It has more than `max_bytes` characters or bytes.
    """
    raw = _object(text, max_bytes)
    name = _name(raw)
    return _read(CLIENT_EVENTS.get(name or ""), name, raw)


def encode(event: ClientEvent | ServerEvent | UnrecognisedEvent) -> str:
    """Return the event as the text of one frame."""
    if isinstance(event, UnrecognisedEvent):
        return to_json(event.raw).decode()
    if isinstance(event, InputAudioBufferAppend) and event.event_id is None and not event.extra:
        return encode_append(event.audio)
    return to_json({"type": event.type, **write_part(event)}).decode()


def encode_append(audio: bytes | bytearray | memoryview) -> str:
    """Return the frame that sends `audio`; the same as `encode(InputAudioBufferAppend(...))`.

    The one event a client sends fifty times a second: base64 needs no escaping, so it is put
    between two constants.
    """
    coded = b2a_base64(audio, newline=False).decode("ascii")
    return f'{{"type":"input_audio_buffer.append","audio":"{coded}"}}'


def _object(text: str | bytes, max_bytes: int) -> dict[str, Any]:
    if len(text) > max_bytes:
        raise EventTooLarge(f"An event has more than {max_bytes} bytes.")
    try:
        raw: Any = from_json(text, allow_inf_nan=False)
    except ValueError:
        # The parser's own text quotes what it choked on.
        raise UnreadableEvent("An event is not valid JSON.") from None
    if raw.__class__ is not dict:
        raise UnreadableEvent("An event is JSON, but no object.")
    found: dict[str, Any] = raw
    return found


def _name(raw: dict[str, Any]) -> str | None:
    return as_text(raw.get("type"))


def _read(
    kind: type[EventT] | None, name: str | None, raw: dict[str, Any]
) -> EventT | UnrecognisedEvent:
    if kind is None:
        return UnrecognisedEvent(type=name, raw=raw)
    try:
        return read_part(kind, raw)
    except Unfit as misfit:
        return UnrecognisedEvent(type=name, raw=raw, why=str(misfit))
