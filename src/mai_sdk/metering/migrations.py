"""The tables of a SQLite ledger, as the steps that lead from each version to the next.

A new file goes through all of them, so that it is the same as one that has grown up. A step is
never changed once it was released: add another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.errors import LedgerError
from mai_sdk.metering.rows import USAGE_COLUMNS, cost_columns, cost_of
from mai_sdk.metering.sqlite_cells import index_repriced, make_cells, sum_later

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SCHEMA_VERSION", "migrate"]

_APPLICATION_ID: Final = 0x6D61_6931  # "mai1": this file is a ledger

_FIRST: Final = """
CREATE TABLE operations (
    call_id TEXT PRIMARY KEY,
    modality TEXT NOT NULL,
    verb TEXT NOT NULL,
    model TEXT,
    deployment TEXT,
    surface TEXT NOT NULL,
    started_at REAL NOT NULL,
    tags TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
    attempt_id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES operations,
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'settled_exact',
        'settled_estimated', 'released', 'unknown')),
    reserved_at REAL NOT NULL,
    upper_bound_nanos INTEGER CHECK (upper_bound_nanos >= 0),
    upper_bound TEXT,
    settled_at REAL,
    usage TEXT,
    cost_nanos INTEGER CHECK (cost_nanos >= 0),
    cost TEXT,
    status INTEGER,
    error TEXT,
    request_id TEXT,
    first_byte REAL,
    first_content REAL,
    seconds REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_call ON attempts (call_id)
