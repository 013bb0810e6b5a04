"""What goes wrong with a ledger's file: each fault says which it is; nothing is half written."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mai_sdk.errors import LedgerError
from mai_sdk.metering import sqlite, sqlite_file
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Claim, Entry, Operation
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.metering.writer import Job, Ticket, WriterThread

OUTCOME = {
    "state": "released",
    "usage": Usage.zero(),
    "cost": Cost.free("Nothing ran."),
    "settled_at": 2.0,
}


def entry():
    call = Operation(
        call_id=uuid7(),
        modality="code",
        verb="create",
        model=None,
        deployment=None,
        surface="vllm",
        started_at=1.0,
    )
    return Entry(
        attempt_id=f"{call.call_id}-1",
        number=1,
        operation=call,
        state="reserved",
        reserved_at=1.0,
        upper_bound=None,
    )


@pytest.fixture
def ledger(tmp_path):
    made = SQLiteLedger(tmp_path / "ledger.db")
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch):
    """Ten seconds are over at once."""
    monkeypatch.setattr(sqlite_file, "_PATIENCE_SECONDS", 0.05)


@pytest.fixture
def locked(tmp_path, ledger):
    """Another program holds the file."""
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def read_only(ledger):
    ledger._file.db("look into").execute("PRAGMA query_only = ON")


def full(ledger):
    db = ledger._file.db("look into")
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    while True:
        try:
            ledger.reserve(entry())
        except LedgerError:
            return


def damaged(ledger):
    for _ in range(50):
        ledger.reserve(entry())
    ledger._file.before_fork()  # closed, and so copied into the file
    with ledger.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (ledger.path.stat().st_size - 4096))
    ledger._file.after_fork_in_parent()


def closed(ledger):
    ledger.close()


FAULTS = [
    (read_only, "read_only", "write permission"),
    (full, "full", "Make room"),
    (damaged, "damaged", "rescue its rows"),
    (closed, "closed", "open it again"),
]


@pytest.mark.parametrize(("fault", "reason", "advice"), FAULTS)
def test_each_fault_says_which_it_is_and_what_to_do(ledger, fault, reason, advice):
    fault(ledger)
    with pytest.raises(LedgerError, match=advice) as caught:
        for _ in range(2):
            ledger.reserve(entry())
    assert caught.value.reason == reason
    assert str(ledger.path) in caught.value.message


@pytest.mark.usefixtures("impatient")
def test_a_locked_file_is_waited_for_and_then_said_to_be_locked(ledger, locked):
    with pytest.raises(LedgerError, match="held it locked for 10 seconds") as caught:
        ledger.reserve(entry())
    assert caught.value.reason == "locked"
    locked.execute("ROLLBACK")
    ledger.reserve(entry())
    assert len(list(ledger.entries())) == 1


def test_a_file_that_is_let_go_in_time_is_written(ledger, locked):
    threading.Timer(0.2, locked.execute, ["ROLLBACK"]).start()
    ledger.reserve(entry())
    assert len(list(ledger.entries())) == 1


@pytest.mark.usefixtures("locked", "impatient")
def test_a_locked_file_cannot_be_opened(tmp_path):
    with pytest.raises(LedgerError) as caught:
        SQLiteLedger(tmp_path / "ledger.db")
    assert caught.value.reason == "locked"


def test_a_sqlite_too_old_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(LedgerError, match=r"3\.38 or newer"):
        SQLiteLedger(tmp_path / "ledger.db")


def test_without_shared_memory_the_journal_is_rolled_back(tmp_path, monkeypatch):
    def only_rollback(path, *, timeout=0):
        return sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=False, factory=NoWAL
        )

    class NoWAL(sqlite3.Connection):
        def execute(self, sql, *more):
            asked = sql.replace("journal_mode = wal", "journal_mode")
            return super().execute(asked, *more)

    monkeypatch.setattr(sqlite_file, "_open", only_rollback)
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    assert ledger.mode == "rollback"
    db = ledger._file.db("look into")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    ledger.reserve(entry())
    assert len(list(ledger.entries())) == 1
    ledger.close()


# --- a call whose ledger fails --------------------------------------------------------------------


@pytest.mark.parametrize("fault", [read_only, full, damaged, closed])
def test_nothing_is_sent_where_it_cannot_be_written_down(emulator, ledger, fault):
    fault(ledger)
    with emulator.client(ledger=ledger) as client, pytest.raises(LedgerError):
        client.code.create("Add.", model="MAI-Code-1-Flash")
    assert list(emulator.journal) == []

    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            with pytest.raises(LedgerError):
                await client.code.create("Add.", model="MAI-Code-1-Flash")

    asyncio.run(run())
    assert list(emulator.journal) == []


def fail_to_settle(monkeypatch):
    def settle(db, attempt_id, **outcome):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("mai_sdk.metering.sqlite_rows.settle", settle)


def test_an_answer_that_could_not_be_settled_is_given_and_says_so(
    emulator, ledger, monkeypatch, caplog
):
    fail_to_settle(monkeypatch)
    with emulator.client(ledger=ledger) as client:
        reply = client.code.create("Add.", model="MAI-Code-1-Flash")
        with client.code.stream("Add.", model="MAI-Code-1-Flash") as stream:
            streamed = stream.read()

    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            whole = await client.code.create("Add.", model="MAI-Code-1-Flash")
            async with client.code.stream("Add.", model="MAI-Code-1-Flash") as stream:
                return whole, await stream.read()

    for answer in (reply, streamed, *asyncio.run(run())):
        assert answer.text
        assert "disk I/O error" in answer.receipt.unrecorded
        assert answer.call_id in caplog.text
    assert {e.state for e in ledger.entries()} == {"reserved", "sent"}


def test_a_stream_that_nobody_reads_to_its_end_says_so_in_the_log(
    emulator, ledger, monkeypatch, caplog
):
    fail_to_settle(monkeypatch)
    with emulator.client(ledger=ledger) as client:
        with client.code.stream("Add.", model="MAI-Code-1-Flash") as stream:
            next(iter(stream))
        list(ledger.entries())
    assert "The ledger did not record call" in caplog.text


def test_a_locked_file_does_not_hold_up_the_event_loop(emulator, ledger, locked):
    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            call = asyncio.create_task(client.code.create("Add.", model="MAI-Code-1-Flash"))
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert list(emulator.journal) == []
            locked.execute("ROLLBACK")
            return await call

    assert asyncio.run(run()).text


def test_a_call_cancelled_while_it_waits_for_the_file_is_released(emulator, ledger, locked):
    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            call = asyncio.create_task(client.code.create("Add.", model="MAI-Code-1-Flash"))
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            locked.execute("ROLLBACK")

    asyncio.run(run())
    (row,) = ledger.entries()
    assert (row.state, row.error, row.cost.status) == ("released", "CancelledError", "free")
    assert list(emulator.journal) == []


# --- the thread that writes -----------------------------------------------------------------------


def test_of_what_is_written_together_only_the_one_at_fault_fails(ledger):
    one, two = entry(), entry()
    claim = Claim(budget_id="b", period="total", limit_nanos=1, nanos=2)
    ledger._file._commits.acquire()  # so that all of it waits
    tickets = [
        ledger.reserve_soon(one),
        ledger.reserve_soon(one),
        ledger.reserve_soon(entry(), claims=[claim]),
        ledger.settle_soon("nowhere", **OUTCOME),
        ledger.settle_soon(one.attempt_id, nonsense=1),
        ledger.reserve_soon(two),
        ledger.settle_soon(two.attempt_id, **OUTCOME),
    ]
    ledger._file._commits.release()
    for ticket in tickets:
        ticket.block()
    names = [type(ticket.failed).__name__ for ticket in tickets]
    assert names[1:5] == ["LedgerError", "BudgetExceeded", "LedgerError", "TypeError"]
    assert [names[0], *names[5:]] == ["NoneType"] * 3
    assert [(e.attempt_id, e.state) for e in ledger.entries()] == sorted(
        [(one.attempt_id, "reserved"), (two.attempt_id, "released")]
    )


def test_closing_writes_what_was_asked_for_before(tmp_path):
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    for _ in range(600):
        ledger.reserve_soon(entry())
    ledger.close()
    again = SQLiteLedger(tmp_path / "ledger.db")
    assert len(list(again.entries())) == 600
    again.close()


@pytest.fixture
def guarded(monkeypatch):
    """A SQLite with the WAL-reset bug, and checkpoints every ten attempts."""
    monkeypatch.setattr(sqlite_file, "wal_is_safe", lambda version: False)
    monkeypatch.setattr(sqlite, "_BETWEEN_CHECKPOINTS", 10)


@pytest.mark.usefixtures("guarded")
def test_the_log_is_copied_into_the_file_while_nobody_can_commit(tmp_path, monkeypatch, caplog):
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    plain, tried = sqlite_file._open, []

    def opened(path, timeout=0):
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            tried.append(str(error))
        other.close()
        return plain(path, timeout=timeout)

    monkeypatch.setattr(sqlite_file, "_open", opened)
    for _ in range(200):
        ledger.reserve(entry())
    ledger._thread.stop()
    assert tried == ["database is locked"] * 20
    assert (tmp_path / "ledger.db-wal").stat().st_size < 1_000_000
    assert (tmp_path / "ledger.db").stat().st_size > 50_000
    monkeypatch.setattr(sqlite_file, "_open", lambda path, timeout=0: sqlite3.connect("/none/x"))
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            ledger.reserve(entry())
    assert "Could not checkpoint the ledger" in caplog.text
    monkeypatch.setattr(sqlite_file, "_open", plain)
    assert len(list(ledger.entries())) == 210
    ledger.close()


@pytest.mark.usefixtures("guarded")
def test_a_log_that_cannot_be_brought_to_the_disk_is_told_of(ledger, monkeypatch, caplog):
    def fails(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sqlite_file.os, "fsync", fails)
    for _ in range(11):
        ledger.reserve(entry())
    assert "Could not checkpoint" in caplog.text
    assert "Input/output error" in caplog.text
    assert len(list(ledger.entries())) == 11


@pytest.mark.usefixtures("guarded")
def test_no_connection_makes_a_checkpoint_by_itself(tmp_path):
    """Not even the one that brings an older file up to date: its commit would be the occasion."""
    db = sqlite_file._open(tmp_path / "ledger.db")
    assert db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    db.close()


@pytest.mark.usefixtures("guarded")
def test_a_log_handler_that_fails_does_not_end_the_thread(ledger, monkeypatch):
    class Broken(logging.Handler):
        def emit(self, record):
            raise RuntimeError("the log server is gone")

    handler = Broken()
    logging.getLogger("mai_sdk").addHandler(handler)
    try:
        monkeypatch.setattr(sqlite_file, "_open", lambda path: sqlite3.connect("/none/x"))
        for _ in range(20):
            ledger.reserve(entry())
        assert ledger._thread._thread.is_alive()
    finally:
        logging.getLogger("mai_sdk").removeHandler(handler)
    monkeypatch.undo()
    assert len(list(ledger.entries())) == 20


def test_a_ticket_calls_whoever_asks_before_or_after():
    called = []
    ticket = Ticket()
    ticket.when_done(lambda: called.append("before"))
    assert (called, ticket.failed) == ([], None)
    ticket.done(7)
    ticket.when_done(lambda: called.append("after"))
    assert called == ["before", "after"]
    assert ticket.wait() == ticket.wait() == 7


def test_who_is_called_and_fails_takes_the_thread_from_nobody(ledger, caplog):
    ticket = ledger.reserve_soon(entry())

    def broken():
        raise ValueError("a log handler of the user's")

    ticket.when_done(broken)
    ledger._file._commits.acquire()  # so that it is called by the ledger's thread
    waited = ledger.reserve_soon(entry())
    waited.when_done(broken)
    ledger._file._commits.release()
    waited.wait()
    ledger.reserve(entry())
    assert len(list(ledger.entries())) == 3
    assert "What waits for the ledger failed" in caplog.text


def test_a_text_that_is_no_unicode_is_refused_by_name(ledger):
    made = entry()
    made.operation.tags = {"user": "\ud800"}
    with pytest.raises(LedgerError, match="does not fit") as caught:
        ledger.reserve(made)
    assert caught.value.reason == "refused"


def test_without_a_thread_to_be_had_whoever_asks_does_the_work(monkeypatch):
    def none_left(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    done = []
    writer = WriterThread(done.extend, name="x")
    jobs = [Job("a", str), Job("b", str)]
    for job in jobs:
        writer.put(job)
    assert done == jobs
    writer.stop()


EXIT = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from test_metering_sqlite_faults import OUTCOME, SQLiteLedger, entry
from pathlib import Path

class Late:
    def __init__(self, ledger): self.ledger, self.entry = ledger, entry()
    def __del__(self): self.ledger.settle_soon(self.entry.attempt_id, **OUTCOME)

ledger = SQLiteLedger(Path("ledger.db"))
late = Late(ledger)
late.loop = late
sys.late = late
ledger.reserve_soon(late.entry)
for _ in range(300):
    one = entry()
    ledger.reserve_soon(one)
    ledger.settle_soon(one.attempt_id, **OUTCOME)
"""


def test_the_end_of_the_interpreter_loses_nothing_and_does_not_hang(tmp_path):
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", EXIT, here], check=True, timeout=60)
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    states = [e.state for e in ledger.entries()]
    assert len(states) == 301
    assert states.count("released") >= 300
    ledger.close()
