"""Whether a line lives, and when the next connection may be tried. Pure: clock readings go in."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["ConnectionPace", "Pulse", "pause_before"]

_BASE_SECONDS: Final = 0.5
_CAP_SECONDS: Final = 8.0


class Pulse:
    """Tells a silent service from a dead line: by pings, and by time that was really waited.

    A line is dead where nothing at all, no answer to a ping either, came for `limit` seconds. Time
    in which nobody listened does not count: a program that was busy for a while, or a caller who
    takes no events, has heard nothing because it did not listen.
    """

    __slots__ = ("_at", "_has_heard", "_next_ping", "_silent", "every", "interval", "limit")

    def __init__(self, *, limit: float, now: float, every: float = 0.5) -> None:
        self.limit = limit
        """Seconds of silence that are death."""
        self.interval = limit / 4
        """Seconds between pings."""
        self.every = every
        """How often `beat` is called, in seconds."""
        self._at = now
        self._has_heard = True
        self._silent = 0.0
        self._next_ping = now + self.interval

    def heard(self) -> None:
        """Note that something came, whatever it was."""
        self._has_heard = True

    def beat(self, now: float, *, listening: bool = True) -> bool:
        """Note that time has passed; return whether a ping is due."""
        waited = min(max(now - self._at, 0.0), 2 * self.every) if listening else 0.0
        if self._has_heard:
            self._silent, self._has_heard = 0.0, False
        else:
            self._silent += waited
        self._at = now
        if now < self._next_ping:
            return False
        self._next_ping = now + self.interval
        return True

    @property
    def is_dead(self) -> bool:
        """Whether the line has been silent for too long."""
        return self._silent >= self.limit


class ConnectionPace:
    """Keeps reconnections under a limit of new connections a minute, for all sessions together.

    Voice Live allows 30 a minute (quotas of S0). A session's first connection is the caller's to
    pace, so it counts here and never waits.
    """

    __slots__ = ("_begun", "per")

    def __init__(self, *, per: float = 60.0) -> None:
        self.per = per
        self._begun: deque[float] = deque()

    def wait(self, now: float, *, limit: int) -> float:
        """Return the seconds until another connection may begin."""
        while self._begun and self._begun[0] <= now - self.per:
            self._begun.popleft()
        if len(self._begun) < limit:
            return 0.0
        return self._begun[len(self._begun) - limit] + self.per - now

    def begin(self, now: float) -> None:
        """Note that a connection begins."""
        self._begun.append(now)


def pause_before(attempt: int, *, chance: float) -> float:
    """Return the seconds to wait before that try: the first at once, then longer, with full jitter.

    Args:
        attempt: 1 for the first after a connection that worked.
        chance: A random number from 0 to 1.
    """
    if attempt <= 1:
        return 0.0
    return chance * min(_CAP_SECONDS, _BASE_SECONDS * 2.0 ** (attempt - 1))
