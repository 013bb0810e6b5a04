"""The rules of FOCUS 1.2 for a file of usage: which columns it needs, and what each may hold.

Pure: rows of text in, sentences about what is wrong out. It holds for any file of the format, not
only for ours.

Source: focus.finops.org/focus-specification/v1-2, read 2026-11-22.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["problems"]

_DIGITS: Final = re.compile(r"-?\d+(\.\d+)?")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_UNIT: Final = re.compile(r"([1-9]\d* )?[A-Z][A-Za-z]*s(-[A-Z][A-Za-z]*s)?")
_NANO: Final = Decimal(1).scaleb(-9)


class _Rule(NamedTuple):
    check: Callable[[str], str | None]
    """What is wrong with a value; None if nothing is."""
    needed: bool = False
    """Whether the column must be in the file."""
    null: bool = True
    """Whether a value may be missing."""


def _text(value: str) -> str | None:
    return "is only space" if not value.strip() else None


def _number(value: str) -> str | None:
    return None if _DIGITS.fullmatch(value) else "is not a plain decimal number"


def _moment(value: str) -> str | None:
    if not _MOMENT.fullmatch(value):
        return "is not a moment in UTC, as 2026-11-25T12:00:00Z"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "is no date there is"
    return None


def _currency(value: str) -> str | None:
    return None if _CURRENCY.fullmatch(value) else "is not a code of ISO 4217"


def _unit(value: str) -> str | None:
    return None if _UNIT.fullmatch(value) else 'is not a unit, as "Tokens" or "1000000 Tokens"'


def _json(value: str) -> str | None:
    try:
        read: Any = json.loads(value)
    except ValueError:
        return "is not JSON"
    return None if isinstance(read, dict) else "is not a JSON object"


def _one_of(*words: str) -> Callable[[str], str | None]:
    return lambda value: None if value in words else f"is none of {', '.join(words)}"


_SERVICE_CATEGORIES: Final = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
    "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things",
    "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security",
    "Storage", "Web", "Other",
)  # fmt: skip
_COST: Final = _Rule(_number, needed=True, null=False)
_TIME: Final = _Rule(_moment, needed=True, null=False)
_NAME: Final = _Rule(_text, needed=True, null=False)
_RULES: Final[dict[str, _Rule]] = {
    "AvailabilityZone": _Rule(_text),
    "BilledCost": _COST,
    "BillingAccountId": _NAME,
    "BillingAccountName": _Rule(_text, needed=True),
    "BillingAccountType": _Rule(_text),
    "BillingCurrency": _Rule(_currency, needed=True, null=False),
    "BillingPeriodEnd": _TIME,
    "BillingPeriodStart": _TIME,
    "CapacityReservationId": _Rule(_text),
    "CapacityReservationStatus": _Rule(_one_of("Used", "Unused")),
    "ChargeCategory": _Rule(
        _one_of("Usage", "Purchase", "Tax", "Credit", "Adjustment"), needed=True, null=False
    ),
    "ChargeClass": _Rule(_one_of("Correction"), needed=True),
    "ChargeDescription": _Rule(_text, needed=True),
    "ChargeFrequency": _Rule(_one_of("One-Time", "Recurring", "Usage-Based"), null=False),
    "ChargePeriodEnd": _TIME,
    "ChargePeriodStart": _TIME,
    "CommitmentDiscountCategory": _Rule(_one_of("Spend", "Usage")),
    "CommitmentDiscountId": _Rule(_text),
    "CommitmentDiscountName": _Rule(_text),
    "CommitmentDiscountQuantity": _Rule(_number),
    "CommitmentDiscountStatus": _Rule(_one_of("Used", "Unused")),
    "CommitmentDiscountType": _Rule(_text),
    "CommitmentDiscountUnit": _Rule(_unit),
    "ConsumedQuantity": _Rule(_number),
    "ConsumedUnit": _Rule(_unit),
    "ContractedCost": _COST,
    "ContractedUnitPrice": _Rule(_number),
    "EffectiveCost": _COST,
    "InvoiceId": _Rule(_text),
    "InvoiceIssuerName": _NAME,
    "ListCost": _COST,
    "ListUnitPrice": _Rule(_number),
    "PricingCategory": _Rule(_one_of("Standard", "Dynamic", "Committed", "Other")),
    "PricingCurrency": _Rule(_currency),
    "PricingCurrencyContractedUnitPrice": _Rule(_number),
    "PricingCurrencyEffectiveCost": _Rule(_number),
    "PricingCurrencyListUnitPrice": _Rule(_number),
    "PricingQuantity": _Rule(_number, needed=True),
    "PricingUnit": _Rule(_unit, needed=True),
    "ProviderName": _NAME,
    "PublisherName": _NAME,
    "RegionId": _Rule(_text),
    "RegionName": _Rule(_text),
    "ResourceId": _Rule(_text),
    "ResourceName": _Rule(_text),
    "ResourceType": _Rule(_text),
    "ServiceCategory": _Rule(_one_of(*_SERVICE_CATEGORIES), needed=True, null=False),
    "ServiceName": _NAME,
    "ServiceSubcategory": _Rule(_text, null=False),
    "SkuId": _Rule(_text),
    "SkuMeter": _Rule(_text),
    "SkuPriceDetails": _Rule(_json),
    "SkuPriceId": _Rule(_text),
    "SubAccountId": _Rule(_text),
    "SubAccountName": _Rule(_text),
    "SubAccountType": _Rule(_text),
    "Tags": _Rule(_json),
}

_TOGETHER: Final = (
    ("ConsumedQuantity", "ConsumedUnit"),
    ("PricingQuantity", "PricingUnit"),
    ("BillingAccountType", "BillingAccountId"),
)
_NEEDS: Final = (
    ("ResourceName", "ResourceId"),
    ("ResourceType", "ResourceId"),
    ("SubAccountName", "SubAccountId"),
    ("RegionName", "RegionId"),
    ("ListUnitPrice", "SkuPriceId"),
    ("ContractedUnitPrice", "SkuPriceId"),
    ("SkuPriceDetails", "SkuPriceId"),
    ("SkuPriceId", "SkuId"),
)
"""The first may be there only with the second."""


def problems(header: Sequence[str], rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence for each rule a file breaks; "" in a row stands for null."""
    yield from _of_header(header)
    for number, row in enumerate(rows, 1):
        for sentence in _of_row(row):
            yield f"Row {number}: {sentence}"


