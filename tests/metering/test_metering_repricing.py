"""Pricing again: by the day, the first figure kept, nothing made up."""

import csv
import io
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entries import CALLS, DAY, MIDNIGHT, Outcome, write
from mai_sdk.errors import LedgerError
from mai_sdk.metering.cells import fold, reckoned_again
from mai_sdk.metering.flat import COLUMNS, flat
from mai_sdk.metering.ledger import QueuedLedger, open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.report import Report, build_report
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.costs import Costs

USED = Usage(input_tokens=1000, cached_input_tokens=0, output_tokens=100)  # $0.0028 by the list


def rows(price, *, currency="USD", **fields):
    return [
        {
            "model": "MAI-Thinking-1",
            "meter": meter,
            "price": price,
            "unit": "1M tokens",
            "currency": currency,
            **fields,
        }
        for meter in ("input_tokens", "cached_input_tokens", "output_tokens")
    ]


def book(*groups):
    return PriceBook.load(overlay={"prices": [row for group in groups for row in group]})


CHEAP, DEAR, EURO = book(rows("1")), book(rows("5")), book(rows("1", currency="EUR"))


def one_call(usage=USED, *, moment=5.0, state="settled_exact", error=None):
    return ("MAI-Thinking-1", {}, moment, [Outcome(state, usage, error)])


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request, tmp_path):
    if request.param == "memory":
        made = MemoryLedger()
    elif request.param == "sqlite":
        made = SQLiteLedger(tmp_path / "mai.db")
    else:
        made = open_ledger(request.getfixturevalue("postgres").address)
    yield made
    made.close()


def test_the_first_figure_stays_and_reports_count_the_new_one(ledger):
    write(ledger, [one_call(), one_call()])
    done = Costs(ledger, prices=CHEAP).reprice()
    assert (done.attempts, done.changed, done.unpriced, done.unknown) == (2, 2, 0, 0)
    (changed,) = done.models
    assert (changed.model, changed.attempts) == ("MAI-Thinking-1", 2)
    assert (changed.before.amount, changed.after.amount) == (Decimal("0.0056"), Decimal("0.0022"))
    for entry in ledger.entries():
        assert (entry.cost.amount, entry.repriced.amount) == (Decimal("0.0028"), Decimal("0.0011"))
    report = Costs(ledger).report()
    (total,) = report.totals
    assert total.cost.amount == Decimal("0.0022")
    assert total.repriced.attempts == 2
    assert (total.repriced.before, total.repriced.after) == (Decimal("0.0056"), Decimal("0.0022"))
    assert "priced again: $0.0022 for 2 attempts, at first $0.0056" in report.to_table()
    assert "Priced again: $0.0022 for 2 attempts, at first $0.0056." in report.to_html()
    (row,) = csv.DictReader(io.StringIO(report.to_csv()))
    again = [row[f"repriced_{name}"] for name in ("attempts", "before", "after")]
    assert again == ["2", "0.005600000", "0.002200000"]


def test_new_figures_are_committed_many_at_once(ledger, monkeypatch):
    if not isinstance(ledger, QueuedLedger):
        pytest.skip("it commits nothing")
    write(ledger, [one_call()] * 600)
    where = ledger._file if isinstance(ledger, SQLiteLedger) else ledger._session
    plain, commits = where._together, []

    def counted(batch):
        commits.append(len(batch))
        return plain(batch)

    monkeypatch.setattr(where, "_together", counted)
    assert Costs(ledger, prices=CHEAP).reprice().changed == 600
    assert sum(commits) < 620  # those besides are for reading
    assert len(commits) < 40
    assert all(entry.repriced is not None for entry in ledger.entries())


def test_a_figure_that_cannot_be_kept_is_said(ledger, monkeypatch):
    write(ledger, [one_call()])
    entries = list(ledger.entries())
    monkeypatch.setattr(
        ledger, "entries", lambda **_: (replace(entry, attempt_id="none") for entry in entries)
    )
    with pytest.raises(LedgerError, match="no attempt none"):
        Costs(ledger, prices=CHEAP).reprice()


def test_pricing_again_with_the_same_prices_changes_nothing(ledger):
    write(ledger, [one_call()])
    assert Costs(ledger).reprice().changed == 0
    assert Costs(ledger, prices=CHEAP).reprice().changed == 1
    assert Costs(ledger, prices=CHEAP).reprice().changed == 0
    assert [entry.cost.amount for entry in ledger.entries()] == [Decimal("0.0028")]


def test_a_correction_taken_back_is_no_longer_told_of(ledger):
    write(ledger, [one_call()])
    Costs(ledger, prices=CHEAP).reprice()
    (back,) = Costs(ledger).reprice().models
    assert back.after.amount == Decimal("0.0028")
    report = Costs(ledger).report()
    assert report.totals[0].repriced is None
    assert [flat(row)["repriced_attempts"] for row in report.rows] == [None]
    assert all(list(flat(row)) == list(COLUMNS) for row in report.rows)


