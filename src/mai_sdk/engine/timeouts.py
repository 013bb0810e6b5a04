"""When to give up: arithmetic over a clock reading that is passed in.

Four limits (see `config.Timeouts`). Connect and first byte belong to one request and are the
transport's to keep; the total and the pace of content span more than one read and are kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mai_sdk.engine.steps import Limits

if TYPE_CHECKING:
    from mai_sdk.config import Timeouts

__all__ = ["Pace", "limits_for", "longest", "soonest"]


def soonest(*limits: float | None) -> float | None:
    """Return the smallest limit that is set, or None."""
    return min((limit for limit in limits if limit is not None), default=None)


def longest(*limits: float | None) -> float | None:
    """Return the largest limit, or None if any is unset, for no limit is the longest."""
    return None if None in limits else max(limit for limit in limits if limit is not None)


def limits_for(timeouts: Timeouts, *, stream: bool, remaining: float | None) -> Limits:
    """Return what one request may take, given what is left of the whole call's time.

    A whole answer is written at once, so between its reads the first-byte limit applies.
    """
    between = timeouts.between_chunks if stream else timeouts.first_byte
    return Limits(timeouts.connect, timeouts.first_byte, between, remaining)


class Pace:
    """Watches one open stream: is content still coming, and is there time left?

    Bytes alone do not count: a service that only sends keep-alives is stalled. Nor does the time
    the caller takes between two events: the wait begins when the next one is asked for.
    """

    __slots__ = ("_between", "_deadline", "_since", "fresh")

    def __init__(self, *, between_chunks: float | None, deadline: float | None, now: float) -> None:
        self._between = between_chunks
        self._deadline = deadline
        self._since = now
        self.fresh = True
        """Set when content arrived since the last wait began."""

    def start_waiting(self, now: float) -> float | None:
        """Return the seconds to wait, where that is less than the socket's own limit; else None.

        The socket waits `between_chunks` for any byte. That is enough right after content, and too
        long after keep-alives or when the deadline is near.
        """
        if self.fresh:
            self._since = now
            self.fresh = False
            if self._deadline is None or self._between is None:
                return None if self._deadline is None else max(self._deadline - now, 0.0)
            left = self._deadline - now
            return max(left, 0.0) if left < self._between else None
        ends = soonest(
            self._deadline, None if self._between is None else self._since + self._between
        )
        return None if ends is None else max(ends - now, 0.0)

    def overdue(self, now: float) -> Literal["between_chunks", "total"] | None:
        """Return the limit that has passed at `now`, or None."""
        if self._deadline is not None and now >= self._deadline:
            return "total"
        if self._between is not None and now >= self._since + self._between:
            return "between_chunks"
        return None
