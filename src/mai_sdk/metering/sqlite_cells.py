"""The tables in which a SQLite ledger keeps its sums, and the trigger that adds to them.

Reports over millions of attempts read these instead: they have one row for each `Group` of alike
attempts and each of their parts. An attempt is added in the transaction that settles it for good,
so that sums and rows cannot differ; what may still change (reserved, sent, unknown), and figures
so large that sums of them could overflow, are left apart and read as rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.metering.cells import SECONDS_A_DAY, VOICE_METERS
from mai_sdk.metering.ladder import rung_in_sql
from mai_sdk.metering.rows import USAGE_COLUMNS

if TYPE_CHECKING:
    import sqlite3

__all__ = ["APART", "METER_COLUMNS", "REPRICED", "index_repriced", "make_cells"]

METER_COLUMNS: Final = tuple(name for name in USAGE_COLUMNS if name != "basis")
_TOO_MUCH: Final = 10**15
"""A nine-thousandth of what an integer of SQLite can hold."""
APART: Final = " OR ".join(
    ("state = 'unknown'", *(f"{c} > {_TOO_MUCH}" for c in ("known_nanos", *METER_COLUMNS)))
)
"""Settled attempts that are in no cell."""

REPRICED: Final = "repriced_status IS NOT NULL"
"""Attempts priced again; the cells have them at their first price."""

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

_FROM: Final = "FROM details AS d JOIN attempts AS a USING (id) WHERE d.id = NEW.id"
_ADD_CELL: Final = f"""
INSERT INTO cells (day, key, {", ".join(_SUMMED)})
SELECT CAST(a.reserved_at / {SECONDS_A_DAY} AS INTEGER), {_KEY}, 1, a.number = 1, a.known_nanos,
    {", ".join(f"coalesce(a.{name}, 0)" for name in METER_COLUMNS)},
    coalesce(a.unheard_seconds > 0, 0), {_UNHEARD.format(what="count(*) > 0")}, {_UNHEARD_NANOS}
{_FROM}
ON CONFLICT (key) DO UPDATE SET {", ".join(f"{c} = {c} + excluded.{c}" for c in _SUMMED)}
"""
_ADD_PARTS: Final = f"""
INSERT INTO cell_parts (cell, kind, name, attempts, calls, quantity, nanos)
SELECT cell, part.kind, part.name, part.attempts, part.calls, part.quantity, part.nanos
FROM (SELECT cell FROM cells WHERE key = (SELECT {_KEY} {_FROM})), (
    SELECT 'line' AS kind,
        (line.value ->> '$.meter') || ' ' || coalesce(line.value -> '$.price', 'null') AS name,
        1 AS attempts, a.number = 1 AS calls,
        CAST(line.value ->> '$.quantity' AS INTEGER) AS quantity, coalesce({_NANOS}, 0) AS nanos
    FROM attempts AS a JOIN json_each(NEW.cost, '$.lines') AS line WHERE a.id = NEW.id
    UNION ALL
    SELECT 'milliseconds', {rung_in_sql("a.taken")}, 1, 0, 0, 0
    FROM (SELECT CAST((settled_at - started_at) * 1000 AS INTEGER) AS taken FROM attempts
        WHERE id = NEW.id AND error IS NULL AND state != 'released') AS a
    UNION ALL
    SELECT 'spent', {rung_in_sql("a.known_nanos")}, 1, 0, 0, 0 FROM attempts AS a
    WHERE id = NEW.id AND error IS NULL AND cost_status NOT IN ('free', 'unknown')
) AS part WHERE true
ON CONFLICT DO UPDATE SET attempts = attempts + excluded.attempts, calls = calls + excluded.calls,
    quantity = quantity + excluded.quantity, nanos = nanos + excluded.nanos
"""
_TRIGGER: Final = f"""
CREATE TRIGGER sum_up_settled AFTER UPDATE OF cost ON details
WHEN (SELECT state NOT IN ('reserved', 'sent') AND NOT coalesce({APART}, 0)
    FROM attempts WHERE id = NEW.id)
BEGIN {_ADD_CELL}; {_ADD_PARTS}; END
"""


def make_cells(db: sqlite3.Connection) -> None:
    """Make the tables and the trigger, and add up what is settled already."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.execute(_TRIGGER)
    db.execute("UPDATE details SET cost = cost WHERE cost IS NOT NULL")


def index_repriced(db: sqlite3.Connection) -> None:
    """Make those priced again quick to find: there are few, or none."""
    db.execute(
        f"CREATE INDEX attempts_repriced ON attempts (reserved_at, attempt_id) WHERE {REPRICED}"
    )
