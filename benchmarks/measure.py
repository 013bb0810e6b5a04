"""One contender in a process of its own, measured on request: CPU of this process, and time.

Arguments: contender, "sync" or "aio", the server's ports, and the core to run on (or nothing). Says
its versions, then reads one request per line, {"what": ..., "calls": ...}, and answers each with
the CPU (user and system, all threads) and the wall seconds of those calls.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from contenders import CONTENDERS
from server import EVENTS, TEXT, WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

IN_FLIGHT = 64


def expected(way: str) -> int:
    """Return how many characters of text the answer holds."""
    return sum(len(f"word{i} ") for i in range(EVENTS[way])) if way in EVENTS else len(TEXT)


class Sample:
    """A stretch of calls: what they took, and what they read."""

    def __init__(self) -> None:
        self.size = 0
        """Characters read."""
        self.first = 0.0
        """Seconds to the first text of the last stream."""

    def __enter__(self) -> Self:
        gc.collect()
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = time.process_time() - self.cpu
        self.wall = time.perf_counter() - self.wall

    def add(self, got: tuple[int, float], began: float) -> None:
        """Count one call."""
        self.size += got[0]
        self.first = got[1] - began if got[1] else 0.0


def sample(call: Callable[[], Any], calls: int) -> Sample:
    with Sample() as taken:
        for _ in range(calls):
            began = time.perf_counter()
            taken.add(call(), began)
    return taken


async def asample(call: Callable[[], Any], calls: int, workers: int) -> Sample:
    left = iter(range(calls))

    async def work(taken: Sample) -> None:
        for _ in left:
            began = time.perf_counter()
            taken.add(await call(), began)

    with Sample() as taken:
        await asyncio.gather(*(work(taken) for _ in range(workers)))
    return taken


def open_calls(name: str, mode: str, ports: dict[str, int]) -> dict[str, Any]:
    """Return a call per scenario, each of its own client: idle connections slow the next call."""
    made = {way: getattr(CONTENDERS[name], mode)(f"http://127.0.0.1:{ports[way]}") for way in WAYS}
    calls = {way: made[way][0 if way == "whole" else 1] for way in WAYS}
    calls["flight"] = getattr(CONTENDERS[name], mode)(f"http://127.0.0.1:{ports['whole']}")[0]
    return calls


def main(name: str, mode: str, ports: str, cpu: str) -> None:
    if cpu:
        os.sched_setaffinity(0, {int(cpu)})
    with asyncio.Runner() as runner:

        async def opened() -> dict[str, Any]:  # async clients are made on their loop
            return open_calls(name, mode, json.loads(ports))

        calls = runner.run(opened())
        print(json.dumps({p: version(p) for p in CONTENDERS[name].packages}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            what, number = request["what"], request["calls"]
            if mode == "aio":
                workers = IN_FLIGHT if what == "flight" else 1
                taken = runner.run(asample(calls[what], number, workers))
            else:
                taken = sample(calls[what], number)
            if taken.size != expected(what) * number:
                raise SystemExit(f"{name} ({mode}) did not read the whole text: {what}")
            said = {"cpu": taken.cpu, "wall": taken.wall, "first": taken.first}
            print(json.dumps(said), flush=True)
        os._exit(0)  # some contenders' threads outlive their work


if __name__ == "__main__":
    main(*sys.argv[1:])
