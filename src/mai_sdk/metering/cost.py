"""What a call cost: an amount, how sure it is, and the price rows it was reckoned with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from mai_sdk.metering.money import (
    ZERO,
    Money,
    add_money,
    multiple_of,
    nanodollars_of,
    price_of,
    write_money,
)
from mai_sdk.metering.usage import Quantity
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ALWAYS",
    "Cost",
    "CostLine",
    "CostStatus",
    "Price",
    "PriceBasis",
    "join_reasons",
    "weakest",
]

CostStatus = Literal["free", "exact", "estimated", "lower_bound", "unknown"]
"""From surest to weakest. A sum is as weak as its weakest part."""

ALWAYS: Final = "0001-01-01"
"""The first day of a price that is not said to have one."""

PriceBasis = Literal["list", "other_channel", "claim"]

_WEAKEST_FIRST: Final[tuple[CostStatus, ...]] = (
    "unknown",
    "lower_bound",
    "estimated",
    "exact",
    "free",
)


def weakest(statuses: Iterable[CostStatus]) -> CostStatus:
    """Return the least sure of `statuses`; of none, "free"."""
    found: set[CostStatus] = set(statuses)
    for status in _WEAKEST_FIRST:
        if status in found:
            return status
    return "free"


class Price(Value):
    """One dated price row, as `prices.toml` or the user's overlay has it."""

    model: str
    meter: str
    amount: Money
    """Money for `per` units of the meter."""
    per: Annotated[int, Field(strict=True, gt=0)]
    currency: str = "USD"
    surface: str | None = None
    """The only surface it holds on; None for all that are not self-hosted."""
    valid_from: str
    """The first day it holds, as 2026-06-02."""
    valid_until: str | None = None
    """The last day it holds; None while no end is known."""
    source: str
    checked: str
    """The day the source was last read."""
    basis: PriceBasis = "list"
    """"list" is what Microsoft asks for this model on this surface and gives an exact cost;
    anything else gives an estimated one."""
    note: str | None = None
    unit: str = ""
    """`per` as the row words it: "1M tokens", "1 hour"."""

    def __str__(self) -> str:
        amount = write_money(self.amount, currency=self.currency)
        return f"{amount} per {self.unit or f'{self.per:,}'}"


class CostLine(Value):
    """One meter of one call, priced."""

    meter: str
    quantity: Annotated[Quantity | Decimal, Field(union_mode="left_to_right")]
    amount: Money | None
    """None where no price is known for this meter."""
    price: Price | None

    @classmethod
    def of(
        cls, meter: str, *, quantity: int, price: Price | None, each: Decimal | None = None
    ) -> CostLine:
        """Return `quantity` of `meter` at `price`, rounded here and nowhere after.

        `each`, if known, is the price of one as `price_each` gives it.
        """
        amount = None
        if each is not None and quantity.__class__ is int:
            amount = multiple_of(each, quantity)
        elif price is not None:
            amount = price_of(quantity, amount=price.amount, per=price.per)
        return cls.trusted(meter=meter, quantity=quantity, amount=amount, price=price)


