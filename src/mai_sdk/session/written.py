"""What the user says while it is still being written down. Pure.

Deltas are final and are put together as they are, for one may be half a word; an intermediate is
the whole provisional rest, and takes the place of the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.wire.live_events import (
    InputAudioTranscriptionCompleted,
    InputAudioTranscriptionDelta,
    InputAudioTranscriptionIntermediate,
)
from mai_sdk.wire.session_events import UserTranscript

if TYPE_CHECKING:
    from mai_sdk.wire.live_events import ServerEvent

__all__ = ["Written"]

_ITEMS = 256


class Written:
    """The texts of the items that are not whole yet."""

    def __init__(self) -> None:
        self._deltas: dict[str | None, str] = {}

    def read(self, event: ServerEvent) -> UserTranscript | None:
        """Return all that is known of the item now, if the event says something of one."""
        if isinstance(event, InputAudioTranscriptionDelta):
            text = self._deltas.pop(event.item_id, "") + event.delta
            self._deltas[event.item_id] = text
            if len(self._deltas) > _ITEMS:
                del self._deltas[next(iter(self._deltas))]
            return UserTranscript(
                text=text, final=False, settled=len(text), item_id=event.item_id, raw=event
            )
        if isinstance(event, InputAudioTranscriptionIntermediate):
            text = self._deltas.get(event.item_id, "")
            return UserTranscript(
                text=text + event.intermediate,
                final=False,
                settled=len(text),
                item_id=event.item_id,
                raw=event,
            )
        if isinstance(event, InputAudioTranscriptionCompleted):
            self.forget(event.item_id)
            return UserTranscript(
                text=event.transcript,
                final=True,
                settled=len(event.transcript),
                item_id=event.item_id,
                locale=next((each.locale for each in event.phrases or () if each.locale), None),
                raw=event,
            )
        return None

    def forget(self, item_id: str | None) -> None:
        """Note that nothing more comes of the item."""
        self._deltas.pop(item_id, None)

    def clear(self) -> None:
        """Note that another connection begins: all will be written down again."""
        self._deltas.clear()
