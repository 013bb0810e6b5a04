"""One contender from a bare interpreter to its first answer, and what it then weighs.

Arguments: contender, URL of whole answers, URL of burst streams, the monotonic clock when this
process was launched, and the core to run on (or nothing).
"""

from __future__ import annotations

import os
import sys
import time

from contenders import CONTENDERS

CALLS = 200


def resident_megabytes() -> float | None:
    """Return what the process holds in memory; None where the system has no /proc."""
    if not sys.platform.startswith("linux"):
        return None
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is not imported yet
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(name: str, whole_url: str, burst_url: str, started: str, core: str) -> None:
    if core:
        os.sched_setaffinity(0, {int(core)})
    contender = CONTENDERS[name]
    before = time.perf_counter()
    __import__(contender.module)
    imported = time.perf_counter() - before
    light = resident_megabytes()
    whole, _ = contender.sync(whole_url)
    whole()
    first = time.monotonic() - float(started)
    for _ in range(CALLS):
        whole()
    _, stream = contender.sync(burst_url)
    stream()
    said = {
        "import": imported * 1e3,
        "first call": first * 1e3,
        "memory imported": light,
        "memory used": resident_megabytes(),
    }
    import json

    print(json.dumps(said), flush=True)
    os._exit(0)  # some contenders' threads outlive their work


if __name__ == "__main__":
    main(*sys.argv[1:])
