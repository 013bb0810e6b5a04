"""What may be spent: how much, in what time, on what. Pure; the counters are the ledger's.

A call claims its worst case from every budget that covers it before anything is sent, and the
ledger grants all of the claims or none; when the call is settled, what it did not cost is free
again. So calls side by side, in any number of processes on one ledger, cannot pass a limit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, cast

from pydantic import BeforeValidator, ValidationError, field_validator, model_validator

from mai_sdk.errors import BudgetExceeded, ConfigurationError
from mai_sdk.metering.ledger import Claim
from mai_sdk.metering.money import Money, from_nanodollars, nanodollars_of, write_money
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import BudgetState, Operation

__all__ = ["Budget", "Demand", "Per", "demands_of", "read_budgets", "refused", "warning"]

Per = Literal["call", "hour", "day", "week", "month", "year", "total"]
"""The time a limit is for, by the calendar in UTC; a week begins on Monday (ISO 8601)."""

_TAG: Final = "tag:"
_NO_LIMIT: Final = 2**63 - 1
"""The largest number a ledger can hold: the limit of a count that only warns."""

_FORMATS: Final[dict[Per, str]] = {
    "call": "call",
    "hour": "%Y-%m-%dT%H",
    "day": "%Y-%m-%d",
    "week": "%G-W%V",
    "month": "%Y-%m",
    "year": "%Y",
    "total": "total",
}


def _money(limit: object) -> Decimal:
    if isinstance(limit, bool) or not isinstance(limit, str | int | Decimal):
        raise ValueError('write the limit as text, "5.00", so that no digit is lost')  # noqa: TRY004 - becomes a ValidationError
    try:
        return Decimal(limit)
    except InvalidOperation:
        raise ValueError(f"{limit!r} is not an amount of money") from None


class Budget(Value):
    """A limit on what calls may cost. Give one, or a list of them, to a client as `budget`.

    Every budget that covers a call must have room for the most the call can cost: the dearest
    price of each meter, the longest answer, every second, character and picture asked for. A call
    that does not fit raises `BudgetExceeded` before anything is sent. The difference to what it
    did cost is free again when it is settled; what nobody knows (`unknown`) stays claimed.

    What is counted are the calls of all clients that are given such a budget on one ledger, in any
    number of processes; budgets of the same scope, time and currency share one count, whatever
    their limits, so a limit can be raised while it is in use. In the default ledger, which is in
    memory, counting begins anew with each client.

    Where nobody knows the most that an attempt cost, all it had claimed stays spent: it may have
    run unseen, or its answer was broken off and only what had arrived of it is known.
    """

    limit: Annotated[Money, BeforeValidator(_money)]
    """In whole units of `currency`, as text, an int or a Decimal: "5.00"."""
    per: Per = "total"
    """What the limit is for: each call, or all calls that began in the same hour ... year (UTC), or
    all that the ledger has."""
    scope: str | Mapping[str, str] | None = None
    """What it covers. None: every call. {"team": "search"}: calls that carry all of these tags,
    together. "session", "model" or "tag:<name>": each session, model or value of that tag has the
    limit for itself; calls without one are not covered."""
    currency: str = "USD"
    on_limit: Literal["refuse", "warn"] = "refuse"
    """"warn" sends the call and writes a warning to the log "mai_sdk", once for each period."""
    on_unknown: Literal["refuse", "allow"] = "refuse"
    """What to do with a call whose worst case is not known (no price, or no limit to its answer).
    "allow" claims what is known of it, and may be passed by the rest."""

    @field_validator("scope")
    @classmethod
    def _can_be_read(cls, scope: Any) -> Any:
        if isinstance(scope, str) and scope not in {"session", "model"}:
            if not scope.startswith(_TAG) or scope == _TAG:
                raise ValueError('a scope is "session", "model", "tag:<name>", or a dict of tags')
        elif isinstance(scope, Mapping):
            return dict(cast("Mapping[str, str]", scope))
        return scope

    @model_validator(mode="after")
    def _one_call_is_refused(self) -> Budget:
        if self.per == "call" and self.on_limit == "warn":
            raise ValueError('a limit per "call" can only refuse: there is nothing to count')
        return self

    def covers(self, operation: Operation) -> str | None:
        """Return whose limit a call falls under, "" for everybody's; None if it is not covered."""
        if self.scope is None:
            return ""
        if isinstance(self.scope, Mapping):
            return "" if self.scope.items() <= operation.tags.items() else None
        if self.scope == "session":
            return operation.session
        if self.scope == "model":
            return operation.model
        return operation.tags.get(self.scope.removeprefix(_TAG))

    def period(self, when: float) -> str:
        """Return the name of the time that `when` (seconds since the epoch) falls in."""
        return datetime.fromtimestamp(when, UTC).strftime(_FORMATS[self.per])

    def begins(self, when: float) -> float | None:
        """Return when the period that `when` falls in began; None for one without a beginning."""
        if self.per in {"total", "call"}:
            return None
        moment = datetime.fromtimestamp(when, UTC).replace(minute=0, second=0, microsecond=0)
        if self.per != "hour":
            moment = moment.replace(hour=0)
        if self.per == "week":
            moment -= timedelta(days=moment.weekday())
        if self.per in {"month", "year"}:
            moment = moment.replace(day=1)
        if self.per == "year":
            moment = moment.replace(month=1)
        return moment.timestamp()

    def key(self, whose: str) -> str:
        """Return the name its count has in a ledger; the limit is no part of it."""
        scope = dict(sorted(self.scope.items())) if isinstance(self.scope, Mapping) else self.scope
        said = json.dumps([self.per, scope, whose, self.currency], ensure_ascii=False)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def describe(self, whose: str = "") -> str:
        """Return it for a reader: "$5.00 per day for model MAI-Image-2.5"."""
        limit = write_money(self.limit, currency=self.currency)
        time = "in total" if self.per == "total" else f"per {self.per}"
        covered = self.describe_scope(whose)
        return f"{limit} {time}" + (f" for {covered}" if covered else "")

    def describe_scope(self, whose: str = "") -> str:
        """Return what it covers for a reader: "model MAI-Image-2.5"; "" for all calls."""
        if isinstance(self.scope, Mapping):
            return ", ".join(f"{name}={value}" for name, value in self.scope.items())
        return f"{self.scope} {whose}" if self.scope and whose else ""


