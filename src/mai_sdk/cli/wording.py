"""How a price, a usage and a cost are put into a few words. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.metering.money import write_money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.metering.cost import Cost, Price
    from mai_sdk.metering.usage import Usage

__all__ = ["brief_cost", "brief_usage", "price_words"]

_MARKS: Final = {"estimated": "~", "lower_bound": ">="}
_METERS: Final = {
    "input_tokens": "in",
    "cached_input_tokens": "cached in",
    "text_input_tokens": "text in",
    "image_input_tokens": "image in",
    "output_tokens": "out",
    "reasoning_tokens": "thoughts",
    "image_output_tokens": "image out",
    "images": "an image",
    "audio_seconds": "of audio",
    "characters": "of text",
}


def brief_usage(usage: Usage) -> str:
    """Return what was used: "11 in, 112 out", "63 s of audio", with what is not known as "?"."""
    parts: list[str] = []
    if usage.counts_in("tokens"):
        parts += [f"{_count(usage.input_tokens)} in", f"{_count(usage.output_tokens)} out"]
    if usage.images:
        parts.append(f"{usage.images:,} image{'' if usage.images == 1 else 's'}")
    if usage.audio_seconds:
        parts.append(f"{usage.audio_seconds:,} s of audio")
    if usage.characters:
        parts.append(f"{usage.characters:,} characters")
    return ", ".join(parts)


def _count(quantity: int | None) -> str:
    return "?" if quantity is None else f"{quantity:,}"


def brief_cost(cost: Cost) -> str:
    """Return a cost for a table's cell: "$0.0009", "~$0.0004", ">=$0.0001", "free", "?"."""
    if cost.status == "free":
        return "free"
    if cost.status == "unknown":
        return f">={_money(cost)}" if cost.at_least else "?"
    return _MARKS.get(cost.status, "") + _money(cost)


def price_words(prices: Iterable[Price]) -> str:
    """Return the prices of one model: "$2.00 in, $8.00 out per 1M tokens"."""
    by_unit: dict[str, list[str]] = {}
    for price in prices:
        money = write_money(price.amount, currency=price.currency)
        by_unit.setdefault(price.unit, []).append(
            f"{money} {_METERS.get(price.meter, price.meter)}"
        )
    return "; ".join(f"{', '.join(parts)} per {unit}" for unit, parts in by_unit.items())


def _money(cost: Cost) -> str:
    return write_money(cost.at_least, currency=cost.currency)
