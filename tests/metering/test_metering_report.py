"""Reports: what is added up, what is left unknown, and how it is shown."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.metering.cost import Cost, CostLine, CostStatus
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Operation
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.report import Report, Row, build_report
from mai_sdk.metering.usage import Usage

BOOK = PriceBook.load()
PRICE = BOOK.rows("MAI-Thinking-1")[0]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY = 86_400


def cost(amount: str | None, status: CostStatus = "exact", currency: str = "USD") -> Cost:
    if amount is None:
        return Cost.unknown("No price is known.")
    reason = None if status == "exact" else f"It is {status}."
    return Cost(amount=Decimal(amount), status=status, currency=currency, reason=reason)


def call(**more: Any) -> Operation:
    fields: dict[str, Any] = {
        "call_id": uuid7(),
        "modality": "reasoning",
        "verb": "create",
        "model": "M",
        "deployment": "d",
        "surface": "foundry",
        "started_at": NOON,
    }
    return Operation(**fields | more)


def attempt(spent: Cost | None, operation: Operation | None = None, **more: Any) -> Entry:
    operation = operation or call()
    fields: dict[str, Any] = {
        "attempt_id": uuid7(),
        "number": 1,
        "operation": operation,
        "state": "reserved" if spent is None else "settled_exact",
        "reserved_at": operation.started_at,
        "upper_bound": None,
        "settled_at": None if spent is None else operation.started_at + 2,
        "usage": None if spent is None else Usage(input_tokens=10, output_tokens=5),
        "cost": spent,
        "status": None if spent is None else 200,
    }
    return Entry(**fields | more)


def only(report: Report) -> Row:
    (row,) = report.rows
    return row


def test_a_retried_call_is_one_call_whose_first_attempt_was_wasted() -> None:
    one = call()
    report = build_report(
        [
            attempt(cost("0.10"), one, status=500, error="ServiceUnavailable"),
            attempt(cost("0.20"), one, number=2, settled_at=NOON + 5),
        ]
    )
    row = only(report)
    assert (row.calls, row.attempts) == (1, 2)
    assert (row.cost.amount, row.wasted.amount) == (Decimal("0.30"), Decimal("0.10"))
    assert row.usage == Usage(input_tokens=20, output_tokens=10)
    assert (row.p50_seconds, row.p95_seconds) == (5.0, 5.0)
    assert report.totals[0].cost == row.cost


def test_pictures_drawn_side_by_side_in_one_call_are_no_waste() -> None:
    one = call(modality="image")
    row = only(build_report([attempt(cost("0.10"), one), attempt(cost("0.20"), one, number=2)]))
    assert (row.calls, row.attempts, row.wasted.amount, row.waste) == (1, 2, 0, ())


def test_a_call_counts_where_it_began_so_that_calls_of_rows_add_up() -> None:
    one = call()
    entries = [
        attempt(cost("0.10"), one, status=500, error="ServiceUnavailable"),
        attempt(cost("0.20"), one, number=2),
    ]
    rows = {row.keys["status"]: row for row in build_report(entries, by=["status"]).rows}
    assert {key: (row.calls, row.attempts) for key, row in rows.items()} == {
        "500": (1, 1),
        "200": (0, 1),
    }


def test_an_attempt_never_settled_makes_the_total_unknown_but_not_the_rest_disappear() -> None:
    report = build_report([attempt(cost("0.10")), attempt(None)])
    total = report.totals[0]
    assert (total.cost.amount, total.cost.at_least) == (None, Decimal("0.10"))
    assert "never settled" in str(total.cost.reason)
    assert total.usage.basis == "unknown"
    assert [(s.status, s.attempts, s.amount) for s in total.shares] == [
        ("exact", 1, Decimal("0.10")),
        ("unknown", 1, Decimal(0)),
    ]
    assert [share.at_most for share in total.shares] == [Decimal("0.10"), None]


def test_what_is_unknown_has_a_limit_if_every_attempt_has_an_upper_bound() -> None:
    entries = [
        attempt(None, upper_bound=cost("0.70", "estimated")),
        attempt(cost(None), state="unknown", upper_bound=cost("0.30", "estimated")),
    ]
    report = build_report(entries)
    (share,) = report.totals[0].shares
    assert (share.attempts, share.at_most) == (2, Decimal("1.00"))
    assert "unknown for 2 attempts, at most $1.00" in report.to_table()
    (share,) = build_report([*entries, attempt(None)]).totals[0].shares
    assert share.at_most is None


def priced(model: str = "MAI-Thinking-1", **used: int) -> dict[str, Any]:
    usage = Usage(**used)
    spent = BOOK.price(model, usage, surface="foundry", on=date(2026, 11, 22))
    return {"cost": spent, "usage": usage}


def test_rows_can_be_made_by_meter_each_with_what_was_billed_in_it() -> None:
    report = build_report(
        [
            attempt(
                cost("0"), **priced(input_tokens=1000, cached_input_tokens=400, output_tokens=10)
            ),
            attempt(cost("0"), call(model="N"), **priced("N", input_tokens=7, output_tokens=3)),
            attempt(None),
        ],
        by=["meter"],
    )
    rows = {row.keys["meter"]: row for row in report.rows}
    assert {m: (r.attempts, r.cost.at_least, r.cost.status) for m, r in rows.items()} == {
        "input_tokens": (2, Decimal("0.0012"), "unknown"),
        "cached_input_tokens": (1, Decimal("0.00008"), "exact"),
        "output_tokens": (2, Decimal("0.00008"), "unknown"),
        None: (1, Decimal(0), "unknown"),
    }
    assert rows["input_tokens"].usage.meters() == {"input_tokens": 607}
    assert sum(row.cost.at_least for row in report.rows) == report.totals[0].cost.at_least


def test_waste_says_what_failed_what_was_cut_off_and_what_nobody_heard() -> None:
    heard = {
        "usage": Usage(input_tokens=1, output_tokens=200, audio_output_tokens=200,
                       spoken_seconds=10, unheard_seconds=4),
        "cost": Cost(amount=Decimal("0.5"), status="exact", lines=(
            CostLine(meter="audio_output_tokens", quantity=200, amount=Decimal("0.5"), price=PRICE),
        )),
    }  # fmt: skip
    row = only(
        build_report(
            [
                attempt(cost("0.10"), error="TimedOut"),
                attempt(cost("0.20", "lower_bound"), error="Abandoned"),
                attempt(cost("0"), **heard),
                attempt(cost("8")),
            ]
        )
    )
    assert [(w.kind, w.attempts, w.cost.amount, w.cost.status, w.seconds) for w in row.waste] == [
        ("failed", 1, Decimal("0.1"), "exact", None),
        ("interrupted", 1, Decimal("0.2"), "lower_bound", None),
        ("unheard", 1, Decimal("0.2"), "estimated", 4),
    ]
    assert (row.wasted.amount, row.wasted.status) == (Decimal("0.5"), "lower_bound")


def test_unheard_voice_without_a_price_is_unknown_and_not_nothing() -> None:
    usage = Usage(spoken_seconds=10, unheard_seconds=4)
    (waste,) = only(build_report([attempt(cost(None), usage=usage)])).waste
    assert (waste.seconds, waste.cost.amount) == (4, None)


def test_shares_say_how_much_is_how_sure() -> None:
    spent = [cost("1"), cost("2", "estimated"), cost("4", "lower_bound"), cost(None)]
    spent += [cost("8"), Cost.free("Nothing ran.")]
    total = build_report([attempt(each) for each in spent]).totals[0]
    assert {s.status: (s.attempts, s.amount) for s in total.shares} == {
        "exact": (2, 9),
        "estimated": (1, 2),
        "lower_bound": (1, 4),
        "unknown": (1, 0),
        "free": (1, 0),
    }


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("model", {"model": "M"}),
        ("modality", {"modality": "reasoning"}),
        ("day", {"day": "2026-11-22"}),
        ("deployment", {"deployment": "d"}),
        ("surface", {"surface": "foundry"}),
        ("status", {"status": "200"}),
        ("session", {"session": "s1"}),
        ("meter", {"meter": None}),
        ("tag:team", {"tag:team": "blue"}),
        ("tag:other", {"tag:other": None}),
    ],
)
def test_rows_can_be_made_by_each_key(by: str, keys: dict[str, str | None]) -> None:
    entries = [attempt(cost("1"), call(tags={"team": "blue"}, session="s1"))]
    assert only(build_report(entries, by=[by])).keys == keys
    assert only(build_report(entries, by=by)).keys == keys


@pytest.mark.parametrize("key", ["sessions", "tag:", "tags", ""])
def test_a_key_there_is_none_of_is_refused_with_those_there_are(key: str) -> None:
    with pytest.raises(ValueError, match=r"use model, modality, day.*tag:<name>"):
        build_report([], by=[key])


def test_rows_come_dearest_first() -> None:
    entries = [attempt(cost(str(n)), call(model=f"M{n}")) for n in (1, 3, 2)]
    assert [row.keys["model"] for row in build_report(entries).rows] == ["M3", "M2", "M1"]


def test_entries_are_cut_by_time_and_tags() -> None:
    entries = [
        attempt(cost("1"), call(started_at=NOON - DAY, tags={"a": "1"})),
        attempt(cost("2"), call(tags={"a": "1", "b": "2"})),
        attempt(cost("4"), call(started_at=NOON + DAY)),
    ]

    def total(**cut: Any) -> Decimal | None:
        return build_report(entries, **cut).totals[0].cost.amount

    assert total(since=date(2026, 11, 22)) == 6
    assert total(until=date(2026, 11, 22)) == 1
    assert total(until=NOON) == 1
    assert total(since=NOON, until=datetime(2026, 11, 23, tzinfo=UTC)) == 2
    assert total(tags={"a": "1"}) == 3
    assert total(tags={"a": "1", "b": "2"}) == 2
    with pytest.raises(ValueError, match="no time zone"):
        total(since=datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


def test_currencies_are_never_added_and_what_has_no_money_joins_the_first() -> None:
    entries = [
        attempt(cost(None)),
        attempt(cost("1", currency="EUR")),
        attempt(cost("2", currency="USD")),
    ]
    report = build_report(entries)
    assert {t.cost.currency: t.cost.at_least for t in report.totals} == {"EUR": 1, "USD": 2}
    assert {t.cost.currency: t.attempts for t in report.totals} == {"EUR": 2, "USD": 1}


def test_times_are_percentiles_of_whole_calls() -> None:
    entries = [attempt(cost("1"), settled_at=NOON + n) for n in range(1, 101)]
    row = only(build_report([*entries, attempt(None)]))
    assert (row.p50_seconds, row.p95_seconds) == (50.0, 95.0)
    assert row.p99_seconds == 99.0
    assert only(build_report(entries[:99])).p99_seconds is None
    assert only(build_report([attempt(None)])).p50_seconds is None
    failed = attempt(cost("1"), settled_at=NOON + 9999, error="TimedOut")
    assert only(build_report([*entries, failed])).p99_seconds == 99.0


def test_costs_of_an_answer_have_percentiles_at_most_two_percent_low() -> None:
    entries = [attempt(cost(f"0.{n:03}")) for n in range(1, 201)]
    row = only(build_report([*entries, attempt(cost(None)), attempt(Cost.free("Nothing ran."))]))
    assert row.p50_cost == Decimal("0.1")
    assert row.p95_cost is not None
    assert Decimal("0.98") * Decimal("0.190") <= row.p95_cost <= Decimal("0.190")


def test_a_report_over_nothing_is_a_total_of_nothing() -> None:
    report = build_report([])
    assert report.rows == ()
    (total,) = report.totals
    assert (total.calls, total.cost.amount, total.p50_seconds) == (0, 0, None)
    assert "total" in report.to_table()
    assert len(report.to_csv().splitlines()) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["M", "a model with a very long name indeed", "x\x1b[31m"]),
            st.sampled_from(["0.000000001", "12345.678901234", None]),
            st.sampled_from(["exact", "estimated", "lower_bound"]),
        ),
        max_size=8,
    ),
    st.sampled_from([["model"], ["day", "model", "surface", "deployment", "modality"], []]),
    st.integers(60, 160),
)
def test_rows_add_up_to_the_total_and_the_table_keeps_its_width(
    spent: list[tuple[str, str | None, CostStatus]], by: list[str], width: int
) -> None:
    entries = [attempt(cost(a, s), call(model=m, deployment=m)) for m, a, s in spent]
    report = build_report(entries, by=by)
    (total,) = report.totals
    assert sum(row.attempts for row in report.rows) == total.attempts == len(entries)
    assert sum((row.cost.at_least for row in report.rows), Decimal(0)) == total.cost.at_least
    assert (total.cost.amount is None) == any(amount is None for _, amount, _ in spent)
    table = report.to_table(width=width)
    assert max(map(len, table.splitlines())) <= width
    assert "\x1b" not in table


def test_the_table_shows_cost_waste_and_what_is_not_known() -> None:
    one = call()
    table = build_report(
        [
            attempt(cost("0.10"), one, error="TimedOut"),
            attempt(cost("0.20", "estimated"), one, number=2),
            attempt(cost(None), call(model=None)),
        ]
    ).to_table()
    lines = table.splitlines()
    assert lines[0].split() == [
        "model",
        "calls",
        "tries",
        "tok",
        "in",
        "tok",
        "out",
        "cost",
        "wasted",
        "p50",
        "s",
        "p95",
        "s",
    ]
    assert lines[2].split() == ["M", "1", "2", "20", "10", "~$0.30", "$0.10", "2.00", "2.00"]
    assert lines[3].split() == ["?", "1", "1", "10", "5", "?", "-", "2.00", "2.00"]
    assert "$0.10 exact for 1 attempt" in table
    assert "$0.20 estimated for 1 attempt" in table
    assert "unknown for 1 attempt" in table
    assert "No price is known." in table


FIVE = [
    ("MAI-Thinking-1", "reasoning", Usage(input_tokens=1200, output_tokens=340)),
    ("MAI-Code-1-Flash", "code", Usage(input_tokens=90, output_tokens=2100)),
    (
        "MAI-Image-2.5-Flash",
        "image",
        Usage(input_tokens=10, output_tokens=2048, image_output_tokens=2048, images=2),
    ),
    ("MAI-Transcribe-2-Streaming", "transcribe", Usage(audio_seconds=3661)),
    ("MAI-Voice-2.1-Flash", "voice", Usage(characters=4210)),
]


def test_five_kinds_of_work_stand_in_one_table_each_in_its_unit() -> None:
    table = build_report(
        [
            attempt(cost("0.01"), call(model=model, modality=kind), usage=usage)
            for model, kind, usage in FIVE
        ]
    ).to_table(width=80)
    heads, _, *rows = table.splitlines()[:7]
    assert max(map(len, table.splitlines())) <= 80
    columns = ["model", "calls", "tok in", "tok out", "images", "audio s", "chars", "cost"]
    assert re.split(" {2,}", heads) == columns
    assert [row.split() for row in rows] == [
        ["MAI-Code-1-Flash", "1", "90", "2,100", "-", "-", "-", "$0.01"],
        ["MAI-Image-2.5-Flash", "1", "10", "2,048", "2", "-", "-", "$0.01"],
        ["MAI-Thinking-1", "1", "1,200", "340", "-", "-", "-", "$0.01"],
        ["MAI-Transcribe-2-Streami…", "1", "-", "-", "-", "3,661", "-", "$0.01"],
        ["MAI-Voice-2.1-Flash", "1", "-", "-", "-", "-", "4,210", "$0.01"],
    ]


def test_a_refused_call_does_not_bring_columns_of_units_nobody_used() -> None:
    refused = attempt(cost("0"), usage=Usage.zero(), state="released")
    assert "chars" not in build_report([refused, attempt(cost("0.1"))]).to_table()


def test_csv_leaves_unknown_empty_and_writes_plain_digits() -> None:
    text = build_report(
        [attempt(cost("0.000000001")), attempt(cost(None), call(model="N"))]
    ).to_csv()
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["model"], first["cost"], first["cost_status"]) == ("M", "0.000000001", "exact")
    assert (second["cost"], second["cost_status"], second["cached_input_tokens"]) == (
        "",
        "unknown",
        "",
    )
    assert second["reason"] == "No price is known."


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1"])
def test_no_name_is_a_formula_in_csv_and_json_has_it_as_it_is(name: str) -> None:
    report = build_report([attempt(cost("0.1"), call(model=name))])
    (row,) = csv.DictReader(io.StringIO(report.to_csv(), newline=""))
    assert row["model"] == f"'{name}"
    assert json.loads(report.to_json())["rows"][0]["keys"]["model"] == name


def test_a_carriage_return_does_not_break_a_row_of_csv() -> None:
    report = build_report([attempt(cost("0.1"), call(model="a\r=1"))])
    (row,) = csv.DictReader(io.StringIO(report.to_csv(), newline=""))
    assert row["model"] == "a =1"


def test_json_keeps_money_as_digits_and_unknown_as_null() -> None:
    report = build_report([attempt(cost("0.000000001")), attempt(cost(None), call(model="N"))])
    read = json.loads(report.to_json())
    assert [row["cost"]["amount"] for row in read["rows"]] == ["0.000000001", None]
    assert read["totals"][0]["cost"]["known"] == "0.000000001"
