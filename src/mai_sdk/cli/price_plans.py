"""`mai prices --plans`: what is paid by the hour, and from when on it is the cheaper way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import paragraph
from mai_sdk.cli.terminal import columns
from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.money import write_money
from mai_sdk.metering.usage import METERS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import date

    from mai_sdk.metering.plans import Plan
    from mai_sdk.metering.prices import PriceBook

__all__ = ["show_plans"]

_NONE = (
    "The price overlay has no plans. Write [[plans]] tables into the file MAI_PRICES names, with "
    "name, hourly, valid_from, and models, surfaces or deployments; docs/cost.md has an example."
)


def show_plans(book: PriceBook, args: argparse.Namespace, *, on: date) -> int:
    """Print each plan that holds on the day `on`, or JSON.

    Raises:
        ConfigurationError: The overlay has none.
    """
    if not book.plans:
        raise ConfigurationError(_NONE)
    plans = [plan for plan in book.plans if plan.holds(on)]
    if args.json:
        print(json.dumps([_as_json(plan, book, on) for plan in plans], indent=2))
    else:
        lines = [line for plan in plans for line in (*_text(plan, book, on), "")]
        print("\n".join(lines).rstrip() or f"No plan holds on {on}.")
    return OK


def _as_json(plan: Plan, book: PriceBook, on: date) -> dict[str, Any]:
    return {
        **plan.model_dump(mode="json"),
        "a_day": format(plan.amount(days=1), "f"),
        "break_even_a_day": [
            {"model": model, "meter": meter, "quantity": quantity, "unit": METERS[meter].unit}
            for model, meter, quantity in _break_even(plan, book, on)
        ],
    }


def _text(plan: Plan, book: PriceBook, on: date) -> Iterator[str]:
    width = columns()
    each, a_day = (
        write_money(amount, currency=plan.currency) for amount in (plan.hourly, plan.amount(days=1))
    )
    units = f" x {plan.units} units" if plan.units > 1 else ""
    until = f" until {plan.valid_until}" if plan.valid_until else ""
    yield plan.name
    covered = ", ".join((*plan.models, *plan.surfaces, *plan.deployments))
    hours = f"{plan.hours_a_day} hours = {a_day} a day"
    for line in (
        f"{each} an hour{units} x {hours}, from {plan.valid_from}{until}",
        f"covers {covered}",
        f"{plan.source}; checked {plan.checked}",
        plan.note or "",
        *(
            f"cheaper than the list from {quantity:,} {meter} a day of {model}"
            for model, meter, quantity in _break_even(plan, book, on)
        ),
    ):
        if line:
            yield paragraph(line, width=width, indent="  ", hanging="    ")


def _break_even(plan: Plan, book: PriceBook, on: date) -> Iterator[tuple[str, str, int]]:
    """Yield model, meter and how much of it, if nothing else were used, costs as much a day."""
    for model in plan.models:
        for price in book.used(model, surface=next(iter(plan.surfaces), "foundry"), on=on):
            quantity = plan.break_even(price.amount, per=price.per)
            if quantity is not None and price.currency == plan.currency:
                yield model, price.meter, quantity
