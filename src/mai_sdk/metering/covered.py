"""Calls that a plan has paid for: nothing by themselves, beside what the plan costs. No I/O."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from mai_sdk.metering.cells import Cell, LineSum
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.money import Money, from_nanodollars
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mai_sdk.metering.plans import Plan

__all__ = ["Covered", "PlanCost", "plan_costs", "under_plans"]

_SECONDS_A_DAY: Final = 86_400


class PlanCost(Value):
    """What a plan cost in the time of a report, and what it has paid for."""

    name: str
    days: int
    """Days of the plan in that time; one begun counts whole."""
    cost: Cost
    """All of it, whatever was called; not in the totals of the report."""
    calls: int
    attempts: int
    """Covered by it: they are free in the rows and totals."""
    at_list: tuple[tuple[str, Money], ...]
    """What is known of what they would have cost without it, by currency."""


class Covered(NamedTuple):
    """What of a report one plan has paid for."""

    calls: int
    attempts: int
    nanos: dict[str, int]


def under_plans(
    cells: Iterable[Cell], plans: Sequence[Plan]
) -> tuple[list[Cell], dict[str, Covered]]:
    """Return the cells, those that a plan covers free, and what each plan has paid for.

    Of several plans that cover a call, the first one has paid for it. The day is that of the
    call's start.
    """
    made: list[Cell] = []
    covered: dict[str, Covered] = {}
    for cell in cells:
        plan = _plan_of(cell, plans)
        if plan is None:
            made.append(cell)
            continue
        calls, attempts, nanos = covered.get(plan.name, Covered(0, 0, {}))
        if cell.has_money:
            currency = cell.group.currency
            nanos = {**nanos, currency: nanos.get(currency, 0) + cell.nanos}
        covered[plan.name] = Covered(calls + cell.calls, attempts + cell.attempts, nanos)
        made.append(_free(cell, plan))
    return made, covered


def plan_costs(
    plans: Iterable[Plan],
    covered: dict[str, Covered],
    *,
    since: float | None,
    until: float | None,
    now: float,
) -> tuple[PlanCost, ...]:
    """Return what each plan cost from `since` to before `until`, or up to the day of `now`.

    Plans with no day in that time are left out. Seconds are since the epoch.
    """
    end = _day(math.ceil(min(math.inf if until is None else until, now) / _SECONDS_A_DAY))
    first = None if since is None else _day(math.floor(since / _SECONDS_A_DAY))
    made: list[PlanCost] = []
    for plan in plans:
        days = plan.days(since=first, until=end)
        calls, attempts, nanos = covered.get(plan.name, Covered(0, 0, {}))
        if days or attempts:
            cost = Cost(amount=plan.amount(days=days), currency=plan.currency, status="exact")
            at_list = tuple((name, from_nanodollars(each)) for name, each in sorted(nanos.items()))
            made.append(
                PlanCost(
                    name=plan.name,
                    days=days,
                    cost=cost,
                    calls=calls,
                    attempts=attempts,
                    at_list=at_list,
                )
            )
    return tuple(made)


def _plan_of(cell: Cell, plans: Sequence[Plan]) -> Plan | None:
    group = cell.group
    on = date.fromisoformat(group.day)
    return next(
        (
            plan
            for plan in plans
            if plan.covers(
                model=group.model, surface=group.surface, deployment=group.deployment, on=on
            )
        ),
        None,
    )


def _free(cell: Cell, plan: Plan) -> Cell:
    heard = cell.unheard
    return Cell(
        cell.group._replace(certainty="free", reason=f"Paid by the plan {plan.name}."),
        cell.attempts,
        cell.calls,
        used=cell.used,
        milliseconds=cell.milliseconds,
        unheard=LineSum(heard.attempts, heard.attempts, heard.quantity),
    )


def _day(number: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).date()
