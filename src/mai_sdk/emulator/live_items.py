"""The conversation of a live session, item by item, and what may be done to it. Pure.

Codes and texts of refusals are those of the Realtime reference and of clients' reports; the code
of an item that is there already is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.tokens import count
from mai_sdk.emulator.untyped import objects_in, to_list, to_object

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Conversation", "Kept", "Tokens", "spoken_tokens", "usage"]

_INPUT_TOKENS_PER_SECOND: Final = 10
_OUTPUT_TOKENS_PER_SECOND: Final = 20
_ROLES: Final = ("system", "user", "assistant")
_PARTS: Final = {
    "system": ("input_text", "text"),
    "user": ("input_text", "input_audio", "input_image", "text"),
    "assistant": ("text", "output_text"),
}
_KINDS: Final = (
    "message", "function_call", "function_call_output", "mcp_approval_response", "mcp_call",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Tokens:
    """What something counts, by modality."""

    text: int = 0
    audio: int = 0

    def add(self, other: Tokens) -> None:
        """Take the other's into this."""
        self.text += other.text
        self.audio += other.audio


@dataclass(slots=True, kw_only=True)
class Kept:
    """One item and what the service knows of it besides."""

    item: dict[str, Any]
    """As it is shown to the client."""
    heard_ms: float = 0.0
    """Of the user's, how much audio it is."""
    spoken_ms: float | None = None
    """Of the model's, how much audio was sent; None for what is no audio."""
    words: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """Of the model's, when each word is over, in ms, and its end in the transcript."""
    is_truncated: bool = False
    said: str = ""
    """What the user's audio was heard to say; shown only if a transcript was asked for."""

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.item["id"])

    @property
    def text(self) -> str:
        """What it says, as text."""
        if self.item["type"] == "function_call_output":
            return str(self.item.get("output") or "")
        if self.said:
            return self.said
        parts = objects_in(self.item.get("content"))
        return "".join(str(part.get("text") or part.get("transcript") or "") for part in parts)

    @property
    def tokens(self) -> Tokens:
        """What it counts when a model reads it."""
        heard = round(self.heard_ms * _INPUT_TOKENS_PER_SECOND / 1000)
        written = count(self.text) if not self.heard_ms else 0
        return Tokens(
            text=written + count(str(self.item.get("arguments", ""))),
            audio=heard + spoken_tokens(self.spoken_ms or 0.0),
        )


def spoken_tokens(ms: float) -> int:
    """Return what so much of the model's speech counts."""
    return round(ms * _OUTPUT_TOKENS_PER_SECOND / 1000)


def usage(*, read: Tokens, cached: Tokens, written: Tokens) -> dict[str, Any]:
    """Return the usage of a response."""
    inputs, outputs = read.text + read.audio, written.text + written.audio
    return {
        "total_tokens": inputs + outputs,
        "input_tokens": inputs,
        "output_tokens": outputs,
        "input_token_details": {
            "cached_tokens": cached.text + cached.audio,
            "text_tokens": read.text,
            "audio_tokens": read.audio,
            "image_tokens": 0,
            "cached_tokens_details": {
                "text_tokens": cached.text, "audio_tokens": cached.audio, "image_tokens": 0,
            },
        },
        "output_token_details": {
            "text_tokens": written.text, "audio_tokens": written.audio, "reasoning_tokens": 0,
        },
    }  # fmt: skip


