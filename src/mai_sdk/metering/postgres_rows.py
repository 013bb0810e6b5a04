"""What a Postgres ledger does in one transaction: the statements, on a connection given.

Nothing here begins, commits or connects. Budgets are counted by conditions inside the statements,
which see what other sessions committed last, so that processes cannot race. What can be is one
statement: it needs no transaction around it, so that no row is locked while the client is waited
for. Whoever touches several budgets locks them in order of their names first, so that nobody waits
in a circle.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering.ledger import (
    BudgetState,
    Recovery,
    added_up,
    keeps_claim,
    may_settle,
    no_room,
    no_such_attempt,
)
from mai_sdk.metering.money import nanodollars_of
from mai_sdk.metering.process import Writer, is_dead, lives
from mai_sdk.metering.rows import (
    ENTRY_COLUMNS,
    USAGE_COLUMNS,
    cost_columns,
    day_of,
    entry_of,
    usage_columns,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from psycopg import Connection

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Claim, Entry
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = [
    "add_writer",
    "budget_state",
    "is_kept",
    "lock_budgets",
    "read_page",
    "recover",
    "reprice",
    "reserve",
    "sent",
    "settle",
    "writers_gone",
]

_WRITER: Final = """
WITH made AS (
    INSERT INTO writers (host, boot, pid, started) VALUES (%s, %s, %s, %s) RETURNING writer
)
SELECT writer, pg_advisory_lock('writers'::regclass::oid::integer, writer) FROM made
"""
_LOCK_BUDGETS: Final = """
SELECT 1 FROM budgets WHERE (budget_id, period) IN (
    SELECT budget_id, period FROM claims WHERE attempt_id = ANY(%s)
    UNION ALL SELECT * FROM unnest(%s::text[], %s::text[]))
ORDER BY budget_id, period FOR UPDATE
"""
_RESERVED: Final = """
INSERT INTO attempts (attempt_id, call_id, number, state, writer, day, model, deployment, surface,
    modality, verb, session, tags, started_at, reserved_at, upper_bound_nanos, currency,
    upper_bound)
"""
_VALUES: Final = """
%s, %s, %s, 'reserved', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::double precision,
    %s::double precision, %s::bigint, %s, %s
"""
_RESERVE: Final = f"{_RESERVED} VALUES ({_VALUES})"
_RESERVE_AND_HOLD: Final = f"""
WITH wanted AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
        AS w (budget_id, period, limit_nanos, nanos) ORDER BY budget_id, period
), held AS (
    INSERT INTO budgets AS b (budget_id, period, limit_nanos, spent_nanos, reserved_nanos)
        SELECT budget_id, period, limit_nanos, 0, nanos FROM wanted WHERE nanos <= limit_nanos
    ON CONFLICT (budget_id, period) DO UPDATE SET limit_nanos = excluded.limit_nanos,
        reserved_nanos = b.reserved_nanos + excluded.reserved_nanos
        WHERE b.spent_nanos + b.reserved_nanos + excluded.reserved_nanos <= excluded.limit_nanos
    RETURNING budget_id, period
), kept AS (
    {_RESERVED} SELECT {_VALUES} WHERE (SELECT count(*) FROM held) = (SELECT count(*) FROM wanted)
    RETURNING attempt_id
), noted AS (
    INSERT INTO claims (attempt_id, budget_id, period, nanos)
        SELECT attempt_id, budget_id, period, nanos FROM kept, wanted
)
SELECT budget_id, period FROM held
"""
_LET_GO: Final = """
UPDATE budgets SET reserved_nanos = reserved_nanos - %s WHERE budget_id = %s AND period = %s
"""
_BUDGET: Final = """
SELECT spent_nanos, reserved_nanos FROM budgets WHERE budget_id = %s AND period = %s
"""
_SENT: Final = "UPDATE attempts SET state = 'sent' WHERE attempt_id = %s AND state = 'reserved'"
_FIND: Final = "SELECT 1 FROM attempts WHERE attempt_id = %s"
_SETTLE: Final = f"""
WITH settled AS (
    UPDATE attempts SET state = %s, settled_at = %s, currency = %s, cost_status = %s,
        cost_nanos = %s, known_nanos = %s, cost = %s, status = %s, error = %s, request_id = %s,
        first_byte = %s, first_content = %s, seconds = %s, {" = %s, ".join(USAGE_COLUMNS)} = %s
    WHERE attempt_id = %s AND state = ANY(%s) RETURNING attempt_id
), charged AS (
    UPDATE claims SET charged_before = charged_nanos,
        charged_nanos = CASE WHEN %s THEN greatest(nanos, %s::bigint) ELSE %s::bigint END
    FROM settled WHERE claims.attempt_id = settled.attempt_id
    RETURNING budget_id, period, nanos, charged_before, charged_nanos
), moved AS (
    UPDATE budgets SET
        spent_nanos = spent_nanos + charged_nanos - coalesce(charged_before, 0),
        reserved_nanos = reserved_nanos - CASE WHEN charged_before IS NULL THEN nanos ELSE 0 END
    FROM charged WHERE budgets.budget_id = charged.budget_id AND budgets.period = charged.period
)
SELECT count(*) FROM settled
"""
_REPRICE: Final = """
UPDATE attempts SET repriced_status = %s, repriced_nanos = %s, repriced_known_nanos = %s,
    repriced = %s WHERE attempt_id = %s
