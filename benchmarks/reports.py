"""Reports over a ledger of a million attempts: how long `mai costs` takes, from start to end.

Rewrites its part of benchmarks/RESULTS.md. The ledger is filled by SQL with calls that are
priced as always; the sums are those that the ledger itself makes. Of a ledger in Postgres:

    python tests/postgres_server.py python benchmarks/reports.py {}
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.rows import USAGE_COLUMNS, cost_columns, usage_columns
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.sqlite_cells import sum_up
from mai_sdk.metering.usage import Usage

HERE = Path(__file__).parent
START = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
DAYS = 30
COMMANDS = (
    ("mai costs --by model,day", ("--by", "model,day")),
    ("mai costs --html FILE", ("--html", "page.html")),
)
GOALS = {"SQLite": (2.0, 5.0), "Postgres": (5.0, 5.0)}
"""Seconds, of each command."""
PAGE_GOAL = 1_000_000

COLUMNS = (
    "attempt_id", "call_id", "number", "state", "day", "model", "deployment", "surface", "modality",
    "verb", "tags", "started_at", "reserved_at", "settled_at", "currency", "cost_status",
    "cost_nanos", "known_nanos", "status", "error", *USAGE_COLUMNS,
)  # fmt: skip
INSERT = f"INSERT INTO attempts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def usage(rng: random.Random, modality: str) -> Usage:
    """Return what one call used, as such calls do."""
    if modality == "image":
        return Usage(
            input_tokens=60, text_input_tokens=60, image_input_tokens=0, output_tokens=1024,
            image_output_tokens=1024, images=1,
        )  # fmt: skip
    if modality == "transcribe":
        return Usage(audio_seconds=rng.randrange(1, 3600))
    if modality == "voice":
        return Usage(characters=rng.randrange(1, 2000), basis="estimated")
    return Usage(
        input_tokens=int(rng.lognormvariate(7, 1)) + 100,
        cached_input_tokens=rng.randrange(100),
        output_tokens=int(rng.lognormvariate(6, 1)),
    )


MODELS = (
    ("MAI-Thinking-1", "reasoning", "foundry"),
    ("MAI-Code-1-Flash", "code", "foundry"),
    ("MAI-Code-1.1-Flash", "code", "foundry"),
    ("MAI-Image-2.5", "image", "foundry"),
    ("MAI-Image-2.5-Flash", "image", "foundry"),
    ("MAI-Transcribe-1.5", "transcribe", "speech"),
    ("MAI-Voice-2", "voice", "speech"),
    ("MAI-DS-R1", "reasoning", "vllm"),
)


def attempts(number: int) -> list[tuple[tuple[object, ...], str]]:
    """Return the columns and the cost's detail of that many attempts."""
    rng, book = random.Random(5), PriceBook.load()
    made: list[tuple[tuple[object, ...], str]] = []
    for place in range(number):
        model, modality, surface = rng.choice(MODELS)
        at = START + place * DAYS * 86_400 / number
        used, error, status, state = usage(rng, modality), None, 200, "settled_exact"
        luck = rng.random()
        day = datetime.fromtimestamp(at, UTC).date()
        if luck < 0.02:
            error, status = "ServiceUnavailable", 503
            used, cost, state = Usage.zero(), Cost.free("Nothing ran."), "released"
        else:
            if luck < 0.04:
                error = "StreamTruncated"
                used = Usage.from_meters(used.meters(), basis="lower_bound")
                state = "settled_estimated"
            cost = book.price(model, used, surface=surface, on=day)
        money = cost_columns(cost)
        columns = (
            f"attempt-{place}", f"call-{place}", 1, state, day.isoformat(), model, model.lower(),
            surface, modality, "create", json.dumps({"team": rng.choice("abc")}), at, at,
            at + rng.lognormvariate(0.7, 0.8), money.currency, money.status, money.nanos,
            money.known_nanos, status, error, *usage_columns(used),
        )  # fmt: skip
        made.append((columns, money.detail))
    return made


