"""The sums a SQLite ledger keeps say what adding up its entries says, whatever is in it."""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entries import CALLS, DAY, MIDNIGHT, Outcome, price, write
from mai_sdk.metering import sqlite, sqlite_cells
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.report import Report, build_report
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.sqlite_cells import index_repriced
from mai_sdk.metering.sqlite_file import SQLiteFile
from mai_sdk.metering.usage import Usage

DATA = Path(__file__).parents[1] / "data"
BY = [
    ["model"],
    ["model", "day"],
    ["meter", "modality"],
    ["status", "tag:team"],
    ["surface", "deployment", "meter", "tag:none"],
    [],
]


@settings(max_examples=25)
@given(
    st.lists(CALLS, max_size=8),
    st.integers(0, 8),
    st.none() | st.floats(-2 * DAY, 2 * DAY) | st.sampled_from([-DAY, 0, DAY]),
    st.none() | st.floats(-2 * DAY, 2 * DAY) | st.sampled_from([-DAY, 0, DAY]),
)
def test_both_ways_to_add_up_give_equal_reports(calls, summed, since, until):
    low, high = (None if edge is None else MIDNIGHT + edge for edge in (since, until))
    with TemporaryDirectory() as folder:
        ledger = SQLiteLedger(Path(folder) / "mai.db")
        write(ledger, calls[:summed])
        ledger.close()
        ledger = SQLiteLedger(Path(folder) / "mai.db")  # which sums up what is there
        write(ledger, calls[summed:])
        sums, entries = ledger.sums(since=low, until=high), list(ledger.entries())
        ledger.close()
    memory = MemoryLedger()
    for tags in {}, {"team": "a"}:
        for by in BY:
            asked = {"by": by, "since": low, "until": high, "tags": tags}
            kept = Report.of_cells(sums, **asked)
            added = build_report(entries, **asked)
            assert kept == added
            assert kept.to_json() == added.to_json()
    write(memory, calls)
    from_memory = build_report(memory.entries(), since=low, until=high)
    assert from_memory.totals == Report.of_cells(sums, by=(), since=low, until=high).totals


def counted(ledger: SQLiteLedger) -> tuple[int, int]:
    """Return how many attempts are in the sums, and how many still are to be."""
    with ledger.reading() as db:
        summed = db.execute("SELECT coalesce(sum(attempts), 0) FROM cells").fetchone()[0]
        return summed, db.execute("SELECT count(*) FROM unsummed").fetchone()[0]


ONE = ("MAI-Thinking-1", {}, 5.0, [Outcome("settled_exact", Usage(input_tokens=3))])


def test_attempts_are_summed_many_at_once_and_none_is_left_out(tmp_path):
    first, second = (SQLiteLedger(tmp_path / "mai.db") for _ in range(2))
    write(first, [ONE] * 20)
    write(second, [ONE] * 11)
    assert counted(first) == (0, 31)
    write(first, [ONE])  # the thirty-second of the file; it is not yet settled itself
    assert counted(first) == (31, 1)
    write(second, [ONE] * 31)
    assert counted(second) == (31, 32)
    second.close()
    SQLiteLedger(tmp_path / "mai.db").close()
    assert counted(first) == (63, 0)
    first.close()


def test_sums_that_fail_are_told_and_cost_no_call_its_row(tmp_path, caplog):
    ledger = SQLiteLedger(tmp_path / "mai.db")
    write(ledger, [ONE] * 31)
    db = sqlite3.connect(tmp_path / "mai.db")
    db.execute("ALTER TABLE cell_parts RENAME TO elsewhere")
    db.close()
    write(ledger, [ONE])
    assert len(list(ledger.entries())) == 32
    assert counted(ledger) == (0, 32)
    assert "Could not add up the attempts of the ledger" in caplog.text
    ledger.close()


