"""The tables of a ledger in Postgres, as the steps that lead from each version to the next.

They are in a schema of their own, `mai_sdk`, so that any database can have them. A step is never
changed once it was released: add another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import LedgerError

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["SCHEMA", "SCHEMA_VERSION", "migrate"]

SCHEMA: Final = "mai_sdk"
_MIGRATING: Final = 0x6D61_6931  # "mai1": the advisory lock of whoever changes the tables

_FIRST: Final = """
CREATE TABLE writers (
    writer integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host text NOT NULL,
    boot text NOT NULL,
    pid integer NOT NULL,
    started text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    gone boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE TABLE attempts (
    attempt_id text COLLATE "C" PRIMARY KEY,
    call_id text NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    state text NOT NULL CHECK (state IN ('reserved', 'sent', 'settled_exact',
        'settled_estimated', 'released', 'unknown')),
    writer integer NOT NULL,
    day text NOT NULL,
    model text,
    deployment text,
    surface text NOT NULL,
    modality text NOT NULL,
    verb text NOT NULL,
    session text,
    tags text NOT NULL,
    started_at double precision NOT NULL,
    reserved_at double precision NOT NULL,
    upper_bound_nanos bigint CHECK (upper_bound_nanos >= 0),
    upper_bound text,
    settled_at double precision,
    currency text,
    cost_status text CHECK (cost_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    cost_nanos bigint CHECK (cost_nanos >= 0),
    known_nanos bigint CHECK (known_nanos >= 0),
    cost text,
    repriced_status text CHECK (repriced_status IN ('free', 'exact', 'estimated', 'lower_bound',
        'unknown')),
    repriced_nanos bigint CHECK (repriced_nanos >= 0),
    repriced_known_nanos bigint CHECK (repriced_known_nanos >= 0),
    repriced text,
    status integer,
    error text,
    request_id text,
    first_byte double precision,
    first_content double precision,
    seconds double precision,
    basis text CHECK (basis IN ('reported', 'estimated', 'lower_bound', 'unknown')),
    input_tokens bigint CHECK (input_tokens >= 0),
    cached_input_tokens bigint CHECK (cached_input_tokens >= 0),
    text_input_tokens bigint CHECK (text_input_tokens >= 0),
    image_input_tokens bigint CHECK (image_input_tokens >= 0),
    audio_input_tokens bigint CHECK (audio_input_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
    image_output_tokens bigint CHECK (image_output_tokens >= 0),
    audio_output_tokens bigint CHECK (audio_output_tokens >= 0),
    images bigint CHECK (images >= 0),
    audio_seconds bigint CHECK (audio_seconds >= 0),
    spoken_seconds bigint CHECK (spoken_seconds >= 0),
    unheard_seconds bigint CHECK (unheard_seconds >= 0),
    characters bigint CHECK (characters >= 0),
    CHECK ((state IN ('reserved', 'sent')) = (settled_at IS NULL)),
    CHECK ((settled_at IS NULL) = (cost_status IS NULL)),
    CHECK ((settled_at IS NULL) = (basis IS NULL)),
    CHECK (cost_status IS NULL OR (cost_status = 'unknown') = (cost_nanos IS NULL)),
    CHECK ((cost_status IS NULL) = (known_nanos IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX attempts_by_time ON attempts (reserved_at, attempt_id);
CREATE INDEX attempts_by_writer ON attempts (writer);
CREATE TABLE budgets (
    budget_id text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    limit_nanos bigint NOT NULL CHECK (limit_nanos >= 0),
    spent_nanos bigint NOT NULL CHECK (spent_nanos >= 0),
    reserved_nanos bigint NOT NULL CHECK (reserved_nanos >= 0),
    PRIMARY KEY (budget_id, period)
) WITH (fillfactor = 50);
CREATE TABLE claims (
    attempt_id text COLLATE "C" NOT NULL,
    budget_id text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    nanos bigint NOT NULL CHECK (nanos >= 0),
    charged_nanos bigint CHECK (charged_nanos >= 0),
    charged_before bigint,
    PRIMARY KEY (attempt_id, budget_id, period)
)
"""
"""What the columns mean is the same as in a SQLite ledger: see `migrations`. A writer is one
session of one process, and `gone` once nothing of it can be under way. `charged_before` is what a
claim was charged until it was charged last: the statement that charges it can see that only so. No
index has a column that settling changes, and half of a page is left free: so a row is settled, or
recovered, within its page and without touching an index."""

_STEPS: Final[tuple[str, ...]] = (_FIRST,)
SCHEMA_VERSION: Final = len(_STEPS)


def migrate(db: Connection[Any], place: str) -> None:
    """Bring the tables to `SCHEMA_VERSION`, in one transaction; new ones are made.

    Processes that do it at once wait for each other.

    Raises:
        LedgerError: The schema is something else, or of a newer version; it is left as it was.
    """
    if _version(db) == SCHEMA_VERSION:
        return
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = 0")
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        version = _version(db)
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"The ledger {place} was written by a newer mai_sdk (schema {version}; this one "
                f"knows {SCHEMA_VERSION}): upgrade mai-sdk, or give another database."
            )
        if version == 0:
            _make_schema(db, place)
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                db.execute(statement.encode())
        db.execute("UPDATE schema_version SET version = %s", (SCHEMA_VERSION,))


def _tables(db: Connection[Any]) -> set[str | None]:
    """Return what is in the schema: None if there is nothing, and no element if it is not there.

    Asked of the catalog itself: to_regclass() may not know yet what another session just made.
    """
    rows = db.execute(
        "SELECT relname FROM pg_namespace AS n LEFT JOIN pg_class ON relnamespace = n.oid "
        "WHERE nspname = 'mai_sdk'"
    )
    return {name for (name,) in rows}


def _version(db: Connection[Any]) -> int:
    """Return the version of the tables; 0 where there are none."""
    if "schema_version" not in _tables(db):
        return 0
    row = db.execute("SELECT version FROM schema_version").fetchone()
    version: int = 0 if row is None else row[0]
    return version


def _make_schema(db: Connection[Any], place: str) -> None:
    tables = _tables(db)
    if tables - {None}:
        raise LedgerError(
            f"The schema {SCHEMA} of {place} is there, but is not a ledger: give another database."
        )
    if not tables:  # asking for it needs the right to, even IF NOT EXISTS
        db.execute("CREATE SCHEMA mai_sdk")
    db.execute("CREATE TABLE schema_version (version integer NOT NULL)")
    db.execute("INSERT INTO schema_version VALUES (0)")
