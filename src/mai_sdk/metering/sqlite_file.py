"""The file under a SQLite ledger: made private, checked to be ours, set to a safe journal.

Write-ahead log with synchronous=NORMAL where SQLite is free of the WAL-reset bug
(sqlite.org/wal.html#walresetbug; fixed in 3.51.3, 3.50.7 and 3.44.6), which may corrupt a file
that two connections use. In older versions a rollback journal (TRUNCATE) with synchronous=FULL,
which waits for the disk at every write. Both survive the death of the process at any instant; the
second also the loss of power.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Final

from mai_sdk.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SCHEMA_VERSION", "connect", "make_private", "wal_is_safe"]

SCHEMA_VERSION: Final = 1
_APPLICATION_ID: Final = 0x6D61_6931  # "mai1": this file is a ledger
_OLDEST_SQLITE: Final = (3, 38, 0)  # STRICT tables and JSON
_BUSY_SECONDS: Final = 10

_SCHEMA: Final = """
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
CREATE INDEX attempts_by_call ON attempts (call_id);
"""


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Return whether this SQLite is free of the WAL-reset bug."""
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51, 0)
        or (3, 44, 6) <= version < (3, 45, 0)
    )


def make_private(path: Path) -> None:
    """Make the file, if it is not there, for its owner only; SQLite gives journals its mode.

    An existing file is not opened here: closing it again would drop the locks that another
    connection of this process holds on it.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise LedgerError(
            f"Could not make the ledger {path} ({error.strerror}). Check that its folder exists "
            f"and can be written."
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the ledger at `path`, for any thread, without implied transactions.

    Raises:
        LedgerError: The file is not a ledger, or is one this version cannot use.
        sqlite3.Error: Anything SQLite itself has to say.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise LedgerError(
            f"This Python has SQLite {sqlite3.sqlite_version}, and a ledger file needs 3.38 or "
            f"newer: use a newer Python, or a ledger in memory."
        )
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare_schema(db, path)
        _set_journal(db, path)
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _prepare_schema(db: sqlite3.Connection, path: Path) -> None:
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
        if not tables:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _set_journal(db: sqlite3.Connection, path: Path) -> None:
    wanted = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "truncate"
    mode: str = db.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != wanted:
        try:
            mode = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        except sqlite3.OperationalError:
            # another process has it open: a rollback journal serves as well, a WAL may not
            if mode == "wal":
                raise
    if mode == "wal" and wanted != "wal":
        raise LedgerError(
            f"The ledger {path} is in WAL mode and in use, and SQLite {sqlite3.sqlite_version} has "
            f"a bug that may corrupt it so: close the other program, or upgrade Python's SQLite."
        )
    db.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
