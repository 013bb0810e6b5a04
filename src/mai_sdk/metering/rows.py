"""What a ledger's row says: the columns that reports add up, and back to values. No I/O.

Money is whole nano-units of its currency; the price rows behind an amount are kept as JSON, so that
a cost can be explained after prices have changed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import Entry, Operation, died
from mai_sdk.metering.money import from_nanodollars, nanodollars_of
from mai_sdk.metering.usage import METERS, Usage

if TYPE_CHECKING:
    from mai_sdk.metering.cost import CostStatus

__all__ = [
    "ENTRY_COLUMNS",
    "USAGE_COLUMNS",
    "CostColumns",
    "cost_columns",
    "cost_of",
    "day_of",
    "entry_of",
    "usage_columns",
    "usage_of",
]

USAGE_COLUMNS: Final = ("basis", *METERS)
"""A column each; of a meter whose quantity is not known NULL."""

ENTRY_COLUMNS: Final = f"""
attempt_id, number, state, reserved_at, upper_bound_nanos, upper_bound, settled_at, cost_nanos,
    cost, repriced_nanos, repriced, status, error, request_id, first_byte, first_content, seconds,
    call_id, modality, verb, model, deployment, surface, started_at, tags, session,
    {", ".join(USAGE_COLUMNS)}
"""
"""What to select for `entry_of`."""


class CostColumns(NamedTuple):
    """A cost as columns; `detail` is all but the amount, as JSON."""

    currency: str | None
    """None where there is no money in it."""
    status: CostStatus
    nanos: int | None
    """None exactly where the status is "unknown"."""
    known_nanos: int
    """What `Cost.at_least` says."""
    detail: str


def cost_columns(cost: Cost) -> CostColumns:
    """Return `cost` as it is written.

    Databases look into `detail` by themselves (`sqlite_cells`, `postgres_sums`): its fields, and
    their order, stay as they are.
    """
    return CostColumns(
        currency=cost.currency if cost.has_money else None,
        status=cost.status,
        nanos=cost.nanodollars,
        known_nanos=nanodollars_of(cost.at_least),
        detail=cost.model_dump_json(exclude={"amount"}, exclude_defaults=True),
    )


def cost_of(nanos: int | None, detail: str | None) -> Cost | None:
    """Return the cost that was written so; None where none was."""
    if detail is None:
        return None
    amount = "null" if nanos is None else f'"{from_nanodollars(nanos):f}"'
    return Cost.model_validate_json(f'{{"amount": {amount}, {detail[1:]}')


def usage_columns(usage: Usage) -> tuple[Any, ...]:
    """Return `usage` as `USAGE_COLUMNS`."""
    known = usage.__dict__
    return tuple([known[name] for name in USAGE_COLUMNS])


def usage_of(columns: tuple[Any, ...]) -> Usage | None:
    """Return the usage that was written as `USAGE_COLUMNS`; None where none was."""
    if columns[0] is None:
        return None
    return Usage(**dict(zip(USAGE_COLUMNS, columns, strict=True)))


def day_of(seconds: float) -> str:
    """Return the UTC day of a moment since the epoch, as 2026-11-25."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry that was written as `ENTRY_COLUMNS`."""
    call_id, modality, verb, model, deployment, surface, started_at, tags, session = row[17:26]
    upper_bound, settled_at = cost_of(row[4], row[5]), row[6]
    cost = cost_of(row[7], row[8])
    return Entry(
        attempt_id=row[0],
        number=row[1],
        operation=Operation(
            call_id=call_id,
            modality=modality,
            verb=verb,
            model=model,
            deployment=deployment,
            surface=surface,
            started_at=started_at,
            tags=json.loads(tags),
            session=session,
        ),
        state=row[2],
        reserved_at=row[3],
        upper_bound=upper_bound,
        settled_at=settled_at,
        usage=usage_of(row[26:]),
        cost=died(upper_bound) if cost is None and settled_at is not None else cost,
        repriced=cost_of(row[9], row[10]),
        status=row[11],
        error=row[12],
        request_id=row[13],
        first_byte=row[14],
        first_content=row[15],
        seconds=row[16],
    )
