"""Attempts priced again with the prices of their own day, after a price was corrected. No I/O.

What was used does not change, and neither does what was written down first. An attempt whose usage
nobody knows stays unknown; one that has a figure keeps it where the present prices have none, so
that a forgotten overlay loses nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mai_sdk.metering.cost import Cost
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.metering.ledger import Entry
    from mai_sdk.metering.prices import PriceBook

__all__ = ["NewPrice", "RepricedModel", "Repricing", "price_again", "sum_up"]


class NewPrice(NamedTuple):
    """An attempt, and what it costs by the present prices."""

    entry: Entry
    cost: Cost
    changed: bool
    """Whether that is another figure than the one counted so far."""
    kept: bool
    """Whether the figure so far was kept because the present prices have none."""


class RepricedModel(Value):
    """What became of the attempts of one model that were changed."""

    model: str | None
    attempts: int
    before: Cost
    after: Cost


class Repricing(Value):
    """What pricing again came to."""

    attempts: int
    """Looked at: settled, and it is known what they used."""
    changed: int
    """Given another figure."""
    unpriced: int
    """Left with the figure they had, because the present prices have none for them."""
    unknown: int
    """Not looked at: nobody knows what they used, nothing ran, or they are under way."""
    models: tuple[RepricedModel, ...]
    """The changed ones, by model and currency."""


def price_again(entry: Entry, prices: PriceBook) -> NewPrice | None:
    """Return what the attempt costs by `prices` on its day; None where its usage is not known.

    Nothing ran in a released attempt, so it is not looked at either.
    """
    if entry.state not in {"settled_exact", "settled_estimated"}:
        return None
    usage, so_far, call = entry.usage, entry.counted, entry.operation
    if usage is None or so_far is None or usage.basis == "unknown":
        return None
    day = datetime.fromtimestamp(entry.reserved_at, UTC).date()
    cost = prices.price(call.model, usage, surface=call.surface, on=day)
    if cost.status == "unknown" and so_far.status != "unknown":
        return NewPrice(entry, so_far, changed=False, kept=True)
    return NewPrice(entry, cost, changed=_figure(cost) != _figure(so_far), kept=False)


def sum_up(found: Iterable[NewPrice | None]) -> Repricing:
    """Return what the new prices came to."""
    attempts = changed = unpriced = unknown = 0
    sums: dict[tuple[str, str, str], RepricedModel] = {}
    for each in found:
        if each is None:
            unknown += 1
            continue
        attempts += 1
        unpriced += each.kept
        if not each.changed or (before := each.entry.counted) is None:
            continue
        changed += 1
        model = each.entry.operation.model
        key = (model or "", before.currency, each.cost.currency)
        one = RepricedModel(model=model, attempts=1, before=_bare(before), after=_bare(each.cost))
        sums[key] = _together(sums[key], one) if key in sums else one
    return Repricing(
        attempts=attempts,
        changed=changed,
        unpriced=unpriced,
        unknown=unknown,
        models=tuple(one for _, one in sorted(sums.items())),
    )


def _together(some: RepricedModel, one: RepricedModel) -> RepricedModel:
    return RepricedModel(
        model=some.model,
        attempts=some.attempts + one.attempts,
        before=some.before + one.before,
        after=some.after + one.after,
    )


def _bare(cost: Cost) -> Cost:
    """Return the cost without its lines and reasons, which need not be carried along."""
    known = cost.at_least if cost.amount is None else None
    return cost.model_copy(update={"lines": (), "reason": None, "known": known})


def _figure(cost: Cost) -> tuple[object, ...]:
    return cost.status, cost.currency, cost.amount, cost.at_least
