"""Writers killed at random instants: what is lost, doubled or under-counted by a ledger afterwards.

Two processes call, pay and settle as fast as they can, and are killed with SIGKILL, one after the
other. A "provider" beside the ledger, a file that a dead process cannot take back, has what was
really executed and what it cost. Stops by itself, prints a line, and fails if anything is missing.

    python benchmarks/crashes.py mai.db --kills 2000
    python benchmarks/crashes.py postgresql://localhost/test --kills 2000
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from paid_call import BOUND, MOST, paid_call

from mai_sdk.metering.cells import SummingLedger
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Claim, Entry, Operation, open_ledger
from mai_sdk.metering.report import Report, build_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.metering.ledger import Ledger

BUDGET, PERIOD, LIMIT = "crashes", "total", 10**15
ROWS_TO_RECOVER = 100_000


@dataclass
class Outcome:
    """What was found after the last writer was killed."""

    kills: int
    seconds: float = 0.0
    executed: int = 0
    settled: int = 0
    """Acknowledged before the process died."""
    unknown: int = 0
    """Executed, and found as unknown at its upper bound."""
    lost: int = 0
    duplicate: int = 0
    under_counted_nanos: int = 0
    forgotten: int = 0
    """Acknowledged as settled, and not so in the ledger."""
    budget_off_by_nanos: int = 0
    """What the budget says against the sum of the rows."""
    sums_off: int = 0
    """1 if a report from the ledger's own sums says another thing than its rows."""
    integrity: str = "not checked"

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost, doubled, forgotten or counted with too little."""
        bad = (self.lost, self.duplicate, self.under_counted_nanos, self.forgotten)
        sound = self.integrity in {"ok", "not checked"}
        right = not self.budget_off_by_nanos and not self.sums_off
        return not any(bad) and right and sound and self.executed > 0


def call(ledger: Ledger, provider: int, nanos: int) -> None:
    """Make one call, and have it noted by the provider and by whoever kept it."""
    claim = Claim(budget_id=BUDGET, period=PERIOD, limit_nanos=LIMIT, nanos=MOST)
    attempt_id = paid_call(
        ledger,
        claim=claim,
        nanos=nanos,
        ran=lambda attempt_id: os.write(provider, f"ran {attempt_id} {nanos}\n".encode()),
    )
    os.write(provider, f"kept {attempt_id} {nanos}\n".encode())


def write(address: str, provider_file: Path, seed: int) -> NoReturn:
    """Be a writer, until killed."""
    try:
        chance = random.Random(seed)
        provider = os.open(provider_file, os.O_APPEND | os.O_WRONLY | os.O_CREAT, 0o600)
        ledger = open_ledger(address)
        while True:
            call(ledger, provider, chance.randint(0, MOST))
    except BaseException as error:  # noqa: BLE001 - a child never returns into its parent's code
        print(f"a writer failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(1)


def fork(address: str, provider_file: Path, seed: int) -> int:
    pid = os.fork()
    if pid == 0:
        write(address, provider_file, seed)
    return pid


def kill_writers(
    address: str, folder: Path, *, kills: int, writers: int, chance: random.Random
) -> None:
    """Kill that many, always one of several that are running."""
    running: dict[int, Path] = {}
    files = [folder / f"provider-{number}" for number in range(writers)]
    try:
        for file in files:
            running[fork(address, file, chance.getrandbits(32))] = file
        for _ in range(kills):
            time.sleep(chance.uniform(0.002, 0.06))
            pid = chance.choice(sorted(running))
            file = running.pop(pid)
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSIGNALED(status):
                raise SystemExit("A writer ended by itself: see what it said.")
            running[fork(address, file, chance.getrandbits(32))] = file
    finally:
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def told(folder: Path) -> Iterator[tuple[str, str, int]]:
    for file in folder.glob("provider-*"):
        for line in file.read_text().splitlines():
            what, attempt_id, nanos = line.split()
            yield what, attempt_id, int(nanos)


def compare(address: str, folder: Path, outcome: Outcome) -> None:
    """Hold the ledger against what the provider knows."""
    ledger = open_ledger(address)
    rows: dict[str, Entry] = {}
    for entry in ledger.entries():
        outcome.duplicate += entry.attempt_id in rows
        rows[entry.attempt_id] = entry
    ran = {attempt_id: nanos for what, attempt_id, nanos in told(folder) if what == "ran"}
    outcome.executed = len(ran)
    for attempt_id, nanos in ran.items():
        entry = rows.get(attempt_id)
        if entry is None:
            outcome.lost += 1
            continue
        outcome.unknown += entry.state == "unknown"
        outcome.under_counted_nanos += max(nanos - counted(entry), 0)
    for what, attempt_id, nanos in told(folder):
        if what == "kept":
            outcome.settled += 1
            kept = rows.get(attempt_id)
            amount = kept.cost.nanodollars if kept is not None and kept.cost is not None else None
            outcome.forgotten += amount != nanos
    spent, reserved = ledger.budget_state(BUDGET, PERIOD)
    outcome.budget_off_by_nanos = abs(spent + reserved - sum(map(counted, rows.values())))
    if isinstance(ledger, SummingLedger):
        kept = Report.of_cells(ledger.sums(), by=("day", "status"))
        outcome.sums_off = int(kept != build_report(rows.values(), by=("day", "status")))
    ledger.close()
    outcome.integrity = integrity(address)


def integrity(address: str) -> str:
    """Have the database check its own pages and indexes."""
    if "://" not in address:
        db = sqlite3.connect(address)
        found: str = db.execute("PRAGMA integrity_check").fetchone()[0]
        db.close()
        return found
    import psycopg

    with psycopg.connect(address) as server:
        try:
            server.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            server.execute(
                "SELECT bt_index_check(c.oid, true) FROM pg_class AS c "
                "JOIN pg_am ON relam = pg_am.oid WHERE amname = 'btree' "
                "AND relnamespace = 'mai_sdk'::regnamespace"
            )
            bad = server.execute(
                "SELECT count(*) FROM pg_class AS c, verify_heapam(c.oid) "
                "WHERE relkind = 'r' AND relnamespace = 'mai_sdk'::regnamespace"
            ).fetchone()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
            return "not checked"
        except psycopg.Error as error:
            return str(error)
    return "ok" if bad == (0,) else f"{bad} places"


def counted(entry: Entry) -> int:
    """Return what a row counts with: its cost, or its upper bound where that is not known."""
    if entry.cost is not None and entry.cost.nanodollars is not None:
        return entry.cost.nanodollars
    return MOST


def run(address: str, *, kills: int, writers: int = 2, seed: int = 1) -> Outcome:
    """Kill writers of the ledger at `address`, which is new, and return what was found after."""
    outcome = Outcome(kills)
    with tempfile.TemporaryDirectory() as folder:
        open_ledger(address).close()
        began = time.perf_counter()
        kill_writers(
            address, Path(folder), kills=kills, writers=writers, chance=random.Random(seed)
        )
        outcome.seconds = round(time.perf_counter() - began, 1)
        compare(address, Path(folder), outcome)
    return outcome


def recovery_seconds(address: str, *, rows: int = ROWS_TO_RECOVER) -> tuple[float, int]:
    """Leave that many rows behind as a process that died; return how long recovering them took."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            leave(open_ledger(address), rows)
            code = 0
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise SystemExit("The rows to recover could not be written.")
    began = time.perf_counter()
    ledger = open_ledger(address)  # which recovers
    seconds = time.perf_counter() - began
    found = sum(entry.error == "ProcessDied" for entry in ledger.entries())
    ledger.close()
    return seconds, found


