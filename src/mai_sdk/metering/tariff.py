"""What a usage costs at the rates of one model, on one surface and one day. No I/O.

A part with its own price (cached input) is billed at it, and what is left of the whole at the
price of the whole; a part without one (reasoning) is billed inside the whole, never twice. Some
work is counted in more than one unit (a picture is tokens too): it is billed in those that have a
price, and the others are other words for the same. What is not known is never 0: a quantity or a
price that is missing makes the cost unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from mai_sdk.metering.cost import Cost, CostLine, CostStatus, join_reasons, weakest
from mai_sdk.metering.money import ZERO, add_money
from mai_sdk.metering.rates import SELF_HOSTED, Rate, unit_price
from mai_sdk.metering.usage import METERS, Basis, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = ["Tariff"]

_PARTS: Final = {
    whole: tuple(part.name for part in METERS.values() if part.part_of == whole)
    for whole, meter in METERS.items()
    if meter.part_of is None
}

_OF_BASIS: Final[dict[Basis, tuple[CostStatus, str]]] = {
    "estimated": (
        "estimated",
        "The service did not say what was used, so the quantities are our estimate.",
    ),
    "lower_bound": (
        "lower_bound",
        "The quantities are only what was seen to be used; the service may bill more.",
    ),
    "unknown": ("unknown", "It is not known what was used, so it is not known what it cost."),
}

_CHARACTERS: Final[tuple[CostStatus, str]] = (
    "estimated",
    "The service reports no characters, so they are counted here by its published rule.",
)


_Doubt: TypeAlias = tuple[CostStatus, str]
"""What a cost can be at best, and why."""


class Tariff:
    """The rates of one model on one surface on one day. Made once, used for every call."""

    __slots__ = (
        "_mixed",
        "_units",
        "_wholes",
        "currency",
        "day",
        "model",
        "rates",
        "spans",
        "surface",
    )

    def __init__(
        self,
        model: str,
        *,
        surface: str,
        on: date,
        rates: Mapping[str, Rate],
        spans: Mapping[str, str],
    ) -> None:
        self.model = model
        self.surface = surface
        self.day = on
        self.rates = rates
        """The meters that have a price."""
        self.spans = spans
        """For a meter with rows, when they hold: "until 2026-02-27"."""
        currencies = sorted({rate.price.currency for rate in rates.values()})
        self._mixed = " and ".join(currencies) if len(currencies) > 1 else None
        self.currency = currencies[0] if currencies else "USD"
        self._units = frozenset(METERS[meter].unit for meter in rates)
        self._wholes = tuple(  # with those parts that may change a cost
            (whole, tuple(p for p in parts if p in rates or METERS[p].billed_apart))
            for whole, parts in _PARTS.items()
            if METERS[whole].unit in self._units
        )

    def cost(self, usage: Usage) -> Cost:
        """Return what `usage` costs."""
        if self._mixed or not (self.rates or usage.used_nothing):
            return self._no_cost(usage)
        lines: list[CostLine] = []
        doubts: list[_Doubt] = []
        if usage.basis != "reported":
            doubts.append(_doubt_of(usage))
        known, rates = vars(usage).get, self.rates
        for whole, parts in self._wholes:
            quantity = known(whole)
            left = quantity or 0
            for part in parts:
                used = known(part)
                if part not in rates:
                    if used and whole in rates:
                        doubts.append(("estimated", self._like_the_rest(part, whole)))
                elif used:
                    self._charge(lines, doubts, part, used)
                    left -= used
                elif used is None and quantity:
                    doubts.append(("estimated", _full_rate(part)))
            if left > 0:
                meter = whole if whole in rates else self._whose(left, whole, parts, usage)
                self._charge(lines, doubts, meter, left)
            elif left < 0 and quantity is not None:
                doubts.append(("estimated", f"More than all of {whole} was reported as its parts."))
            if quantity is None:
                doubts.append(("unknown", f"The service did not report {whole}."))
        return self._total(lines, doubts)

    def upper_bound(self, usage: Usage) -> Cost:
        """Return the most that `usage` can cost: nothing cached, all of it the dearest part.

        A whole that is None has no bound, and the cost is then unknown.
        """
        if self._mixed or not self.rates:
            return self._no_cost(usage)
        lines: list[CostLine] = []
        doubts: list[_Doubt] = [
            ("estimated", "This is the most the call can cost, not what it will.")
        ]
        for whole, _ in self._wholes:
            quantity = usage.known(whole)
            if quantity is None:
                doubts.append(("unknown", f"Nothing limits its {whole.replace('_', ' ')}."))
            elif quantity:
                self._charge(lines, doubts, self._dearest(whole), quantity)
        return self._total(lines, doubts)

    def _dearest(self, whole: str) -> str:
        priced = [meter for meter in (whole, *_PARTS[whole]) if meter in self.rates]
        return max(priced, key=lambda meter: unit_price(self.rates[meter].price), default=whole)

    def _charge(
        self, lines: list[CostLine], doubts: list[_Doubt], meter: str, quantity: int
    ) -> None:
        rate = self.rates.get(meter)
        if rate is None:
            doubts.append(("unknown", self._missing(meter)))
            lines.append(CostLine.of(meter, quantity=quantity, price=None))
            return
        if rate.doubt:
            doubts.append(("estimated", rate.doubt))
        lines.append(CostLine.of(meter, quantity=quantity, price=rate.price, each=rate.each))

    def _whose(self, left: int, whole: str, parts: tuple[str, ...], usage: Usage) -> str:
        """Return the meter of what priced parts leave: one part without a price, or the rest."""
        unpriced = (part for part in parts if part not in self.rates and usage.known(part) == left)
        return next(unpriced, whole)

    def _total(self, lines: list[CostLine], doubts: list[_Doubt]) -> Cost:
        status: CostStatus = "exact"
        reason: str | None = None
        if doubts:
            status = weakest(["exact", *(status for status, _ in doubts)])
            reason = join_reasons(reason for _, reason in doubts)
        unknown = status == "unknown"
        return Cost.trusted(
            amount=None if unknown else add_money([line.amount or ZERO for line in lines]),
            currency=self.currency,
            status=status,
            reason=reason,
            lines=tuple(lines),
            known=None,
        )

    def _no_cost(self, usage: Usage) -> Cost:
        lines = tuple(
            CostLine.of(meter, quantity=quantity, price=None)
            for meter, quantity in usage.meters().items()
            if quantity and METERS[meter].part_of is None
        )
        reason = self._missing(lines[0].meter if lines else "input_tokens")
        if self._mixed:
            reason = (
                f"The prices of {self.model} are in {self._mixed} and cannot be added: give all "
                f"of them in one currency in the price overlay."
            )
        return Cost.unknown(reason, lines=lines)

    def _like_the_rest(self, part: str, whole: str) -> str:
        return (
            f"No price is known for {part} of {self.model}, so they are priced like the rest of "
            f"{whole}: {self._how_to_add(part)}"
        )

    def _missing(self, meter: str) -> str:
        """Return the sentence that says there is no price for `meter`, and how to give one."""
        if self.surface in SELF_HOSTED:
            return (
                f"{self.model} is self-hosted ({self.surface}), so there is no bill per token: to "
                f"have it reckoned, {self._how_to_add(meter)}"
            )
        span = self.spans.get(meter)
        when = f" on {self.day.isoformat()} (one is known {span})" if span else ""
        return (
            f"No price is known for {meter} of {self.model} on {self.surface}{when}: "
            f"{self._how_to_add(meter)}"
        )

    def _how_to_add(self, meter: str) -> str:
        unit = METERS[meter].unit
        per = f"1M {unit}" if unit in {"tokens", "characters"} else f"1 {unit.removesuffix('s')}"
        return f'add a [[prices]] row for {meter} with its price per "{per}" to the price overlay.'


def _doubt_of(usage: Usage) -> _Doubt:
    counted = usage.basis == "estimated" and usage.characters is not None
    return _CHARACTERS if counted else _OF_BASIS[usage.basis]


def _full_rate(part: str) -> str:
    return (
        f"The service did not report {part}, so all is priced at the full rate and the cost may "
        f"be lower."
    )