def fill(path: Path, number: int) -> float:
    """Make a ledger of so many settled attempts; return the seconds its sums took."""
    SQLiteLedger(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    made = attempts(number)
    db.executemany(INSERT, (columns for columns, _ in made))
    db.executemany(
        "INSERT INTO details (id, cost) SELECT id, ?2 FROM attempts WHERE attempt_id = ?1",
        ((str(columns[0]), detail) for columns, detail in made),
    )
    began = time.perf_counter()
    db.execute("UPDATE details SET cost = cost")  # as settling does
    while sum_up(db):
        pass
    taken = time.perf_counter() - began
    db.execute("COMMIT")
    db.close()
    return taken


def fill_postgres(address: str, number: int) -> str:
    """Make a ledger of so many settled attempts; return which Postgres has it."""
    import psycopg

    open_ledger(address).close()
    with psycopg.connect(address, autocommit=True) as db:
        columns = ", ".join((*COLUMNS, "cost", "writer"))
        with db.cursor().copy(f"COPY mai_sdk.attempts ({columns}) FROM STDIN") as copy:
            for values, detail in attempts(number):
                copy.write_row((*values, detail, 1))
        db.execute("VACUUM ANALYZE mai_sdk.attempts")
        return str(db.info.parameter_status("server_version")).partition(" ")[0]


def timed(ledger: str, folder: Path, options: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds the command takes, its start included, and those of them on a CPU."""
    began, before = time.perf_counter(), os.times()
    command = [sys.executable, "-m", "mai_sdk", "costs", "--ledger", ledger, *options]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user - before.children_user
    return time.perf_counter() - began, cpu + after.children_system - before.children_system


def measured(
    ledger: str, folder: Path, *, number: int, rounds: int, kind: str, version: str
) -> str:
    """Time the commands, and return what came out, as Markdown."""
    rows = ""
    for (name, options), goal in zip(COMMANDS, GOALS[kind], strict=True):
        taken, cpu = min(timed(ledger, folder, options) for _ in range(rounds))
        rows += f"| `{name}` | {taken:.2f} | {cpu:.2f} | {goal:.2f} | {judged(taken <= goal)} |\n"
    size = (folder / "page.html").stat().st_size
    return PAGE.format(
        title="Reports" if kind == "SQLite" else "Postgres reports",
        number=number,
        days=DAYS,
        models=len(MODELS),
        rounds=rounds,
        server=f"{kind} {version}, {os.cpu_count()} cores",
        on=datetime.now(UTC).date(),
        rows=rows,
        size=size,
        most=PAGE_GOAL,
        fits=judged(size <= PAGE_GOAL),
    )


def judged(is_met: bool) -> str:  # noqa: FBT001 - what it writes
    return "met" if is_met else "NOT MET"


PAGE = """\
# {title}

Seconds from the start of the process to its end, over a ledger of {number:,} attempts, {days} days
and {models} models; the best of {rounds}. {server}, {on}.

| command | s | of it CPU of the client | goal | |
|---|---|---|---|---|
{rows}
The page has {size:,} bytes of at most {most:,}, {fits}.
"""
KEEPING = """\
Keeping the sums takes {:.0f} µs an attempt, many at once, for which no call waits.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("postgres", nargs="?", help="the address of an empty database")
    parser.add_argument("--attempts", type=int, default=1_000_000, help="(1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="(5)")
    asked = parser.parse_args()
    from results import keep

    sized = {"number": asked.attempts, "rounds": asked.rounds}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.postgres:
            version = fill_postgres(asked.postgres, asked.attempts)
            text = measured(asked.postgres, folder, kind="Postgres", version=version, **sized)
        else:
            per_sum = fill(folder / "mai.db", asked.attempts) / asked.attempts
            version = sqlite3.sqlite_version
            text = measured("mai.db", folder, kind="SQLite", version=version, **sized)
            text += KEEPING.format(per_sum * 1e6)
    if asked.attempts == parser.get_default("attempts"):
        keep(HERE / "RESULTS.md", text)
    print(text)


if __name__ == "__main__":
    main()
