"""Costs that outlive the process: a ledger in a SQLite file, tags, and a report over both runs.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY,
and give the ledger a path that stays. `mai costs --ledger mai.db` reads the same file.
"""

import os
import tempfile
from pathlib import Path

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def work(client: MAI) -> None:
    for job in ("summaries", "titles", "titles"):
        client.reasoning.create("Say it shorter", model="MAI-Thinking-1", tags={"job": job})
    client.code.create("Sum a list", model="MAI-Code-1-Flash", tags={"job": "helper"})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "mai.db"
        if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
            with MAI(ledger=ledger) as client:
                work(client)
        else:
            with Emulator() as emulator, emulator.client(ledger=ledger) as client:
                work(client)
        with MAI(ledger=ledger) as later:  # another process could do this; it needs no endpoint
            print(later.costs.report(by=["model", "tag:job"]).to_table())
            print(later.costs.report(by=["day"]).to_csv())


if __name__ == "__main__":
    main()
