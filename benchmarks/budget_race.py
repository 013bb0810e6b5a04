"""Many processes at one hard budget, some of them killed: what is overspent, and what is left over.

Every process reserves, has the call executed and settles, until the budget refuses or it has made
its calls; a few are killed with SIGKILL in the middle. A "provider" beside the ledger, a file that
a dead process cannot take back, has what was really spent. Stops by itself, prints a line a run,
and fails if a run spends more than the budget, or leaves more of it unused than one reservation for
each process, or if the budget's state is not the sum of the rows.

    python benchmarks/budget_race.py mai.db
    python benchmarks/budget_race.py postgresql://localhost/test --runs 20
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paid_call import MOST, paid_call

from mai_sdk.errors import BudgetExceeded
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Claim, open_ledger

if TYPE_CHECKING:
    from mai_sdk.metering.ledger import Ledger

PERIOD = "total"


@dataclass
class Race:
    """What one run came to, in nano-dollars."""

    processes: int
    killed: int
    limit: int
    calls: int = 0
    """Executed by the provider."""
    refused: int = 0
    """Processes that the budget stopped."""
    spent: int = 0
    """What the provider really asked for."""
    overspent: int = 0
    unused: int = 0
    """What of the budget is neither spent nor held for a call whose outcome is unknown."""
    off_by: int = 0
    """The budget's state against the sum of the rows."""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the cap held, and was used up to one reservation a process."""
        tight = self.unused <= MOST * self.processes or self.refused == 0
        return self.overspent == 0 and self.off_by == 0 and tight and self.calls > 0


def spend(ledger: Ledger, budget: str, limit: int, provider: int, nanos: int) -> None:
    """Make one call under the budget, and have it noted by the provider."""
    claim = Claim(budget_id=budget, period=PERIOD, limit_nanos=limit, nanos=MOST)
    paid_call(
        ledger,
        claim=claim,
        nanos=nanos,
        ran=lambda _: os.write(provider, f"{nanos}\n".encode()),
    )


def work(address: str, race: Race, budget: str, file: Path, calls: int, seed: int) -> int:
    """Be one process: return 0 if all calls were made, 3 if the budget refused one."""
    chance = random.Random(seed)
    provider = os.open(file, os.O_APPEND | os.O_WRONLY | os.O_CREAT, 0o600)
    ledger = open_ledger(address)
    try:
        for _ in range(calls):
            spend(ledger, budget, race.limit, provider, chance.randint(MOST // 2, MOST - 1))
    except BudgetExceeded:
        return 3
    finally:
        ledger.close()
    return 0


def fork(address: str, race: Race, budget: str, file: Path, calls: int, seed: int) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work(address, race, budget, file, calls, seed)
        except BaseException as error:  # noqa: BLE001 - a child never returns into its parent
            print(f"a process failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return pid


def run(
    address: str, *, seed: int, processes: int = 16, calls: int = 500, killed: float = 0.1
) -> Race:
    """Have that many processes spend one new budget of the ledger; it ends before their calls do.

    The budget is 70 % of what all calls would cost, so that it is fought for at the end.
    """
    chance = random.Random(seed)
    limit = processes * calls * MOST * 3 // 4 * 7 // 10
    race = Race(processes, max(1, round(processes * killed)), limit)
    budget = f"race-{uuid7()}"
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        open_ledger(address).close()  # so that its tables are there
        running = {
            fork(address, race, budget, file, calls, chance.getrandbits(32)): file
            for file in (Path(folder) / str(number) for number in range(processes))
        }
        victims = [
            (chance.randrange(calls * 6 // 10), pid)
            for pid in chance.sample(sorted(running), race.killed)
        ]
        for after, pid in sorted(victims):
            _kill(pid, running[pid], after, chance)
        for pid in running:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            race.refused += code == 3
            if code not in {0, 3, -signal.SIGKILL}:
                raise SystemExit("A process failed: see what it said.")
        for file in Path(folder).iterdir():
            spent = [int(line) for line in file.read_text().split()]
            race.calls += len(spent)
            race.spent += sum(spent)
    race.seconds = round(time.perf_counter() - began, 1)
    _judge(address, race, budget)
    return race


def _kill(pid: int, file: Path, after: int, chance: random.Random) -> None:
    """Kill a process some time after it has made that many calls, unless it has ended."""
    while not file.exists() or file.stat().st_size < 4 * after:  # a call is a line of 4 bytes
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.01))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _judge(address: str, race: Race, budget: str) -> None:
    ledger = open_ledger(address)  # which recovers what the dead had reserved
    spent, reserved = ledger.budget_state(budget, PERIOD)
    ledger.close()
    race.overspent = max(race.spent - race.limit, spent + reserved - race.limit, 0)
    race.unused = race.limit - spent - reserved
    race.off_by = max(race.spent - spent - reserved, 0)
    most_unknown = race.killed * MOST
    race.off_by += max(spent + reserved - race.spent - most_unknown, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ledger", help="a SQLite file, or the URL of a database")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--killed", type=float, default=0.1, help="the part that is killed")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    good = True
    for number in range(asked.runs):
        race = run(
            asked.ledger,
            seed=asked.seed + number,
            processes=asked.processes,
            calls=asked.calls,
            killed=asked.killed,
        )
        said = ", ".join(f"{name} {value}" for name, value in asdict(race).items())
        print(f"run {number + 1}: {said}: {'good' if race.is_good else 'BAD'}", flush=True)
        good = good and race.is_good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
