"""When the next answer is asked for: one at a time, and not over the user's voice. Pure."""

from __future__ import annotations

from typing import Final

from mai_sdk.wire.live_client_events import ResponseCreate

__all__ = ["Asking"]

_PATIENCE: Final = 10.0
"""Seconds until a request for an answer that nothing came of may be made again."""
_DOUBT: Final = 60.0
"""Seconds after which what an answer waits for may be long over, its end never told: it is asked
for, and a service that is busy after all says so."""


class Asking:
    """The answer that is wanted, and the one that was asked for and has not begun."""

    def __init__(self) -> None:
        self.wanted: ResponseCreate | None = None
        self.asked: ResponseCreate | None = None
        self._asked_at = 0.0
        self._busy_until: float | None = None
        self._waits_since: float | None = None
        self._is_held = False

    @property
    def is_idle(self) -> bool:
        """Whether no answer is wanted or expected."""
        return self.wanted is None and self.asked is None

    def want(self, event: ResponseCreate | None = None) -> None:
        """Note that an answer is wanted; one that is wanted already is the same one."""
        if event is not None or self.wanted is None:
            self.wanted = event or ResponseCreate()

    def take(self, *, under_way: bool, speaking: bool, now: float) -> ResponseCreate | None:
        """Return what is to be sent now, if anything.

        Args:
            under_way: Whether an answer is being made.
            speaking: Whether the user speaks, and will be answered without being asked for.
            now: The time.
        """
        if self.asked is not None and now - self._asked_at > _PATIENCE:
            self.asked = None
        if self._busy_until is not None and now >= self._busy_until:
            self._busy_until = None
        if self.wanted is None or self.asked or self._busy_until is not None:
            return None
        self._is_held = speaking and not under_way
        if (under_way or speaking) and not self._doubts(now):
            return None
        self._waits_since = None
        self.asked, self.wanted, self._asked_at = self.wanted, None, now
        return self.asked

    def _doubts(self, now: float) -> bool:
        """Whether it has waited for so long that nothing may be there to wait for."""
        if self._waits_since is None:
            self._waits_since = now
        return now - self._waits_since > _DOUBT

    def began(self) -> None:
        """Note that an answer began: what waited for the user to finish is answered by it, too."""
        if self.asked is None and self._is_held:
            self.wanted = None
        self.asked = self._waits_since = None
        self._is_held = False

    def ended(self) -> None:
        """Note that an answer ended, so that there is room for another."""
        self._busy_until = self._waits_since = None

    def refused(self, now: float) -> None:
        """Note that another answer, which we do not know, is under way: ask when it has ended."""
        self.wanted, self.asked = self.wanted or self.asked, None
        self._busy_until = now + _PATIENCE

    def lost(self) -> None:
        """Note that the connection is gone: what was asked for is wanted again."""
        self.wanted, self.asked = self.wanted or self.asked, None
        self._busy_until = self._waits_since = None

    def drop(self) -> None:
        """Want nothing any more."""
        self.wanted = None
