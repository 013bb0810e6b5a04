"""What a SQLite ledger does in one transaction: the statements, on a connection given.

Nothing here begins, commits or waits. Budgets are counted by conditions inside the statements, so
that processes cannot race.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from mai_sdk.metering.ledger import (
    BudgetState,
    Recovery,
    added_up,
    charged_nanos,
    may_settle,
    no_room,
    no_such_attempt,
)
from mai_sdk.metering.process import Writer, is_dead
from mai_sdk.metering.rows import (
    ENTRY_COLUMNS,
    USAGE_COLUMNS,
    cost_columns,
    day_of,
    entry_of,
    usage_columns,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Claim, Entry
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = [
    "add_writer",
    "budget_state",
    "read_page",
    "read_where",
    "recover",
    "reprice",
    "reserve",
    "sent",
    "settle",
]

_WRITER: Final = """
INSERT INTO writers (host, boot, pid, started) VALUES (?, ?, ?, ?) RETURNING writer
"""
_HOLD: Final = """
INSERT INTO budgets VALUES (?1, ?2, ?3, 0, ?4)
ON CONFLICT DO UPDATE SET limit_nanos = ?3, reserved_nanos = reserved_nanos + ?4
"""
_BUDGET: Final = """
SELECT spent_nanos, reserved_nanos FROM budgets WHERE budget_id = ? AND period = ?
"""
_CLAIM: Final = "INSERT INTO claims VALUES (?, ?, ?, ?, NULL)"
_RESERVE: Final = """
INSERT INTO attempts (attempt_id, call_id, number, state, writer, day, model, deployment, surface,
    modality, verb, session, tags, started_at, reserved_at, upper_bound_nanos, currency)
