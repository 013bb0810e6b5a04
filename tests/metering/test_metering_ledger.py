"""Every ledger keeps the same promises; the file keeps more, and Postgres has a page of its own."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.errors import BudgetExceeded, ConfigurationError, LedgerError
from mai_sdk.metering.cost import Cost, CostLine, Price
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Claim, Entry, Ledger, Operation, open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.migrations import SCHEMA_VERSION
from mai_sdk.metering.money import from_nanodollars
from mai_sdk.metering.rows import USAGE_COLUMNS
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.sqlite_file import wal_is_safe
from mai_sdk.metering.usage import Usage

USAGE = Usage(input_tokens=10, output_tokens=3, basis="estimated")
PRICE = Price(
    model="M",
    meter="output_tokens",
    amount=Decimal("8.00"),
    per=1_000_000,
    valid_from="2026-01-01",
    source="a list",
    checked="2026-11-22",
    note='with "quotes"',
)
LINE = CostLine.of("output_tokens", quantity=3, price=PRICE)
COST = Cost(amount=LINE.amount, status="estimated", reason="We counted.", lines=(LINE,))
OUTCOME: dict[str, Any] = {
    "state": "settled_estimated",
    "usage": USAGE,
    "cost": COST,
    "settled_at": 12.5,
    "status": 200,
    "error": "StreamTruncated",
    "request_id": "theirs",
    "first_byte": 0.1,
    "first_content": 0.2,
    "seconds": 1.5,
}


def operation(**more: Any) -> Operation:
    fields: dict[str, Any] = {
        "call_id": uuid7(),
        "modality": "reasoning",
        "verb": "create",
        "model": "MAI-Thinking-1",
        "deployment": None,
        "surface": "foundry",
        "started_at": 9.75,
        "tags": {"team": "søk"},
    }
    return Operation(**fields | more)


def entry(**more: Any) -> Entry:
    fields: dict[str, Any] = {
        "attempt_id": uuid7(),
        "number": 1,
        "operation": operation(),
        "state": "reserved",
        "reserved_at": 10.0,
        "upper_bound": COST,
    }
    return Entry(**fields | more)


@pytest.fixture(params=["memory", "file", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    place: Path | str | None = None
    if request.param == "file":
        place = tmp_path / "ledger.db"
    elif request.param == "postgres":
        place = request.getfixturevalue("postgres").address
    made = open_ledger(place)
    yield made
    made.close()


def test_a_reserved_attempt_is_there_until_it_is_settled(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one)
    assert list(ledger.entries()) == [one]
    ledger.sent(one.attempt_id)
    assert [e.state for e in ledger.entries()] == ["sent"]
    assert ledger.settle(one.attempt_id, **OUTCOME)
    assert list(ledger.entries()) == [replace(one, **OUTCOME)]


def test_what_was_unknown_or_missing_comes_back_as_it_was(ledger: Ledger) -> None:
    one = entry(upper_bound=None, operation=operation(model=None, tags={}))
    two = entry(upper_bound=Cost.unknown("No price.", lines=(LINE,)))
    sums = Cost.unknown("No price.") + COST
    for each in (one, two):
        ledger.reserve(each)
    said = {"usage": Usage(basis="unknown"), "cost": sums, "settled_at": 1.0}
    ledger.settle(two.attempt_id, state="unknown", **said)  # type: ignore[arg-type]
    back = {e.attempt_id: e for e in ledger.entries()}
    assert back[one.attempt_id] == one
    assert back[two.attempt_id] == replace(two, state="unknown", **said)  # type: ignore[arg-type]
    assert back[two.attempt_id].cost == sums
    assert sums.at_least == COST.amount


def test_an_attempt_is_settled_once(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one)
    assert ledger.settle(one.attempt_id, **OUTCOME) is True
    free = Cost.free("Nothing ran.")
    again = {**OUTCOME, "state": "released", "cost": free, "status": None}
    assert ledger.settle(one.attempt_id, **again) is False
    ledger.sent(one.attempt_id)
    assert list(ledger.entries()) == [replace(one, **OUTCOME)]


def test_an_unknown_outcome_can_be_found_out_once(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one)
    unknown = {**OUTCOME, "state": "unknown", "cost": Cost.unknown("Never seen.")}
    assert ledger.settle(one.attempt_id, **unknown) is True
    assert ledger.settle(one.attempt_id, **unknown) is False
    assert ledger.settle(one.attempt_id, **OUTCOME) is True
    assert ledger.settle(one.attempt_id, **unknown) is False
    assert [e.cost for e in ledger.entries()] == [COST]


def test_attempts_of_one_call_share_its_operation(ledger: Ledger) -> None:
    call = operation()
    for number in (1, 2):
        ledger.reserve(entry(operation=call, number=number, reserved_at=10.0 + number))
    assert [(e.operation, e.number) for e in ledger.entries()] == [(call, 1), (call, 2)]


def test_entries_come_oldest_first_and_can_be_cut_by_time(ledger: Ledger) -> None:
    for when in (3.0, 1.0, 2.0):
        ledger.reserve(entry(reserved_at=when))
    assert [e.reserved_at for e in ledger.entries()] == [1.0, 2.0, 3.0]
    assert [e.reserved_at for e in ledger.entries(since=2.0)] == [2.0, 3.0]
    assert [e.reserved_at for e in ledger.entries(until=2.0)] == [1.0]
    assert [e.reserved_at for e in ledger.entries(since=1.0, until=3.0)] == [1.0, 2.0]


def test_many_entries_of_the_same_moment_all_come_back_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [entry(operation=operation(call_id="one"), number=n + 1) for n in range(5)]
    monkeypatch.setattr("mai_sdk.metering.sqlite._PAGE", 2)
    monkeypatch.setattr("mai_sdk.metering.postgres._PAGE", 2)
    for each in many:
        ledger.reserve(replace(each, operation=replace(each.operation)))
    assert [e.attempt_id for e in ledger.entries()] == [e.attempt_id for e in many]


def test_what_a_reader_does_to_an_entry_does_not_change_the_ledger(ledger: Ledger) -> None:
    ledger.reserve(entry())
    (kept,) = ledger.entries()
    kept.number = 7
    assert [(e.state, e.number) for e in ledger.entries()] == [("reserved", 1)]


def test_what_does_not_fit_is_a_ledger_error_in_a_sentence(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one)
    with pytest.raises(LedgerError):
        ledger.reserve(one)
    with pytest.raises(LedgerError, match="no attempt nowhere"):
        ledger.settle("nowhere", **OUTCOME)
    with pytest.raises(LedgerError, match="no attempt nowhere"):
        ledger.sent("nowhere")
    with pytest.raises(LedgerError, match='cannot be settled as "sent"'):
        ledger.settle(one.attempt_id, **{**OUTCOME, "state": "sent"})
    assert list(ledger.entries()) == [one]


def test_a_closed_ledger_refuses_to_write(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one)
    ledger.close()
    ledger.close()
    for write in (
        lambda: ledger.reserve(entry()),
        lambda: ledger.sent(one.attempt_id),
        lambda: ledger.settle(one.attempt_id, **OUTCOME),
    ):
        with pytest.raises(LedgerError, match="closed"):
            write()


def test_threads_may_write_at_once_and_only_one_settles(ledger: Ledger) -> None:
    shared = entry()
    ledger.reserve(shared)
    wins: list[bool] = []

    def work() -> None:
        for _ in range(5):
            own = entry()
            ledger.reserve(own)
            ledger.settle(own.attempt_id, **OUTCOME)
        wins.append(ledger.settle(shared.attempt_id, **OUTCOME))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False, False, False, True]
    assert [e.state for e in ledger.entries()] == ["settled_estimated"] * 21


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["sent", "settled_exact", "settled_estimated", "released", "unknown", "reserved"]
        ),
        max_size=6,
    )
)
def test_both_ledgers_go_through_the_same_states(steps: list[Any]) -> None:
    ledgers: list[Ledger] = [MemoryLedger(), SQLiteLedger(_fresh())]
    one = entry()
    told: list[list[object]] = []
    for each in ledgers:
        each.reserve(one)
        told.append([_do(each, one.attempt_id, step) for step in steps])
        told[-1].append([e.state for e in each.entries()])
        each.close()
    assert told[0] == told[1]


def _do(ledger: Ledger, attempt_id: str, step: Any) -> object:
    try:
        if step == "sent":
            return ledger.sent(attempt_id)
        return ledger.settle(attempt_id, **{**OUTCOME, "state": step})
    except LedgerError as error:
        return error.message


_folder: Path | None = None


@pytest.fixture(autouse=True)
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _folder
    _folder = tmp_path_factory.mktemp("states")


def _fresh() -> Path:
    assert _folder is not None
    return _folder / f"{uuid7()}.db"


# --- what budgets hold ----------------------------------------------------------------------------


def claim(nanos: int, *, limit: int = 100, budget: str = "b", period: str = "2026-11") -> Claim:
    return Claim(budget_id=budget, period=period, limit_nanos=limit, nanos=nanos)


def costing(nanos: int | None, state: str = "settled_exact") -> dict[str, Any]:
    cost = (
        Cost.unknown("Not known.")
        if nanos is None
        else Cost(amount=from_nanodollars(nanos), status="exact")
    )
    return {**OUTCOME, "state": state, "cost": cost}


@pytest.mark.parametrize(
    ("outcome", "spent"),
    [
        (costing(30), 30),
        (costing(70), 70),
        (costing(0), 0),
        ({**costing(0), "cost": Cost.free("Nothing ran."), "state": "released"}, 0),
        (costing(None, "unknown"), 60),
        (costing(None), 60),
        ({**costing(None), "cost": Cost(amount=None, status="unknown", known=Decimal("9e-8"))}, 90),
        ({**costing(9), "cost": Cost(amount=Decimal("9e-9"), status="lower_bound")}, 60),
    ],
)
def test_what_was_claimed_becomes_what_was_spent(
    ledger: Ledger, outcome: dict[str, Any], spent: int
) -> None:
    one = entry()
    ledger.reserve(one, claims=[claim(60)])
    assert ledger.budget_state("b", "2026-11") == (0, 60)
    assert ledger.settle(one.attempt_id, **outcome)
    assert ledger.budget_state("b", "2026-11") == (spent, 0)
    assert not ledger.settle(one.attempt_id, **{**outcome, "state": "unknown"})
    assert ledger.budget_state("b", "2026-11") == (spent, 0)


def test_an_unknown_outcome_frees_its_claim_when_it_is_found_out(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one, claims=[claim(60), claim(60, budget="c", limit=60)])
    ledger.settle(one.attempt_id, **costing(None, "unknown"))
    ledger.settle(one.attempt_id, **costing(25))
    for budget in ("b", "c"):
        assert ledger.budget_state(budget, "2026-11") == (25, 0)


def test_what_does_not_fit_into_every_budget_is_not_reserved(ledger: Ledger) -> None:
    ledger.reserve(entry(), claims=[claim(60)])
    before = list(ledger.entries())
    with pytest.raises(BudgetExceeded, match="budget of") as caught:
        ledger.reserve(entry(), claims=[claim(1, budget="other"), claim(41)])
    assert caught.value.claim == claim(41)
    assert caught.value.state == (0, 60)
    assert list(ledger.entries()) == before
    assert ledger.budget_state("b", "2026-11") == (0, 60)
    assert ledger.budget_state("other", "2026-11") == (0, 0)
    ledger.reserve(entry(), claims=[claim(40)])
    ledger.reserve(entry(), claims=[claim(100, period="2026-12")])
    with pytest.raises(BudgetExceeded):
        ledger.reserve(entry(), claims=[claim(2, budget="twice", limit=3)] * 2)


def test_threads_never_overspend(ledger: Ledger) -> None:
    refused: list[BudgetExceeded] = []

    def work() -> None:
        for _ in range(10):
            one = entry()
            try:
                ledger.reserve(one, claims=[claim(10)])
            except BudgetExceeded as error:
                refused.append(error)
            else:
                ledger.settle(one.attempt_id, **costing(7))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, reserved = ledger.budget_state("b", "2026-11")
    assert reserved == 0
    assert 90 < spent <= 100
    assert spent == 7 * (40 - len(refused))


def test_a_corrected_price_stands_beside_the_first(ledger: Ledger) -> None:
    one = entry(operation=operation(session="s1"))
    ledger.reserve(one)
    ledger.settle(one.attempt_id, **OUTCOME)
    dearer = Cost(amount=Decimal("0.5"), status="exact")
    ledger.reprice(one.attempt_id, dearer)
    assert list(ledger.entries()) == [replace(one, **OUTCOME, repriced=dearer)]
    with pytest.raises(LedgerError, match="no attempt"):
        ledger.reprice("nowhere", dearer)


def test_what_lives_is_not_recovered(ledger: Ledger) -> None:
    one = entry()
    ledger.reserve(one, claims=[claim(5)])
    assert ledger.recover() == (0, 0)
    assert [e.state for e in ledger.entries()] == ["reserved"]
    assert ledger.budget_state("b", "2026-11") == (0, 5)


# --- in memory ------------------------------------------------------------------------------------


def test_a_bounded_ledger_drops_only_what_is_settled_and_says_how_much() -> None:
    ledger = MemoryLedger(max_entries=2)
    kept = [entry(reserved_at=0.0), entry(reserved_at=1.0), entry(reserved_at=2.0)]
    for each in kept:
        ledger.reserve(each)
    ledger.settle(kept[0].attempt_id, **{**OUTCOME, "state": "unknown"})
    ledger.settle(kept[1].attempt_id, **OUTCOME)
    ledger.reserve(entry(reserved_at=3.0))
    assert [e.reserved_at for e in ledger.entries()] == [0.0, 2.0, 3.0]
    assert ledger.dropped == 1


# --- in a file ------------------------------------------------------------------------------------


def test_a_ledger_is_opened_from_none_a_path_a_url_or_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place, file in (
        (tmp_path / "a.db", "a.db"),
        (str(tmp_path / "b.db"), "b.db"),
        ("sqlite:///c.db", "c.db"),
        (f"sqlite:///{tmp_path}/d.db", "d.db"),
        ("sqlite:///f.db?durability=power", "f.db"),
        ("~/e.db", "e.db"),
    ):
        open_ledger(place).close()
        assert (tmp_path / file).is_file()
    for ledger, durability in (
        (open_ledger("a.db"), "process"),
        (open_ledger("a.db", durability="power"), "power"),
        (open_ledger("sqlite:///a.db?durability=power"), "power"),
    ):
        assert isinstance(ledger, SQLiteLedger)
        assert ledger.durability == durability
        ledger.close()
    memory = open_ledger()
    assert isinstance(memory, MemoryLedger)
    assert open_ledger(memory) is memory


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://user:hunter2@host:port/db", "not one that Postgres knows"),
        ("postgresql://user:hunter2@host/db?durability=power", "not one that Postgres knows"),
        ("mysql://host/db", "sqlite:///"),
        ("sqlite://c.db", "sqlite:///relative"),
        ("sqlite:///", "sqlite:///relative"),
        ("sqlite:///a.db?durability=forever", "at most"),
    ],
)
def test_an_address_that_is_no_ledger_is_refused_without_repeating_it(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        open_ledger(url)
    assert "hunter2" not in caught.value.message


def test_the_file_and_its_journals_are_for_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = SQLiteLedger(tmp_path / "ledger.db")
        ledger.reserve(entry())
    finally:
        os.umask(before)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    ledger.close()


def test_money_is_kept_as_whole_nanodollars(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    one = entry(upper_bound=Cost(amount=Decimal("0.000000001"), status="estimated", reason="Most."))
    ledger.reserve(one)
    ledger.settle(one.attempt_id, **OUTCOME)
    ledger.close()
    db = sqlite3.connect(tmp_path / "ledger.db")
    row = db.execute(
        "SELECT upper_bound_nanos, cost_nanos, known_nanos, cost_status, currency, cost "
        "FROM attempts JOIN details USING (id)"
    ).fetchone()
    db.close()
    assert row[:5] == (1, 24_000, 24_000, "estimated", "USD")
    assert '"amount":"8.00"' in row[5]


def test_what_is_written_is_there_for_the_next_to_open_it(tmp_path: Path) -> None:
    one = entry()
    first = SQLiteLedger(tmp_path / "ledger.db")
    first.reserve(one)
    first.close()
    second = SQLiteLedger(tmp_path / "ledger.db")
    assert list(second.entries()) == [one]
    second.close()


def test_a_ledger_of_version_1_is_brought_up_to_date_and_says_the_same(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.executescript((Path(__file__).parents[1] / "data" / "ledger-1.sql").read_text())
    db.close()
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    assert ledger.recovered == (2, None)
    found = {(e.operation.call_id[-1], e.number): e for e in ledger.entries()}
    ledger.close()
    call = operation(call_id=found["1", 2].operation.call_id, deployment="thinking")
    call.started_at = 1_760_000_000.0
    kept = entry(attempt_id=f"{call.call_id}-2", number=2, operation=call)
    kept.reserved_at = 1_760_000_002.0
    assert found["1", 2] == replace(kept, **{**OUTCOME, "settled_at": 1_760_000_006.0})
    assert found["1", 1].usage == Usage.zero()
    assert found["1", 1].cost == Cost.free("Nothing ran.")
    assert found["2", 1].operation.model is None
    assert found["3", 1].cost == Cost.unknown("No price.") + COST
    assert found["3", 2].state == found["2", 1].state == "unknown"
    assert found["3", 2].upper_bound == COST
    db = sqlite3.connect(tmp_path / "ledger.db")
    assert db.execute("SELECT sum(known_nanos), min(day) FROM attempts").fetchone() == (
        48_000,
        "2025-10-09",
    )
    db.close()


def test_the_columns_are_those_of_the_meters(tmp_path: Path) -> None:
    SQLiteLedger(tmp_path / "ledger.db").close()
    db = sqlite3.connect(tmp_path / "ledger.db")
    columns = {row[1] for row in db.execute("PRAGMA table_info(attempts)")}
    db.close()
    assert set(Usage.model_fields) == set(USAGE_COLUMNS) <= columns


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    SQLiteLedger(tmp_path / "ledger.db").close()
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(LedgerError, match="newer mai_sdk"):
        SQLiteLedger(tmp_path / "ledger.db")


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "theirs.db")
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(LedgerError, match="not a ledger"):
        SQLiteLedger(tmp_path / "theirs.db")
    (tmp_path / "text.db").write_text("not a database, but long enough to be taken for one" * 50)
    with pytest.raises(LedgerError, match="not a database"):
        SQLiteLedger(tmp_path / "text.db")
    with pytest.raises(LedgerError, match="folder exists"):
        SQLiteLedger(tmp_path / "none" / "ledger.db")


def test_a_full_disk_is_a_ledger_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    db = ledger._file.db("look into")
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    def fill() -> None:
        for _ in range(200):
            ledger.reserve(entry())

    with pytest.raises(LedgerError, match="disk is full") as caught:
        fill()
    assert caught.value.reason == "full"
    count = len(list(ledger.entries()))
    db.execute("PRAGMA max_page_count = 10000")
    ledger.reserve(entry())
    assert len(list(ledger.entries())) == count + 1
    ledger.close()


def test_an_amount_beyond_64_bits_is_a_ledger_error(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    with pytest.raises(LedgerError):
        ledger.reserve(entry(upper_bound=Cost(amount=Decimal(10**10), status="exact")))
    assert list(ledger.entries()) == []
    ledger.close()


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
    ],
)
def test_wal_is_used_only_where_its_reset_bug_is_fixed(
    version: tuple[int, int, int], safe: bool
) -> None:
    assert wal_is_safe(version) is safe


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("power", 2)])
def test_the_journal_goes_with_the_version_and_what_is_to_be_outlived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool, durability: Any, synchronous: int
) -> None:
    monkeypatch.setattr("mai_sdk.metering.sqlite_file.wal_is_safe", lambda version: safe)
    ledger = SQLiteLedger(tmp_path / "ledger.db", durability=durability)
    assert (ledger.mode, ledger.durability) == ("wal" if safe else "wal-guarded", durability)
    db = ledger._file.db("look into")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    assert (db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)) is not safe
    one = entry()
    ledger.reserve(one)
    assert list(ledger.entries()) == [one]
    ledger.close()


CHILD = """
import sys, time
from pathlib import Path
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Operation, open_ledger
from mai_sdk.metering.usage import Usage

