"""What the samples of sessions.py say: tables, goals, and their part of the page. No measuring."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_MS = 20.0
"""How late a frame may be, of 99 in 100: its own length."""
WAYS = {"up": 0.8, "down": 0.8, "both": 2.0}
"""What is measured, and for how many seconds; last what a busy client takes long to forget."""
BARE, OFFICIAL, OURS = "websockets + json", "azure-ai-voicelive", "mai_sdk"

Rounds: TypeAlias = "list[dict[str, Stretch]]"


@dataclass(frozen=True)
class Stretch:
    """What so many sessions made of a while."""

    sessions: int
    up: dict[str, float]
    """Delays of the frames sent, in ms; empty where none was."""
    down: dict[str, float]
    frames: int
    """Sent and received in time."""
    due: int
    cpu: float

    @property
    def frame_cpu(self) -> float:
        """CPU of the client a frame, in µs."""
        return self.cpu / self.frames * 1e6 if self.frames else math.inf

    @property
    def p99(self) -> float:
        """The worse one of both directions, in ms."""
        return max(each.get("p99", math.inf) for each in (self.up, self.down))

    @property
    def is_held(self) -> bool:
        """Whether it went on in real time."""
        return self.p99 < LIMIT_MS and self.frames > 0.99 * self.due


PAGE = """# Voice sessions at once

Written by `make bench` (`benchmarks/sessions.py`); do not edit.

{day}, {cores} cores, Python {python}, {versions}; {rounds} rounds, in turns, against one server in
a process of its own, on a core of its own. Load average before the run: {load}.

{sessions} sessions in one process, on one event loop and one core. Each sends 20 ms of 24 kHz
samples 50 times a second and is sent as much, as JSON with base64 over a WebSocket without TLS or
compression. `websockets + json` has no session around it: no types, no buffer, no reconnection,
no receipts. It is the least that a Python client does. All three
run on uvloop, and call `gc.freeze()` once their sessions stand.

## CPU of the client, µs a frame

{cpu}

## How late a frame is, ms

Both ways at once, the round with the best p99. Down: from the server's send to the event in the
user's hand. Up: from when the frame was due, in the client, to the server's receipt. The last
columns say the median p99 of the rounds, the worse direction, and how many sessions ran in real
time, with a p99 below {limit:.0f} ms.

{late}

## Goals

{goals}

## What these numbers do not prove

Nothing about the real service, a network or TLS. Loopback charges the sender for much of what the
receiver's kernel does. All sessions of a process share one core, so what is late is what waits for
it: near a whole core, whatever else the machine does shows in the p99.
"""


def best(samples: Rounds, way: str) -> Stretch:
    """Return the round that cost least a frame."""
    return min((each[way] for each in samples), key=lambda one: one.frame_cpu)


def cpu_rows(samples: dict[str, Rounds]) -> list[list[str]]:
    """Return the first table."""
    heads = [f"{way}: {of}" for way in WAYS for of in ("best", "median")]
    rows = [["", *heads]]
    for name, taken in samples.items():
        row = [name]
        for way in WAYS:
            usual = median(each[way].frame_cpu for each in taken)
            row += [f"{best(taken, way).frame_cpu:.1f}", f"{usual:.1f}"]
        rows.append(row)
    return rows


def late_rows(samples: dict[str, Rounds], held: dict[str, int]) -> list[list[str]]:
    """Return the second table."""
    whats = ("p50", "p99", "max")
    heads = [f"{way} {what}" for way in ("down", "up") for what in whats]
    rows = [["", *heads, "median p99", "real time"]]
    for name, taken in samples.items():
        one = min((each["both"] for each in taken), key=lambda each: each.p99)
        figures = [each.get(what, math.inf) for each in (one.down, one.up) for what in whats]
        figures.append(median(each["both"].p99 for each in taken))
        rows.append([name, *(f"{figure:.1f}" for figure in figures), str(held[name] or "none")])
    return rows


def goals(samples: dict[str, Rounds], held: dict[str, int], sessions: int) -> Iterator[str]:
    """Say which goals are met."""
    met = "met" if held[OURS] >= sessions else "NOT MET"
    p99 = min(each["both"].p99 for each in samples[OURS])
    yield f"- p99 of {sessions} sessions of mai_sdk: {p99:.1f} of at most {LIMIT_MS:.1f} ms, {met}"
    for way, theirs, limit in (*((way, OFFICIAL, 1.0) for way in WAYS), ("both", BARE, 1.25)):
        ratio = best(samples[OURS], way).frame_cpu / best(samples[theirs], way).frame_cpu
        met = "met" if ratio <= limit else "NOT MET"
        yield f"- CPU a frame, {way}, mai_sdk / {theirs}: {ratio:.2f} of at most {limit:.2f}, {met}"


def page(samples: dict[str, Rounds], held: dict[str, int], *, sessions: int, load: str) -> str:
    """Return the part of benchmarks/RESULTS.md about sessions."""
    from results import markdown

    packages = ("azure-ai-voicelive", "aiohttp", "websockets", "mai-sdk")
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        python=sys.version.split()[0],
        versions=", ".join(f"{name} {version(name)}" for name in packages),
        rounds=len(samples[OURS]),
        load=load,
        sessions=sessions,
        limit=LIMIT_MS,
        cpu=markdown(cpu_rows(samples)),
        late=markdown(late_rows(samples, held)),
        goals="\n".join(goals(samples, held, sessions)),
    )
