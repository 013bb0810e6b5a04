"""The rules of FOCUS hold a good row and complain of each broken one."""

from __future__ import annotations

import pytest

from mai_sdk.metering.focus_rules import problems

GOOD = {
    "BilledCost": "0.002",
    "BillingAccountId": "a",
    "BillingAccountName": "",
    "BillingAccountType": "Label",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2026-11-22T12:00:03Z",
    "ChargePeriodStart": "2026-11-22T12:00:00Z",
    "ConsumedQuantity": "1000",
    "ConsumedUnit": "Tokens",
    "ContractedCost": "0.002",
    "ContractedUnitPrice": "2.00",
    "EffectiveCost": "0.002",
    "InvoiceIssuerName": "Microsoft",
    "ListCost": "0.002",
    "ListUnitPrice": "2.00",
    "PricingCategory": "Standard",
    "PricingCurrency": "USD",
    "PricingCurrencyEffectiveCost": "0.002",
    "PricingQuantity": "0.001",
    "PricingUnit": "1000000 Tokens",
    "ProviderName": "Microsoft",
    "PublisherName": "Microsoft",
    "ResourceId": "r",
    "ResourceName": "r",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Microsoft Foundry",
    "ServiceSubcategory": "Generative AI",
    "SkuId": "s",
    "SkuPriceDetails": '{"x_Basis":"list"}',
    "SkuPriceId": "p",
    "Tags": '{"team":"a"}',
    "x_Ours": "anything",
}


def said(header=None, **change):
    return list(problems(header or list(GOOD), [GOOD | change]))


def test_a_good_row_breaks_no_rule():
    assert said() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"BilledCost": ""}, "BilledCost is missing"),
        ({"BilledCost": "1e-3"}, "not a plain decimal"),
        ({"BilledCost": "NaN"}, "not a plain decimal"),
        ({"EffectiveCost": "Infinity"}, "not a plain decimal"),
        ({"ListCost": "0,002"}, "not a plain decimal"),
        ({"BilledCost": "-0.002"}, "negative"),
        ({"BillingAccountId": ""}, "BillingAccountId is missing"),
        ({"BillingCurrency": "$"}, "ISO 4217"),
        ({"BillingPeriodStart": "2026-11-02T00:00:00Z"}, "not the first moment of a month"),
        ({"BillingPeriodEnd": "2026-11-30T23:59:59Z"}, "not the first moment of a month"),
        ({"ChargePeriodStart": "2026-10-31T23:59:59Z"}, "within its billing period"),
        ({"ChargePeriodEnd": "2026-11-22T12:00:00Z"}, "not after"),
        ({"ChargePeriodStart": "2026-11-22 12:00:00"}, "moment in UTC"),
        ({"ChargePeriodStart": "2026-11-31T12:00:00Z"}, "no date there is"),
        ({"ChargeCategory": "usage"}, "none of Usage"),
        ({"ChargeClass": "Regular"}, "none of Correction"),
        ({"ChargeFrequency": ""}, "ChargeFrequency is missing"),
        ({"ConsumedUnit": ""}, "together or not at all"),
        ({"ConsumedUnit": "tokens"}, "not a unit"),
        ({"PricingUnit": "1M Tokens"}, "not a unit"),
        ({"PricingQuantity": "0.01"}, "ListUnitPrice times PricingQuantity is not ListCost"),
        ({"ContractedUnitPrice": "3"}, "is not ContractedCost"),
        ({"PricingCategory": "On-Demand"}, "none of Standard"),
        ({"PricingCurrencyEffectiveCost": "0.003"}, "though the currency is the same"),
        ({"ServiceCategory": "AI"}, "ServiceCategory is none of"),
        ({"SkuId": ""}, "SkuPriceId is there without SkuId"),
        ({"SkuPriceId": ""}, "ListUnitPrice is there without SkuPriceId"),
        ({"SkuPriceDetails": "{"}, "not JSON"),
        ({"Tags": "[]"}, "not a JSON object"),
        ({"ResourceId": ""}, "ResourceName is there without ResourceId"),
        ({"ProviderName": "  "}, "only space"),
    ],
)
def test_each_broken_rule_is_named(change, words):
    (sentence, *_) = said(**change)
    assert words in sentence
    assert sentence.startswith("Row 1: ")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ([name for name in GOOD if name != "ListCost"], "The column ListCost is missing."),
        ([*GOOD, "Model"], "no column Model"),
        ([*GOOD, "RegionId"], "RegionId comes after one of your own"),
        ([*GOOD, "x_Ours"], "x_Ours is there twice"),
    ],
)
def test_a_header_needs_its_columns_in_the_right_place(header, words):
    assert any(words in sentence for sentence in said(header=header))
