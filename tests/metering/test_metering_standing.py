"""Which rows are used, and which disagree."""

from datetime import date

import pytest

from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.standing import listed
from mai_sdk.metering.usage import METERS, Usage

TODAY = date(2026, 11, 25)
OURS = {
    "model": "MAI-Image-2.5-Flash",
    "meter": "image_output_tokens",
    "price": "20",
    "unit": "1M tokens",
}


def standings(book, model, meter, on=TODAY):
    return [
        (str(row.price.amount), row.standing, [str(each.amount) for each in row.disagrees_with])
        for row in listed(book, on=on, model=model)
        if row.price.meter == meter
    ]


def test_of_rows_that_disagree_the_dearest_is_used_and_both_say_so():
    assert standings(PriceBook.load(), "mai-image-2.5-flash", "image_output_tokens") == [
        ("33.00", "used", ["19.50"]),
        ("19.50", "overruled", ["33.00"]),
    ]


def test_the_users_own_row_comes_first_and_settles_a_conflict():
    book = PriceBook.load(overlay={"prices": [OURS]})
    rows = listed(book, on=TODAY)
    assert [row.is_overlay for row in rows[:2]] == [True, False]
    assert standings(book, "MAI-Image-2.5-Flash", "image_output_tokens") == [
        ("20", "used", []),
        ("33.00", "overruled", []),
        ("19.50", "overruled", []),
    ]


@pytest.mark.parametrize(
    ("model", "on", "standing"),
    [
        ("MAI-DS-R1", date(2026, 11, 25), {"ended", "claim"}),
        ("MAI-DS-R1", date(2025, 5, 1), {"used", "later"}),
        ("MAI-Image-2.7-Flash", TODAY, {"claim"}),
        ("MAI-Image-2.7", TODAY, {"used"}),
        ("MAI-Image-2.7", date(2026, 1, 1), {"later"}),
    ],
)
def test_claims_are_never_used_and_days_decide_the_rest(model, on, standing):
    assert {row.standing for row in listed(PriceBook.load(), on=on, model=model)} == standing


def test_what_is_called_used_is_what_a_call_is_priced_with():
    book = PriceBook.load(overlay={"prices": [OURS, {**OURS, "surface": "foundry", "price": "7"}]})
    for row in listed(book, on=TODAY):
        price = row.price
        surface = price.surface or "anywhere"
        rates = book.used(price.model, surface=surface, on=TODAY)
        assert (price in rates) == (row.standing == "used"), price
    assert set(METERS) >= {row.price.meter for row in listed(book, on=TODAY)}
    assert book.price("MAI-Image-2.5-Flash", Usage(output_tokens=1), surface="foundry", on=TODAY)
