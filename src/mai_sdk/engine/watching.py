"""Who is told what becomes of a call: the receipt hook, the log and telemetry. No I/O.

`Tab.over` is the one place that says an operation has ended, and `Tab.settle` the one that says an
attempt has. What a watcher does wrong never harms a call.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.config import Route
    from mai_sdk.engine.telemetry import Telemetry
    from mai_sdk.metering.ledger import Operation
    from mai_sdk.metering.receipt import Attempt, Receipt, Timing

__all__ = ["Over", "ReceiptHook", "Watch", "Watcher", "safely", "watchers_for", "watches_of"]

T = TypeVar("T")

_log = logging.getLogger("mai_sdk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """One operation that has ended, well or not."""

    operation: Operation
    receipt: Receipt
    timing: Timing
    error: str | None
    """The class name of what ended it; None where it ended well."""
    request_id: str | None
    """The service's id for the last attempt."""


class Watch(Protocol):
    """Watches one operation. Called on whatever thread the call happens to be on."""

    def attempt(self, attempt: Attempt) -> None:
        """Note that an attempt is settled."""
        ...

    def over(self, over: Over) -> None:
        """Note that the operation has ended; called once."""
        ...


class Watcher(Protocol):
    """Watches the operations of a client."""

    def begin(self, operation: Operation, route: Route) -> Watch:
        """Return the watch of an operation that may be about to begin."""
        ...


class ReceiptHook:
    """Gives every receipt to a function of the user's."""

    def __init__(self, on_receipt: Callable[[Receipt], object]) -> None:
        self._on_receipt = on_receipt

    def begin(self, operation: Operation, route: Route) -> Watch:
        """See `Watcher.begin`; there is nothing to remember of one operation."""
        del operation, route
        return self

    def attempt(self, attempt: Attempt) -> None:
        """See `Watch.attempt`."""

    def over(self, over: Over) -> None:
        """See `Watch.over`."""
        self._on_receipt(over.receipt)


def safely(tell: Callable[[], T], *, call_id: str) -> T | None:
    """Do it; what goes wrong is logged, and takes nothing from the call."""
    try:
        return tell()
    except Exception:  # noqa: BLE001 - it is the user's code, or that of a library of theirs
        _log.exception("Whoever watches calls failed at call %s; the call was not touched", call_id)
        return None


def watches_of(watchers: tuple[Watcher, ...], operation: Operation, route: Route) -> list[Watch]:
    """Return the watches of an operation; one that could not begin is left out."""
    begun = (
        safely(partial(watcher.begin, operation, route), call_id=operation.call_id)
        for watcher in watchers
    )
    return [watch for watch in begun if watch is not None]


def watchers_for(
    *, on_receipt: Callable[[Receipt], object] | None, telemetry: bool | Telemetry
) -> tuple[Watcher, ...]:
    """Return who watches, as a client's arguments say.

    Raises:
        ConfigurationError: `on_receipt` would have to be awaited, or OpenTelemetry is missing.
    """
    watchers: list[Watcher] = []
    if telemetry:
        watchers.append(_telemetry() if telemetry is True else telemetry)
    if on_receipt is not None:
        if inspect.iscoroutinefunction(on_receipt):
            raise ConfigurationError(
                "on_receipt must be a plain function: a call may end where nothing can be awaited. "
                "Have it put the receipt into a queue, and await what you must on the other side."
            )
        watchers.append(ReceiptHook(on_receipt))
    return tuple(watchers)


def _telemetry() -> Watcher:
    from mai_sdk.engine.telemetry import Telemetry

    return Telemetry()
