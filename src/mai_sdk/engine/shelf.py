"""Connections that wait for their next turn: which may be taken again, and which have had it.

Rule of this file: no I/O. It says which sockets to close, and the pool that owns it closes them.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Resting", "Shelf"]

IDLE_SECONDS: Final = 240.0
"""The service drops idle connections (seen after 15 minutes), and load balancers do after 4."""
_ROOM: Final = 8


class Resting(Protocol):
    """A socket that can say how it is."""

    used_at: float

    @property
    def is_open(self) -> bool:
        """Whether neither side is known to have closed it."""
        ...

    @property
    def has_news(self) -> bool:
        """Whether something came while it rested: a close, most likely."""
        ...


S = TypeVar("S", bound=Resting)


class Shelf(Generic[S]):
    """Idle sockets by what they can be used for. Safe from any thread, and empty after a fork."""

    __slots__ = ("_clock", "_idle", "_owner", "idle_seconds")

    def __init__(
        self, *, idle_seconds: float = IDLE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._owner = os.getpid()
        self._idle: defaultdict[Hashable, deque[S]] = defaultdict(deque)

    def take(self, key: Hashable) -> tuple[S | None, list[S]]:
        """Return the socket used last that is still good, and those to close instead."""
        waiting, over = self._of(key), list[S]()
        while waiting:
            try:
                found = waiting.pop()
            except IndexError:  # another thread was faster
                break
            rested = self._clock() - found.used_at
            if found.is_open and rested < self.idle_seconds and not found.has_news:
                return found, over
            over.append(found)
        return None, over

    def put(self, key: Hashable, socket: S) -> S | None:
        """Keep a socket whose turn is over; return one to close instead, if there are too many."""
        if not socket.is_open:
            return socket
        waiting = self._of(key)
        waiting.append(socket)
        return waiting.popleft() if len(waiting) > _ROOM else None

    def clear(self) -> list[S]:
        """Return all sockets, to be closed, and keep none."""
        found = [socket for waiting in self._idle.values() for socket in waiting]
        self._idle.clear()
        return found

    def _of(self, key: Hashable) -> deque[S]:
        if self._owner != os.getpid():  # a child must not talk over its parent's connections
            self._owner = os.getpid()
            self._idle.clear()
        return self._idle[key]
