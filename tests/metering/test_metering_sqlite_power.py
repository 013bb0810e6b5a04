"""Power lost at any point of the log: what was acknowledged is there, and the file is whole."""

import random
import shutil
import sqlite3

from test_metering_sqlite_faults import OUTCOME, entry

from mai_sdk.metering import sqlite
from mai_sdk.metering.sqlite import SQLiteLedger

HEADER, FRAME = 32, 24 + 4096  # bytes; sqlite.org/fileformat2.html, section 4.1
CALLS = 120


def written(folder, monkeypatch):
    """Write calls to a ledger whose log nobody empties; return what each had put into it by when.

    The log is as a disk has it that keeps what it was told to keep, and nothing after that.
    """
    monkeypatch.setattr(sqlite, "_BETWEEN_CHECKPOINTS", 10**9)
    ledger = SQLiteLedger(folder / "ledger.db", durability="power")
    ledger._file.db("look into").execute("PRAGMA wal_autocheckpoint = 0")
    log, acknowledged = folder / "ledger.db-wal", []
    for _ in range(CALLS):
        one = entry()
        ledger.reserve(one)
        acknowledged.append((log.stat().st_size, one.attempt_id, {"reserved", "released"}))
        assert ledger.settle(one.attempt_id, **OUTCOME)
        acknowledged.append((log.stat().st_size, one.attempt_id, {"released"}))
    for name in "ledger.db", "ledger.db-wal":
        shutil.copy(folder / name, folder / f"kept-{name}")
    ledger.close()
    return acknowledged


def found_after(folder, size):
    """Return the states of the attempts in what is left when the log ends after so many bytes."""
    left = folder / "left.db"
    shutil.copy(folder / "kept-ledger.db", left)
    shutil.copy(folder / "kept-ledger.db-wal", folder / "left.db-wal")
    (folder / "left.db-shm").unlink(missing_ok=True)
    with (folder / "left.db-wal").open("rb+") as log:
        log.truncate(size)
    db = sqlite3.connect(left)
    assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    states = dict(db.execute("SELECT attempt_id, state FROM attempts"))
    db.close()
    return states


def test_what_was_acknowledged_before_the_power_went_is_there_after_it(tmp_path, monkeypatch):
    acknowledged = written(tmp_path, monkeypatch)
    end = acknowledged[-1][0]
    frames = [*range(HEADER + FRAME, end, FRAME), end]
    assert len(frames) > 1000
    assert {size for size, *_ in acknowledged} <= set(frames)
    assert sorted(size for size, *_ in acknowledged) == [size for size, *_ in acknowledged]
    torn = random.Random(5).sample(range(end), 100)  # noqa: S311 - not a secret
    for size in frames + torn:
        states = found_after(tmp_path, size)
        for kept, attempt_id, allowed in acknowledged:
            if kept <= size:
                assert states[attempt_id] in allowed
        assert len(states) <= 1 + sum(kept <= size for kept, *_ in acknowledged[::2])


def test_a_ledger_opens_on_what_is_left_and_nothing_is_forgotten(tmp_path, monkeypatch):
    acknowledged = written(tmp_path, monkeypatch)
    size, attempt_id, _ = acknowledged[-2]  # reserved, and then the power went
    found_after(tmp_path, size)
    ledger = SQLiteLedger(tmp_path / "left.db")
    states = {one.attempt_id: one.state for one in ledger.entries()}
    assert len(states) == CALLS
    assert states[attempt_id] == "reserved"  # this process lives: it is not for it to settle
    ledger.close()
