"""How far apart the requests to one deployment begin, where their number a minute is limited.

Services measure a limit a minute over windows of one to ten seconds, so requests are spread
evenly: a burst would be refused even where the minute's sum is kept.
"""

from __future__ import annotations

import threading

__all__ = ["Spacing"]


class Spacing:
    """When each next request to one deployment may begin. Safe to share between threads."""

    __slots__ = ("_free_from", "_lock")

    def __init__(self) -> None:
        self._free_from = float("-inf")
        self._lock = threading.Lock()

    def book(self, *, now: float, requests_per_minute: float) -> float:
        """Take the next free moment, and return how many seconds it is from `now`."""
        with self._lock:
            begin = max(now, self._free_from)
            self._free_from = begin + 60.0 / requests_per_minute
        return begin - now