"""
_RECOVERING: Final = "SELECT pg_advisory_xact_lock('attempts'::regclass::oid::integer, 0)"
_WRITERS: Final = """
SELECT writer, host, boot, pid, started, writer IN (
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
        AND classid = 'writers'::regclass AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database()))
FROM writers WHERE NOT gone
"""
_GONE: Final = "UPDATE writers SET gone = true WHERE writer = ANY(%s)"
_OPEN_OF: Final = "state IN ('reserved', 'sent') AND writer = ANY(%s)"
_LOCK_LEFT: Final = f"""
SELECT 1 FROM budgets WHERE (budget_id, period) IN (
    SELECT budget_id, period FROM claims JOIN attempts USING (attempt_id) WHERE {_OPEN_OF})
ORDER BY budget_id, period FOR UPDATE
"""
_RECOVER: Final = f"""
WITH found AS (
    UPDATE attempts SET state = 'unknown', settled_at = %s, cost_status = 'unknown',
        known_nanos = 0, basis = 'unknown', error = 'ProcessDied'
    WHERE {_OPEN_OF} RETURNING attempt_id, upper_bound_nanos, currency
), charged AS (
    UPDATE claims SET charged_nanos = nanos FROM found
    WHERE claims.attempt_id = found.attempt_id AND charged_nanos IS NULL
    RETURNING budget_id, period, nanos
), sums AS (
    SELECT budget_id, period, sum(nanos) AS nanos FROM charged GROUP BY budget_id, period
), moved AS (
    UPDATE budgets SET spent_nanos = spent_nanos + sums.nanos,
        reserved_nanos = reserved_nanos - sums.nanos
    FROM sums WHERE budgets.budget_id = sums.budget_id AND budgets.period = sums.period
)
SELECT count(*), count(*) - count(upper_bound_nanos), sum(upper_bound_nanos)::bigint,
    count(DISTINCT currency) FROM found
