"""A code review: findings that fit a class, from the code model, with their cost.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os
from typing import Literal

from pydantic import BaseModel

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


class Finding(BaseModel):  # noqa: D101 - its fields say it
    line: int
    severity: Literal["low", "medium", "high"]
    advice: str


def review(client: MAI) -> None:
    source = "def total(xs, acc=[]):\n    acc += xs\n    return sum(acc)\n"
    reply = client.code.create(f"Review total.py:\n{source}", response_format=list[Finding])
    for each in reply.parsed:
        print(f"total.py:{each.line}: {each.severity}: {each.advice}")
    print(len(reply.parsed), "findings for", reply.cost)


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            review(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            review(client)


if __name__ == "__main__":
    main()