def _of_header(header: Sequence[str]) -> Iterator[str]:
    for name, rule in _RULES.items():
        if rule.needed and name not in header:
            yield f"The column {name} is missing."
    own = False
    for place, name in enumerate(header):
        if name in header[:place]:
            yield f"The column {name} is there twice."
        if name.startswith("x_"):
            own = True
        elif name not in _RULES:
            yield f"FOCUS 1.2 has no column {name}; one of your own begins with x_."
        elif own:
            yield f"The column {name} comes after one of your own."


def _of_row(row: Mapping[str, str]) -> Iterator[str]:
    wrong = False
    for name, value in row.items():
        rule = _RULES.get(name)
        if rule is None:
            continue
        complaint = rule.check(value) if value else None if rule.null else "is missing"
        if complaint is not None:
            wrong = True
            yield f"{name} {complaint}: {value!r}."
    for one, other in _TOGETHER:
        if bool(row.get(one)) != bool(row.get(other)):
            yield f"{one} and {other} must be there together or not at all."
    for one, other in _NEEDS:
        if row.get(one) and not row.get(other):
            yield f"{one} is there without {other}."
    if not wrong:
        yield from _of_periods(row)
        yield from _of_money(row)


def _of_periods(row: Mapping[str, str]) -> Iterator[str]:
    keys = ("BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodEnd")
    if not all(row.get(key) for key in keys):
        return
    billing, start, end, billing_end = (datetime.fromisoformat(row[key]) for key in keys)
    if not start < end:
        yield "ChargePeriodEnd is not after ChargePeriodStart."
    if not billing <= start < billing_end:
        yield "The charge does not begin within its billing period."
    for name, when in ("BillingPeriodStart", billing), ("BillingPeriodEnd", billing_end):
        if (when.day, when.hour, when.minute, when.second) != (1, 0, 0, 0):
            yield f"{name} is not the first moment of a month."


def _of_money(row: Mapping[str, str]) -> Iterator[str]:
    if row.get("ChargeCategory") == "Usage" and row.get("ChargeClass") != "Correction":
        for name in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost"):
            if row.get(name, "").startswith("-"):
                yield f"{name} of usage is negative without being a correction."
    for each, total in ("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost"):
        if not (row.get(each) and row.get("PricingQuantity") and row.get(total)):
            continue
        try:
            product = Decimal(row[each]) * Decimal(row["PricingQuantity"])
        except InvalidOperation:  # more digits than the caller's context has room for
            continue
        if abs(product - Decimal(row[total])) > _NANO:
            yield f"{each} times PricingQuantity is not {total}."
    same = row.get("PricingCurrency") == row.get("BillingCurrency")
    if same and row.get("PricingCurrencyEffectiveCost", row["EffectiveCost"]) not in {
        "",
        row.get("EffectiveCost"),
    }:
        yield "PricingCurrencyEffectiveCost is not EffectiveCost, though the currency is the same."