"""
_READ: Final = f"""
SELECT {ENTRY_COLUMNS} FROM attempts
WHERE (reserved_at, attempt_id) > (%s, %s) AND reserved_at < %s
ORDER BY reserved_at, attempt_id LIMIT %s
"""


def add_writer(db: Connection[Any], writer: Writer) -> int:
    """Write down that this process writes here; return its number.

    The session holds the lock of that number from here on, until it ends.
    """
    row = db.execute(_WRITER, writer).fetchone()
    assert row is not None  # noqa: S101 - one row goes in, one comes back
    number: int = row[0]
    return number


def lock_budgets(
    db: Connection[Any], *, of: Sequence[str], and_also: Collection[tuple[str, str]]
) -> None:
    """Hold the budgets that attempts have claimed of, and others, until the transaction ends."""
    names = [name for name, _ in and_also], [period for _, period in and_also]
    db.execute(_LOCK_BUDGETS, (of, *names))


def reserve(db: Connection[Any], entry: Entry, claims: Sequence[Claim], writer: int) -> None:
    """Write the attempt and hold its claims; see `Ledger.reserve`."""
    call = entry.operation
    bound = None if entry.upper_bound is None else cost_columns(entry.upper_bound)
    values = (
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
        None if bound is None else bound.detail,
    )
    if not claims:
        db.execute(_RESERVE, values)
        return
    claims = added_up(claims)
    columns = ([claim[place] for claim in claims] for place in range(4))
    held = set(db.execute(_RESERVE_AND_HOLD, (*columns, *values)).fetchall())
    if len(held) < len(claims):
        _refuse(db, claims, held)


def _refuse(db: Connection[Any], claims: Sequence[Claim], held: set[tuple[str, str]]) -> None:
    """Let go of the claims that did fit, and raise for the first that did not.

    All of them are locked by now, so what is read is what was compared with.
    """
    for claim in claims:
        if (claim.budget_id, claim.period) in held:
            db.execute(_LET_GO, (claim.nanos, claim.budget_id, claim.period))
    for claim in claims:
        if (claim.budget_id, claim.period) not in held:
            raise no_room(claim, budget_state(db, claim.budget_id, claim.period))


def is_kept(db: Connection[Any], attempt_id: str) -> bool:
    """Return whether the attempt has its row."""
    return db.execute(_FIND, (attempt_id,)).fetchone() is not None


def sent(db: Connection[Any], attempt_id: str) -> None:
    """Note that an answer has begun; see `Ledger.sent`."""
    if db.execute(_SENT, (attempt_id,)).rowcount == 0:
        _find(db, attempt_id)


def settle(
    db: Connection[Any],
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
    money = cost_columns(cost)
    spent = (money.currency, money.status, money.nanos, money.known_nanos, money.detail)
    said = (status, error, request_id, first_byte, first_content, seconds)
    row = (state, settled_at, *spent, *said, *usage_columns(usage), attempt_id)
    values = (*row, list(may_settle(state)), *_charge_of(state, cost))
    found = db.execute(_SETTLE.encode(), values).fetchone()
    if found == (1,):
        return True
    _find(db, attempt_id)
    return False


def _charge_of(state: AttemptState, cost: Cost) -> tuple[bool, int, int]:
    """Return `charged_nanos` for a statement: at least all of the claim, or else exactly this."""
    if state == "released":
        return False, 0, 0
    known = nanodollars_of(cost.at_least)
    return keeps_claim(state, cost), known, known


def reprice(db: Connection[Any], attempt_id: str, cost: Cost) -> None:
    """Keep `cost` beside the first one; see `Ledger.reprice`."""
    money = cost_columns(cost)
    values = (money.status, money.nanos, money.known_nanos, money.detail, attempt_id)
    if db.execute(_REPRICE, values).rowcount == 0:
        raise no_such_attempt(attempt_id)


def budget_state(db: Connection[Any], budget_id: str, period: str) -> BudgetState:
    """Return what is spent and reserved of a budget's period."""
    row = db.execute(_BUDGET, (budget_id, period)).fetchone()
    return BudgetState(*(row or (0, 0)))


def recover(db: Connection[Any], *, settled_at: float) -> Recovery:
    """Settle what dead writers left as unknown; see `Ledger.recover`.

    A writer is dead when its session is over and this host cannot see its process, or when this
    host sees that the process is gone.
    """
    db.execute(_RECOVERING)  # one at a time
    dead: list[int] = []
    gone: list[int] = []
    for number, *who, has_session in db.execute(_WRITERS).fetchall():
        writer = Writer(*who)
        if is_dead(writer) or not (has_session or lives(writer)):
            dead.append(number)
            if not has_session:  # nor is anything of it still on its way
                gone.append(number)
    if not dead:
        return Recovery(0, 0)
    db.execute(_LOCK_LEFT, (dead,))
    row = db.execute(_RECOVER, (settled_at, dead)).fetchone()
    writers_gone(db, gone)
    count, unbounded, nanos, currencies = row or (0, 0, 0, 0)
    return Recovery(count, None if unbounded or currencies > 1 else nanos or 0)


def writers_gone(db: Connection[Any], writers: Sequence[int]) -> None:
    """Note of writers that nothing of theirs is under way any more."""
    db.execute(_GONE, (writers,))


def read_page(
    db: Connection[Any], after: tuple[float, str], before: float, limit: int
) -> list[Entry]:
    """Return the next entries in the order of their reservation."""
    return [entry_of(row) for row in db.execute(_READ.encode(), (*after, before, limit)).fetchall()]


def _find(db: Connection[Any], attempt_id: str) -> None:
    if not is_kept(db, attempt_id):
        raise no_such_attempt(attempt_id)