def test_each_attempt_gets_the_price_of_its_own_day(ledger):
    prices = book(rows("1", valid_until="2026-11-21"), rows("3", valid_from="2026-11-22"))
    write(ledger, [one_call(moment=-5.0), one_call(moment=5.0)])
    Costs(ledger, prices=prices).reprice()
    assert [entry.repriced.amount for entry in ledger.entries()] == [
        Decimal("0.0011"),
        Decimal("0.0033"),
    ]


def test_only_what_was_asked_for_is_priced_again(ledger):
    write(ledger, [one_call(moment=-DAY), one_call(), ("MAI-Code-1-Flash", {}, 5.0, [])])
    costs = Costs(ledger, prices=CHEAP)
    day = datetime.fromtimestamp(MIDNIGHT, UTC)
    assert costs.reprice(model="MAI-Code-1-Flash").attempts == 0
    assert costs.reprice(since=day, model="mai-thinking-1").changed == 1
    assert costs.reprice(until=day).changed == 1


@pytest.mark.parametrize("state", ["unknown", "reserved", "sent", "released"])
def test_what_nobody_knows_the_usage_of_stays_as_it_is(ledger, state):
    write(ledger, [one_call(None, state=state)])
    done = Costs(ledger, prices=CHEAP).reprice()
    assert (done.attempts, done.unknown) == (0, 1)
    assert [entry.repriced for entry in ledger.entries()] == [None]


def test_a_known_figure_never_becomes_unknown_because_an_overlay_is_missing(ledger):
    write(ledger, [("Euro", {}, 5.0, [Outcome("settled_exact", USED)])])
    done = Costs(ledger).reprice()  # the packaged prices do not know that model
    assert (done.changed, done.unpriced) == (0, 1)
    assert Costs(ledger).report().totals[0].cost.currency == "EUR"


def test_what_had_no_price_gets_one(ledger):
    write(ledger, [("nobody's", {}, 5.0, [Outcome("settled_exact", USED)])])
    assert Costs(ledger).report().totals[0].cost.amount is None
    named = [{**row, "model": "nobody's"} for row in rows("1")]
    (changed,) = Costs(ledger, prices=book(named)).reprice().models
    assert (changed.before.amount, changed.after.amount) == (None, Decimal("0.0011"))
    assert Costs(ledger).report().totals[0].cost.status == "exact"


def test_another_currency_is_never_added_to_the_first(ledger):
    write(ledger, [one_call()])
    Costs(ledger, prices=EURO).reprice()
    (total,) = Costs(ledger).report().totals
    assert (total.cost.currency, total.repriced.before) == ("EUR", None)
    assert "at first another currency" in Costs(ledger).report().to_table()


def test_the_finance_file_sums_to_what_is_counted_now(ledger, tmp_path):
    write(ledger, [one_call(), one_call()])
    Costs(ledger, prices=DEAR).reprice()
    files = Costs(ledger).write_focus(tmp_path / "bill.csv")
    assert files.billed == {"USD": Decimal("0.011")}


@settings(max_examples=20)
@given(
    st.lists(CALLS, max_size=6),
    st.sampled_from([CHEAP, DEAR, EURO]),
    st.none() | st.floats(-DAY, DAY),
    st.none() | st.sampled_from([-DAY, 0, DAY]),
)
def test_sums_in_the_file_say_what_adding_up_says_after_pricing_again(calls, prices, since, until):
    with TemporaryDirectory() as folder:
        ledger = SQLiteLedger(Path(folder) / "mai.db")
        write(ledger, calls)
        from_there = None if since is None else datetime.fromtimestamp(MIDNIGHT + since, UTC)
        Costs(ledger, prices=prices).reprice(since=from_there)
        end = None if until is None else MIDNIGHT + until
        sums, entries = ledger.sums(until=end), list(ledger.entries())
        ledger.close()
    for by in ["model"], ["day", "status"], ["meter"], []:
        kept = Report.of_cells(sums, by=by, until=end)
        assert kept.to_json() == build_report(entries, by=by, until=end).to_json()


def test_taking_out_what_is_in_leaves_nothing():
    ledger = MemoryLedger()
    write(ledger, [one_call(error="TimedOut"), one_call()])
    entries = list(ledger.entries())
    cells = Report.of_cells(reckoned_again(fold(entries), entries), by=["status"])
    assert cells == build_report(entries, by=["status"])


def test_what_an_older_version_had_priced_again_is_counted_when_its_file_is_opened(tmp_path):
    db = sqlite3.connect(tmp_path / "mai.db")
    db.executescript((Path(__file__).parents[1] / "data" / "ledger-3.sql").read_text())
    db.close()
    ledger = SQLiteLedger(tmp_path / "mai.db")
    kept, added = Report.of_cells(ledger.sums(), by=[]), build_report(ledger.entries(), by=[])
    ledger.close()
    assert kept.to_json() == added.to_json()
    assert kept.totals[0].repriced.after == Decimal("0.5")
