"""What the machines of live sessions share: frames out, events out, one connection after another.

Pure. Whoever drives one says when a connection stands or is gone, what came over it and what time
it is, and takes from it what is to be sent and what the user is to be told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mai_sdk.wire.session_events import Ended

if TYPE_CHECKING:
    from mai_sdk.errors import CallFailed
    from mai_sdk.session.hearing import Hearing
    from mai_sdk.wire.session_events import Reconnected, SessionEvent

__all__ = ["Machine"]

_LIFETIME: Final = 3600.0
"""Seconds a session lives where it does not say: Voice Live's and MAI-Transcribe's limit."""
_MARGIN: Final = 120.0
_PINGS: Final = 64


class Machine(ABC):
    """See the module."""

    def __init__(self, hearing: Hearing, *, lifetime_seconds: float = _LIFETIME) -> None:
        self.hearing = hearing
        self.failure: CallFailed | None = None
        """Why the session cannot go on; None while it can."""
        self.connections = 0
        self.is_connected = False
        self.is_proven = False
        """Whether this connection has done what it is for, so that trying again may begin anew."""
        self.is_closing = False
        """Whether the caller gives nothing more."""
        self.pending_bytes = 0
        """How much waits to be sent."""
        self._frames: list[str | bytes] = []
        self._events: list[SessionEvent] = []
        self._lifetime = lifetime_seconds
        self._began_at = self._ends_at = 0.0
        self._wall_less_now = 0.0
        self._lost_at: float | None = None
        self._why = ""
        self._news: Reconnected | None = None
        self._queued_to: int = 0
        self._flushed_to: int = 0
        self._pings: dict[bytes, int] = {}
        self._pinged = 0

    # What the driver says.

    def connected(self, *, now: float, wall: float) -> None:
        """Note that a connection stands; `wall` is the time of day, in Unix seconds."""
        self.connections += 1
        self.is_connected, self.is_proven = True, False
        self._began_at, self._ends_at = now, now + self._lifetime
        self._wall_less_now = wall - now
        self._start_over()
        self._open(now)

    def disconnected(self, why: str, *, now: float) -> None:
        """Note that the connection is gone, and why; nothing that was given to send is lost."""
        if not self.is_connected:
            return
        self.is_connected = False
        self._frames.clear()
        self.pending_bytes = 0
        self._lost_at, self._why = (now if self._lost_at is None else self._lost_at), why
        self._lost(now)

    def ping(self) -> bytes:
        """Return what the next ping shall carry: its answer proves what was sent before it."""
        self._pinged += 1
        payload = b"%d" % self._pinged
        self._pings[payload] = self._flushed_to
        if len(self._pings) > _PINGS:
            del self._pings[next(iter(self._pings))]
        return payload

    def pong(self, payload: bytes) -> None:
        """Note that a ping was answered."""
        offset = self._pings.pop(payload, None)
        if offset is not None and self.detects_turns:
            self.hearing.proven(offset)

    def tick(self, now: float) -> None:  # noqa: B027 - most machines have nothing to do then
        """Note that time has passed; said about twice a second."""

    def close(self) -> None:
        """Note that the caller gives nothing more; what is under way may still come."""
        self.is_closing = True

    def wants_rollover(self, now: float) -> bool:
        """Whether the connection should be replaced now, before the service ends it."""
        if not self.is_connected:
            return False
        margin = min(_MARGIN, (self._ends_at - self._began_at) / 5)
        left = self._ends_at - now
        return left <= margin / 3 or (left <= margin and self.is_quiet)

    def ended(self, reason: str, *, code: int | None, now: float) -> None:
        """Note that the session is over: nothing more comes."""
        self.disconnected(reason, now=now)
        self.emit(Ended(reason=reason, code=code))

    # What the driver takes.

    def take_frames(self, limit: int | None = None) -> list[str | bytes]:
        """Return what is to be sent, in order; it is the caller's to send it now.

        Args:
            limit: About how many bytes are enough, so that a ping finds its way between them.
        """
        if limit is not None and self.pending_bytes > limit:
            return self._take_some(limit)
        frames, self._frames = self._frames, []
        self.pending_bytes = 0
        self._flushed_to = self._queued_to
        return frames

    def _take_some(self, limit: int) -> list[str | bytes]:
        size = count = 0
        while size < limit and count < len(self._frames):
            size += len(self._frames[count])
            count += 1
        frames = self._frames[:count]
        del self._frames[:count]
        self.pending_bytes -= size
        if not self._frames:
            self._flushed_to = self._queued_to
        return frames

    def take_events(self) -> list[SessionEvent]:
        """Return what the user is to be told, in order."""
        events, self._events = self._events, []
        return events

    # For the machines.

    def emit(self, event: SessionEvent) -> None:
        """Tell the user."""
        self._events.append(event)

    def _put(self, frame: str | bytes) -> None:
        self._frames.append(frame)
        self.pending_bytes += len(frame)

    def _start_over(self) -> None:
        """Send from the first sample that is not acknowledged; nothing that waits goes out."""
        self._frames.clear()
        self._pings.clear()
        self.pending_bytes = 0
        self._queued_to = self._flushed_to = self.hearing.buffer.start

    def _returned(self, now: float) -> None:
        """Tell the user, once, that another connection does the work."""
        news, self._news = self._news, None
        if news is None:
            return
        down_ms = 0.0 if self._lost_at is None else (now - self._lost_at) * 1000
        self._lost_at = None
        self.emit(replace(news, why=self._why, connections=self.connections, down_ms=down_ms))

    @property
    def words(self) -> tuple[str, ...]:
        """What was told to the service in words, which it may echo."""
        return ()

    @property
    def is_drained(self) -> bool:
        """Whether, once closed, nothing more is to be waited for."""
        return self.is_closing

    @property
    @abstractmethod
    def detects_turns(self) -> bool:
        """Whether audio without speech needs no end of a turn."""

    @property
    @abstractmethod
    def is_quiet(self) -> bool:
        """Whether nothing is under way that another connection would disturb."""

    @abstractmethod
    def receive(self, frame: str | bytes, *, now: float) -> None:
        """Take what came over the connection."""

    @abstractmethod
    def _append(self, audio: bytes) -> None:
        """Put audio among what is to be sent, and count it as queued."""

    @abstractmethod
    def _open(self, now: float) -> None:
        """Say what a new connection must be told."""

    @abstractmethod
    def _lost(self, now: float) -> None:
        """Settle what the connection took with it."""