class Conversation:
    """The items in their order."""

    def __init__(self) -> None:
        self._items: dict[str, Kept] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[Kept]:
        return iter([self._items[name] for name in self._order])

    def add(self, kept: Kept, *, after: str | None = None) -> str | None:
        """Put an item in, at the end unless told otherwise; return the id of the one before it.

        Args:
            kept: The item.
            after: The id of the one before it, or "root" for the beginning.

        Raises:
            Refused: There is none of that id.
        """
        if after is None:
            at = len(self._order)
        elif after == "root":
            at = 0
        elif after in self._items:
            at = self._order.index(after) + 1
        else:
            raise Refused(
                f"Error adding item: the previous item with id '{after}' does not exist.",
                code="item_create_invalid_previous_item_id",
                param="previous_item_id",
            )
        self._items[kept.id] = kept
        self._order.insert(at, kept.id)
        return self._order[at - 1] if at else None

    def read(self, raw: Any, *, name: str) -> Kept:
        """Return an item a client has sent, checked; it is not in yet.

        Args:
            raw: The `item` of the event.
            name: The id it gets if it has none.

        Raises:
            Refused: It is no item.
        """
        item = to_object(raw)
        if item is None or item.get("type") not in _KINDS:
            raise Refused(
                f"Invalid value for 'item.type'. Supported values are: {', '.join(_KINDS)}.",
                param="item.type",
            )
        item = {**item, "id": str(item.get("id") or name), "object": "realtime.item"}
        if item["id"] in self._items:
            raise Refused(
                f"Error adding item: an item with id '{item['id']}' exists.",
                code="item_create_duplicate_item_id",
                param="item.id",
            )
        item["status"] = "completed"
        if item["type"] == "message":
            _check_message(item)
        elif item["type"] == "function_call":
            _check_texts(item, "name", "call_id", "arguments")
        elif item["type"] == "function_call_output":
            _check_texts(item, "call_id", "output")
            if not any(kept.item.get("call_id") == item["call_id"] for kept in self):
                raise Refused(
                    f"Tool call ID '{item['call_id']}' not found in conversation.",
                    code="invalid_tool_call_id",
                    param="item.call_id",
                )
        return Kept(item=item)

    def get(self, item_id: Any, *, act: str) -> Kept:
        """Return the item of that id.

        Raises:
            Refused: There is none; `act` is what was to be done to it.
        """
        kept = self._items.get(item_id) if isinstance(item_id, str) else None
        if kept is None:
            raise Refused(
                f"Error in {act}: the item with id '{item_id}' does not exist.",
                code=f"item_{act}_invalid_item_id",
                param="item_id",
            )
        return kept

    def delete(self, item_id: Any) -> None:
        """Take an item out.

        Raises:
            Refused: There is none of that id.
        """
        name = self.get(item_id, act="delete").id
        del self._items[name]
        self._order.remove(name)

    def truncate(self, item_id: Any, *, content_index: Any, audio_end_ms: Any) -> None:
        """Cut the model's audio, and its transcript, at what was heard.

        Raises:
            Refused: It cannot be cut there, or was cut before.
        """
        kept = self.get(item_id, act="truncate")
        if not _is_whole(content_index) or not _is_whole(audio_end_ms):
            raise Refused(
                "'content_index' and 'audio_end_ms' must be whole numbers.", code="invalid_type"
            )
        if kept.spoken_ms is None or content_index != 0 or audio_end_ms <= 0:
            raise Refused("Only model output audio messages can be truncated", param="audio_end_ms")
        if kept.is_truncated:
            raise Refused("The item was truncated before.", code="item_already_truncated")
        if audio_end_ms > kept.spoken_ms:
            raise Refused(
                f"Audio content of {int(kept.spoken_ms)}ms is already shorter than "
                f"{audio_end_ms}ms",
                param="audio_end_ms",
            )
        kept.is_truncated = True
        kept.spoken_ms = float(audio_end_ms)
        end = max([at for over, at in kept.words if over <= audio_end_ms], default=0)
        for part in objects_in(kept.item.get("content")):
            part["transcript"] = str(part.get("transcript") or "")[:end]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_message(item: dict[str, Any]) -> None:
    role = item.get("role")
    if role not in _ROLES:
        raise Refused(
            f"Invalid value for 'item.role'. Supported values are: {', '.join(_ROLES)}.",
            param="item.role",
        )
    content = to_list(item.get("content"))
    parts = objects_in(content)
    if content is None or len(parts) != len(content):
        raise Refused("'item.content' must be a list of objects.", param="item.content")
    for number, part in enumerate(parts):
        if part.get("type") not in _PARTS[role]:
            raise Refused(
                f"Invalid value: '{part.get('type')}'. Supported values for the role '{role}' "
                f"are: {', '.join(_PARTS[role])}.",
                param=f"item.content[{number}].type",
            )


def _check_texts(item: dict[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(item.get(name), str):
            raise Refused(
                f"Missing required parameter: 'item.{name}'.",
                code="missing_parameter",
                param=f"item.{name}",
            )
