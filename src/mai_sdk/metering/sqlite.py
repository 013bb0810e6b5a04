"""The ledger in a SQLite file, which several processes may share.

Reserving commits before it returns. Money is integer nano-dollars; the price rows behind an amount
are kept with it as JSON, so that a cost can be explained after prices have changed.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import LedgerError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import Entry, Operation, may_settle, no_such_attempt
from mai_sdk.metering.money import from_nanodollars
from mai_sdk.metering.sqlite_file import connect, make_private
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from mai_sdk.metering.receipt import AttemptState

__all__ = ["SQLiteLedger"]

_PAGE: Final = 500

_RESERVE_OPERATION: Final = "INSERT OR IGNORE INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_RESERVE: Final = """
INSERT INTO attempts (attempt_id, call_id, number, state, reserved_at, upper_bound_nanos,
    upper_bound) VALUES (?, ?, ?, 'reserved', ?, ?, ?)
"""
_SENT: Final = "UPDATE attempts SET state = 'sent' WHERE attempt_id = ? AND state = 'reserved'"
_SETTLE: Final = """
UPDATE attempts SET state = ?, settled_at = ?, usage = ?, cost_nanos = ?, cost = ?, status = ?,
    error = ?, request_id = ?, first_byte = ?, first_content = ?, seconds = ?
WHERE attempt_id = ? AND state IN (SELECT value FROM json_each(?))
"""
_EXISTS: Final = "SELECT 1 FROM attempts WHERE attempt_id = ?"
_READ: Final = """
SELECT attempt_id, number, state, reserved_at, upper_bound_nanos, upper_bound, settled_at, usage,
    cost_nanos, cost, status, error, request_id, first_byte, first_content, seconds,
    call_id, modality, verb, model, deployment, surface, started_at, tags
FROM attempts JOIN operations USING (call_id)
WHERE (reserved_at, attempt_id) > (?, ?) AND reserved_at < ?
ORDER BY reserved_at, attempt_id LIMIT ?
"""


class SQLiteLedger:
    """A ledger in the file `path`, made with mode 0600 if it is not there.

    One connection, used by all threads of the process in turn. After a fork the child opens its
    own ledger: this one refuses, because two processes on one connection corrupt the file.

    Raises:
        LedgerError: The file cannot be opened or made, is something else, or was written by a
            newer version; later, from every method: it cannot be written or read, the file was
            locked by another process for 10 seconds, or the ledger is closed.
    """

    durable = True

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        make_private(self.path)
        with _as_ledger_error(f"open the ledger {self.path}"):
            self._connection = connect(self.path)

    def reserve(self, entry: Entry) -> None:
        """Write the attempt, and its operation if it is the first; committed on return."""
        operation = entry.operation
        with self._writing("reserve an attempt in") as db:
            db.execute(
                _RESERVE_OPERATION,
                (
                    operation.call_id,
                    operation.modality,
                    operation.verb,
                    operation.model,
                    operation.deployment,
                    operation.surface,
                    operation.started_at,
                    json.dumps(dict(operation.tags), ensure_ascii=False),
                ),
            )
            db.execute(
                _RESERVE,
                (
                    entry.attempt_id,
                    operation.call_id,
                    entry.number,
                    entry.reserved_at,
                    *_columns_of(entry.upper_bound),
                ),
            )

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer."""
        with self._writing("update") as db:
            if db.execute(_SENT, (attempt_id,)).rowcount == 0:
                _check_exists(db, attempt_id)

    def settle(
        self,
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
        """Write the outcome, once: the guard is in the statement, so processes cannot race."""
        before = json.dumps(sorted(may_settle(state)))
        spent = (usage.model_dump_json(), *_columns_of(cost))
        said = (status, error, request_id, first_byte, first_content, seconds)
        with self._writing("settle an attempt in") as db:
            written = db.execute(_SETTLE, (state, settled_at, *spent, *said, attempt_id, before))
            if written.rowcount == 0:
                _check_exists(db, attempt_id)
            return written.rowcount > 0

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries, read a page at a time, so that writers are not held up meanwhile."""
        after = (-math.inf if since is None else since, "")
        before = math.inf if until is None else until
        while True:
            self._refuse_if_forked()
            with self._lock, _as_ledger_error(f"read the ledger {self.path}"):
                rows = self._open().execute(_READ, (*after, before, _PAGE)).fetchall()
                page = [_entry_of(row) for row in rows]
            yield from page
            if len(page) < _PAGE:
                return
            after = (page[-1].reserved_at, page[-1].attempt_id)

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self._refuse_if_forked()
        with self._lock, _as_ledger_error(f"close the ledger {self.path}"):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _writing(self, verb: str) -> Generator[sqlite3.Connection]:
        self._refuse_if_forked()  # before the lock, which a forked child may find held forever
        with self._lock, _as_ledger_error(f"{verb} the ledger {self.path}"):
            db = self._open()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _refuse_if_forked(self) -> None:
        if self._pid != os.getpid():
            raise LedgerError(
                f"The ledger {self.path} was opened before this process was forked: open it again "
                f"in the child."
            )

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise LedgerError(f"The ledger {self.path} is closed: open it again.")
        return self._connection


@contextmanager
def _as_ledger_error(deed: str) -> Generator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise LedgerError(f"Could not {deed}: the row does not fit ({error}).") from error
    except (sqlite3.Error, OverflowError, ValueError) as error:
        raise LedgerError(
            f"Could not {deed}: {error}. Check that the disk has room, that the file can be "
            f"written, and that no other program holds it locked."
        ) from error


def _check_exists(db: sqlite3.Connection, attempt_id: str) -> None:
    if db.execute(_EXISTS, (attempt_id,)).fetchone() is None:
        raise no_such_attempt(attempt_id)


def _columns_of(cost: Cost | None) -> tuple[int | None, str | None]:
    """Return the amount as an integer, and all but the amount as JSON."""
    if cost is None:
        return None, None
    return cost.nanodollars, cost.model_dump_json(exclude={"amount"}, exclude_defaults=True)


def _cost_of(nanos: int | None, text: str | None) -> Cost | None:
    if text is None:
        return None
    amount = "null" if nanos is None else f'"{from_nanodollars(nanos):f}"'
    return Cost.model_validate_json(f'{{"amount": {amount}, {text[1:]}')


def _entry_of(row: tuple[Any, ...]) -> Entry:
    call_id, modality, verb, model, deployment, surface, started_at, tags = row[16:]
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
        ),
        state=row[2],
        reserved_at=row[3],
        upper_bound=_cost_of(row[4], row[5]),
        settled_at=row[6],
        usage=None if row[7] is None else Usage.model_validate_json(row[7]),
        cost=_cost_of(row[8], row[9]),
        status=row[10],
        error=row[11],
        request_id=row[12],
        first_byte=row[13],
        first_content=row[14],
        seconds=row[15],
    )
