"""How long a live session holds out. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from mai_sdk.errors import InvalidRequest

__all__ = ["Endurance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """How long a session holds out.

    Raises:
        InvalidRequest: A figure is none a session could work with.
    """

    silence_seconds: float = 8.0
    """Without any sign of life, an answer to a ping included, a line is dead."""
    reconnect_seconds: float = 60.0
    """How long to go without a connection that works before the session fails."""
    connections_per_minute: int = 30
    """The quota of new connections; reconnections keep to it, all sessions of a client together."""
    drain_seconds: float = 15.0
    """How long closing may wait for the last words."""

    def __post_init__(self) -> None:
        """Refuse what no session could hold out with."""
        for name in ("silence_seconds", "reconnect_seconds", "drain_seconds"):
            seconds: float = getattr(self, name)
            if not seconds >= 0 or (name == "silence_seconds" and not seconds):
                raise InvalidRequest(f"{name} is {seconds}; give a number of seconds.")
        if self.connections_per_minute < 1:
            raise InvalidRequest(
                f"connections_per_minute is {self.connections_per_minute}; give 1 or more."
            )
