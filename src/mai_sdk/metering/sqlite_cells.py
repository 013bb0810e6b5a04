"""The tables in which a SQLite ledger keeps its sums, and the statements that add to them.

Reports over millions of attempts read these instead: they have one row for each `Group` of alike
attempts and each of their parts. An attempt is noted as not summed in the transaction that settles
it for good, and added later with others, so that no call waits for it; until then it is read as a
row, and so sums and rows cannot differ. What may still change (reserved, sent, unknown), and
figures so large that sums of them could overflow, are left apart and always read as rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.metering.cells import SECONDS_A_DAY, VOICE_METERS
from mai_sdk.metering.ladder import rung_in_sql
from mai_sdk.metering.rows import USAGE_COLUMNS

if TYPE_CHECKING:
    import sqlite3

__all__ = [
    "APART",
    "METER_COLUMNS",
    "REPRICED",
    "UNSUMMED",
    "index_repriced",
    "make_cells",
    "sum_later",
    "sum_up",
]

METER_COLUMNS: Final = tuple(name for name in USAGE_COLUMNS if name != "basis")
_TOO_MUCH: Final = 10**15
"""A nine-thousandth of what an integer of SQLite can hold."""
APART: Final = " OR ".join(
    ("state = 'unknown'", *(f"{c} > {_TOO_MUCH}" for c in ("known_nanos", *METER_COLUMNS)))
)
"""Settled attempts that are in no cell."""

REPRICED: Final = "repriced_status IS NOT NULL"
"""Attempts priced again; the cells have them at their first price."""

UNSUMMED: Final = "id IN (SELECT id FROM unsummed)"
"""Attempts that are settled for good and not yet in a cell."""

_MASK: Final = " + ".join(
    f"(a.{name} IS NOT NULL) * {1 << place}" for place, name in enumerate(METER_COLUMNS)
)
_KEY: Final = f"""json_array(a.day, a.modality, a.model, a.deployment, a.surface, a.tags, a.status,
    a.error, coalesce(d.cost ->> '$.currency', 'USD'), a.cost_status, d.cost ->> '$.reason',
    a.basis, {_MASK}, CAST(a.reserved_at / {SECONDS_A_DAY} AS INTEGER))"""

_AMOUNT: Final = "line.value ->> '$.amount'"
_NANOS: Final = f"""CAST(CASE WHEN substr({_AMOUNT}, -10, 1) = '.' THEN replace({_AMOUNT}, '.', '')
    WHEN instr({_AMOUNT}, '.') = 0 THEN {_AMOUNT} || '000000000'
    ELSE substr({_AMOUNT}, 1, instr({_AMOUNT}, '.') - 1)
        || substr(substr({_AMOUNT}, instr({_AMOUNT}, '.') + 1) || '000000000', 1, 9)
    END AS INTEGER)"""
"""What `nanodollars_of` says of an amount written with at most nine decimals; ours have nine."""

_IS_VOICE: Final = (
    f"line.value ->> '$.meter' IN {VOICE_METERS!r} AND line.value ->> '$.amount' IS NOT NULL"
)
_UNHEARD: Final = f"""(SELECT {{what}} FROM json_each(d.cost, '$.lines') AS line
    WHERE a.unheard_seconds > 0 AND a.spoken_seconds > 0 AND {_IS_VOICE})"""
_UNHEARD_NANOS: Final = _UNHEARD.format(
    what=f"""coalesce(sum({_NANOS} / a.spoken_seconds * a.unheard_seconds
        + {_NANOS} % a.spoken_seconds * a.unheard_seconds / a.spoken_seconds), 0)"""
)

_SUMMED: Final = (
    "attempts",
    "calls",
    "nanos",
    *METER_COLUMNS,
    "unheard_attempts",
    "unheard_priced",
    "unheard_nanos",
)
_TABLES: Final = f"""
CREATE TABLE cells (
    cell INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    {", ".join(f"{name} INTEGER NOT NULL" for name in _SUMMED)}
) STRICT;
CREATE TABLE cell_parts (
    cell INTEGER NOT NULL REFERENCES cells,
    kind TEXT NOT NULL CHECK (kind IN ('line', 'milliseconds', 'spent')),
    name TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    nanos INTEGER NOT NULL,
    PRIMARY KEY (cell, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_apart ON attempts (reserved_at, attempt_id) WHERE {APART}
"""
"""A part's `name` is meter and price row of a line, or a rung of the ladder."""

_FOR_GOOD: Final = f"state NOT IN ('reserved', 'sent') AND NOT coalesce({APART}, 0)"
_SETTLED: Final = f"SELECT id FROM attempts WHERE {_FOR_GOOD}"
_NOTED: Final = "SELECT id FROM unsummed ORDER BY id LIMIT 1000"
"""As many as are summed in some 20 ms."""
_FROM: Final = """
FROM ({which}) CROSS JOIN attempts AS a USING (id) CROSS JOIN details AS d USING (id)
"""
"""In this order: a plan that walks through all attempts would be a bad one."""

_ADD_CELLS: Final = f"""
INSERT INTO cells (day, key, {", ".join(_SUMMED)})
SELECT CAST(a.reserved_at / {SECONDS_A_DAY} AS INTEGER), {_KEY}, 1, a.number = 1, a.known_nanos,
    {", ".join(f"coalesce(a.{name}, 0)" for name in METER_COLUMNS)},
    coalesce(a.unheard_seconds > 0, 0), {_UNHEARD.format(what="count(*) > 0")}, {_UNHEARD_NANOS}
{_FROM} WHERE true
ON CONFLICT (key) DO UPDATE SET {", ".join(f"{c} = {c} + excluded.{c}" for c in _SUMMED)}
"""
_ADD_PARTS: Final = f"""
WITH a AS MATERIALIZED (
    SELECT number, error, state, cost_status, known_nanos, d.cost,
        CAST((settled_at - started_at) * 1000 AS INTEGER) AS taken,
        (SELECT cell FROM cells WHERE key = {_KEY}) AS cell
    {_FROM}
)
INSERT INTO cell_parts (cell, kind, name, attempts, calls, quantity, nanos)
SELECT cell, kind, name, count(*), sum(calls), sum(quantity), sum(nanos) FROM (
    SELECT cell, 'line' AS kind,
        (line.value ->> '$.meter') || ' ' || coalesce(line.value -> '$.price', 'null') AS name,
        number = 1 AS calls, CAST(line.value ->> '$.quantity' AS INTEGER) AS quantity,
        coalesce({_NANOS}, 0) AS nanos
    FROM a JOIN json_each(a.cost, '$.lines') AS line
    UNION ALL
    SELECT cell, 'milliseconds', {rung_in_sql("a.taken")}, 0, 0, 0
    FROM a WHERE error IS NULL AND state != 'released'
    UNION ALL
    SELECT cell, 'spent', {rung_in_sql("a.known_nanos")}, 0, 0, 0
    FROM a WHERE error IS NULL AND cost_status NOT IN ('free', 'unknown')
) WHERE true GROUP BY cell, kind, name
ON CONFLICT DO UPDATE SET attempts = attempts + excluded.attempts, calls = calls + excluded.calls,
    quantity = quantity + excluded.quantity, nanos = nanos + excluded.nanos
"""
_NOTE: Final = f"""
CREATE TRIGGER note_settled AFTER UPDATE OF cost ON details
WHEN (SELECT {_FOR_GOOD} FROM attempts WHERE id = NEW.id)
BEGIN INSERT INTO unsummed VALUES (NEW.id); END
"""


def make_cells(db: sqlite3.Connection) -> None:
    """Make the tables, and add up what is settled already."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    _add(db, _SETTLED)


def index_repriced(db: sqlite3.Connection) -> None:
    """Make those priced again quick to find: there are few, or none."""
    db.execute(
        f"CREATE INDEX attempts_repriced ON attempts (reserved_at, attempt_id) WHERE {REPRICED}"
    )


def sum_later(db: sqlite3.Connection) -> None:
    """Have attempts noted when they are settled; a trigger used to add them there and then.

    An index that nothing looks into cost every call a page, too.
    """
    db.execute("DROP INDEX attempts_by_call")
    db.execute("DROP TRIGGER IF EXISTS sum_up_settled")
    db.execute("CREATE TABLE unsummed (id INTEGER PRIMARY KEY REFERENCES attempts) STRICT")
    db.execute(_NOTE)


def sum_up(db: sqlite3.Connection) -> bool:
    """Add attempts that are settled and not summed to the sums; return whether there are more."""
    _add(db, _NOTED)
    db.execute(f"DELETE FROM unsummed WHERE id IN ({_NOTED})")
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM unsummed)").fetchone()[0])


def _add(db: sqlite3.Connection, which: str) -> None:
    db.execute(_ADD_CELLS.format(which=which))
    db.execute(_ADD_PARTS.format(which=which))
