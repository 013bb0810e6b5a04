"""One call as a ledger sees it, without a service: reserved under a budget, executed, settled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Operation
from mai_sdk.metering.money import from_nanodollars
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.metering.ledger import Claim, Ledger

MOST = 1_000
"""What a call costs at most, in nano-dollars."""
BOUND = Cost(amount=from_nanodollars(MOST), status="estimated", reason="The most it can be.")


def paid_call(ledger: Ledger, *, claim: Claim, nanos: int, ran: Callable[[str], object]) -> str:
    """Make one call that costs `nanos`, and return its attempt's id. It may end anywhere.

    `ran` is told the id when the service executes it: between reserving and settling.
    """
    call_id = uuid7()
    now = time.time()
    operation = Operation(
        call_id=call_id, modality="reasoning", verb="create", model="M", deployment=None,
        surface="foundry", started_at=now,
    )  # fmt: skip
    entry = Entry(
        attempt_id=f"{call_id}-1", number=1, operation=operation, state="reserved",
        reserved_at=now, upper_bound=BOUND,
    )  # fmt: skip
    ledger.reserve(entry, claims=[claim])
    ran(entry.attempt_id)
    ledger.settle(
        entry.attempt_id,
        state="settled_exact",
        usage=Usage(input_tokens=1, output_tokens=nanos),
        cost=Cost(amount=from_nanodollars(nanos), status="exact"),
        settled_at=time.time(),
    )
    return entry.attempt_id
