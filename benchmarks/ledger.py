"""What the ledger file costs a call: the caller's own CPU, and how long many processes wait for it.

Rewrites its part of benchmarks/RESULTS.md. Each process reserves and settles a call, with its upper
bound and its price rows, as the client does; nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Operation, open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.metering.ledger import Ledger

HERE = Path(__file__).parent
PROCESSES, RATE, CALLS = 16, 50, 500
ROUNDS = 7
MODEL = "MAI-Thinking-1"
MOST_US, MOST_MS = 40, 10

Call = tuple[float, float, float]
"""Reserve and settle together: CPU seconds of the caller's thread, of the process, and seconds."""


def caller(ledger: Ledger) -> Callable[[], Call]:
    """Return what reserves and settles one call, as the engine does, and says what that took."""
    prices = PriceBook.load()
    bound = Usage(input_tokens=1_000, output_tokens=32_000, basis="estimated")
    used = Usage(input_tokens=900, output_tokens=700)
    most = prices.price(MODEL, bound, surface="foundry", on=datetime.now(UTC).date())
    cost = prices.price(MODEL, used, surface="foundry", on=datetime.now(UTC).date())

    def call() -> Call:
        now = time.time()
        operation = Operation(
            call_id=uuid7(), modality="reasoning", verb="create", model=MODEL, deployment=None,
            surface="foundry", started_at=now, tags={"team": "search"},
        )  # fmt: skip
        entry = Entry(
            attempt_id=f"{operation.call_id}-1", number=1, operation=operation, state="reserved",
            reserved_at=now, upper_bound=most,
        )  # fmt: skip
        whole, cpu, began = time.process_time(), time.thread_time(), time.perf_counter()
        ledger.reserve(entry)
        ledger.settle(
            entry.attempt_id, state="settled_exact", usage=used, cost=cost, settled_at=now,
            status=200, request_id="r", first_byte=0.1, first_content=0.2, seconds=0.3,
        )  # fmt: skip
        cpu, seconds = time.thread_time() - cpu, time.perf_counter() - began
        return cpu, time.process_time() - whole, seconds

    return call


def alone(ledgers: dict[str, Ledger], calls: int) -> dict[str, list[list[Call]]]:
    """Return the calls of each ledger by rounds, which are taken in turns."""
    callers = {name: caller(ledger) for name, ledger in ledgers.items()}
    taken: dict[str, list[list[Call]]] = {name: [] for name in ledgers}
    for call in callers.values():
        for _ in range(100):
            call()
    for _ in range(ROUNDS):
        for name, call in callers.items():
            taken[name].append([call() for _ in range(calls)])
    return taken


def paced(address: str, calls: int, rate: float, barrier: Any, results: Any) -> None:
    """Be one of many processes: so many calls a second, at moments of their own.

    What a call takes is counted from when it was due: one that holds up the next is seen to.
    """
    ledger = open_ledger(address)
    call, chance = caller(ledger), random.Random(os.getpid())
    call()
    barrier.wait()
    due = time.perf_counter() + chance.random() / rate
    took: list[Call] = []
    for _ in range(calls):
        time.sleep(max(due - time.perf_counter(), 0))
        cpu, whole, _ = call()
        took.append((cpu, whole, time.perf_counter() - due))
        due += chance.uniform(0.5, 1.5) / rate
    ledger.close()
    results.put(took)


def together(address: str, *, processes: int, calls: int, rate: float) -> list[list[Call]]:
    open_ledger(address).close()
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    children = [
        context.Process(target=paced, args=(address, calls, rate, barrier, results), daemon=True)
        for _ in range(processes)
    ]
    for child in children:
        child.start()
    took = [results.get(timeout=300) for _ in children]
    for child in children:
        child.join()
    return took


def at(values: list[float], percent: float) -> float:
    return sorted(values)[min(int(len(values) * percent / 100), len(values) - 1)]


def cpu_of(rounds: list[list[Call]]) -> list[float]:
    """Return the median CPU of a call in each round, in µs, least first."""
    return sorted(at([cpu * 1e6 for cpu, *_ in calls], 50) for calls in rounds)