"""

_SECOND: Final = """
ALTER TABLE attempts RENAME TO attempts_1;
DROP INDEX attempts_by_time;
DROP INDEX attempts_by_call;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    attempt_id TEXT NOT NULL UNIQUE,
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    state TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'settled_exact',
        'settled_estimated', 'released', 'unknown')),
    writer INTEGER REFERENCES writers,
    day TEXT NOT NULL,
    model TEXT,
    deployment TEXT,
    surface TEXT NOT NULL,
    modality TEXT NOT NULL,
    verb TEXT NOT NULL,
    session TEXT,
    tags TEXT NOT NULL,
    started_at REAL NOT NULL,
    reserved_at REAL NOT NULL,
    upper_bound_nanos INTEGER CHECK (upper_bound_nanos >= 0),
    settled_at REAL,
    currency TEXT,
    cost_status TEXT CHECK (cost_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    cost_nanos INTEGER CHECK (cost_nanos >= 0),
    known_nanos INTEGER CHECK (known_nanos >= 0),
    repriced_status TEXT CHECK (repriced_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    repriced_nanos INTEGER CHECK (repriced_nanos >= 0),
    repriced_known_nanos INTEGER CHECK (repriced_known_nanos >= 0),
    status INTEGER,
    error TEXT,
    request_id TEXT,
    first_byte REAL,
    first_content REAL,
    seconds REAL,
    basis TEXT CHECK (basis IN ('reported', 'estimated', 'lower_bound', 'unknown')),
    input_tokens INTEGER CHECK (input_tokens >= 0),
    cached_input_tokens INTEGER CHECK (cached_input_tokens >= 0),
    text_input_tokens INTEGER CHECK (text_input_tokens >= 0),
    image_input_tokens INTEGER CHECK (image_input_tokens >= 0),
    audio_input_tokens INTEGER CHECK (audio_input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),
    image_output_tokens INTEGER CHECK (image_output_tokens >= 0),
    audio_output_tokens INTEGER CHECK (audio_output_tokens >= 0),
    images INTEGER CHECK (images >= 0),
    audio_seconds INTEGER CHECK (audio_seconds >= 0),
    spoken_seconds INTEGER CHECK (spoken_seconds >= 0),
    unheard_seconds INTEGER CHECK (unheard_seconds >= 0),
    characters INTEGER CHECK (characters >= 0),
    CHECK ((state IN ('reserved', 'sent')) = (settled_at IS NULL)),
    CHECK ((settled_at IS NULL) = (cost_status IS NULL)),
    CHECK ((settled_at IS NULL) = (basis IS NULL)),
    CHECK (cost_status IS NULL OR (cost_status = 'unknown') = (cost_nanos IS NULL)),
    CHECK ((cost_status IS NULL) = (known_nanos IS NULL))
) STRICT;
CREATE TABLE details (
    id INTEGER PRIMARY KEY REFERENCES attempts,
    upper_bound TEXT,
    cost TEXT,
    repriced TEXT
) STRICT;
CREATE TABLE writers (
    writer INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL
) STRICT;
CREATE TABLE budgets (
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    limit_nanos INTEGER NOT NULL CHECK (limit_nanos >= 0),
    spent_nanos INTEGER NOT NULL CHECK (spent_nanos >= 0),
    reserved_nanos INTEGER NOT NULL CHECK (reserved_nanos >= 0),
    PRIMARY KEY (budget_id, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE claims (
    attempt_id TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    nanos INTEGER NOT NULL CHECK (nanos >= 0),
    charged_nanos INTEGER CHECK (charged_nanos >= 0),
    PRIMARY KEY (attempt_id, budget_id, period)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_call ON attempts (call_id);
CREATE INDEX attempts_open ON attempts (writer) WHERE state IN ('reserved', 'sent')
"""
"""One narrow row an attempt, with all that reports add up, and apart from it what only explains:
price rows as JSON. Money is whole nano-units of `currency`, which is that of the upper bound until
the attempt is settled, and NULL where there is no money. `known_nanos` is `Cost.at_least`; `writer`
is the process that reserved the attempt."""

_MOVE: Final = """
INSERT INTO attempts (attempt_id, call_id, number, state, day, model, deployment, surface, modality,
    verb, tags, started_at, reserved_at, upper_bound_nanos, settled_at, currency, cost_status,
    cost_nanos, known_nanos, status, error, request_id, first_byte, first_content, seconds, basis,
    {meters})
SELECT a.attempt_id, a.call_id, a.number, a.state, date(o.started_at, 'unixepoch'), o.model,
    o.deployment, o.surface, o.modality, o.verb, o.tags, o.started_at, a.reserved_at,
    a.upper_bound_nanos, a.settled_at, CASE WHEN a.settled_at IS NULL
        THEN money(a.upper_bound_nanos, a.upper_bound, 0) ELSE money(a.cost_nanos, a.cost, 0) END,
    a.cost ->> '$.status', a.cost_nanos, money(a.cost_nanos, a.cost, 1), a.status, a.error,
    a.request_id, a.first_byte, a.first_content, a.seconds, CASE WHEN a.usage IS NULL THEN NULL
        ELSE coalesce(a.usage ->> '$.basis', 'reported') END,
    {quantities}
FROM attempts_1 AS a JOIN operations AS o USING (call_id) ORDER BY a.reserved_at, a.attempt_id
"""


def _first(db: sqlite3.Connection) -> None:
    _execute(db, _FIRST)


def _second(db: sqlite3.Connection) -> None:
    """One table for what reports read; who wrote it; what budgets have left."""
    _execute(db, _SECOND)
    db.create_function("money", 3, _money, deterministic=True)
    meters = [name for name in USAGE_COLUMNS if name != "basis"]
    quantities = ", ".join(f"a.usage ->> '$.{name}'" for name in meters)
    db.execute(_MOVE.format(meters=", ".join(meters), quantities=quantities))
    _execute(
        db,
        """
        INSERT INTO details (id, upper_bound, cost) SELECT attempts.id, upper_bound, cost
            FROM attempts_1 JOIN attempts USING (attempt_id);
        DROP TABLE attempts_1;
        DROP TABLE operations
        """,
    )


def _money(nanos: int | None, text: str | None, column: int) -> str | int | None:
    """Return the currency (0) or the known nanos (1) of a cost as version 1 kept it."""
    cost = cost_of(nanos, text)
    if cost is None:
        return None
    columns = cost_columns(cost)
    return columns.known_nanos if column else columns.currency


def _execute(db: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):
        db.execute(statement)


_STEPS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (
    _first,
    _second,
    make_cells,
    index_repriced,
    sum_later,
)
SCHEMA_VERSION: Final = len(_STEPS)


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring the file to `SCHEMA_VERSION`, in one transaction; a new one is filled.

    Raises:
        LedgerError: It is not a ledger, or one of a newer version; it is left as it was.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        owner: int = db.execute("PRAGMA application_id").fetchone()[0]
        tables: int = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if owner != _APPLICATION_ID and (owner or version or tables):
            raise LedgerError(f"{path} is a SQLite file, but not a ledger: give another path.")
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"The ledger {path} was written by a newer mai_sdk (schema {version}; this one "
                f"knows {SCHEMA_VERSION}): upgrade mai-sdk, or give another path."
            )
        if version < SCHEMA_VERSION:
            for step in _STEPS[version:]:
                step(db)
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
