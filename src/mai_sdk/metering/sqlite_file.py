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
from mai_sdk.metering.migrations import migrate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["connect", "make_private", "wal_is_safe"]

_OLDEST_SQLITE: Final = (3, 38, 0)  # STRICT tables, and JSON with ->>
_BUSY_SECONDS: Final = 10


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
        migrate(db, path)
        _set_journal(db, path)
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


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
