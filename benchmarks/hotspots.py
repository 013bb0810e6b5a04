"""Where one contender spends its time: cProfile over one scenario."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from pathlib import Path

from contenders import CONTENDERS
from measure import asample, sample
from server import EVENTS

CALLS = {"whole": 500, "burst": 5, "gathered": 10, "paced": 2}
LINES = 25


def profile(name: str, mode: str, way: str, url: str) -> None:
    """Print the functions that cost most: of everything, then of the contender's own package.

    Figures are µs per call, or per event of a stream. Of a paced stream CPU is counted, so that
    waiting does not show. The profiler adds to every call of a function, most of all then: trust
    the order, and measure before you believe a figure.
    """
    clock = time.process_time if way == "paced" else time.perf_counter
    profiler = cProfile.Profile(clock)
    with asyncio.Runner() as runner:

        async def opened() -> object:
            return getattr(CONTENDERS[name], mode)(url)[0 if way == "whole" else 1]

        call = runner.run(opened())

        def once(calls: int) -> None:
            if mode == "aio":
                runner.run(asample(call, calls, 1))
            else:
                sample(call, calls)

        once(2)
        profiler.enable()
        once(CALLS[way])
        profiler.disable()
    per = CALLS[way] * EVENTS.get(way, 1)
    package = CONTENDERS[name].module.partition(".")[0]
    rows = []
    for (path, line, function), figures in pstats.Stats(profiler).stats.items():
        where = "/".join(Path(path).parts[-2:]) + f":{line}" if line else ""
        own, below = figures[2] * 1e6 / per, figures[3] * 1e6 / per
        rows.append((own, below, figures[1] / per, f"{where} {function}", package in path))
    rows.sort(reverse=True)
    for title, chosen in (
        ("Everything, by what a function costs itself", rows),
        (f"{package} alone", [row for row in rows if row[4]]),
        (f"{package} alone, with all it calls", sorted(rows, key=lambda row: -row[1])),
    ):
        print(f"\n{title} ({name}, {mode}, {way})\n{'itself':>8}{'with all':>10}{'calls':>8}")
        with_own = [row for row in chosen if row[4]] if chosen is not rows else chosen
        for own, below, calls, what, _ in with_own[:LINES]:
            print(f"{own:8.2f}{below:10.2f}{calls:8.2f}  {what}")