def leave(ledger: Ledger, rows: int) -> None:
    reserve = getattr(ledger, "reserve_soon", ledger.reserve)
    last = None
    for number in range(rows):
        operation = Operation(
            call_id=uuid7(), modality="reasoning", verb="create", model="M", deployment=None,
            surface="foundry", started_at=float(number),
        )  # fmt: skip
        last = reserve(
            Entry(
                attempt_id=f"{operation.call_id}-1",
                number=1,
                operation=operation,
                state="reserved",
                reserved_at=float(number),
                upper_bound=BOUND,
            )
        )
    if last is not None:
        last.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ledger", help="a new SQLite file, or the URL of an empty database")
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=ROWS_TO_RECOVER, help="to recover; 0: none")
    asked = parser.parse_args()
    outcome = run(asked.ledger, kills=asked.kills, writers=asked.writers, seed=asked.seed)
    said = ", ".join(f"{name} {value}" for name, value in asdict(outcome).items())
    print(f"seed {asked.seed}: {said}", flush=True)
    fast = True
    if asked.rows:
        seconds, found = recovery_seconds(asked.ledger, rows=asked.rows)
        fast = seconds < 1 and found >= asked.rows
        print(f"recovered {asked.rows:,} rows in {seconds:.3f} s, with opening the ledger")
    sys.exit(0 if outcome.is_good and fast else 1)


if __name__ == "__main__":
    main()
