"""How the emulated live services behave. Values only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LiveFlags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFlags:
    """How `/voice-live/realtime` and `/mai/v1/realtime` behave."""

    audio_pace: float | None = None
    """How much faster than it plays the spoken answer is sent; 1.0 is real time, None at once."""
    delta_ms: int = 100
    """How much audio one `response.audio.delta` carries."""
    session_seconds: float = 3600.0
    """How long a session lasts: Voice Live 60 minutes, MAI's transcription one hour."""
    connections_per_minute: int | None = None
    """More handshakes within a minute are answered with 429; Voice Live's quota is 30."""
    late_deltas: int = 2
    """How many deltas of a cancelled response are still on their way."""
