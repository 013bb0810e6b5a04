"""Items of the Azure Retail Prices API, and which model and meter each is about. No I/O.

What the API calls the meters of MAI models was never confirmed. So names are read tolerantly, by
their words, and what cannot be placed is kept with the reason.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mai_sdk.metering.money import Money, read_money
from mai_sdk.metering.usage import METERS
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["Place", "RetailItem", "place_of", "retail_items"]

_WORD: Final = re.compile(r"\d+(?:\.\d+)*|[a-z]+")
_UNIT: Final = re.compile(r"(\d+)\s*([KM]?)(?![A-Za-z])\s*/?\s*([A-Za-z]*)|(\d+)\s+([A-Za-z]+)")
_MANY: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_SECONDS: Final = {"hour": 3600, "minute": 60, "second": 1}
_VARIANTS: Final = frozenset(
    {"flash", "pro", "mini", "lite", "nano", "streaming", "turbo", "max", "realtime", "hd"}
)
"""Words that make another model of the name before them."""
_OTHER_DEALS: Final = frozenset(
    {"batch", "flex", "ft", "finetuned", "hosting", "priority", "provisioned", "ptu"}
    | {"reservation", "training", "tuning"}
)
_IN: Final = frozenset(["inp", "inpt", "input", "in", "prompt"])
_OUT: Final = frozenset(["outp", "outpt", "output", "out", "opt", "completion"])
_CACHED: Final = frozenset(["cached", "cchd", "cache", "cd"])
_KINDS: Final = {
    "image": frozenset(["img", "image", "images"]),
    "audio": frozenset(["aud", "audio"]),
    "text": frozenset(["txt", "text"]),
}
_LONGEST: Final = 200
_TOO_MUCH: Final = 10**9


class RetailItem(Value):
    """One price of the API, as far as it is used here."""

    product: str = ""
    sku: str = ""
    meter: str = ""
    unit: str = ""
    """`unitOfMeasure`: "1K", "1M", "1 Hour"."""
    amount: Money
    currency: str = "USD"
    region: str = ""
    kind: str = ""
    """`type`: "Consumption", "Reservation"."""
    is_tier: bool = False
    """Whether it is the price from some quantity on."""
    since: str = ""
    """The first day of the price, as 2026-09-01; empty if it does not say."""

    @property
    def name(self) -> str:
        """What the API calls it."""
        return " / ".join(part for part in (self.product, self.sku, self.meter) if part)

    @property
    def is_global(self) -> bool:
        """Whether it is for deployments without a region of their own."""
        return bool({"glbl", "global", "gl"} & set(_words(f"{self.sku} {self.meter}")))


class Place(NamedTuple):
    """Which model and meter an item prices, and for how much of it."""

    model: str
    meter: str
    per: int


def retail_items(page: Mapping[str, Any]) -> list[RetailItem]:
    """Return the items of one answer; those without a price that can be read are left out.

    Read the JSON with parse_float=Decimal, so that no digit is lost.

    Raises:
        ValueError: It is no answer of this API.
    """
    items: list[Any] | None = page.get("Items")
    if not isinstance(items, list):
        raise ValueError("it has no Items")  # noqa: TRY004 - said as the other faults are
    found = (_item(each) for each in items if isinstance(each, dict))
    return [item for item in found if item is not None]


def place_of(item: RetailItem, *, meters: Mapping[str, Collection[str]]) -> Place | str:
    """Return what the item prices, or the reason why that cannot be said.

    Args:
        item: Any of them.
        meters: The known models, and the meters each has a price row for.
    """
    if item.kind not in {"", "Consumption"}:
        return f"it is a price for {item.kind}, not for single calls"
    if not item.amount:
        return "its price is 0, which the list also says of what is not sold yet"
    if item.is_tier:
        return "it is the price from some quantity on"
    model = _model_of(item, meters)
    if model is None:
        return "it names no model that has a price row"
    own = set(_words(model))
    words = [word for word in _words(f"{item.sku} {item.meter}") if word not in own]
    if deal := next((word for word in words if word in _OTHER_DEALS), None):
        return f"it is another deal ({deal}), not the price of plain calls"
    unit = _unit_of(item.unit)
    if unit is None:
        return f"its unit {item.unit!r} is not known"
    many, noun = unit
    meter = _meter_of(frozenset(words), noun, meters[model])
    if meter is None:
        return "its name says no meter that is known"
    return Place(model, meter, many)


def _model_of(item: RetailItem, meters: Mapping[str, Collection[str]]) -> str | None:
    """Return the model with the longest name that is named; a further variant is none of ours."""
    best: tuple[int, str] | None = None
    for field in (item.meter, item.sku, item.product):
        words = _words(field)
        for model in meters:
            name = _words(model)
            at = _find(words, name)
            if at is None or (best is not None and len(name) <= best[0]):
                continue
            if set(words[at + len(name) : at + len(name) + 1]) & _VARIANTS:
                continue
            best = (len(name), model)
        if best is not None:
            return best[1]
    return None


def _meter_of(words: frozenset[str], noun: str, priced: Collection[str]) -> str | None:
    if noun in _SECONDS:
        return "audio_seconds"
    if noun in {"character", "char"} or words & {"character", "characters", "char", "chars"}:
        return "characters"
    into, out = bool(words & _IN), bool(words & _OUT)
    if into == out:  # neither, or both: only a model that is billed by one meter leaves no doubt
        only = next(iter(priced)) if len(priced) == 1 else None
        return only if only and METERS[only].part_of is None and noun != "token" else None
    side = "input" if into else "output"
    if into and words & _CACHED:
        return "cached_input_tokens"
    for kind, named in _KINDS.items():
        meter = f"{kind}_{side}_tokens"
        if words & named and meter in METERS:
            return meter
    for meter in (f"{side}_tokens", f"text_{side}_tokens", f"image_{side}_tokens"):
        if meter in priced:
            return meter
    return f"{side}_tokens"


def _unit_of(text: str) -> tuple[int, str] | None:
    """Return how many and of what: "1M Tokens" is (1000000, "token"), "1 Hour" (3600, "hour")."""
    found = _UNIT.search(text)
    if found is None:
        return None
    count, size, noun = int(found[1] or found[4]), found[2] or "", found[3] or found[5] or ""
    noun = noun.casefold().removesuffix("s")
    many = count * _MANY[size] * _SECONDS.get(noun, 1)
    return (many, noun) if many else None


def _item(row: Any) -> RetailItem | None:
    price = row.get("retailPrice", row.get("unitPrice"))
    try:
        amount = read_money(price)
    except ValueError:
        return None
    if not amount.is_finite() or not 0 <= amount < _TOO_MUCH:
        return None
    since = _text(row, "effectiveStartDate")[:10]
    return RetailItem(
        product=_text(row, "productName"),
        sku=_text(row, "skuName"),
        meter=_text(row, "meterName"),
        unit=_text(row, "unitOfMeasure"),
        amount=amount,
        currency=_text(row, "currencyCode") or "USD",
        region=_text(row, "armRegionName"),
        kind=_text(row, "type"),
        is_tier=bool(row.get("tierMinimumUnits")),
        since=since if _is_day(since) else "",
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text(row: Any, name: str) -> str:
    """Return a field without what could move a terminal's cursor."""
    text = str(row.get(name) or "")[:_LONGEST]
    return "".join(each for each in text if each.isprintable()).strip()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _find(words: Sequence[str], name: Sequence[str]) -> int | None:
    size = len(name)
    return next((at for at in range(len(words)) if list(words[at : at + size]) == name), None)
