"""`make bench`: every contender side by side in one run, and benchmarks/RESULTS.md rewritten.

`--only` and `--rounds` make it shorter; `--profile whole` (or burst, gathered, paced) shows instead
where our own client, or the one named by `--only`, spends its time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import venv
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contenders import CONTENDERS
from hotspots import profile
from measure import IN_FLIGHT
from results import keep, page, terminal
from server import EVENTS, WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LITELLM = HERE / ".venv"
CALLS = {"whole": 100, "burst": 1, "gathered": 2, "paced": 1, "flight": 5 * IN_FLIGHT}
MOST_STARTS = 5

# Nothing of the caller's settings: a key, a proxy or a cost map from the network would be measured.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "HOME": os.environ.get("HOME", str(HERE)),
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


def cores() -> tuple[str, str]:
    """Return the core of the server and the core of the clients; empty where none can be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return "", ""
    usable = sorted(os.sched_getaffinity(0))
    return str(usable[0]), str(usable[-1])


def interpreter(name: str) -> str:
    return str(LITELLM / "bin" / "python") if name == "litellm" else sys.executable


@contextmanager
def child(name: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of our scripts, talking by lines; closing its standard input ends it."""
    process = subprocess.Popen(
        [interpreter(name), *command],
        cwd=HERE,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.communicate(timeout=10)
    finally:
        process.kill()


def heard(process: subprocess.Popen[str]) -> Any:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise SystemExit(f"{process.args!r} ended early; what it said is above.")
    return json.loads(line)


def install_litellm() -> bool:
    """Make litellm's own environment if it is not there; say so and go on if it cannot be made."""
    python = interpreter("litellm")
    if (
        Path(python).exists()
        and not subprocess.run(
            [python, "-c", "from importlib.metadata import version; version('litellm')"],
            capture_output=True,
            check=False,
        ).returncode
    ):
        return True
    print("Installing litellm into benchmarks/.venv (once) ...", flush=True)
    venv.create(LITELLM, with_pip=True, clear=True)
    install = [python, "-m", "pip", "install", "--quiet", "litellm"]
    if subprocess.run(install, check=False).returncode:
        print("litellm could not be installed: it is left out of this run.")
        return False
    return True


class Bench:
    """One run: the server, a worker per contender and mode, and the samples."""

    def __init__(self, names: list[str], server: Any, stack: ExitStack) -> None:
        self.names = names
        self.ports: dict[str, int] = heard(server)
        self.samples: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.versions: dict[str, dict[str, str]] = {}
        self.workers: dict[tuple[str, str], Any] = {}
        self.core = cores()[1]
        for name in names:
            for mode in ("sync", "aio"):
                command = ("measure.py", name, mode, json.dumps(self.ports), self.core)
                worker = stack.enter_context(child(name, *command))
                self.versions[name] = heard(worker)
                self.workers[name, mode] = worker

    def starts(self) -> None:
        """Start every contender once from nothing."""
        urls = [f"http://127.0.0.1:{self.ports[way]}" for way in ("whole", "burst")]
        for name in self.names:
            with child(name, "start.py", name, *urls, str(time.monotonic()), self.core) as process:
                for series, value in heard(process).items():
                    if value is not None:
                        self.samples[series, name].append(value)

    def round(self, *, counted: bool = True) -> None:
        """Take one sample of everything; one not counted warms caches and connections."""
        for what in CALLS:
            for mode in ("sync", "aio"):
                if what == "flight" and mode == "sync":
                    continue
                for name in self.names:
                    self.sample(what, name, mode, counted=counted)

    def sample(self, what: str, name: str, mode: str, *, counted: bool) -> None:
        """Ask one worker for one sample."""
        calls = CALLS[what] if name != "litellm" else max(1, CALLS[what] // 5)
        worker = self.workers[name, mode]
        worker.stdin.write(json.dumps({"what": what, "calls": calls}) + "\n")
        worker.stdin.flush()
        said = heard(worker)
        if not counted:
            return
        microseconds = said["cpu"] * 1e6 / (calls * EVENTS.get(what, 1))
        if what == "flight":
            self.samples["flight cpu", name].append(microseconds)
            self.samples["flight rate", name].append(calls / said["wall"])
        else:
            self.samples[f"{what} {mode}", name].append(microseconds)
        if what == "paced":
            self.samples[f"first text {mode}", name].append(said["first"] * 1e3)


def machine() -> str:
    """Say what this ran on."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {model}, {platform.system()}, {python}"


def measure(names: list[str], rounds: int) -> Bench:
    with ExitStack() as stack:
        server = stack.enter_context(child("server", "server.py", cores()[0]))
        bench = Bench(names, server, stack)
        bench.round(counted=False)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", end="\r", file=sys.stderr, flush=True)
            bench.round()
            if number < MOST_STARTS:
                bench.starts()
    return bench


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=12, help="samples of each figure (12)")
    parser.add_argument(
        "--only", action="append", choices=list(CONTENDERS), metavar="NAME",
        help="measure only this contender (may be repeated); RESULTS.md is left alone",
    )  # fmt: skip
    parser.add_argument("--no-litellm", action="store_true", help="leave litellm out")
    parser.add_argument("--profile", choices=WAYS, help="show where one contender spends its time")
    parser.add_argument("--aio", action="store_true", help="with --profile: the async client")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    if asked.profile:
        with child("server", "server.py", cores()[0]) as server:
            url = f"http://127.0.0.1:{heard(server)[asked.profile]}"
            name = asked.only[0] if asked.only else "mai_sdk"
            profile(name, "aio" if asked.aio else "sync", asked.profile, url)
        return
    names = [name for name in CONTENDERS if name in (asked.only or CONTENDERS)]
    if "litellm" in names and (asked.no_litellm or not install_litellm()):
        names.remove("litellm")
    load = f"{os.getloadavg()[0]:.2f}"
    bench = measure(names, asked.rounds)
    print(terminal(bench.samples))
    if not asked.only:
        text = page(
            bench.samples,
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            machine=machine(),
            load=load,
            rounds=asked.rounds,
            versions=bench.versions,
        )
        keep(HERE / "RESULTS.md", text)
        print(f"\nKept in {HERE.name}/RESULTS.md")


if __name__ == "__main__":
    main()
