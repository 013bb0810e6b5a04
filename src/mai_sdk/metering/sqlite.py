"""The ledger in a SQLite file, which several processes may share.

Reserving commits before it returns.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from mai_sdk.errors import LedgerError
from mai_sdk.metering import sqlite_rows
from mai_sdk.metering.process import this_writer
from mai_sdk.metering.sqlite_file import connect, make_private

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import BudgetState, Claim, Entry, Recovery
    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage

__all__ = ["SQLiteLedger"]

_PAGE: Final = 500


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
        with self._writing("open") as db:
            self._writer = sqlite_rows.add_writer(db, this_writer())
        self.recovered = self.recover()
        """What dead processes had left, when this was opened."""

    def reserve(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> None:
        """Write the attempt and hold its claims; committed on return."""
        with self._writing("reserve an attempt in") as db:
            sqlite_rows.reserve(db, entry, claims, self._writer)

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer."""
        with self._writing("update") as db:
            sqlite_rows.sent(db, attempt_id)

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
        """Write the outcome, once, and charge the claims."""
        said = (status, error, request_id, first_byte, first_content, seconds)
        with self._writing("settle an attempt in") as db:
            return sqlite_rows.settle(
                db,
                attempt_id,
                state=state,
                usage=usage,
                cost=cost,
                settled_at=settled_at,
                said=said,
            )

    def reprice(self, attempt_id: str, cost: Cost) -> None:
        """Keep `cost` beside the one the attempt was settled with."""
        with self._writing("update") as db:
            sqlite_rows.reprice(db, attempt_id, cost)

    def budget_state(self, budget_id: str, period: str) -> BudgetState:
        """Return how much is spent and reserved, by all processes that use the file."""
        self._refuse_if_forked()
        with self._lock, _as_ledger_error(f"read the ledger {self.path}"):
            return sqlite_rows.budget_state(self._open(), budget_id, period)

    def recover(self) -> Recovery:
        """Settle what dead processes left as unknown; done when the ledger is opened."""
        with self._writing("recover") as db:
            return sqlite_rows.recover(db, settled_at=time.time())

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries, read a page at a time, so that writers are not held up meanwhile."""
        after = (-math.inf if since is None else since, "")
        before = math.inf if until is None else until
        while True:
            self._refuse_if_forked()
            with self._lock, _as_ledger_error(f"read the ledger {self.path}"):
                page = sqlite_rows.read_page(self._open(), after, before, _PAGE)
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
