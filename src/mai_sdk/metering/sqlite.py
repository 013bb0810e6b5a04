"""The ledger in a SQLite file, which several threads and processes may share.

One thread of the process writes; whoever reserves or settles waits for its ticket, or goes on and
is called. Reserving is committed before its ticket is there.
"""

from __future__ import annotations

import logging
import math
import os
import sqlite3
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import LedgerError
from mai_sdk.metering import sqlite_rows
from mai_sdk.metering.process import this_writer
from mai_sdk.metering.queued import QueuedWrites, survive_forks
from mai_sdk.metering.sqlite_cells import sum_up
from mai_sdk.metering.sqlite_file import SQLiteFile
from mai_sdk.metering.sqlite_sums import read_cells
from mai_sdk.metering.writer import Job, Ticket, WriterThread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from mai_sdk.metering.cells import Cell
    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import BudgetState, Claim, Durability, Entry, Recovery

__all__ = ["SQLiteLedger"]

_log = logging.getLogger("mai_sdk")

_PAGE: Final = 500
_BETWEEN_SUMS: Final = 32
"""Attempts, of all processes: half a millisecond in which nobody can commit."""
_BETWEEN_CHECKPOINTS: Final = 256
"""Attempts, of all processes: 2 ms in which nobody can commit, and 12 MB of log."""


class SQLiteLedger(QueuedWrites):
    """A ledger in the file `path`, made with mode 0600 if it is not there.

    What dead processes had reserved is settled as unknown; `recovered` says how much that was.
    After a fork both processes go on, each with a connection of its own.

    Args:
        path: The file. Not on a network file system.
        durability: "process": a committed row outlives the death of the process at any instant.
            "power": and the loss of power, for which every commit waits for the disk.

    Raises:
        LedgerError: The file cannot be opened or made, is something else, or was written by a
            newer version; later, from every method: it cannot be written or read, it was locked
            by another program for 10 seconds, or the ledger is closed. `reason` says which.
    """

    durable = True

    def __init__(self, path: Path, *, durability: Durability = "process") -> None:
        self.path = path.absolute()
        self._file = SQLiteFile(self.path, durability=durability)
        self._thread = WriterThread(self._work, name="mai-ledger")
        self._writer = 0
        self._pid = 0
        self._sums_are_due, self._checkpoint_is_due = True, False
        self._introduce().wait()
        self.recovered = self.recover()
        """What dead processes had left, when this was opened."""
        survive_forks(self)
        if self.mode == "wal-guarded":
            _say_once(sqlite3.sqlite_version)

    @property
    def mode(self) -> str:
        """The journal: "wal", "wal-guarded" where SQLite has the WAL-reset bug, or "rollback"."""
        return self._file.mode

    @property
    def durability(self) -> Durability:
        """What a committed row outlives."""
        return self._file.durability

    def reserve_soon(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> Ticket[None]:
        """Have it reserved; the ticket is done once that is committed."""
        if self._pid != os.getpid():
            self._introduce()
        return self._soon("reserve an attempt in", partial(self._reserve, entry, claims))

    def sent_soon(self, attempt_id: str) -> Ticket[None]:
        """Have it noted."""
        return self._soon("update", partial(sqlite_rows.sent, attempt_id=attempt_id))

    def settle_soon(self, attempt_id: str, **outcome: Any) -> Ticket[bool]:
        """Have it settled, as `settle` would; may be called by a finalizer."""
        return self._soon(
            "settle an attempt in", partial(sqlite_rows.settle, attempt_id=attempt_id, **outcome)
        )

    def reprice_soon(self, attempt_id: str, cost: Cost) -> Ticket[None]:
        """Have `cost` kept beside the one the attempt was settled with."""
        return self._soon("update", partial(sqlite_rows.reprice, attempt_id=attempt_id, cost=cost))

    def budget_state(self, budget_id: str, period: str) -> BudgetState:
        """Return how much is spent and reserved, by all processes that use the file."""
        with self.reading() as db:
            return sqlite_rows.budget_state(db, budget_id, period)

    def recover(self) -> Recovery:
        """Settle what dead processes left as unknown; done when the ledger is opened."""
        found: Ticket[Recovery] = self._soon(
            "recover", partial(sqlite_rows.recover, settled_at=time.time())
        )
        return found.wait()

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries, read a page at a time, so that writers are not held up meanwhile."""
        after = (-math.inf if since is None else since, "")
        before = math.inf if until is None else until
        while True:
            with self.reading() as db:
                page = sqlite_rows.read_page(db, after, before, _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = (page[-1].reserved_at, page[-1].attempt_id)

    def sums(self, *, since: float | None = None, until: float | None = None) -> list[Cell]:
        """Return the entries added up, for reports: millions of them in well below a second."""
        with self.reading() as db:
            db.execute("BEGIN")  # so that sums and rows are of the same moment
            try:
                return read_cells(db, since=since, until=until)
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Give a connection for statements of the caller's own, which sees all that was put."""
        self._soon("read", _nothing).wait()
        with self._file.reading() as db:
            yield db

    def close(self) -> None:
        """Write what is still to be written, and close the file. Closing twice is harmless."""
        self._thread.stop()
        self._file.close()

    def _work(self, batch: Sequence[Job]) -> None:
        """Do the jobs; after that what is due besides, for which no caller waits."""
        self._file.commit(batch)
        if self._sums_are_due:
            add_up = partial(self._file.in_passing, "add up the attempts of", sum_up)
            self._sums_are_due = _still_due(add_up)
        if self._checkpoint_is_due:
            self._checkpoint_is_due = _still_due(self._file.checkpoint)

    def _soon(self, deed: str, do: Callable[[sqlite3.Connection], Any]) -> Ticket[Any]:
        job = Job(deed, do)
        self._thread.put(job)
        return job.ticket

    def _introduce(self) -> Ticket[None]:
        """Write down who this process is, before the first row that names it."""
        ticket = self._soon("open", self._add_writer)
        ticket.when_done(partial(self._introduced, ticket))
        return ticket

    def _add_writer(self, db: sqlite3.Connection) -> None:
        self._writer = sqlite_rows.add_writer(db, this_writer())

    def _introduced(self, ticket: Ticket[None]) -> None:
        if ticket.failed is None:
            self._pid = os.getpid()

    def _reserve(self, entry: Entry, claims: Sequence[Claim], db: sqlite3.Connection) -> None:
        number = sqlite_rows.reserve(db, entry, claims, self._writer)
        self._sums_are_due |= number % _BETWEEN_SUMS == 0
        self._checkpoint_is_due |= number % _BETWEEN_CHECKPOINTS == 0

    def before_fork(self) -> None:
        """Close the file until the process has forked."""
        self._file.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._file.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Start again: the thread, and what it had to write, are the parent's."""
        self._file.made_afresh()
        self._thread.start_afresh()


def _still_due(do: Callable[[], bool]) -> bool:
    """Do it, and return whether it is to be done again soon; nothing is lost where it fails."""
    try:
        return do()
    except LedgerError as error:
        _log.warning("%s", error)
        return False


def _nothing(db: sqlite3.Connection) -> None:
    """Do nothing, after all that was put before."""


_said: set[str] = set()


def _say_once(version: str) -> None:
    if version not in _said:
        _said.add(version)
        _log.info(
            "SQLite %s may corrupt a write-ahead log (sqlite.org/wal.html, the WAL-reset bug): the "
            "ledger keeps to a mode where that cannot happen. SQLite 3.51.3 needs no such care.",
            version,
        )
