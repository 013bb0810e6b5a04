"""How a session's connection ended, from what was raised over it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import CallFailed
from mai_sdk.session.endings import after_close
from mai_sdk.wire.closes import failure_from_close

if TYPE_CHECKING:
    from mai_sdk.session.endings import Remedy

__all__ = ["SILENT", "Ending", "ending_of"]

_BEFORE: Final = "the end of the session"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended."""

    why: str
    remedy: Remedy
    failure: CallFailed


def ending_of(error: Exception) -> Ending:
    """Return what an error over a connection means; one that is none of a connection is raised."""
    if isinstance(error, SocketClosed):
        failure = failure_from_close(error.code, error.reason, before=_BEFORE)
        said = f": {error.reason}" if error.reason else ""
        return Ending(f"close code {error.code}{said}", after_close(error.code), failure)
    if isinstance(error, TransportFailed):
        return Ending(error.detail, "resume", failure_from_close(1006, "", before=_BEFORE))
    if isinstance(error, CallFailed):  # a message longer than is taken
        return Ending(error.message, "fail", error)
    raise error


SILENT: Final = Ending(
    "nothing came over the line, not even an answer to a ping",
    "resume",
    failure_from_close(1006, "", before=_BEFORE),
)
