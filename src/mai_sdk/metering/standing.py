"""Which price rows are used on a day, which are not and why, and which disagree. No I/O.

The rules themselves are in `rates`: this file asks them about each row. A row for all surfaces is
looked at where no row for just one surface holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mai_sdk.metering.cost import Price
from mai_sdk.metering.rates import rivals, unit_price
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from mai_sdk.metering.prices import PriceBook

__all__ = ["Listed", "Standing", "listed"]

Standing = Literal["used", "overruled", "claim", "ended", "later"]
"""used: calls are priced with it. overruled: another row goes before it. claim: kept and shown,
never used. ended, later: it does not hold on that day."""


class Listed(Value):
    """A price row, and what becomes of it on a day."""

    price: Price
    is_overlay: bool
    """Whether it is the user's own."""
    standing: Standing
    disagrees_with: tuple[Price, ...] = ()
    """Rows as good as this one that say another price: the dearest of all is used."""


def listed(book: PriceBook, *, on: date, model: str | None = None) -> tuple[Listed, ...]:
    """Return every row with its standing on the day `on`, the overlay's first."""
    return tuple(
        _listed(row, book, on=on, is_overlay=rows is book.overlay)
        for rows in (book.overlay, book.packaged)
        for row in rows
        if model is None or row.model.casefold() == model.casefold()
    )


def _listed(row: Price, book: PriceBook, *, on: date, is_overlay: bool) -> Listed:
    day = on.isoformat()
    standing: Standing = "overruled"
    against: tuple[Price, ...] = ()
    if day < row.valid_from:
        standing = "later"
    elif day > (row.valid_until or day):
        standing = "ended"
    elif row.basis == "claim" and not is_overlay:
        standing = "claim"
    else:
        best = rivals(
            _alike(book.packaged, row),
            overlay=_alike(book.overlay, row),
            surface=row.surface or "",
            on=on,
        )
        if any(each is row for each in best):
            mine = (unit_price(row), row.currency)
            against = tuple(each for each in best if (unit_price(each), each.currency) != mine)
            if max(best, key=unit_price) is row:
                standing = "used"
    return Listed(price=row, is_overlay=is_overlay, standing=standing, disagrees_with=against)


def _alike(rows: Iterable[Price], row: Price) -> list[Price]:
    model = row.model.casefold()
    return [each for each in rows if each.meter == row.meter and each.model.casefold() == model]
