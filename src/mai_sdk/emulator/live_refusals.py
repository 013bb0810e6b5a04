"""What a live service refuses, in the form of its `error` events."""

from __future__ import annotations

from typing import Any

__all__ = ["Refused"]


class Refused(Exception):
    """The service says no to one event of the client; the session goes on.

    Args:
        message: What it says.
        code: Its own name for it.
        param: Which field is wrong.
        event_id: The client's id of the event.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_value",
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id

    def as_error(self) -> dict[str, Any]:
        """Return what its `error` event says."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": self.event_id,
        }
