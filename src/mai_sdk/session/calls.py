"""The functions a model wants called: found once, whole, and answered together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.session.history import Line
from mai_sdk.wire.live_response_events import ResponseOutputItemDone
from mai_sdk.wire.live_tool_events import ResponseFunctionCallArgumentsDone
from mai_sdk.wire.session_events import ToolCalled

if TYPE_CHECKING:
    from mai_sdk.session.history import History
    from mai_sdk.wire.live_events import ServerEvent

__all__ = ["Calls"]

_REMEMBERED = 512


class Calls:
    """Which calls wait for their answer, and for which response."""

    def __init__(self, history: History) -> None:
        self.waiting: dict[str, tuple[str | None, str | None]] = {}
        """Name and response of each call that is not answered, by its id."""
        self._history = history
        self._known: dict[str, None] = {}
        self._items: dict[str, str] = {}
        self._over: dict[str, bool | None] = {}
        """Responses with calls: None while one is under way, then whether it may go on."""

    def read(self, event: ServerEvent) -> ToolCalled | None:
        """Return the call that the event completes, if it is the first to do so."""
        if isinstance(event, ResponseFunctionCallArgumentsDone):
            return self._found(
                event.call_id,
                event.name or self._items.pop(event.call_id, None),
                event.arguments,
                item_id=event.item_id,
                response_id=event.response_id,
            )
        item = getattr(event, "item", None)
        if item is None:
            return None
        if item.type == "function_call" and item.call_id:
            if item.name:
                self._items[item.call_id] = item.name
            if isinstance(event, ResponseOutputItemDone):
                return self._found(
                    item.call_id,
                    item.name,
                    item.arguments or "",
                    item_id=item.id,
                    response_id=event.response_id,
                )
        if item.type == "mcp_call" and item.id and isinstance(event, ResponseOutputItemDone):
            return ToolCalled(
                call_id=item.id,
                name=item.name or "",
                arguments=item.arguments or "",
                item_id=item.id,
                response_id=event.response_id,
                remote=True,
            )
        return None

    def answered(self, call_id: str, output: str) -> tuple[str | None, bool]:
        """Note that a call is answered; return its name, and whether the model can go on."""
        self._history.add(Line("result", text=output, call_id=call_id))
        name, response_id = self.waiting.pop(call_id, (None, None))
        return name, response_id is not None and self._goes_on(response_id)

    def made_by(self, response_id: str) -> bool:
        """Whether the response has called anything, and has not ended."""
        return response_id in self._over

    def ended(self, response_id: str, *, was_stopped: bool) -> bool:
        """Note that a response is over; return whether all it called is answered."""
        if response_id in self._over:
            self._over[response_id] = not was_stopped
        return self._goes_on(response_id)

    def _goes_on(self, response_id: str) -> bool:
        waits = any(waiting == response_id for _, waiting in self.waiting.values())
        if waits or self._over.get(response_id) is None:
            return False
        return bool(self._over.pop(response_id))

    def _found(
        self,
        call_id: str,
        name: str | None,
        arguments: str,
        *,
        item_id: str | None,
        response_id: str,
    ) -> ToolCalled | None:
        if call_id in self._known or not name:
            return None
        self._known[call_id] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._items.pop(call_id, None)
        self.waiting[call_id] = (name, response_id)
        self._over.setdefault(response_id, None)
        self._history.add(Line("call", item_id, arguments, call_id, name))
        return ToolCalled(
            call_id=call_id,
            name=name,
            arguments=arguments,
            item_id=item_id,
            response_id=response_id,
        )
