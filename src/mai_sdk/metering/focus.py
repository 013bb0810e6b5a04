"""Entries as rows of FOCUS 1.2, the FinOps format for usage: one for each meter of each attempt.

What has no known price has no row, because FOCUS has no way to say "unknown" but 0, which would be
wrong: it is listed apart (`Unpriced`). The rows of a currency add up to what the ledger knows of
it, to the billionth. They are computed by us from dated prices: the shape of an invoice, not one.
No I/O.

Source: focus.finops.org/focus-specification/v1-2, read 2026-11-22.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from mai_sdk.metering.money import ZERO, add_money
from mai_sdk.metering.usage import METERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.metering.cost import Cost, CostLine
    from mai_sdk.metering.ledger import Entry

__all__ = ["COLUMNS", "UNPRICED_COLUMNS", "Account", "focus_rows", "unpriced_rows"]

COLUMNS: Final[tuple[str, ...]] = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType",
    "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
    "x_CallId", "x_Attempt", "x_RequestId", "x_SessionId", "x_Modality", "x_Surface", "x_Meter",
    "x_CostSource", "x_CostStatus", "x_PriceSource", "x_PriceCheckedOn", "x_IsPartial",
    "x_Interrupted", "x_Error",
)  # fmt: skip
"""In this order; those of our own come last, as FOCUS asks."""

UNPRICED_COLUMNS: Final[tuple[str, ...]] = (
    "call_id", "attempt", "session", "started_at", "model", "deployment", "surface", "modality",
    "meter", "quantity", "unit", "known_cost_of_attempt", "at_most", "currency", "reason", "tags",
)  # fmt: skip

_SERVICES: Final = {
    "speech": "Azure Speech",
    "realtime": "Azure Speech",
    "voice-live": "Azure Speech",
    "vllm": "vLLM",
}
_OTHER_SERVICE: Final = "Microsoft Foundry"
_SELF_HOSTED: Final = "Self-hosted"
_UNITS: Final = {
    "tokens": "Tokens",
    "images": "Images",
    "seconds": "Seconds",
    "spoken seconds": "Seconds",
    "characters": "Characters",
}
_LAST: Final = 253_402_300_799
"""The last second of the year 9999."""
_CUT: Final = frozenset({"Abandoned", "StreamTruncated", "CancelledError", "GeneratorExit"})
_DIVIDE: Final = Context(prec=30).divide


class Account(NamedTuple):
    """Whose bill it is: FOCUS wants an account on every row, and a ledger knows of none."""

    id: str = "mai_sdk"
    name: str = "Computed by mai_sdk from dated prices; not an invoice"


def focus_rows(entry: Entry, *, account: Account) -> Iterator[dict[str, str]]:
    """Yield a row for each meter of the attempt that has a price; "" stands for null."""
    cost = entry.counted
    if cost is None:
        return
    lines = [line for line in cost.lines if line.amount is not None]
    for line in lines:
        yield _row(entry, cost, line.amount or ZERO, account) | _priced(line, cost.currency)
    rest = cost.at_least - add_money(line.amount or ZERO for line in lines)
    if rest > 0:  # a sum that was written down without its meters
        yield _row(entry, cost, rest, account)


def unpriced_rows(entry: Entry) -> Iterator[dict[str, str]]:
    """Yield what of the attempt is in no row of FOCUS, because it is not known what it cost."""
    cost, bound = entry.counted, entry.upper_bound
    if cost is not None and cost.status != "unknown":
        return
    lines = () if cost is None else tuple(line for line in cost.lines if line.amount is None)
    call = entry.operation
    known = ZERO if cost is None else cost.at_least
    shared = {
        "call_id": call.call_id,
        "attempt": str(entry.number),
        "session": call.session or "",
        "started_at": _moment(math.floor(call.started_at)),
        "model": call.model or "",
        "deployment": call.deployment or "",
        "surface": call.surface,
        "modality": call.modality,
        "known_cost_of_attempt": format(known, "f"),
        "at_most": "" if bound is None or bound.amount is None else format(bound.amount, "f"),
        "currency": "USD" if cost is None else cost.currency,
        "reason": (cost.reason or "") if cost is not None else "The attempt was never settled.",
        "tags": _json(dict(call.tags)),
    }
    for line in lines:
        unit = METERS[line.meter].unit if line.meter in METERS else ""
        yield shared | {"meter": line.meter, "quantity": str(line.quantity), "unit": unit}
    if not lines:
        yield shared | {"meter": "", "quantity": "", "unit": ""}


def _row(entry: Entry, cost: Cost, amount: Decimal, account: Account) -> dict[str, str]:
    """Return all that does not depend on the meter."""
    call = entry.operation
    start = math.floor(entry.reserved_at)
    end = max(math.ceil(entry.settled_at or entry.reserved_at), start + 1)
    digits = format(amount, "f")
    ours = call.surface != "vllm"
    resource = call.deployment or ""
    return dict.fromkeys(COLUMNS, "") | {
        "BilledCost": digits,
        "BillingAccountId": account.id,
        "BillingAccountName": account.name,
        "BillingAccountType": "Label",
        "BillingCurrency": cost.currency,
        **_month(start),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{call.model or 'a model not named'}, {call.modality}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _moment(start),
        "ChargePeriodEnd": _moment(end),
        "ContractedCost": digits,
        "EffectiveCost": digits,
        "InvoiceIssuerName": "Microsoft" if ours else _SELF_HOSTED,
        "ListCost": digits,
        "PricingCategory": "Standard",
        "PricingCurrency": cost.currency,
        "PricingCurrencyEffectiveCost": digits,
        "ProviderName": "Microsoft" if ours else _SELF_HOSTED,
        "PublisherName": "Microsoft",
        "ResourceId": resource,
        "ResourceName": resource,
        "ResourceType": "Deployment" if resource else "",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": _SERVICES.get(call.surface, _OTHER_SERVICE),
        "ServiceSubcategory": "Generative AI",
        "SkuId": call.model or "",
        "Tags": _json(dict(call.tags)),
        "x_CallId": call.call_id,
        "x_Attempt": str(entry.number),
        "x_RequestId": entry.request_id or "",
        "x_SessionId": call.session or "",
        "x_Modality": call.modality,
        "x_Surface": call.surface,
        "x_CostSource": "local",
        "x_CostStatus": cost.status,
        "x_IsPartial": _truth(cost.status in {"lower_bound", "unknown"}),
        "x_Interrupted": _truth(entry.error in _CUT),
        "x_Error": entry.error or "",
    }


def _priced(line: CostLine, currency: str) -> dict[str, str]:
    """Return what the meter and its price add to the row."""
    unit = _UNITS.get(METERS[line.meter].unit, "Units") if line.meter in METERS else "Units"
    words = METER_WORDS.get(line.meter) or line.meter.replace("_", " ").title()
    row = {
        "SkuMeter": words,
        "x_Meter": line.meter,
        "ConsumedQuantity": str(line.quantity),
        "ConsumedUnit": unit,
    }
    price = line.price
    if price is None:
        return row
    each = format(price.amount, "f")
    return row | {
        "ChargeDescription": f"{price.model} {words}",
        "SkuId": price.model,
        "SkuPriceId": "/".join((price.model, price.meter, price.surface or "*", price.valid_from)),
        "SkuPriceDetails": _json(
            {
                "x_Basis": price.basis,
                "x_ValidFrom": price.valid_from,
                "x_ValidUntil": price.valid_until,
                "x_Unit": price.unit,
            }
        ),
        "ListUnitPrice": each,
        "ContractedUnitPrice": each,
        "PricingCurrencyListUnitPrice": each,
        "PricingCurrencyContractedUnitPrice": each,
        "PricingCurrency": price.currency or currency,
        "PricingQuantity": format(_DIVIDE(Decimal(line.quantity), price.per), "f"),
        "PricingUnit": unit if price.per == 1 else f"{price.per} {unit}",
        "x_PriceSource": price.source,
        "x_PriceCheckedOn": price.checked,
    }


METER_WORDS: Final = {
    "input_tokens": "Input Tokens",
    "cached_input_tokens": "Cached Input Tokens",
    "text_input_tokens": "Text Input Tokens",
    "image_input_tokens": "Image Input Tokens",
    "audio_input_tokens": "Audio Input Tokens",
    "output_tokens": "Output Tokens",
    "image_output_tokens": "Image Output Tokens",
    "audio_output_tokens": "Audio Output Tokens",
    "images": "Images",
    "audio_seconds": "Audio Input",
    "spoken_seconds": "Audio Output",
    "characters": "Characters",
}
"""Meters as FOCUS words them."""


def _month(seconds: int) -> dict[str, str]:
    first = datetime.fromtimestamp(seconds, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    following = (first + timedelta(days=32)).replace(day=1)
    return {
        "BillingPeriodStart": _moment(int(first.timestamp())),
        "BillingPeriodEnd": _moment(int(following.timestamp())),
    }


def _moment(seconds: int) -> str:
    """Return it as FOCUS writes it; a clock gone mad does not keep the others from their bill."""
    return datetime.fromtimestamp(min(seconds, _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _truth(value: bool) -> str:  # noqa: FBT001 - what it writes
    return "true" if value else "false"
