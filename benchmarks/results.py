"""What the samples say: tables, ratios, goals, and the page that keeps them. No measuring here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from contenders import CONTENDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Samples: TypeAlias = "Mapping[tuple[str, str], list[float]]"
"""(series, contender) to one figure per round."""

Row: TypeAlias = "list[str]"

HIGHER_IS_BETTER = {"flight rate"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """Two series side by side, each with its ratios."""

    title: str
    left: tuple[str, str]
    """Heading and series."""
    right: tuple[str, str]


TABLES = [
    Table(title="A whole call, µs of client CPU", left=("sync", "whole sync"),
          right=("async", "whole aio")),
    Table(title="A chunk of a burst stream, µs of client CPU", left=("sync", "burst sync"),
          right=("async", "burst aio")),
    Table(title="A chunk of a burst stream gathered by a proxy, µs of client CPU",
          left=("sync", "gathered sync"), right=("async", "gathered aio")),
    Table(title="A chunk of a paced stream, µs of client CPU", left=("sync", "paced sync"),
          right=("async", "paced aio")),
    Table(title="A paced stream, ms to its first text", left=("sync", "first text sync"),
          right=("async", "first text aio")),
    Table(title="64 calls in flight, async", left=("µs of client CPU per call", "flight cpu"),
          right=("calls per second", "flight rate")),
    Table(title="From nothing, ms", left=("import", "import"),
          right=("process start to first answer", "first call")),
    Table(title="Memory of the process, MB", left=("after import", "memory imported"),
          right=("after 201 calls and a stream", "memory used")),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A ratio that may not be passed, in every series named."""

    what: str
    series: tuple[str, ...]
    who: str
    against: str
    limit: float


def _goal(what: str, who: str, against: str, limit: float) -> Goal:
    series = (what,) if what == "import" else (f"{what} sync", f"{what} aio")
    return Goal(what=what, series=series, who=who, against=against, limit=limit)


GOALS = [
    _goal("whole", "mai_sdk", "raw httpx2", 1.25),
    _goal("whole", "mai_sdk", "openai", 0.45),
    _goal("burst", "mai_sdk", "raw httpx2", 1.0),
    _goal("burst", "mai_sdk", "openai", 0.15),
    _goal("gathered", "mai_sdk", "raw httpx2", 1.0),
    _goal("gathered", "mai_sdk", "openai", 0.15),
    _goal("paced", "mai_sdk", "raw httpx2", 1.1),
    _goal("paced", "mai_sdk", "openai", 0.5),
    _goal("whole", "mai_sdk[fast]", "openai", 0.2),
    _goal("paced", "mai_sdk[fast]", "openai", 0.2),
    _goal("import", "mai_sdk", "openai", 0.2),
]


def best(samples: Samples, series: str, who: str) -> float | None:
    """Return the round least disturbed by the rest of the machine."""
    rounds = samples.get((series, who))
    if not rounds:
        return None
    return max(rounds) if series in HIGHER_IS_BETTER else min(rounds)


def middle(samples: Samples, series: str, who: str) -> float | None:
    rounds = samples.get((series, who))
    return median(rounds) if rounds else None


