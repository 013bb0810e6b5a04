"""Which price row holds for a meter, on a surface and a day. No I/O.

The user's overlay goes before our rows, and Microsoft's list before another channel's price; then
the newest `valid_from` counts, then the row for just this surface. A claim is never used unless the
overlay repeats it, and our rows never hold on a self-hosted surface.

Where rows that hold disagree, the dearest is used, because a cost shown too low is the worse
mistake; the cost is then an estimate that names them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from mai_sdk.metering.money import price_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from decimal import Decimal

    from mai_sdk.metering.cost import Price

__all__ = ["SELF_HOSTED", "Rate", "rate_for", "rivals", "unit_price"]

SELF_HOSTED: Final = frozenset({"vllm"})
"""Surfaces that send no bill per token, so that only the user knows what one costs."""

_INSTEAD: Final = {"other_channel": "what another channel asks", "claim": "a claim"}


@dataclass(frozen=True, slots=True)
class Rate:
    """The row used for one meter, and what makes a cost reckoned with it less than exact."""

    price: Price
    doubt: str | None = None
    each: Decimal | None = None
    """The price of one, if it is a whole number of nano-dollars, so that multiplying is enough."""


def rate_for(
    rows: Iterable[Price], *, overlay: Iterable[Price] = (), surface: str, on: date
) -> Rate | None:
    """Return the rate of one meter of one model, or None where no row holds; rules above."""
    return _settle(rivals(rows, overlay=overlay, surface=surface, on=on))


def rivals(
    rows: Iterable[Price], *, overlay: Iterable[Price] = (), surface: str, on: date
) -> Sequence[Price]:
    """Return the rows that no other goes before, of which the dearest is used."""
    day = on.isoformat()

    def holds(row: Price) -> bool:
        return row.valid_from <= day <= (row.valid_until or day) and row.surface in {None, surface}

    theirs = [row for row in overlay if holds(row)]
    if theirs:
        return _newest(theirs)
    ours = [
        row
        for row in rows
        if holds(row)
        and row.basis != "claim"
        and (row.surface is not None or surface not in SELF_HOSTED)
    ]
    listed = [row for row in ours if row.basis == "list"]
    return _newest(listed or ours)


def _newest(rows: Sequence[Price]) -> Sequence[Price]:
    if not rows:
        return rows
    newest = max((row.valid_from, row.surface is not None) for row in rows)
    return [row for row in rows if (row.valid_from, row.surface is not None) == newest]


def _settle(equals: Sequence[Price]) -> Rate | None:
    if not equals:
        return None
    used = max(equals, key=unit_price)
    doubts: list[str] = []
    if len({(unit_price(row), row.currency) for row in equals}) > 1:
        sides = " and ".join(f"{row} ({row.source})" for row in equals)
        doubts.append(
            f"Sources disagree on {used.meter} of {used.model}: {sides}. The dearest was used; "
            f"put the price you are billed into the price overlay."
        )
    if used.basis != "list":
        doubts.append(
            f"{used.model} is priced here at {_INSTEAD[used.basis]} ({used.source}), not at "
            f"Microsoft's list price; put the price you are billed into the price overlay."
        )
    each = price_each(used.amount, per=used.per)
    return Rate(used, " ".join(doubts) or None, each)


def unit_price(row: Price) -> Fraction:
    """Return the money for one of the meter, exactly."""
    return Fraction(row.amount) / row.per
