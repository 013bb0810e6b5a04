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

from mai_sdk.engine.logged import log_attempt, log_over, says_attempts, says_calls
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.config import Route
    from mai_sdk.engine.telemetry import Telemetry
    from mai_sdk.metering.ledger import Operation
    from mai_sdk.metering.receipt import Attempt, Receipt, Timing

__all__ = ["Over", "ReceiptHook", "Watch", "Watcher", "Watches", "watchers_for"]

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


class Watches:
    """All who watch one operation, the log among them; shared by the tabs of one call."""

    __slots__ = ("_operation", "_untold", "_watches")

    def __init__(self, watchers: tuple[Watcher, ...], operation: Operation, route: Route) -> None:
        self._operation = operation
        self._untold = [True]
        begun = (self._safely(partial(each.begin, operation, route)) for each in watchers)
        self._watches = [watch for watch in begun if watch is not None] if watchers else []

    def attempt(self, attempt: Attempt) -> None:
        """Tell of a settled attempt."""
        if says_attempts():
            log_attempt(self._operation, attempt)
        for watch in self._watches:
            self._safely(partial(watch.attempt, attempt))

    def over(self, build: Callable[[], Over]) -> None:
        """Tell of the end, once, with what `build` makes of it if anybody wants to know."""
        try:
            self._untold.pop()
        except IndexError:
            return
        if not self._watches and not says_calls():
            return
        over = build()
        if says_calls():
            log_over(over)
        for watch in self._watches:
            self._safely(partial(watch.over, over))

    def _safely(self, tell: Callable[[], T]) -> T | None:
        """Do it; what goes wrong is logged, and takes nothing from the call."""
        try:
            return tell()
        except Exception:  # noqa: BLE001 - it is the user's code, or that of a library of theirs
            _log.exception("What watches calls failed at call %s", self._operation.call_id)
            return None


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
