"""What the machines have in common that speak the realtime events, which are JSON. Pure."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from mai_sdk.session.machine import Machine
from mai_sdk.wire.live_codec import UnreadableEvent, decode, encode, encode_append
from mai_sdk.wire.session_events import Other

if TYPE_CHECKING:
    from mai_sdk.wire.live_client_events import ClientEvent
    from mai_sdk.wire.live_codec import Received
    from mai_sdk.wire.live_events import SessionCreated

__all__ = ["RealtimeMachine"]

_PIECE: Final = 48_000
"""Bytes of audio in one event: a second or two. Voice Live takes 15 MiB (2026-07)."""


class RealtimeMachine(Machine):
    """See the module."""

    def receive(self, frame: str | bytes, *, now: float) -> None:
        """Take what came over the connection."""
        try:
            event = decode(frame)
        except UnreadableEvent as error:
            self.emit(Other(type=None, raw=str(error)))
            return
        self._read(event, now)

    def send(self, event: ClientEvent) -> None:
        """Send an event as it is; without a connection it is not sent, and not kept."""
        if self.is_connected:
            self._put(encode(event))

    def _append(self, audio: bytes) -> None:
        self._queued_to += len(audio) // self.hearing.sample_bytes
        if len(audio) <= _PIECE:
            self._put(encode_append(audio))
            return
        for at in range(0, len(audio), _PIECE):
            self._put(encode_append(audio[at : at + _PIECE]))

    def _take_expiry(self, event: SessionCreated) -> None:
        expires = event.session.expires_at
        if expires is not None:
            left = expires - self._wall_less_now - self._began_at
            if left > 0:  # else one of the clocks is wrong
                self._ends_at = self._began_at + min(left, self._lifetime)

    @abstractmethod
    def _read(self, event: Received, now: float) -> None:
        """Take one event of the service."""
