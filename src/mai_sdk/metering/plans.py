"""Plans: capacity that is paid by the hour, whatever is called with it. No I/O.

Provisioned throughput (PTU) and GPUs of one's own are such plans. Calls that a plan covers cost
nothing by themselves; the plan does. Hours are counted in whole days, both ends included, in UTC.
"""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import Field, ValidationError, model_validator

from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.money import Money, from_nanodollars, nanodollars_of, read_money
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Plan", "read_plans"]

_COVERS: Final = ("models", "surfaces", "deployments")


class Plan(Value):
    """Capacity bought by the hour, as a `[[plans]]` table of the price overlay has it."""

    name: str = Field(min_length=1)
    hourly: Money
    """What one unit costs an hour."""
    units: Annotated[int, Field(strict=True, gt=0)] = 1
    """How many are paid for: PTUs, GPUs."""
    hours_a_day: Annotated[int, Field(strict=True, gt=0, le=24)] = 24
    """How many hours of each day are paid."""
    currency: str = "USD"
    valid_from: date
    """The first day that is paid."""
    valid_until: date | None = None
    """The last day; None while no end is known."""
    models: tuple[str, ...] = ()
    """What it covers; of an empty list, any."""
    surfaces: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    source: str = "the price overlay"
    checked: str = "not said"
    note: str | None = None

    @model_validator(mode="after")
    def _covers_something(self) -> Plan:
        if not any(getattr(self, name) for name in _COVERS):
            raise ValueError(f"a plan says what it covers: give {', '.join(_COVERS)}")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("it ends before it begins")
        return self

    def covers(self, *, model: str | None, surface: str, deployment: str | None, on: date) -> bool:
        """Whether a call is paid by this plan: it matches every list that is not empty."""
        return (
            self.holds(on)
            and _named(model, self.models)
            and _named(surface, self.surfaces)
            and _named(deployment, self.deployments)
        )

    def holds(self, on: date) -> bool:
        """Whether it is paid for on that day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def days(self, *, since: date | None = None, until: date) -> int:
        """Return how many days of the plan lie from `since` to before `until`."""
        first = self.valid_from if since is None else max(since, self.valid_from)
        end = until.toordinal()
        if self.valid_until is not None:
            end = min(end, self.valid_until.toordinal() + 1)
        return max(end - first.toordinal(), 0)

    def amount(self, *, days: int) -> Money:
        """Return what it costs for so many days."""
        each = nanodollars_of(self.hourly)
        return from_nanodollars(each * self.units * self.hours_a_day * days)

    def break_even(self, price: Money, *, per: int = 1) -> int | None:
        """Return from how many a day on the plan is the cheaper way; None if that is never.

        Args:
            price: What `per` of them cost by the list: calls, tokens, seconds.
            per: As a price row has it: 1,000,000 for a price per million tokens.
        """
        if not price:
            return None
        return math.ceil(Fraction(self.amount(days=1)) * per / Fraction(price))


def read_plans(rows: object, *, origin: str) -> Iterator[Plan]:
    """Yield the plans of an overlay's `[[plans]]` tables.

    Raises:
        ConfigurationError: One cannot be used; the message says which and why.
    """
    if not isinstance(rows, list | tuple):
        raise ConfigurationError(
            f"The plans of the {origin} are to be written as [[plans]] tables."
        )
    for number, row in enumerate(cast("list[Any]", rows), start=1):
        where = f"Plan {number} of the {origin}"
        if not isinstance(row, dict):
            raise ConfigurationError(f"{where} is no table.")
        fields = dict(cast("Mapping[str, Any]", row))
        try:
            if "hourly" in fields:
                fields["hourly"] = read_money(fields["hourly"])
            for name in _COVERS:
                if isinstance(fields.get(name), str):
                    fields[name] = (fields[name],)
            if "checked" in fields:
                fields["checked"] = str(fields["checked"])
            yield Plan(**fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            named = ".".join(map(str, first["loc"]))
            said = first["msg"].removeprefix("Value error, ")
            what = f"has no usable {named}" if named else "cannot be used"
            raise ConfigurationError(f"{where} {what}: {said}.") from None
        except ValueError as error:
            raise ConfigurationError(f"{where} cannot be used: {error}") from None


def _named(name: str | None, names: tuple[str, ...]) -> bool:
    return not names or (name is not None and name.casefold() in map(str.casefold, names))
