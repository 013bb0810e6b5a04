"""Our rows beside the price list's items, whatever it calls its meters.

The items have the shape the API documents; what it calls the meters of MAI models was not
confirmed, so the names are made after those it has for other models.
"""

import json
import tomllib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.metering.price_check import compare
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.retail import Place, place_of, retail_items

TODAY = date(2026, 11, 25)
BOOK = PriceBook.load()
METERS = {}
for row in BOOK.packaged:
    METERS.setdefault(row.model, set()).add(row.meter)


def item(meter, price, *, unit="1K", **fields):
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": Decimal(price),
        "unitPrice": Decimal(price),
        "armRegionName": "eastus2",
        "location": "US East 2",
        "effectiveStartDate": "2026-09-01T00:00:00Z",
        "meterId": "5f5e9f9c-0000-0000-0000-000000000000",
        "meterName": f"{meter} Tokens",
        "productId": "DZH318Z0XXXX",
        "skuId": "DZH318Z0XXXX/0001",
        "productName": "MAI Models",
        "skuName": meter,
        "serviceName": "Foundry Models",
        "serviceId": "DZH3180HX10K",
        "serviceFamily": "AI + Machine Learning",
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": meter,
        **fields,
    }


def items(*rows):
    return retail_items({"Items": list(rows), "NextPageLink": None, "Count": len(rows)})


def places(*rows):
    return [place_of(each, meters=METERS) for each in items(*rows)]


@pytest.mark.parametrize(
    ("name", "unit", "place"),
    [
        ("MAI-Thinking-1 Inp glbl", "1K", Place("MAI-Thinking-1", "input_tokens", 1000)),
        ("MAI Thinking 1 cchd Inp glbl", "1M", ("MAI-Thinking-1", "cached_input_tokens", 10**6)),
        ("mai-thinking-1 Outp DZ", "1K", ("MAI-Thinking-1", "output_tokens", 1000)),
        ("MAI-DS-R1 Out regnl", "1K", ("MAI-DS-R1", "output_tokens", 1000)),
        ("MAI-Code-1.1-Flash Input", "1M", ("MAI-Code-1.1-Flash", "input_tokens", 10**6)),
        (
            "MAI-Image-2.5 Flash Img Outp",
            "1K",
            ("MAI-Image-2.5-Flash", "image_output_tokens", 1000),
        ),
        ("MAI-Image-2.5 Img Inp", "1K", ("MAI-Image-2.5", "image_input_tokens", 1000)),
        ("MAI-Image-2.5 Inp", "1K", ("MAI-Image-2.5", "text_input_tokens", 1000)),
        ("MAI-Image-2.6 Outp", "1K", ("MAI-Image-2.6", "image_output_tokens", 1000)),
    ],
)
def test_names_are_read_by_their_words(name, unit, place):
    assert places(item(name, "0.1", unit=unit)) == [place]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"meterName": "MAI-Voice-2 Characters", "unitOfMeasure": "1M"}, ("characters", 10**6)),
        ({"meterName": "MAI-Voice-2.1-Flash", "unitOfMeasure": "1M"}, ("characters", 10**6)),
        ({"meterName": "MAI-Transcribe-2 Batchless", "unitOfMeasure": "1 Hour"}, None),
        ({"meterName": "MAI-Transcribe-2", "unitOfMeasure": "1 Hour"}, ("audio_seconds", 3600)),
        ({"meterName": "MAI-Transcribe-2", "unitOfMeasure": "1/Hour"}, ("audio_seconds", 3600)),
        ({"meterName": "MAI-Image-2.7-Flash Images", "unitOfMeasure": "100"}, ("images", 100)),
    ],
)
def test_seconds_characters_and_pictures_go_by_their_unit(fields, place):
    (found,) = places(item("", "1", skuName="", **fields))
    assert found[1:] == (place or ("audio_seconds", 3600))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (item("MAI-Thinking-1 Inp", "0"), "price is 0"),
        (item("MAI-Thinking-1 Inp", "1", type="Reservation"), "Reservation"),
        (item("MAI-Thinking-1 Inp", "1", tierMinimumUnits=Decimal(1000)), "some quantity"),
        (item("MAI-Thinking-1 Batch Inp", "1"), "another deal"),
        (item("MAI-Thinking-1 PTU", "1", unit="1/Hour"), "another deal"),
        (item("MAI-Thinking-1", "1"), "says no meter"),
        (item("MAI-Thinking-1 Inp", "1", unit="a lot"), "unit 'a lot'"),
        (item("MAI-Thinking-1 Pro Inp", "1"), "names no model"),
        (item("MAI-Thinking-2 Inp", "1"), "names no model"),
        (item("MAI-Image-2 Inp", "1"), "names no model"),
    ],
)
def test_what_cannot_be_placed_says_why(row, reason):
    (found,) = places(row)
    assert isinstance(found, str)
    assert reason in found
    (left,) = compare(BOOK, items(row), on=TODAY).unplaced
    assert left.reason == found


