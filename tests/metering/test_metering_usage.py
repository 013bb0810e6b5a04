"""Usage: what is known, what is not, and what a sum may claim."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.metering.usage import METERS, Usage

quantities = st.none() | st.integers(min_value=0, max_value=10**12)
usages = st.builds(
    Usage,
    input_tokens=quantities,
    cached_input_tokens=quantities,
    output_tokens=quantities,
    reasoning_tokens=quantities,
    images=quantities,
    audio_seconds=quantities,
    characters=quantities,
    basis=st.sampled_from(["reported", "estimated", "lower_bound", "unknown"]),
)
ORDER = ["reported", "estimated", "lower_bound", "unknown"]


@settings(max_examples=150, deadline=None)
@given(usages, usages, usages)
def test_adding_is_associative_and_commutative(a: Usage, b: Usage, c: Usage) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == Usage.sum([a, b, c])


@settings(max_examples=100, deadline=None)
@given(usages, usages)
def test_a_sum_is_never_surer_than_its_parts(a: Usage, b: Usage) -> None:
    parts = [part for part in (a, b) if not part.used_nothing]
    floor = max((ORDER.index(part.basis) for part in parts), default=0)
    assert ORDER.index((a + b).basis) >= floor


@settings(max_examples=100, deadline=None)
@given(usages)
def test_adding_zero_changes_nothing(usage: Usage) -> None:
    if usage.used_nothing:
        assert usage + Usage.zero() == Usage.zero()
    else:
        assert usage + Usage.zero() == usage == Usage.zero() + usage


def test_unknown_and_unknown_is_unknown() -> None:
    both = Usage(input_tokens=1) + Usage(input_tokens=2)
    assert both.output_tokens is None
    assert both.basis == "reported"


def test_unknown_and_known_is_the_known_part_as_a_lower_bound() -> None:
    both = Usage(input_tokens=1, output_tokens=5) + Usage(input_tokens=2)
    assert both == Usage(input_tokens=3, output_tokens=5, basis="lower_bound")


def test_an_attempt_that_never_ran_does_not_weaken_the_sum() -> None:
    ran = Usage(input_tokens=7, output_tokens=3)
    assert Usage(input_tokens=0, output_tokens=0) + ran == ran


def test_the_sum_of_nothing_is_zero() -> None:
    assert Usage.sum([]) == Usage.zero()
    assert set(Usage.zero().meters().values()) == {0}


@pytest.mark.parametrize("bad", [-1, True, 1.0, 1.5, float("nan"), "1"])
def test_a_quantity_is_a_whole_number_and_nothing_else(bad: object) -> None:
    with pytest.raises(ValueError, match="input_tokens"):
        Usage.model_validate({"input_tokens": bad})
    with pytest.raises(ValueError, match=r"input_tokens=.*whole numbers"):
        Usage.from_meters({"input_tokens": bad})  # type: ignore[dict-item]


def test_meters_are_the_known_quantities_and_come_back() -> None:
    usage = Usage(input_tokens=0, reasoning_tokens=4)
    assert usage.meters() == {"input_tokens": 0, "reasoning_tokens": 4}
    assert Usage.from_meters(usage.meters()) == usage
    assert Usage.from_meters({"output_tokens": 1}, basis="estimated").basis == "estimated"


def test_a_meter_that_is_none_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"audio_hours=3.*input_tokens, cached_input_tokens"):
        Usage.from_meters({"audio_hours": 3})


def test_work_of_another_kind_does_not_weaken_a_sum() -> None:
    spoken, answered = Usage(characters=12), Usage(input_tokens=5, output_tokens=7)
    both = spoken + answered + Usage(audio_seconds=3)
    assert both == Usage(characters=12, input_tokens=5, output_tokens=7, audio_seconds=3)
    assert both.basis == "reported"


def test_work_of_which_nothing_is_known_weakens_every_sum() -> None:
    assert (Usage(characters=12) + Usage()).basis == "lower_bound"


@pytest.mark.parametrize(
    ("usage", "whole"),
    [
        (Usage(), False),
        (Usage(input_tokens=1), False),
        (Usage(output_tokens=1, images=1), False),
        (Usage(reasoning_tokens=1), False),
        (Usage(input_tokens=1, output_tokens=1), True),
        (Usage(audio_seconds=1), True),
        (Usage(characters=0), True),
    ],
)
def test_it_is_whole_when_what_is_billed_is_known(usage: Usage, whole: bool) -> None:
    assert usage.is_whole is whole


def test_every_field_is_a_meter_and_every_part_has_its_whole() -> None:
    assert set(Usage.model_fields) - {"basis"} == set(METERS)
    assert all(meter.part_of is None or meter.part_of in METERS for meter in METERS.values())