def read_budgets(given: Any) -> tuple[Budget, ...]:
    """Return the budgets that a setting means: a Budget, a table of its fields, or some of them.

    Raises:
        ConfigurationError: One of them is no budget; the text says which, and why.
    """
    if given is None:
        return ()
    alone = isinstance(given, Budget | Mapping) or not isinstance(given, Iterable)
    listed = cast("Iterable[Any]", (given,) if alone else given)
    budgets: list[Budget] = []
    for number, each in enumerate(listed, start=1):
        if not isinstance(each, Budget | Mapping):
            raise ConfigurationError(
                'A budget is Budget(limit="5.00", per="day"), or a table of those fields, or a '
                f"list of them, but number {number} is a {type(each).__name__}."
            )
        try:
            budgets.append(each if isinstance(each, Budget) else Budget.model_validate(each))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            named = ".".join(map(str, first["loc"])) or "one of its fields"
            raise ConfigurationError(
                f"Budget number {number} has no usable {named}: {first['msg']}."
            ) from None
    return tuple(budgets)


class Demand(NamedTuple):
    """What a call asks of one count in the ledger."""

    claim: Claim
    budget: Budget
    """The one of those that share the count that refuses first; else the first that warns."""
    whose: str
    warn_nanos: int | None
    """From where on it is to be warned, if anywhere."""