def test_rows_agree_across_units():
    found = compare(BOOK, items(item("MAI-Thinking-1 Inp glbl", "0.002")), on=TODAY)
    assert [(each.model, each.meter) for each in found.agree] == [
        ("MAI-Thinking-1", "input_tokens")
    ]
    assert (found.differ, found.only_there, found.unplaced, found.overlay) == ((), (), (), "")
    assert ("MAI-Thinking-1", "output_tokens") in {(r.model, r.meter) for r in found.only_here}


def test_a_price_that_differs_comes_with_the_rows_to_believe_it():
    found = compare(
        BOOK,
        items(
            item("MAI-Thinking-1 Outp glbl", "0.0075", skuName='Outp "glbl"\x1b[2J'),
            item("MAI-Cyber-1-Flash Img Inp", "0.001"),
        ),
        on=TODAY,
    )
    assert [each.meter for each in found.differ] == ["output_tokens"]
    assert [each.meter for each in found.only_there] == ["image_input_tokens"]
    assert "\x1b" not in found.overlay
    table = tomllib.loads(found.overlay)
    fixed = PriceBook.load(overlay=table)
    assert [str(row) for row in fixed.overlay] == ["$7.50 per 1M tokens", "$1.00 per 1M tokens"]
    assert fixed.overlay[0].valid_from == "2026-09-01"
    again = compare(fixed, items(item("MAI-Thinking-1 Outp glbl", "0.0075")), on=TODAY)
    assert [each.meter for each in again.agree] == ["output_tokens"]


def test_prices_of_regions_do_not_count_where_there_is_one_for_all():
    found = compare(
        BOOK,
        items(
            item("MAI-Thinking-1 Inp glbl", "0.002"),
            item("MAI-Thinking-1 Inp DZ", "0.0022"),
            item("MAI-Thinking-1 Outp DZ", "0.008"),
            item("MAI-Thinking-1 Outp regnl", "0.0088", armRegionName="swedencentral"),
        ),
        on=TODAY,
    )
    assert [each.meter for each in found.agree] == ["input_tokens"]
    (differs,) = found.differ
    assert [str(offer.price.amount) for offer in differs.theirs] == ["8.800000000", "8.000000000"]


def test_a_price_that_was_replaced_or_is_to_come_does_not_count():
    old = item("MAI-Thinking-1 Inp glbl", "0.004", effectiveStartDate="2026-08-12T00:00:00Z")
    new = item("MAI-Thinking-1 Inp glbl", "0.002")
    later = item("MAI-Thinking-1 Inp glbl", "0.001", effectiveStartDate="2027-01-01T00:00:00Z")
    found = compare(BOOK, items(later, new, old), on=TODAY)
    assert (len(found.agree), found.differ) == (1, ())


def test_one_side_of_a_conflict_is_not_agreement_with_the_row_that_is_used():
    found = compare(BOOK, items(item("MAI-Image-2.5-Flash Img Outp glbl", "0.0195")), on=TODAY)
    (differs,) = found.differ
    assert [str(row) for row in differs.ours] == ["$33.00 per 1M tokens"]


def test_only_the_model_asked_for_is_compared():
    rows = items(item("MAI-Thinking-1 Inp", "0.002"), item("MAI-Cyber-1-Flash Inp", "0.1"))
    found = compare(BOOK, rows, on=TODAY, model="mai-cyber-1-flash")
    assert (len(found.agree), len(found.differ)) == (0, 1)
    assert {row.model for row in found.only_here} == {"MAI-Cyber-1-Flash"}


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from([*item("x", "1")])


@given(st.dictionaries(FIELDS, ANY | st.sampled_from(["MAI-Thinking-1 Inp", "1K", "1 Hour"])))
def test_whatever_an_item_holds_it_is_compared_or_left_out(fields):
    row = {**item("MAI-Thinking-1 Outp", "1"), **fields}
    found = compare(BOOK, items(row), on=TODAY)
    assert json.loads(found.model_dump_json())
    tomllib.loads(found.overlay)
