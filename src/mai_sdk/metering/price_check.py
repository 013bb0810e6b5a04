"""How our price rows compare with what the Azure Retail Prices API lists. No I/O.

Nothing is changed by it: `Comparison.overlay` is text to be looked at, and put into the price
overlay by whoever believes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from mai_sdk.metering.cost import Price
from mai_sdk.metering.money import price_of, write_plain
from mai_sdk.metering.rates import SELF_HOSTED, unit_price
from mai_sdk.metering.retail import Place, RetailItem, place_of
from mai_sdk.metering.standing import listed
from mai_sdk.metering.usage import METERS
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from mai_sdk.metering.prices import PriceBook

__all__ = ["Compared", "Comparison", "Offer", "Unplaced", "compare"]

_IN_UNITS: Final = {
    "tokens": ("1M tokens", 1_000_000),
    "characters": ("1M characters", 1_000_000),
    "seconds": ("1 hour", 3600),
    "images": ("1 image", 1),
}
_FAMILY: Final = "mai"


class Offer(Value):
    """What the API asks for one meter of one model, in the unit our rows have."""

    price: Price
    item: RetailItem


class Compared(Value):
    """One meter of one model, on both sides."""

    model: str
    meter: str
    ours: tuple[Price, ...]
    """The rows that are used on that day; none where only the API has a price."""
    theirs: tuple[Offer, ...]
    """Of several prices, the dearest first."""


class Unplaced(Value):
    """An item that may be about an MAI model, and why it was not compared."""

    item: RetailItem
    reason: str


class Comparison(Value):
    """Both sides, side by side."""

    agree: tuple[Compared, ...] = ()
    differ: tuple[Compared, ...] = ()
    only_there: tuple[Compared, ...] = ()
    only_here: tuple[Price, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()

    @property
    def overlay(self) -> str:
        """The `[[prices]]` tables that would make what differs agree, the dearest where several."""
        return "\n".join(_table(each.theirs[0].price) for each in (*self.differ, *self.only_there))


def compare(
    book: PriceBook, items: Iterable[RetailItem], *, on: date, model: str | None = None
) -> Comparison:
    """Return how the rows used on the day `on` compare with the API's items.

    Rows of self-hosted surfaces are left out: Azure sells none of that. Where the API has prices
    for deployments without a region, those of regions are not looked at. Where it says several for
    one meter, each has to be one of ours for both to agree.
    """
    meters: dict[str, set[str]] = {}
    used: dict[tuple[str, str], list[Price]] = {}
    for row in listed(book, on=on):
        price = row.price
        meters.setdefault(price.model, set()).add(price.meter)
        if row.standing == "used" and price.surface not in SELF_HOSTED:
            used.setdefault((price.model, price.meter), []).append(price)
    found, unplaced = _sorted(items, meters, on)
    wanted = None if model is None else model.casefold()
    agree: list[Compared] = []
    differ: list[Compared] = []
    only_there: list[Compared] = []
    for (name, meter), offers in sorted(found.items()):
        if wanted in {None, name.casefold()}:
            ours = tuple(used.get((name, meter), ()))
            one = Compared(model=name, meter=meter, ours=ours, theirs=_present(offers))
            into = only_there if not ours else agree if _agrees(one) else differ
            into.append(one)
    return Comparison(
        agree=tuple(agree),
        differ=tuple(differ),
        only_there=tuple(only_there),
        only_here=tuple(
            row
            for place, rows in used.items()
            if place not in found and wanted in {None, place[0].casefold()}
            for row in rows
        ),
        unplaced=tuple(unplaced),
    )


def _sorted(
    items: Iterable[RetailItem], meters: dict[str, set[str]], on: date
) -> tuple[dict[tuple[str, str], list[Offer]], list[Unplaced]]:
    found: dict[tuple[str, str], list[Offer]] = {}
    unplaced: list[Unplaced] = []
    for item in items:
        if item.since > on.isoformat():
            continue
        place = place_of(item, meters=meters)
        if isinstance(place, Place):
            offer = Offer(price=_price(item, place, on), item=item)
            found.setdefault((place.model, place.meter), []).append(offer)
        elif _FAMILY in item.name.casefold().replace("-", " ").split():
            unplaced.append(Unplaced(item=item, reason=place))
    return found, unplaced


def _present(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return one offer for each price that counts, the dearest first."""
    chosen = [offer for offer in offers if offer.item.is_global] or list(offers)
    newest: dict[str, Offer] = {}
    for offer in sorted(chosen, key=lambda offer: offer.item.since):
        newest[f"{offer.item.name} {offer.item.region}"] = offer
    prices = {(unit_price(o.price), o.price.currency): o for o in newest.values()}
    return tuple(sorted(prices.values(), key=lambda offer: unit_price(offer.price), reverse=True))


def _agrees(one: Compared) -> bool:
    ours = {(unit_price(row), row.currency) for row in one.ours}
    return {(unit_price(offer.price), offer.price.currency) for offer in one.theirs} <= ours


def _price(item: RetailItem, place: Place, on: date) -> Price:
    unit, per = _IN_UNITS[METERS[place.meter].unit]
    region = f", {item.region}" if item.region else ""
    return Price(
        model=place.model,
        meter=place.meter,
        amount=price_of(per, amount=item.amount, per=place.per),
        per=per,
        unit=unit,
        currency=item.currency,
        valid_from=item.since or on.isoformat(),
        source=f"Azure Retail Prices API: {item.meter or item.sku}{region}",
        checked=on.isoformat(),
    )


def _table(price: Price) -> str:
    fields = {
        "model": price.model,
        "meter": price.meter,
        "price": write_plain(price.amount),
        "unit": price.unit,
        "valid_from": price.valid_from,
        "source": price.source,
        "checked": price.checked,
    }
    if price.currency != "USD":
        fields["currency"] = price.currency
    lines = (f"{name} = {json.dumps(text, ensure_ascii=False)}" for name, text in fields.items())
    return "\n".join(["[[prices]]", *lines, ""])