VALUES (?, ?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_DETAIL: Final = "INSERT INTO details (id, upper_bound) VALUES (?, ?)"
_SENT: Final = "UPDATE attempts SET state = 'sent' WHERE attempt_id = ? AND state = 'reserved'"
_FIND: Final = "SELECT id, state FROM attempts WHERE attempt_id = ?"
_SETTLE: Final = f"""
UPDATE attempts SET state = ?, settled_at = ?, currency = ?, cost_status = ?, cost_nanos = ?,
    known_nanos = ?, status = ?, error = ?, request_id = ?, first_byte = ?, first_content = ?,
    seconds = ?, {" = ?, ".join(USAGE_COLUMNS)} = ?
WHERE id = ?
"""
_COST_DETAIL: Final = "UPDATE details SET cost = ? WHERE id = ?"
_CLAIMS: Final = """
SELECT budget_id, period, nanos, charged_nanos FROM claims WHERE attempt_id = ?
"""
_CHARGE: Final = """
UPDATE budgets SET spent_nanos = spent_nanos + ?3, reserved_nanos = reserved_nanos - ?4
WHERE budget_id = ?1 AND period = ?2
"""
_CHARGED: Final = """
UPDATE claims SET charged_nanos = ? WHERE attempt_id = ? AND budget_id = ? AND period = ?
"""
_REPRICE: Final = """
UPDATE attempts SET repriced_status = ?, repriced_nanos = ?, repriced_known_nanos = ? WHERE id = ?
"""
_REPRICE_DETAIL: Final = "UPDATE details SET repriced = ? WHERE id = ?"
_WRITERS: Final = """
SELECT writer, host, boot, pid, started FROM writers
WHERE writer IN (SELECT writer FROM attempts WHERE state IN ('reserved', 'sent'))
"""
_OPEN_OF: Final = """
state IN ('reserved', 'sent') AND (writer IS NULL OR writer IN (SELECT value FROM json_each(?1)))
"""
_LEFT_BY: Final = f"""
SELECT count(*), count(*) - count(upper_bound_nanos), sum(upper_bound_nanos),
    count(DISTINCT currency)
FROM attempts WHERE {_OPEN_OF}
"""
_CLAIMS_LEFT_BY: Final = f"""
UPDATE budgets SET spent_nanos = spent_nanos + left.nanos,
    reserved_nanos = reserved_nanos - left.nanos
FROM (SELECT budget_id, period, sum(nanos) AS nanos FROM claims JOIN attempts USING (attempt_id)
    WHERE {_OPEN_OF} GROUP BY budget_id, period) AS left
WHERE budgets.budget_id = left.budget_id AND budgets.period = left.period
"""
_CHARGE_LEFT_BY: Final = f"""
UPDATE claims SET charged_nanos = nanos
WHERE attempt_id IN (SELECT attempt_id FROM attempts WHERE {_OPEN_OF})
"""
_RECOVER: Final = f"""
UPDATE attempts SET state = 'unknown', settled_at = ?2, cost_status = 'unknown', known_nanos = 0,
    basis = 'unknown', error = 'ProcessDied'
WHERE {_OPEN_OF}
"""
_READ: Final = f"""
SELECT {ENTRY_COLUMNS} FROM attempts JOIN details USING (id)
"""
_READ_PAGE: Final = f"""
{_READ} WHERE (reserved_at, attempt_id) > (?, ?) AND reserved_at < ?
ORDER BY reserved_at, attempt_id LIMIT ?
"""


def add_writer(db: sqlite3.Connection, writer: Writer) -> int:
    """Write down that this process writes here; return its number."""
    number: int = db.execute(_WRITER, writer).fetchone()[0]
    return number


def reserve(db: sqlite3.Connection, entry: Entry, claims: Sequence[Claim], writer: int) -> int:
    """Write the attempt and hold its claims, see `Ledger.reserve`; return its row's number."""
    claims = added_up(claims)
    for claim in claims:  # all of them, before anything is written
        now = budget_state(db, claim.budget_id, claim.period)
        if now.spent_nanos + now.reserved_nanos + claim.nanos > claim.limit_nanos:
            raise no_room(claim, now)
    for claim in claims:
        db.execute(_HOLD, claim)
        db.execute(_CLAIM, (entry.attempt_id, claim.budget_id, claim.period, claim.nanos))
    call = entry.operation
    bound = None if entry.upper_bound is None else cost_columns(entry.upper_bound)
    made = db.execute(
        _RESERVE,
        (
            entry.attempt_id,
            call.call_id,
            entry.number,
            writer,
            day_of(call.started_at),
            call.model,
            call.deployment,
            call.surface,
            call.modality,
            call.verb,
            call.session,
            json.dumps(dict(call.tags), ensure_ascii=False),
            call.started_at,
            entry.reserved_at,
            None if bound is None else bound.nanos,
            None if bound is None else bound.currency,
        ),
    )
    number = made.lastrowid or 0
    db.execute(_DETAIL, (number, None if bound is None else bound.detail))
    return number


def sent(db: sqlite3.Connection, attempt_id: str) -> None:
    """Note that an answer has begun; see `Ledger.sent`."""
    if db.execute(_SENT, (attempt_id,)).rowcount == 0:
        _find(db, attempt_id)


def settle(
    db: sqlite3.Connection,
    attempt_id: str,
    *,
    state: AttemptState,
    usage: Usage,
    cost: Cost,
    settled_at: float,
    status: int | None = None,
    error: str | None = None,
    request_id: str | None = None,
    first_byte: float | None = None,
    first_content: float | None = None,
    seconds: float | None = None,
) -> bool:
    """Write the outcome and charge the claims; see `Ledger.settle`."""
    number, before = _find(db, attempt_id)
    if before not in may_settle(state):
        return False
    money = cost_columns(cost)
    spent = (money.currency, money.status, money.nanos, money.known_nanos)
    said = (status, error, request_id, first_byte, first_content, seconds)
    db.execute(_SETTLE, (state, settled_at, *spent, *said, *usage_columns(usage), number))
    db.execute(_COST_DETAIL, (money.detail, number))
    for budget_id, period, claimed, charged in db.execute(_CLAIMS, (attempt_id,)).fetchall():
        now = charged_nanos(state, cost, claimed)
        more, freed = now - (charged or 0), claimed if charged is None else 0
        db.execute(_CHARGE, (budget_id, period, more, freed))
        db.execute(_CHARGED, (now, attempt_id, budget_id, period))
    return True


def reprice(db: sqlite3.Connection, attempt_id: str, cost: Cost) -> None:
    """Keep `cost` beside the first one; see `Ledger.reprice`."""
    number, _ = _find(db, attempt_id)
    money = cost_columns(cost)
    db.execute(_REPRICE, (money.status, money.nanos, money.known_nanos, number))
    db.execute(_REPRICE_DETAIL, (money.detail, number))


def budget_state(db: sqlite3.Connection, budget_id: str, period: str) -> BudgetState:
    """Return what is spent and reserved of a budget's period."""
    row = db.execute(_BUDGET, (budget_id, period)).fetchone()
    return BudgetState(*(row or (0, 0)))


def recover(db: sqlite3.Connection, *, settled_at: float) -> Recovery:
    """Settle what dead processes left as unknown; see `Ledger.recover`."""
    writers = db.execute(_WRITERS).fetchall()
    dead = json.dumps([number for number, *who in writers if is_dead(Writer(*who))])
    count, unbounded, nanos, currencies = db.execute(_LEFT_BY, (dead,)).fetchone()
    if count:
        db.execute(_CLAIMS_LEFT_BY, (dead,))
        db.execute(_CHARGE_LEFT_BY, (dead,))
        db.execute(_RECOVER, (dead, settled_at))
    return Recovery(count, None if unbounded or currencies > 1 else nanos or 0)


def read_page(
    db: sqlite3.Connection, after: tuple[float, str], before: float, limit: int
) -> list[Entry]:
    """Return the next entries in the order of their reservation."""
    return [entry_of(row) for row in db.execute(_READ_PAGE, (*after, before, limit)).fetchall()]


def read_where(
    db: sqlite3.Connection, condition: str, values: tuple[float, ...]
) -> Iterator[Entry]:
    """Yield the entries whose columns meet a condition."""
    return map(entry_of, db.execute(f"{_READ} WHERE {condition}", values))


def _find(db: sqlite3.Connection, attempt_id: str) -> tuple[int, AttemptState]:
    row: tuple[int, AttemptState] | None = db.execute(_FIND, (attempt_id,)).fetchone()
    if row is None:
        raise no_such_attempt(attempt_id)
    return row
