"""The tab of one call: every attempt is written down before it goes out, and settled after.

This is the only code that writes to the ledger, so "exactly one receipt per attempt" is decided
here and nowhere else.
"""

from __future__ import annotations

import logging
from copy import copy
from datetime import date, timedelta
from functools import lru_cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any

from mai_sdk.engine.steps import Kept, Work
from mai_sdk.engine.watching import Over, Watches
from mai_sdk.errors import BudgetExceeded, LedgerError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Operation
from mai_sdk.metering.receipt import Attempt, Receipt, Timing
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from mai_sdk.config import Modality, Route
    from mai_sdk.engine.engine import Engine
    from mai_sdk.metering.budget import Demand
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.writer import Ticket

__all__ = ["Tab"]

_log = logging.getLogger("mai_sdk")

_NOTHING = Usage.zero()
_UNKNOWN = Usage(basis="unknown")
_NOTHING_RAN = Cost.free("Nothing ran: the request was not sent, or was refused before any work.")


def _not_known() -> Usage:
    return _UNKNOWN


@lru_cache(maxsize=4)
def _day(number: int) -> date:
    """Return the UTC date that many days after the epoch."""
    return date(1970, 1, 1) + timedelta(days=number)


class Tab:
    """What one call has used so far. One attempt at most is open at a time."""

    def __init__(
        self,
        engine: Engine,
        *,
        route: Route,
        modality: Modality,
        verb: str,
        tags: Mapping[str, str],
        total_seconds: float | None,
        session: str | None = None,
    ) -> None:
        self.engine = engine
        self.route = route
        self.started = engine.clock()
        self.deadline = None if total_seconds is None else self.started + total_seconds
        """When the whole call must be over, on the engine's clock."""
        self.queued = 0.0
        self.first_byte: float | None = None
        self.first_content: float | None = None
        self.request_id: str | None = None
        """The service's id for the last attempt; None while it has not answered."""
        self.call_id = uuid7()
        """Our own id for the call."""
        self._numbers = count(1)
        self.operation = Operation(
            call_id=self.call_id,
            modality=modality,
            verb=verb,
            model=route.model,
            deployment=route.deployment,
            surface=route.surface,
            started_at=engine.wall_clock(),
            tags=tags,
            session=session,
        )
        self._watches = Watches(engine.watchers, self.operation, route)
        self._attempts: list[Attempt] = []
        self.unknown_so_far = 0
        """How many attempts of this call ended without anybody knowing whether they ran."""
        self._unrecorded: list[str] = []
        self._tickets: list[Ticket[Any]] = []  # of what was settled on a ledger with a thread
        self._open: Entry | None = None
        self._reservation: Ticket[None] | None = None
        self._demands: Sequence[Demand] = ()
        """What budgets are asked for, until they have granted it."""
        self._bound: Callable[[], Usage] = _not_known
        self._opened_at = self.started

    def beside(self) -> Tab:
        """Return a tab for another request of the same call, to be made side by side with it.

        Both have one call id, one deadline and one receipt; attempts are numbered as they go out.
        """
        other = copy(self)
        other.first_byte = other.first_content = other.request_id = None
        other.unknown_so_far = 0
        other._open = other._reservation = None  # noqa: SLF001 - it is one of us
        return other

    def elapsed(self) -> float:
        """Return the seconds since the call began."""
        return self.engine.clock() - self.started

    def remaining(self) -> float | None:
        """Return what is left of the call's total time; None if it has no limit."""
        return None if self.deadline is None else self.deadline - self.engine.clock()

    def is_over(self) -> bool:
        """Whether the call's total time is used up."""
        return self.deadline is not None and self.engine.clock() >= self.deadline

    def reserving(self, upper_bound: Callable[[], Usage]) -> Generator[Kept | Work, Any, None]:
        """Write down that a request is about to go out; it does not go out if this raises.

        Raises:
            BudgetExceeded: What it may cost does not fit into a budget.
            LedgerError: The ledger could not keep it.
        """
        self.reserve(upper_bound)
        try:
            yield from self.reserved()
        except (BudgetExceeded, LedgerError):
            raise
        except BaseException as error:  # nobody waits any more: it may be written all the same
            self.settle(None, released=True, error=type(error).__name__)
            raise
        self._opened_at = self.engine.clock()
        self.queued = self._opened_at - self.started

    def reserve(self, upper_bound: Callable[[], Usage], *, after: bool = False) -> None:
        """Have it written down, and go on: nothing may be sent before `reserved` has returned.

        What is written down `after` it was done is counted by budgets, and refused by none.

        Raises:
            BudgetExceeded: There is no room for it in a budget, and that is known at once.
            LedgerError: The ledger could not keep it, and that is known at once.
        """
        self.first_byte = self.first_content = None
        now, bound = self.engine.wall_clock(), None
        if self.engine.ledger.durable or self.engine.budgets:
            bound = self._price_at_most(upper_bound(), now)
        number = next(self._numbers)
        entry = Entry(
            attempt_id=f"{self.call_id}-{number}",
            number=number,
            operation=self.operation,
            state="reserved",
            reserved_at=now,
            upper_bound=bound,
        )
        demands = self.engine.allowance.demands(self.operation, bound, after=after)
        self._demands = demands
        if self.engine.queue is not None:
            claims = [demand.claim for demand in demands]
            self._reservation = self.engine.queue.reserve_soon(entry, claims=claims)
        elif not demands:
            self.engine.ledger.reserve(entry)
        else:
            self._claim(entry, demands)
        self._open = entry
        self.request_id = None
        self._bound = upper_bound
        self._opened_at = self.engine.clock()
        self.queued = self._opened_at - self.started

    def _claim(self, entry: Entry, demands: Sequence[Demand]) -> None:
        allowance = self.engine.allowance
        try:
            self.engine.ledger.reserve(entry, claims=[demand.claim for demand in demands])
        except BudgetExceeded as error:
            raise allowance.refused(error, demands) from None
        allowance.granted(demands)

    @property
    def is_reserved(self) -> bool:
        """Whether there is nothing to wait for before something is sent."""
        ticket = self._reservation
        return ticket is None or (ticket.is_done and ticket.failed is None)

    def reserved(self) -> Generator[Kept | Work, Any, None]:
        """Wait until what `reserve` asked for is written.

        Raises:
            BudgetExceeded: There is no room for it in a budget; it is not reserved.
            LedgerError: The ledger could not keep it; it is not reserved.
        """
        ticket = self._reservation
        if ticket is None:
            return
        if not ticket.is_done:
            yield Kept(ticket)
        if ticket.failed is not None:
            self._open = self._reservation = None
            if isinstance(ticket.failed, BudgetExceeded):
                raise self.engine.allowance.refused(ticket.failed, self._demands)
            raise ticket.failed
        demands, self._demands = self._demands, ()
        if self.engine.allowance.may_warn(demands):
            yield Work(partial(self.engine.allowance.granted, demands))

    def answered(self, request_id: str | None) -> None:
        """Note that an answer came, and what the service calls it."""
        self.request_id = request_id
        if self.first_byte is None:
            self.first_byte = self.engine.clock() - self.started

    def sent(self) -> None:
        """Write down that an answer has begun: from here on something is owed."""
        if self._open is None:
            return
        attempt_id = self._open.attempt_id
        if self.engine.queue is not None:
            self._watch(self.engine.queue.sent_soon(attempt_id))
            return
        try:
            self.engine.ledger.sent(attempt_id)
        except LedgerError as error:
            self._note(error)

    def settle(
        self,
        usage: Usage | None,
        *,
        released: bool = False,
        status: int | None = None,
        error: str | None = None,
    ) -> None:
        """Close the open attempt with what it used; does nothing if none is open.

        A ledger that cannot be written does not take the answer, or the error that is on its way,
        with it: the receipt says that it was not recorded, and so does the log.

        Args:
            usage: None where nothing is known of it.
            released: Surely nothing ran, so nothing is owed.
            status: The HTTP status, if an answer came.
            error: The class name of what went wrong, if anything.
        """
        entry, self._open = self._open, None
        if entry is None:
            return
        state: AttemptState
        if released:
            state, usage, cost = "released", _NOTHING, _NOTHING_RAN
        elif usage is None:
            state, usage, cost = "unknown", _UNKNOWN, self._unknown_cost(entry)
        else:
            exact = usage.basis == "reported" and usage.is_whole
            state = "settled_exact" if exact else "settled_estimated"
            cost = self._price(usage, entry.reserved_at)
        seconds = self.engine.clock() - self._opened_at
        attempt = Attempt.trusted(
            id=entry.attempt_id,
            number=entry.number,
            state=state,
            usage=usage,
            cost=cost,
            status=status,
            error=error,
            request_id=self.request_id,
            seconds=seconds,
        )
        self._attempts.append(attempt)
        outcome: dict[str, Any] = {
            "state": state,
            "usage": usage,
            "cost": cost,
            "settled_at": self.engine.wall_clock(),
            "status": status,
            "error": error,
            "request_id": self.request_id,
            "first_byte": self.first_byte,
            "first_content": self.first_content,
            "seconds": seconds,
        }
        self._record(entry.attempt_id, outcome)
        self._watches.attempt(attempt)

    def _record(self, attempt_id: str, outcome: dict[str, Any]) -> None:
        if self.engine.queue is not None:
            self._watch(self.engine.queue.settle_soon(attempt_id, **outcome))
            return
        try:
            self.engine.ledger.settle(attempt_id, **outcome)
        except LedgerError as failure:
            self._note(failure)

    def over(self, error: str | None = None) -> None:
        """Say that the operation has ended, to all who watch; only the first time counts.

        Args:
            error: The class name of what ended it, if anything went wrong.
        """
        self._watches.over(
            lambda: Over(
                operation=self.operation,
                receipt=self.receipt(),
                timing=self.timing(),
                error=error,
                request_id=self.request_id,
            )
        )

    def recorded(self) -> Generator[Kept, Any, None]:
        """Wait until what was settled is written, or is known not to be: `receipt` then says so."""
        for ticket in self._tickets:
            if not ticket.is_done:
                yield Kept(ticket)

    def _watch(self, ticket: Ticket[Any]) -> None:
        """See to it that a failure is in the log, whether anybody waits for it or not."""
        self._tickets.append(ticket)
        ticket.when_done(partial(_log_failure, ticket, self.call_id))

    def _note(self, error: LedgerError) -> None:
        """Keep a ledger's failure for the receipt: work that is done must not be lost with it."""
        self._unrecorded.append(error.message)
        _log_unrecorded(error, self.call_id)

    def receipt(self) -> Receipt:
        """Return the receipt for the attempts settled so far, those of `beside` included."""
        attempts = tuple(self._attempts)
        if len(attempts) == 1:
            usage, cost = attempts[0].usage, attempts[0].cost
        else:
            attempts = tuple(sorted(attempts, key=lambda attempt: attempt.number))
            usage = Usage.sum(attempt.usage for attempt in attempts)
            cost = Cost.sum(attempt.cost for attempt in attempts)
        return Receipt.trusted(
            call_id=self.call_id,
            model=self.route.model,
            deployment=self.route.deployment,
            surface=self.route.surface,
            attempts=attempts,
            usage=usage,
            cost=cost,
            unrecorded=self._why_unrecorded(),
            modality=self.operation.modality,
            verb=self.operation.verb,
            tags=self.operation.tags,
            session=self.operation.session,
        )

    def _why_unrecorded(self) -> str | None:
        failed = [ticket.failed for ticket in self._tickets if ticket.failed is not None]
        said = [*self._unrecorded, *map(str, failed)]
        return said[-1] if said else None

    def timing(self) -> Timing:
        """Return how long things took, up to now."""
        return Timing.trusted(
            queued=self.queued,
            first_byte=self.first_byte,
            first_content=self.first_content,
            total=self.elapsed(),
        )

    def _price(self, usage: Usage, when: float) -> Cost:
        return self.engine.prices.price(
            self.route.model, usage, surface=self.route.surface, on=_day(int(when // 86_400))
        )

    def _price_at_most(self, usage: Usage, when: float) -> Cost:
        return self.engine.prices.upper_bound(
            self.route.model, usage, surface=self.route.surface, on=_day(int(when // 86_400))
        )

    def _unknown_cost(self, entry: Entry) -> Cost:
        bound = entry.upper_bound or self._price_at_most(self._bound(), entry.reserved_at)
        most = ""
        if bound.amount is not None:
            most = f" It cannot be more than {bound.amount} {bound.currency}."
        return Cost.unknown(
            f"Attempt {entry.number} may have run, and nothing says what it used.{most}"
        )


def _log_failure(ticket: Ticket[Any], call_id: str) -> None:
    if ticket.failed is not None:
        _log_unrecorded(ticket.failed, call_id)


def _log_unrecorded(error: Exception, call_id: str) -> None:
    _log.warning("The ledger did not record call %s: %s", call_id, error)
