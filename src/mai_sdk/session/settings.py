"""What a conversation is set to: told to every connection, changed on the way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.wire.live_client_events import SessionUpdate
from mai_sdk.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings"]

_UNSET: Final = object()
_CHANGES: Final = 16


class Settings:
    """The `session` object of session.update, as it stands."""

    def __init__(self, session: Mapping[str, Any]) -> None:
        self.session = dict(session)
        self._sent = 0
        self._whole = ""
        """The event that told this connection all of them."""
        self._before: dict[str, dict[str, Any]] = {}
        """What stood before each change that may still be refused, by its event."""

    def whole(self) -> SessionUpdate:
        """Return what a new connection is told."""
        self._before.clear()
        event = self._event(self.session)
        self._whole = event.event_id or ""
        return event

    def change(self, changes: Mapping[str, Any]) -> SessionUpdate:
        """Change them, for this connection and all that follow, and return what it is told."""
        before = {name: self.session.get(name, _UNSET) for name in changes}
        self.session.update(changes)
        event = self._event(changes)
        self._before[event.event_id or ""] = before
        if len(self._before) > _CHANGES:
            del self._before[next(iter(self._before))]
        return event

    def refused(self, event_id: str | None) -> bool:
        """Note that the service refused an event, and return whether it was all the settings.

        A change that was refused is taken back, or no other connection would take them at all.
        """
        for name, value in self._before.pop(event_id or "", {}).items():
            if value is _UNSET:
                self.session.pop(name, None)
            else:
                self.session[name] = value
        return event_id is not None and event_id == self._whole

    @property
    def detects_turns(self) -> bool:
        """Whether the service finds turns by itself."""
        return self.session.get("turn_detection", {}) is not None

    @property
    def answers_by_itself(self) -> bool:
        """Whether it also answers them unasked."""
        return self.detects_turns and self._turns.get("create_response") is not False

    @property
    def yields(self) -> bool:
        """Whether the user's voice stops the agent's."""
        return self._turns.get("interrupt_response") is not False

    @property
    def truncates(self) -> bool:
        """Whether the service reckons by itself what the user heard."""
        return self._turns.get("auto_truncate") is True

    @property
    def _turns(self) -> dict[str, Any]:
        return as_object(self.session.get("turn_detection"))

    def _event(self, session: Mapping[str, Any]) -> SessionUpdate:
        self._sent += 1
        return SessionUpdate(event_id=f"settings-{self._sent}", session=dict(session))
