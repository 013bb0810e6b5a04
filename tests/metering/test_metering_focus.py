"""FOCUS files: every priced meter has a row, what is unknown is apart, and nothing is lost."""

from __future__ import annotations

import os
import stat
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entries import CALLS, write
from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.focus import COLUMNS, UNPRICED_COLUMNS, Account, focus_rows, unpriced_rows
from mai_sdk.metering.focus_file import write_focus
from mai_sdk.metering.focus_rules import problems
from mai_sdk.metering.memory import MemoryLedger


@settings(max_examples=40)
@given(st.lists(CALLS, max_size=6))
def test_rows_of_any_ledger_are_valid_and_add_up_to_what_is_known(calls):
    ledger = MemoryLedger()
    write(ledger, calls)
    entries = list(ledger.entries())
    rows = [row for entry in entries for row in focus_rows(entry, account=Account())]
    assert list(problems(COLUMNS, rows)) == []
    assert all(tuple(row) == COLUMNS for row in rows)
    billed, known = Counter(), Counter()
    for row in rows:
        billed[row["BillingCurrency"]] += Decimal(row["BilledCost"])
    for entry in entries:
        if entry.cost is not None:
            known[entry.cost.currency] += entry.cost.at_least
    assert +billed == +known
    apart = [row for entry in entries for row in unpriced_rows(entry)]
    assert all(set(row) == set(UNPRICED_COLUMNS) for row in apart)
    unknown = {e.attempt_id for e in entries if e.cost is None or e.cost.status == "unknown"}
    assert {f"{row['call_id']}-{row['attempt']}" for row in apart} == unknown


def test_files_that_cannot_be_written_are_refused_and_leave_what_was_there(tmp_path):
    (tmp_path / "bill.csv").write_text("old")
    (tmp_path / "bill.unpriced.csv").mkdir()
    with pytest.raises(InvalidRequest, match="is a folder"):
        write_focus([], tmp_path / "bill.csv")
    with pytest.raises(InvalidRequest, match="no folder"):
        write_focus([], tmp_path / "none" / "bill.csv")

    def broken():
        raise OSError("The ledger is gone.")
        yield

    (tmp_path / "bill.unpriced.csv").rmdir()
    with pytest.raises(OSError, match="gone"):
        write_focus(broken(), tmp_path / "bill.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"bill.csv"}
    assert (tmp_path / "bill.csv").read_text() == "old"


def test_files_are_made_for_their_owner_only_and_keep_a_mode_they_had(tmp_path):
    (tmp_path / "elsewhere").write_text("not ours")
    (tmp_path / f".bill.csv.{os.getpid()}.part").symlink_to(tmp_path / "elsewhere")
    files = write_focus([], tmp_path / "bill.csv")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (files.path, files.unpriced_path)]
    assert modes == [0o600, 0o600]
    files.path.chmod(0o644)
    write_focus([], tmp_path / "bill.csv")
    assert stat.S_IMODE(files.path.stat().st_mode) == 0o644
    assert (tmp_path / "elsewhere").read_text() == "not ours"