def demands_of(
    budgets: Iterable[Budget], *, operation: Operation, bound: Cost, when: float
) -> Sequence[Demand]:
    """Return what a call must be granted before it is sent, one demand for each count.

    Args:
        budgets: All there are.
        operation: The call.
        bound: The most the attempt can cost.
        when: When it began, in seconds since the epoch.

    Raises:
        BudgetExceeded: It is more than a budget is for one call, or nobody knows how much it is.
    """
    demands: dict[tuple[str, str], Demand] = {}
    for budget in budgets:
        whose = budget.covers(operation)
        nanos = None if whose is None else _most(budget, bound, whose)
        if whose is None or nanos is None:
            continue
        claim = Claim(budget.key(whose), budget.period(when), _limit(budget), nanos)
        if budget.per == "call":
            if nanos > claim.limit_nanos:
                raise refused(Demand(claim, budget, whose, None), None)
            continue
        warns = nanodollars_of(budget.limit) if budget.on_limit == "warn" else None
        demand = Demand(claim, budget, whose, warns)
        other = demands.get(claim[:2])
        demands[claim[:2]] = demand if other is None else _both(other, demand)
    return tuple(demands.values())


def refused(demand: Demand, state: BudgetState | None) -> BudgetExceeded:
    """Return the error for a demand that is not granted; `state` is None for one call's limit."""
    budget, claim = demand.budget, demand.claim
    most, limit = (_written(nanos, budget) for nanos in (claim.nanos, claim.limit_nanos))
    if state is None:
        why = f"the budget is {budget.describe(demand.whose)}"
    else:
        spent, held = (_written(n, budget) for n in (state.spent_nanos, state.reserved_nanos))
        why = (
            f"of the {budget.describe(demand.whose)} ({claim.period}, UTC) {spent} is spent and "
            f"{held} is held by calls under way"
        )
    return BudgetExceeded(
        f"This call may cost up to {most}, and {why}: it was not sent. Ask for less "
        f"(max_output_tokens, a shorter text, a smaller picture), wait, or raise the limit "
        f"of {limit}.",
        claim=claim,
        state=state,
    )


def warning(demand: Demand, state: BudgetState) -> str | None:
    """Return what to tell the user of a limit that only warns; None while it is not passed."""
    gone = state.spent_nanos + state.reserved_nanos
    if demand.warn_nanos is None or gone <= demand.warn_nanos:
        return None
    limit, used = (_written(nanos, demand.budget) for nanos in (demand.warn_nanos, gone))
    return (
        f"The budget of {limit} for {demand.claim.period} is passed: {used} is spent or held by "
        f"calls under way ({demand.budget.describe(demand.whose)})."
    )


def _limit(budget: Budget) -> int:
    return nanodollars_of(budget.limit) if budget.on_limit == "refuse" else _NO_LIMIT


def _both(one: Demand, other: Demand) -> Demand:
    """Return the demand to make where two budgets share one count: each keeps its limit."""
    first = min(one, other, key=lambda demand: demand.claim.limit_nanos)
    warns = [nanos for nanos in (one.warn_nanos, other.warn_nanos) if nanos is not None]
    most = max(one.claim.nanos, other.claim.nanos)
    return first._replace(
        claim=first.claim._replace(nanos=most), warn_nanos=min(warns, default=None)
    )


def _most(budget: Budget, bound: Cost, whose: str) -> int | None:
    """Return the nano-dollars to claim; None where nothing is known that could be counted."""
    same = not bound.has_money or bound.currency == budget.currency
    if bound.amount is not None and same:
        return nanodollars_of(bound.amount)
    if budget.on_unknown == "refuse" and budget.on_limit == "refuse":
        why = (
            bound.reason or "No price is known."
            if same
            else f"Its price is in {bound.currency}, and the budget in {budget.currency}."
        )
        raise BudgetExceeded(
            f"Nobody can say what this call costs at most, so the budget of "
            f"{budget.describe(whose)} does not allow it: it was not sent. {why} Or set "
            f'on_unknown="allow" in the budget.'
        )
    return nanodollars_of(bound.at_least) if same else None


def _written(nanos: int, budget: Budget) -> str:
    return write_money(from_nanodollars(nanos), currency=budget.currency)