def _ratio(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else value / base


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def table_rows(table: Table, samples: Samples) -> list[Row]:
    heads = ["best", "median", "/httpx2", "/openai"]
    rows = [["", *heads, *heads]]
    for who in CONTENDERS:
        if not any((series, who) in samples for _, series in (table.left, table.right)):
            continue
        row = [who]
        for _, series in (table.left, table.right):
            value = best(samples, series, who)
            row += [_figure(value), _figure(middle(samples, series, who))]
            row += [
                _times(_ratio(value, best(samples, series, base)))
                for base in ("raw httpx2", "openai")
            ]
        rows.append(row)
    return rows


def verdict(goal: Goal, samples: Samples, series: str) -> str:
    """Say the ratio of the best rounds, that of the medians, and whether the first is met."""
    ratio = _ratio(best(samples, series, goal.who), best(samples, series, goal.against))
    if ratio is None:
        return "not measured"
    usual = _ratio(middle(samples, series, goal.who), middle(samples, series, goal.against))
    return f"{ratio:.2f} ({_times(usual)}) {'met' if ratio <= goal.limit else 'NOT MET'}"


def goal_rows(samples: Samples) -> list[Row]:
    rows = [["", "at most", "sync", "async"]]
    for goal in GOALS:
        verdicts = [verdict(goal, samples, series) for series in goal.series]
        fast = " [fast]" if goal.who == "mai_sdk[fast]" else ""
        rows.append([goal.what + fast, f"{goal.limit:.2f}x {goal.against}", *verdicts])
    return [[*row, *[""] * (4 - len(row))] for row in rows]


def plain(rows: Iterable[Row], *, widths: tuple[int, ...]) -> str:
    """Return rows for a terminal: the first cell to the left, numbers to the right."""
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append(first.ljust(widths[0]) + "".join(cells))
    return "\n".join(lines)


def markdown(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---" + "|---:" * (len(rows[0]) - 1) + "|")
    return "\n".join(lines)


def terminal(samples: Samples) -> str:
    """Return everything measured, 80 columns wide."""
    parts = []
    for table in TABLES:
        halves = f"{table.left[0]:>32}{table.right[0]:>32}"
        body = plain(table_rows(table, samples), widths=(14, *[8] * 8))
        parts.append(f"{table.title}\n{'':14}{halves}\n{body}")
    goals = plain(goal_rows(samples), widths=(16, 18, 22, 22))
    parts.append(f"Goals: ratio of best rounds (of medians)\n{goals}")
    return "\n\n".join(parts)


PAGE = """\
# Benchmarks: client CPU, start-up, memory

Written by `make bench` on {date}. Do not edit: run it again.

- Machine: {machine}
- {rounds} rounds, taken in turns (A B C A B C ...); load average before the run: {load}
{versions}

Every contender talks to the same server on loopback (`server.py`), from a process of its own that
runs on another core than the server. *Client CPU* is user and system time of that process, all
its threads. *best* is the round least disturbed by the rest of the machine; the ratios are of
the best rounds. The cost of a chunk is that of the whole stream, opening it included, over its
events. Every contender keeps its connections, and reads the text of every answer and chunk;
a run in which one does not get the whole text stops. `raw httpx2` is `client.post(json=)` and
`response.json()`, for streams `iter_lines()` and `json.loads`; it has openai's connection limits.
`raw pyreqwest` streams with a read buffer of 0: its default holds the first 64 KiB back, which
costs less and is no stream. `[fast]` is `transport="pyreqwest"`. `mai_sdk` also prices every call,
which is checked, and keeps its receipt in the ledger in memory; of the others only litellm prices.

## Goals

Ratio of the best rounds, in brackets of the medians.

{goals}

{tables}

## What these numbers do not prove

- Nothing about the real services: a real answer takes seconds, and is waited for at no CPU cost.
- Nothing across machines, or between runs: only ratios within one run mean something. Two cores
  were shared with whatever else ran on them; loopback charges the client for little of the network.
- No TLS, no compression, no HTTP/2, no proxy; answers of one size; one model's chunk shape.
- Nothing about the ledger in SQLite, about tools, images, or structured output.
- `import mai_sdk` loads its parts on first use, so its own figure defers the bill; the time from
  process start to the first answer is the one that cannot.
- Calls per second at 64 in flight are those of one client process and, for the fastest, may be
  bounded by the server, which has one core.
- A goal that the raw library below does not reach itself (see its row) cannot be met on top of it.
- Peers change: run it again before you quote it. Versions are above.
"""


def page(
    samples: Samples,
    *,
    date: str,
    machine: str,
    load: str,
    rounds: int,
    versions: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the part of benchmarks/RESULTS.md about chat."""
    tables = "\n\n".join(
        f"## {table.title}\n\nFirst four columns: {table.left[0]}. Last four: {table.right[0]}.\n\n"
        + markdown(table_rows(table, samples))
        for table in TABLES
    )
    return PAGE.format(
        date=date,
        machine=machine,
        load=load,
        rounds=rounds,
        versions="\n".join(
            f"- {who}: " + ", ".join(f"{name} {number}" for name, number in packages.items())
            for who, packages in versions.items()
        ),
        goals=markdown(goal_rows(samples)),
        tables=tables,
    )


PARTS = (
    "# Benchmarks",
    "# Streamed speech",
    "# Voice sessions at once",
    "# Voice sessions over",
    "# The ledger",
    "# Reports",
    "# Postgres reports",
)
"""How the parts of RESULTS.md begin, in order: those of run, speech, sessions, continuity, ledger
and reports.py."""


def keep(path: Path, text: str) -> None:
    """Write one part of the page and leave the others as they are."""
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    known = [*re.split("^(?=# )", page, flags=re.MULTILINE), text]
    last = {start: part for start in PARTS for part in known if part.startswith(start)}
    path.write_text("\n\n".join(part.strip() for part in last.values()) + "\n", encoding="utf-8")