ledger = open_ledger(sys.argv[1])
for number in range(int(sys.argv[2])):
    call = Operation(call_id=uuid7(), modality="code", verb="create", model=None, deployment=None,
                     surface="vllm", started_at=1.0)
    one = Entry(attempt_id=uuid7(), number=1, operation=call, state="reserved",
                reserved_at=time.time(), upper_bound=None)
    ledger.reserve(one)
    if sys.argv[3] == "hang":
        print("reserved", flush=True)
        sys.stdin.read()
    ledger.settle(one.attempt_id, state="released", usage=Usage.zero(),
                  cost=Cost.free("Nothing ran."), settled_at=time.time())
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    children: list[subprocess.Popen[str]] = []

    def begin(path: Path, count: int, mode: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CHILD, str(path), str(count), mode]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


def test_two_processes_write_one_file_and_lose_nothing(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    path = tmp_path / "ledger.db"
    children = [start(path, 25, "run") for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    ledger = SQLiteLedger(path)
    assert [e.state for e in ledger.entries()] == ["released"] * 50
    ledger.close()


def test_a_process_killed_before_it_settles_leaves_a_row_that_is_found_unknown(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    path = tmp_path / "ledger.db"
    child = start(path, 1, "hang")
    assert child.stdout is not None
    assert child.stdout.readline() == "reserved\n"
    child.send_signal(signal.SIGKILL)
    child.wait(60)
    ledger = SQLiteLedger(path)
    assert ledger.recovered == (1, None)
    (left,) = ledger.entries()
    assert (left.state, left.error, left.usage) == (
        "unknown",
        "ProcessDied",
        Usage(basis="unknown"),
    )
    assert left.cost is not None
    assert (left.cost.status, left.cost.at_least) == ("unknown", 0)
    ledger.close()


def test_after_a_fork_both_processes_go_on(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.db")
    ledger.reserve(entry())
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for _ in range(20):
                ledger.reserve(entry())
            ledger.close()
            code = 0
        finally:
            os._exit(code)
    for _ in range(20):
        ledger.reserve(entry())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(list(ledger.entries())) == 41
    assert ledger.recover().attempts == 20
    ledger.close()
