"""What a call cost: an amount, how sure it is, and the price rows it was reckoned with."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from mai_sdk.value import Value

__all__ = ["Cost", "CostLine", "CostStatus", "Price"]

CostStatus = Literal["free", "exact", "estimated", "lower_bound", "unknown"]
"""From surest to weakest. A sum is as weak as its weakest part."""


class Price(Value):
    """One dated price row, as `prices.toml` or the user's overlay has it."""

    model: str
    meter: str
    amount: Decimal
    """Money for `per` units of the meter."""
    per: int
    currency: str = "USD"
    surface: str | None = None
    """The only surface it holds on; None for all."""
    valid_from: str
    source: str
    checked: str
    basis: Literal["list", "other_channel", "claim"] = "list"
    """"list" is what Microsoft asks for this model on this surface and gives an exact cost;
    anything else gives an estimated one."""
    note: str | None = None


class CostLine(Value):
    """One meter of one call, priced."""

    meter: str
    quantity: int | Decimal
    amount: Decimal | None
    """None where no price is known for this meter."""
    price: Price | None


class Cost(Value):
    """What it cost."""

    amount: Decimal | None
    """Money, exact to the nano-dollar; None where any billed meter has no known price."""
    currency: str = "USD"
    status: CostStatus
    reason: str | None = None
    """Why the status is not "exact", in a sentence that says what would make it so."""
    lines: tuple[CostLine, ...] = ()
