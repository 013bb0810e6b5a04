"""A Voice Live session: what each event of the client does. Turns of speech are in `live_turns`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from mai_sdk.emulator.live_line import client_id
from mai_sdk.emulator.live_refusals import Refused
from mai_sdk.emulator.live_settings import updated
from mai_sdk.emulator.live_talk import Talk
from mai_sdk.emulator.live_turns import Turns
from mai_sdk.emulator.untyped import objects_in, to_object

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Awaitable, Callable, Mapping

    from mai_sdk.emulator.live_line import LiveLine
    from mai_sdk.emulator.live_voice import Voice
    from mai_sdk.emulator.world import World

__all__ = ["LiveSession"]

_SAME: Final = (
    "instructions", "metadata", "modalities", "output_audio_format", "reasoning_effort",
    "temperature", "tool_choice", "tools", "voice", "interim_response",
)  # fmt: skip
"""What `response.create` may say anew under the session's own name for it."""
_OTHER: Final = frozenset({
    "commit", "cancel_previous", "append_input_items", "input_items", "max_output_tokens",
    "pre_generated_assistant_message", "invoke_input", "conversation",
})  # fmt: skip


class LiveSession:
    """One connection's conversation.

    Args:
        line: The connection.
        world: What all sessions share.
        voice: Speaks.
        settings: What it begins with.
        tasks: Where what runs beside the client's events is started.
    """

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
        self._tasks = tasks
        self._talk = Talk(line, world=world, voice=voice, tasks=tasks)
        self._turns = Turns(line, talk=self._talk, settings=settings, tasks=tasks)
        fault = line.socket.take("expire")
        self._lasts = (fault and fault.seconds) or world.live.session_seconds
        self._expires_at = int(time.time() + self._lasts)
        self._acts: Mapping[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._turns.append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "output_audio_buffer.clear": self._clear_output,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def run(self) -> NoReturn:
        """Talk until the connection is over.

        Raises:
            Left: Always.
        """
        await self._line.say("session.created", session=self._shown())
        self._tasks.create_task(self._expire())
        while True:
            try:
                event = await self._line.next_event()
            except Refused as refusal:
                await self._line.say_error(refusal.as_error())
                continue
            try:
                await self._act(event)
            except Refused as refusal:
                refusal.event_id = client_id(event)
                await self._line.say_error(refusal.as_error())

    async def _act(self, event: dict[str, Any]) -> None:
        act = self._acts.get(event["type"])
        if act is None:
            known = ", ".join(repr(name) for name in self._acts)
            raise Refused(
                f"Invalid value: '{event['type']}'. Supported values are: {known}.",
                code="invalid_value",
                param="type",
            )
        await act(event)

    def _shown(self) -> dict[str, Any]:
        head = {"id": self._line.name, "object": "realtime.session"}
        return {**head, **self._turns.settings, "expires_at": self._expires_at}

    async def _expire(self) -> None:
        await asyncio.sleep(self._lasts)
        minutes = round(self._lasts / 60)
        await self._line.say_error(
            {
                "type": "invalid_request_error",
                "code": "session_expired",
                "message": f"Your session hit the maximum duration of {minutes} minutes.",
                "param": None,
                "event_id": None,
            }
        )
        await self._line.socket.close(1001, "session expired")

    async def _update(self, event: dict[str, Any]) -> None:
        self._turns.change(updated(self._turns.settings, event.get("session")))
        await self._line.say("session.updated", session=self._shown())

    async def _commit(self, event: dict[str, Any]) -> None:
        await self._turns.commit()

    async def _clear(self, event: dict[str, Any]) -> None:
        self._turns.clear()
        await self._line.say("input_audio_buffer.cleared")

    async def _clear_output(self, event: dict[str, Any]) -> None:
        await self._line.say("output_audio_buffer.cleared")

    async def _create_item(self, event: dict[str, Any]) -> None:
        after = event.get("previous_item_id")
        await self._turns.add_item(event.get("item"), after=after if after is None else str(after))

    async def _retrieve_item(self, event: dict[str, Any]) -> None:
        kept = self._talk.conversation.get(event.get("item_id"), act="retrieve")
        await self._line.say("conversation.item.retrieved", item=kept.item)

    async def _delete_item(self, event: dict[str, Any]) -> None:
        self._talk.conversation.delete(event.get("item_id"))
        await self._line.say("conversation.item.deleted", item_id=event["item_id"])

    async def _truncate_item(self, event: dict[str, Any]) -> None:
        where = {
            "content_index": event.get("content_index"), "audio_end_ms": event.get("audio_end_ms"),
        }  # fmt: skip
        self._talk.conversation.truncate(event.get("item_id"), **where)
        await self._line.say("conversation.item.truncated", item_id=event["item_id"], **where)

    async def _create_response(self, event: dict[str, Any]) -> None:
        raw = event.get("response")
        said = {} if raw is None else to_object(raw)
        if said is None:
            raise Refused("'response' must be an object.", code="invalid_type", param="response")
        for name in said:
            if name not in _SAME and name not in _OTHER:
                raise Refused(
                    f"Unknown parameter: 'response.{name}'.",
                    code="unknown_parameter",
                    param=f"response.{name}",
                )
        changes = {name: said[name] for name in _SAME if said.get(name) is not None}
        if said.get("max_output_tokens") is not None:
            changes["max_response_output_tokens"] = said["max_output_tokens"]
        asked = updated(self._turns.settings, changes)
        extra = event.get("additional_instructions")
        if isinstance(extra, str):
            asked["instructions"] = f"{asked['instructions'] or ''}\n{extra}".strip()
        if said.get("cancel_previous"):
            self._talk.cancel("client_cancelled")
        self._talk.must_be_free()
        if said.get("commit"):
            await self._turns.commit()
        for item in objects_in(said.get("append_input_items")):
            await self._turns.add_item(item)
        self._talk.respond(
            asked, text=_ready(said), items=objects_in(said.get("input_items")) or None
        )

    async def _cancel_response(self, event: dict[str, Any]) -> None:
        if not self._talk.cancel("client_cancelled", response_id=event.get("response_id")):
            raise Refused(
                "Cancellation failed: no active response found", code="response_cancel_not_active"
            )


def _ready(said: dict[str, Any]) -> str | None:
    """Return the text of an answer the client has written itself."""
    message = to_object(said.get("pre_generated_assistant_message"))
    if message is None:
        return None
    return "".join(str(part.get("text") or "") for part in objects_in(message.get("content")))