def row(name: str, rounds: list[list[Call]]) -> str:
    middle = cpu_of(rounds)
    every = [call for calls in rounds for call in calls]
    cpu, ms = [one * 1e6 for one, *_ in every], [one * 1e3 for *_, one in every]
    whole = sum(one for _, one, _ in every) / len(every) * 1e6
    figures = (middle[0], at(middle, 50), at(cpu, 99), whole, at(ms, 50), at(ms, 99), max(ms))
    return f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |"


PAGE = """\
# The ledger

Written by `benchmarks/ledger.py` on {date}. Do not edit: run it again.

- Machine: {machine}; load average before the run: {load}
- SQLite {sqlite}, journal {mode}

A *call* is a reservation, committed, and a settlement, committed. *CPU* is what the caller's own
thread spends, in µs: the median call of the best and of the median round of {rounds}, or process.
More than half of it is the kernel's, for going to sleep and waking the ledger's thread. *whole*
is the mean of the whole process: the ledger's thread, its sums and checkpoints, too. *ms* is how
long the caller waits for both; of many processes, from when the call was due.

| {heads} |
|---|---:|---:|---:|---:|---:|---:|---:|
{rows}

- {calls} calls by each of {processes} processes at {rate} a second. The slowest process: p99
  {slowest:.2f} ms; the fastest: {fastest:.2f} ms.
- Caller's CPU in SQLite, one process, median round: {cpu:.1f} of at most {most_us} µs, {cpu_met}.
- p99 of {processes} processes: {p99:.2f} of at most {most_ms} ms, {p99_met}.
"""
HEADS = ["", "CPU p50: best", "CPU p50: median", "CPU p99", "whole", "ms p50", "ms p99", "ms max"]


def page(
    solo: dict[str, list[list[Call]]], crowd: list[list[Call]], *, mode: str, rate: float
) -> str:
    """Return the part of benchmarks/RESULTS.md about the ledger."""
    every = [call for calls in crowd for call in calls]
    each = [at([ms * 1e3 for *_, ms in calls], 99) for calls in crowd]
    rows = [row(name, rounds) for name, rounds in solo.items()]
    rows.append(row(f"SQLite, {len(crowd)} processes", crowd))
    cpu = at(cpu_of(solo["SQLite"]), 50)
    p99 = at([ms * 1e3 for *_, ms in every], 99)
    return PAGE.format(
        date=datetime.now(UTC).date(), machine=f"{os.cpu_count()} cores, {sys.platform}",
        load=", ".join(f"{load:.2f}" for load in os.getloadavg()), sqlite=sqlite3.sqlite_version,
        mode=mode, heads=" | ".join(HEADS), rows="\n".join(rows), rounds=ROUNDS,
        calls=len(crowd[0]), processes=len(crowd), rate=f"{rate:g}", slowest=max(each),
        fastest=min(each), cpu=cpu, most_us=MOST_US, p99=p99, most_ms=MOST_MS,
        cpu_met="met" if cpu <= MOST_US else "NOT MET",
        p99_met="met" if p99 <= MOST_MS else "NOT MET",
    )  # fmt: skip


def measure(folder: Path, *, processes: int, calls: int, rate: float) -> str:
    """Measure each kind of ledger in `folder`, and return the page."""
    places = {
        "memory": MemoryLedger(),
        "SQLite": open_ledger(folder / "one.db"),
        'SQLite, durability="power"': open_ledger(folder / "power.db", durability="power"),
    }
    solo = alone(places, calls)
    mode = getattr(places["SQLite"], "mode", "")
    for ledger in places.values():
        ledger.close()
    crowd = together(str(folder / "many.db"), processes=processes, calls=calls, rate=rate)
    return page(solo, crowd, mode=mode, rate=rate)


def main() -> None:
    from results import keep

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--rate", type=float, default=RATE, help="calls a second, each process")
    parser.add_argument("--print", action="store_true", help="keep RESULTS.md as it is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        text = measure(Path(folder), processes=asked.processes, calls=asked.calls, rate=asked.rate)
    print(text)
    if not asked.print:
        keep(HERE / "RESULTS.md", text)


if __name__ == "__main__":
    main()