def test_a_backlog_is_summed_in_parts_so_that_nobody_waits_long(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_cells, "_NOTED", "SELECT id FROM unsummed ORDER BY id LIMIT 10")
    monkeypatch.setattr(sqlite, "_BETWEEN_SUMS", 10**9)
    ledger = SQLiteLedger(tmp_path / "mai.db")
    write(ledger, [ONE] * 35)
    ledger.close()
    ledger = SQLiteLedger(tmp_path / "mai.db")
    left = [counted(ledger)[1] for _ in range(5)]
    assert left == sorted(left, reverse=True)
    assert left[0] > 0
    assert left[-1] == 0
    assert counted(ledger) == (35, 0)
    ledger.close()


def test_sums_do_not_wait_for_a_file_that_somebody_holds_and_are_made_later(tmp_path, monkeypatch):
    ledger = SQLiteLedger(tmp_path / "mai.db")
    write(ledger, [ONE] * 31)
    holder = sqlite3.connect(tmp_path / "mai.db", isolation_level=None, check_same_thread=False)

    def committed(file, batch, commit=SQLiteFile.commit):
        commit(file, batch)
        if ledger._sums_are_due and not held:
            held.append(holder.execute("BEGIN IMMEDIATE"))

    held = []
    monkeypatch.setattr(SQLiteFile, "commit", committed)
    write_one = [("MAI-Thinking-1", {}, 5.0, [Outcome("reserved")])]
    write(ledger, write_one)
    ledger._thread.stop()  # what follows the commit is over, and it took no ten seconds
    assert held
    assert ledger._sums_are_due
    holder.execute("ROLLBACK")
    assert counted(ledger) == (31, 0)
    holder.close()
    ledger.close()


@pytest.mark.parametrize("version", [3, 4])
def test_a_ledger_that_summed_at_once_goes_on_with_what_it_has(tmp_path, version):
    db = sqlite3.connect(tmp_path / "mai.db")
    db.executescript((DATA / "ledger-3.sql").read_text())
    if version == 4:
        index_repriced(db)
        db.execute("PRAGMA user_version = 4")
    db.close()
    ledger = SQLiteLedger(tmp_path / "mai.db")
    before, _ = counted(ledger)
    write(ledger, [ONE] * 40)
    summed, unsummed = counted(ledger)
    assert summed + unsummed == before + 40
    assert before < summed
    for by in BY:
        assert Report.of_cells(ledger.sums(), by=by) == build_report(ledger.entries(), by=by)
    ledger.close()


def test_a_ledger_of_version_2_is_added_up_when_it_is_opened(tmp_path):
    db = sqlite3.connect(tmp_path / "mai.db")
    db.executescript((DATA / "ledger-2.sql").read_text())
    db.close()
    ledger = SQLiteLedger(tmp_path / "mai.db")
    for by in BY:
        kept = Report.of_cells(ledger.sums(), by=by)
        assert kept == build_report(ledger.entries(), by=by)
    assert {total.cost.currency: total.attempts for total in kept.totals} == {"USD": 5, "EUR": 1}
    ledger.close()
    db = sqlite3.connect(tmp_path / "mai.db")
    assert db.execute("SELECT sum(attempts) FROM cells").fetchone() == (5,)  # one is unknown
    db.close()


def test_an_attempt_found_out_later_moves_into_the_sums_once(tmp_path):
    ledger = SQLiteLedger(tmp_path / "mai.db")
    write(ledger, [("MAI-Thinking-1", {}, 5.0, [Outcome("unknown")])])
    (entry,) = ledger.entries()
    usage = Usage(input_tokens=1000, output_tokens=10)
    found = {
        "usage": usage,
        "cost": price("MAI-Thinking-1", usage, date(2026, 11, 22)),
        "settled_at": MIDNIGHT + 9,
    }
    assert Report.of_cells(ledger.sums(), by=()).totals[0].cost.amount is None
    assert ledger.settle(entry.attempt_id, state="settled_exact", **found)
    assert not ledger.settle(entry.attempt_id, state="settled_exact", **found)
    (total,) = Report.of_cells(ledger.sums(), by=()).totals
    ledger.reprice(entry.attempt_id, found["cost"])
    assert Report.of_cells(ledger.sums(), by=()).totals == (total,)
    assert (total.attempts, total.cost.amount) == (1, Decimal("0.00208"))
    ledger.close()
