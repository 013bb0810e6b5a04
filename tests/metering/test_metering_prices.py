"""The price book: which row holds, what a usage costs, and what is said when it is not known."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.config.route import Surface
from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.rates import rate_for
from mai_sdk.metering.usage import METERS, Usage

TODAY = date(2026, 11, 22)
BOOK = PriceBook.load()
USAGE = Usage(input_tokens=1000, cached_input_tokens=200, output_tokens=50, reasoning_tokens=20)
SENTENCE = re.compile(r"[A-Z0-9].*\.$", re.DOTALL)
WHOLES = [name for name, meter in METERS.items() if meter.part_of is None]


def price(
    model: str | None, usage: Usage = USAGE, *, surface: str = "foundry", on: date = TODAY
) -> Cost:
    return BOOK.price(model, usage, surface=surface, on=on)


def overlay(*rows: dict[str, Any]) -> PriceBook:
    return PriceBook.load(overlay={"prices": list(rows)})


def row(meter: str = "input_tokens", price: str = "1.00", **more: Any) -> dict[str, Any]:
    return {"model": "M", "meter": meter, "price": price, "unit": "1M tokens", **more}


def test_cached_input_has_its_own_price_and_the_rest_the_full_one() -> None:
    cost = price("MAI-Thinking-1")
    assert [(line.meter, line.quantity, line.amount) for line in cost.lines] == [
        ("cached_input_tokens", 200, Decimal("0.00004")),
        ("input_tokens", 800, Decimal("0.0016")),
        ("output_tokens", 50, Decimal("0.0004")),
    ]
    assert (cost.amount, cost.status, cost.reason) == (Decimal("0.00204"), "exact", None)
    assert all(line.price and line.price.source for line in cost.lines)


def test_reasoning_is_billed_inside_output_and_never_twice() -> None:
    with_thoughts = price("MAI-Thinking-1", USAGE)
    without = price("MAI-Thinking-1", USAGE.model_copy(update={"reasoning_tokens": None}))
    assert with_thoughts.amount == without.amount


def test_unreported_cached_input_makes_the_cost_an_estimate_that_can_only_be_too_high() -> None:
    cost = price("MAI-Thinking-1", Usage(input_tokens=1000, output_tokens=50))
    assert (cost.amount, cost.status) == (Decimal("0.0024"), "estimated")
    assert cost.reason is not None
    assert "cached_input_tokens" in cost.reason


def test_unreported_cached_input_does_not_matter_where_it_has_no_price() -> None:
    cost = price(
        "MAI-DS-R1",
        Usage(input_tokens=1_000_000, output_tokens=0),
        surface="openai-v1",
        on=date(2026, 1, 1),
    )
    assert (cost.amount, cost.status) == (Decimal("1.35"), "exact")


def test_reported_cached_input_without_its_own_price_is_billed_in_full_as_an_estimate() -> None:
    cost = price("MAI-DS-R1", surface="openai-v1", on=date(2026, 1, 1))
    assert (cost.amount, cost.status) == (Decimal("0.00162"), "estimated")
    assert "No price is known for cached_input_tokens" in str(cost.reason)


@pytest.mark.parametrize(
    ("day", "amount"),
    [
        (date(2026, 2, 27), Decimal("1.35")),
        (date(2026, 2, 28), None),
        (date(2025, 4, 16), None),
    ],
)
def test_a_price_holds_from_its_first_day_to_its_last(day: date, amount: Decimal | None) -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    cost = price("MAI-DS-R1", usage, surface="azure-inference", on=day)
    assert cost.amount == amount
    if amount is None:
        assert "from 2025-04-17 until 2026-02-27" in str(cost.reason)


def test_the_newest_row_that_has_begun_is_used() -> None:
    book = overlay(
        row(price="3.00", valid_from="2026-01-01"),
        row(price="2.00", valid_from="2026-06-01"),
        row(price="1.00", valid_from="2027-01-01"),
    )
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    for day, amount in ((date(2026, 5, 31), 3), (date(2026, 6, 1), 2), (date(2027, 1, 1), 1)):
        assert book.price("M", usage, surface="foundry", on=day).amount == amount


def test_the_row_of_the_surface_goes_before_one_for_all_of_the_same_day() -> None:
    book = overlay(row(price="9.00"), row(price="1.00", surface=["foundry", "openai-v1"]))
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert book.price("M", usage, surface="openai-v1", on=TODAY).amount == 1
    assert book.price("M", usage, surface="azure-inference", on=TODAY).amount == 9


def test_microsofts_list_goes_before_another_channels_newer_price() -> None:
    (listed,) = overlay(row(price="1.00", valid_from="2026-01-01")).rows("M")
    other = listed.model_copy(
        update={"amount": Decimal(2), "basis": "other_channel", "valid_from": "2026-06-01"}
    )
    rate = rate_for([other, listed], surface="foundry", on=TODAY)
    assert rate is not None
    assert (rate.price, rate.doubt) == (listed, None)


def test_conflicting_rows_give_an_estimate_at_the_dearest_that_names_both() -> None:
    most = Usage(input_tokens=0, output_tokens=1_000_000)
    cost = BOOK.upper_bound("MAI-Image-2.5-Flash", most, surface="foundry", on=TODAY)
    assert cost.amount == 33
    assert cost.status == "estimated"
    for part in ("$33.00", "$19.50", "Portkey", "pollinations", "dearest"):
        assert part in str(cost.reason)
    book = overlay(row(price="1.00", source="a"), row(price="2.00", source="b"))
    both = book.price("M", Usage(input_tokens=10**6, output_tokens=0), surface="foundry", on=TODAY)
    assert (both.amount, both.status) == (2, "estimated")


def test_rows_that_agree_are_no_conflict() -> None:
    book = overlay(row(price="1.00", source="a"), row(price="1.0", source="b"))
    cost = book.price("M", Usage(input_tokens=10**6, output_tokens=0), surface="foundry", on=TODAY)
    assert (cost.amount, cost.status) == (1, "exact")


def test_another_channels_price_gives_an_estimate_that_says_so() -> None:
    cost = price("MAI-Code-1-Flash", Usage(input_tokens=10**6, output_tokens=10**6))
    assert (cost.amount, cost.status) == (Decimal("5.25"), "estimated")
    assert "GitHub Copilot" in str(cost.reason)


def test_without_a_model_the_cost_is_unknown_and_says_what_to_set() -> None:
    cost = price(None)
    assert (cost.amount, cost.status) == (None, "unknown")
    assert "does not say which model this deployment is: set model=" in str(cost.reason)


def test_a_meter_without_a_price_makes_the_cost_unknown_but_keeps_the_rest() -> None:
    book = overlay(row("input_tokens", "2.00"))
    cost = book.price("M", Usage(input_tokens=10**6, output_tokens=5), surface="foundry", on=TODAY)
    assert (cost.amount, cost.status, cost.at_least) == (None, "unknown", 2)
    assert 'add a [[prices]] row for output_tokens with its price per "1M tokens"' in str(
        cost.reason
    )


def test_self_hosted_tokens_have_no_price_until_the_user_gives_one() -> None:
    cost = price("MAI-DS-R1", surface="vllm")
    assert (cost.amount, cost.at_least, cost.status) == (None, 0, "unknown")
    assert "self-hosted" in str(cost.reason)
    assert "[[prices]]" in str(cost.reason)
    assert price("MAI-Thinking-1", surface="vllm").amount is None
    book = overlay(
        {**row("input_tokens", "0.40"), "model": "MAI-DS-R1"},
        {**row("output_tokens", "1.56", surface="vllm"), "model": "MAI-DS-R1"},
    )
    usage = Usage(input_tokens=10**6, output_tokens=10**6)
    cost = book.price("MAI-DS-R1", usage, surface="vllm", on=TODAY)
    assert (cost.amount, cost.status) == (Decimal("1.96"), "exact")


def test_a_claim_is_shown_but_used_only_if_the_overlay_repeats_it() -> None:
    claims = [row for row in BOOK.rows("MAI-DS-R1") if row.basis == "claim"]
    assert {claim.amount for claim in claims} >= {Decimal("1.56"), Decimal("0.83")}
    usage = Usage(input_tokens=0, output_tokens=10**6)
    book = overlay({**row("output_tokens", "1.56", basis="claim"), "model": "MAI-DS-R1"})
    cost = book.price("MAI-DS-R1", usage, surface="vllm", on=TODAY)
    assert (cost.amount, cost.status) == (Decimal("1.56"), "estimated")


def test_the_overlay_goes_before_the_packaged_rows() -> None:
    book = overlay({**row("output_tokens", "1.00"), "model": "mai-thinking-1"})
    cost = book.price("MAI-Thinking-1", USAGE, surface="foundry", on=TODAY)
    assert cost.amount == Decimal("0.00169")
    assert cost.status == "exact"
    assert cost.lines[-1].price is not None
    assert cost.lines[-1].price.source == "the price overlay"
    assert price("MAI-Thinking-1").amount == Decimal("0.00204")


def test_an_overlay_can_be_a_file_and_keeps_every_digit_of_a_number(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        '[[prices]]\nmodel = "M"\nmeter = "input_tokens"\nprice = 0.10\nunit = "1M tokens"\n'
        "valid_from = 2026-01-01\n"
    )
    book = PriceBook.load(overlay=path)
    assert book.rows("M")[0].amount == Decimal("0.10")
    assert PriceBook.load(overlay=str(path)).rows() == book.rows()
    assert book.rows("M", on=date(2025, 12, 31)) == ()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"prices": [row(price=0.1)]}, 'price = "0.1"'),
        ({"prices": [row(price="cheap")]}, "not a number"),
        ({"prices": [row(price="NaN")]}, "amount"),
        ({"prices": [row(price="-1")]}, "amount"),
        ({"prices": [row(unit="1 hour")]}, "counted in tokens"),
        ({"prices": [row(unit="per token")]}, "counted in tokens"),
        ({"prices": [row("thoughts")]}, "no meter 'thoughts'"),
        ({"prices": [row(valid_form="2026-01-01")]}, "valid_form"),
        ({"prices": [row(valid_from="soon")]}, "soon"),
        ({"prices": [{"model": "M"}]}, "lacks meter, price, unit"),
        ({"prices": ["x"]}, "not a table"),
        ({"price": [row()]}, r"\[\[prices\]\]"),
        ({}, r"\[\[prices\]\]"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_its_number(bad: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        PriceBook.load(overlay=bad)


def test_an_overlay_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="could not be read"):
        PriceBook.load(overlay=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[[prices\n")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        PriceBook.load(overlay=tmp_path / "bad.toml")


def test_prices_in_two_currencies_make_the_cost_unknown() -> None:
    book = overlay(row("input_tokens", "1.00", currency="EUR"), row("output_tokens", "1.00"))
    cost = book.price("M", USAGE, surface="foundry", on=TODAY)
    assert (cost.amount, cost.at_least) == (None, 0)
    assert "in EUR and USD" in str(cost.reason)


@pytest.mark.parametrize(
    ("basis", "status"),
    [("estimated", "estimated"), ("lower_bound", "lower_bound"), ("unknown", "unknown")],
)
def test_a_cost_is_no_surer_than_its_quantities(basis: str, status: str) -> None:
    cost = price("MAI-Thinking-1", USAGE.model_copy(update={"basis": basis}))
    assert cost.status == status
    assert cost.at_least == Decimal("0.00204")
    assert SENTENCE.match(str(cost.reason))


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(basis="unknown"),
        Usage(input_tokens=5),
        Usage(output_tokens=5),
        Usage(input_tokens=0),
    ],
)
@pytest.mark.parametrize("model", ["MAI-Thinking-1", "never heard of it", "MAI-Voice-2"])
def test_what_was_not_reported_is_never_free(usage: Usage, model: str) -> None:
    cost = price(model, usage)
    assert cost.amount is None
    assert SENTENCE.match(str(cost.reason))


def test_what_used_nothing_costs_nothing() -> None:
    assert price("MAI-Thinking-1", Usage.zero()).amount == 0


def test_parts_that_exceed_the_whole_are_an_estimate() -> None:
    cost = price(
        "MAI-Thinking-1", Usage(input_tokens=1, cached_input_tokens=10**6, output_tokens=0)
    )
    assert (cost.amount, cost.status) == (Decimal("0.20"), "estimated")


def test_the_upper_bound_has_no_discount_and_the_longest_answer() -> None:
    most = Usage(input_tokens=10**6, output_tokens=10**6)
    bound = BOOK.upper_bound("MAI-Thinking-1", most, surface="foundry", on=TODAY)
    assert (bound.amount, bound.status) == (10, "estimated")


@pytest.mark.parametrize(
    ("model", "limit"), [(None, 10), ("MAI-Thinking-1", None), ("never heard of it", 10)]
)
def test_without_a_price_or_a_limit_there_is_no_upper_bound(
    model: str | None, limit: int | None
) -> None:
    most = Usage(input_tokens=10, output_tokens=limit)
    bound = BOOK.upper_bound(model, most, surface="foundry", on=TODAY)
    assert bound.amount is None
    assert SENTENCE.match(str(bound.reason))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted({row.model for row in BOOK.rows()})),
    st.sampled_from(get_args(Surface)),
    st.dates(date(2026, 6, 1), date(2026, 12, 31)),
    st.dictionaries(st.sampled_from(WHOLES), st.integers(0, 10**6)),
    st.data(),
)
def test_no_call_costs_more_than_its_upper_bound(
    model: str, surface: str, day: date, wholes: dict[str, int], data: st.DataObject
) -> None:
    parts = {
        name: data.draw(st.integers(0, wholes[meter.part_of]), label=name)
        for name, meter in METERS.items()
        if meter.part_of in wholes and data.draw(st.booleans())
    }
    of_a_whole = {whole: [n for n in parts if METERS[n].part_of == whole] for whole in wholes}
    if any(sum(parts[n] for n in names) > wholes[w] for w, names in of_a_whole.items()):
        parts = {}
    usage = Usage.from_meters({**wholes, **parts})
    cost = BOOK.price(model, usage, surface=surface, on=day)
    bound = BOOK.upper_bound(model, Usage.from_meters(wholes), surface=surface, on=day)
    if bound.amount is not None:
        assert cost.at_least <= bound.amount
    assert (cost.status == "exact") == (cost.reason is None)
    for reason in (cost.reason, bound.reason):
        assert reason is None or SENTENCE.match(reason)
    if surface == "vllm" and any(wholes.values()):
        assert cost.amount is None


def test_every_packaged_row_says_where_it_is_from_and_when_it_was_checked() -> None:
    for row in BOOK.rows():
        assert row.meter in METERS
        assert row.source
        assert date.fromisoformat(row.checked) <= TODAY
        assert date.fromisoformat(row.valid_from) <= TODAY + timedelta(days=0)
        assert row.surface is None or row.surface in get_args(Surface)
        assert row.currency == "USD"
        assert row.unit


@pytest.mark.parametrize(
    ("model", "meter", "amount", "per"),
    [
        ("MAI-Thinking-1", "output_tokens", "8.00", 10**6),
        ("MAI-Image-2.5", "image_output_tokens", "47.00", 10**6),
        ("MAI-Image-2.5-Pro", "image_output_tokens", "106", 10**6),
        ("MAI-Image-2.6", "image_output_tokens", "38", 10**6),
        ("MAI-Image-2.6-Flash", "image_output_tokens", "19", 10**6),
        ("MAI-Image-2.7", "image_output_tokens", "34", 10**6),
        ("MAI-Code-1.1-Flash", "output_tokens", "1.20", 10**6),
        ("MAI-Transcribe-1.5", "audio_seconds", "0.36", 3600),
        ("MAI-Transcribe-2-Streaming", "audio_seconds", "0.54", 3600),
        ("MAI-Voice-2", "characters", "22", 10**6),
        ("MAI-Voice-2-Flash", "characters", "15", 10**6),
    ],
)
def test_the_sources_prices_are_in_the_book(model: str, meter: str, amount: str, per: int) -> None:
    assert (meter, Decimal(amount), per) in {
        (row.meter, row.amount, row.per) for row in BOOK.rows(model, on=TODAY)
    }


def test_the_provisional_price_of_thinking_is_not_in_the_book() -> None:
    assert {row.amount for row in BOOK.rows("MAI-Thinking-1")} == {
        Decimal(2),
        Decimal("0.2"),
        Decimal(8),
    }
