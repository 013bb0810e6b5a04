"""How much of the agent's voice was heard. Pure: whoever plays it says what was played.

A model that was interrupted must be told what the user heard, or it remembers having said what
nobody heard. Neither the bytes received nor the time passed are that: buffers lie in between.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mai_sdk.audio.pcm import SAMPLE_BYTES

__all__ = ["Heard", "PlaybackTracker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How far one item has been played."""

    item_id: str
    content_index: int = 0
    response_id: str | None = None
    heard_ms: float
    """Never more than `received_ms`, and never less than an earlier report said."""
    received_ms: float
    stopped: bool = False
    """Whether its rest will not be played."""


@dataclass(slots=True, eq=False)
class _Item:
    """One item's audio, in bytes."""

    item_id: str
    content_index: int
    response_id: str | None
    received: int = 0
    heard: int = 0
    stopped: bool = False


class PlaybackTracker:
    """Follows the agent's audio from arrival to the loudspeaker, item by item.

    Audio plays in the order it arrived. A report of playback is spent on the oldest item that has
    unheard audio; what goes beyond all that arrived is not counted, for it cannot have been it.
    """

    def __init__(self, *, sample_rate: int, sample_bytes: int = SAMPLE_BYTES) -> None:
        self._bytes_per_ms = sample_rate * sample_bytes / 1000
        self._sample_bytes = sample_bytes
        self._items: dict[str, _Item] = {}
        self._playing: deque[_Item] = deque()
        self._fraction = 0.0

    @property
    def unheard_ms(self) -> float:
        """How much audio has arrived and is still to be played."""
        return sum(item.received - item.heard for item in self._playing) / self._bytes_per_ms

    def received(
        self, item_id: str, size: int, *, content_index: int = 0, response_id: str | None = None
    ) -> float:
        """Note `size` bytes of the item's audio and return where in the item they begin, in ms.

        Audio of an item that was stopped is noted as received, and will not count as heard.
        """
        item = self._items.get(item_id)
        if item is None:
            item = self._items[item_id] = _Item(item_id, content_index, response_id)
        begins = item.received / self._bytes_per_ms
        item.received += size
        if not item.stopped and item not in self._playing:
            self._playing.append(item)
        return begins

    def played(self, ms: float) -> None:
        """Note that so many more milliseconds came out of the loudspeaker.

        Raises:
            ValueError: `ms` is negative: what was heard cannot be unheard.
        """
        if ms < 0:
            raise ValueError(f"{ms} ms were played; report how much more, never less")
        due = ms * self._bytes_per_ms + self._fraction
        whole = int(due / self._sample_bytes + 1e-6) * self._sample_bytes
        self._fraction = max(due - whole, 0.0)
        self._hear(whole)

    def played_bytes(self, size: int) -> None:
        """Note that so many more bytes came out of the loudspeaker.

        Raises:
            ValueError: `size` is negative: what was heard cannot be unheard.
        """
        if size < 0:
            raise ValueError(f"{size} bytes were played; report how many more, never fewer")
        self._hear(size)

    def _hear(self, size: int) -> None:
        while size and self._playing:
            item = self._playing[0]
            step = min(size, item.received - item.heard)
            item.heard += step
            size -= step
            if item.heard == item.received:
                self._playing.popleft()

    def heard(self, item_id: str) -> Heard | None:
        """Return how far the item has been played; None if none of its audio ever arrived."""
        item = self._items.get(item_id)
        return None if item is None else self._report(item)

    def current(self) -> Heard | None:
        """Return the item that is being heard, or is next; None if nothing is left to be heard."""
        return self._report(self._playing[0]) if self._playing else None

    def stop(self) -> tuple[Heard, ...]:
        """Say that playback stopped here: nothing that has arrived will be heard any more.

        Returns the items that were cut short, oldest first: the first one may have been heard in
        part, the ones after it were not heard at all. Their later audio does not count either.
        """
        cut = tuple(self._playing)
        for item in cut:
            item.stopped = True
        self._playing.clear()
        self._fraction = 0.0
        return tuple(self._report(item) for item in cut)

    def forget(self, item_id: str) -> None:
        """Drop an item nobody will ask about again; unheard audio of it is as if never received."""
        item = self._items.pop(item_id, None)
        if item is not None and item in self._playing:
            self._playing.remove(item)

    def _report(self, item: _Item) -> Heard:
        return Heard(
            item_id=item.item_id,
            content_index=item.content_index,
            response_id=item.response_id,
            heard_ms=item.heard / self._bytes_per_ms,
            received_ms=item.received / self._bytes_per_ms,
            stopped=item.stopped,
        )