class Cost(Value):
    """What it cost."""

    amount: Money | None
    """Money, exact to the nano-dollar; None where any billed meter has no known price."""
    currency: str = "USD"
    status: CostStatus
    reason: str | None = None
    """Why the status is not "exact", in a sentence that says what would make it so."""
    lines: tuple[CostLine, ...] = ()
    known: Money | None = None
    """For an unknown sum: what its known parts come to, where the lines do not say it."""

    @model_validator(mode="after")
    def _only_unknown_has_no_amount(self) -> Cost:
        if (self.amount is None) != (self.status == "unknown"):
            raise ValueError(
                f'A cost has no amount exactly when its status is "unknown", but this one is '
                f'"{self.status}" with amount {self.amount}.'
            )
        return self

    @classmethod
    def unknown(
        cls, reason: str, *, currency: str = "USD", lines: tuple[CostLine, ...] = ()
    ) -> Cost:
        """Return a cost nobody knows; `reason` says what would make it known."""
        return cls(amount=None, currency=currency, status="unknown", reason=reason, lines=lines)

    @classmethod
    def free(cls, reason: str, *, currency: str = "USD") -> Cost:
        """Return a cost of nothing; `reason` says why nothing is owed."""
        return cls(amount=ZERO, currency=currency, status="free", reason=reason)

    @classmethod
    def sum(cls, costs: Iterable[Cost]) -> Cost:
        """Return all of `costs` together; of none, nothing, free.

        The status is the weakest, with the reasons of the parts that have it. One unknown part
        makes the amount None; `at_least` still has the rest. Lines of the same meter at the same
        price become one. A part without money (free, or wholly unknown) has no say in the
        currency.

        Raises:
            ValueError: The parts are in different currencies.
        """
        parts = tuple(costs)
        if len(parts) == 1:
            return parts[0]
        status = weakest(part.status for part in parts)
        reasons = (part.reason for part in parts if part.status == status)
        known = add_money(part.at_least for part in parts)
        return cls(
            amount=None if status == "unknown" else known,
            currency=_shared_currency(parts),
            status=status,
            reason=join_reasons(reasons),
            lines=_merge(line for part in parts for line in part.lines),
            known=known if status == "unknown" else None,
        )

    def __add__(self, other: Cost) -> Cost:
        """Return both together, as `sum` does."""
        return Cost.sum((self, other))

    @property
    def at_least(self) -> Decimal:
        """All that is known: the amount, or what the known parts of an unknown one come to.

        As sure as `status` says: an estimated part may turn out lower.
        """
        if self.amount is not None:
            return self.amount
        if self.known is not None:
            return self.known
        return add_money(line.amount for line in self.lines if line.amount is not None)

    @property
    def nanodollars(self) -> int | None:
        """The amount as a whole number of billionths of the currency; None if unknown."""
        return None if self.amount is None else nanodollars_of(self.amount)

    @property
    def has_money(self) -> bool:
        """Whether any money is in it, so that its currency means something."""
        return bool(self.amount or self.known) or any(line.price for line in self.lines)

    def __str__(self) -> str:
        """Return it for a reader: "$0.000412", "~$0.0004 (estimated)", ">= $0.0001", "free"."""
        money = write_money(self.at_least, currency=self.currency)
        if self.status == "unknown":
            return f"unknown, >= {money}" if self.at_least else "unknown"
        return {
            "free": "free",
            "exact": money,
            "estimated": f"~{money} (estimated)",
            "lower_bound": f">= {money}",
        }[self.status]


def _shared_currency(costs: Sequence[Cost]) -> str:
    currencies = sorted({cost.currency for cost in costs if cost.has_money})
    if len(currencies) > 1:
        raise ValueError(
            f"Costs in {' and '.join(currencies)} cannot be added: add those of each currency by "
            f"themselves, or give all prices in one currency in the price overlay."
        )
    return currencies[0] if currencies else next((cost.currency for cost in costs), "USD")


def join_reasons(reasons: Iterable[str | None]) -> str | None:
    """Return the distinct `reasons`, one after the other; None if there are none."""
    text = ""
    for reason in reasons:
        if reason and reason not in text:
            text = f"{text} {reason}".lstrip()
    return text or None


def _merge(lines: Iterable[CostLine]) -> tuple[CostLine, ...]:
    alike: dict[tuple[str, Price | None], list[CostLine]] = {}
    for line in lines:
        alike.setdefault((line.meter, line.price), []).append(line)
    return tuple(group[0] if len(group) == 1 else _as_one(group) for group in alike.values())


def _as_one(lines: Sequence[CostLine]) -> CostLine:
    amounts = [line.amount for line in lines if line.amount is not None]
    return CostLine(
        meter=lines[0].meter,
        quantity=sum(line.quantity for line in lines),
        amount=add_money(amounts) if len(amounts) == len(lines) else None,
        price=lines[0].price,
    )
