"""The sums a SQLite ledger keeps say what adding up its entries says, whatever is in it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from entries import CALLS, DAY, MIDNIGHT, write
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.report import Report, build_report
from mai_sdk.metering.sqlite import SQLiteLedger

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
    st.none() | st.floats(-2 * DAY, 2 * DAY) | st.sampled_from([-DAY, 0, DAY]),
    st.none() | st.floats(-2 * DAY, 2 * DAY) | st.sampled_from([-DAY, 0, DAY]),
)
def test_both_ways_to_add_up_give_equal_reports(calls, since, until):
    low, high = (None if edge is None else MIDNIGHT + edge for edge in (since, until))
    with TemporaryDirectory() as folder:
        ledger = SQLiteLedger(Path(folder) / "mai.db")
        write(ledger, calls)
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
