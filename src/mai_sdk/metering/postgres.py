"""The ledger in a Postgres database, which many processes and hosts may share.

One thread of the process writes, as for a file; whoever reserves or settles waits for its ticket,
or goes on and is called. Reserving is on the server's disk before its ticket is there.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering import postgres_rows
from mai_sdk.metering.postgres_session import PostgresSession, Work
from mai_sdk.metering.postgres_sums import read_cells
from mai_sdk.metering.queued import QueuedWrites, survive_forks
from mai_sdk.metering.writer import Ticket, WriterThread

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from psycopg import Connection

    from mai_sdk.metering.cells import Cell
    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import BudgetState, Claim, Entry, Recovery

__all__ = ["PostgresLedger"]

_PAGE: Final = 500
_READING_SECONDS: Final = 120
_ADDING_SECONDS: Final = 600


class PostgresLedger(QueuedWrites):
    """A ledger in the schema `mai_sdk` of the database at `address`, made if it is not there.

    What dead writers had reserved, on any host, is settled as unknown; `recovered` says how much
    that was. It takes one connection, and another while entries are read. After a fork the child
    opens its own. A session that was lost is opened again; what was under way in it is done again,
    and never twice.

    Args:
        address: "postgresql://user:password@host:5432/database", with any of libpq's options. It
            must lead to the server itself, or to a pool that keeps sessions together: the session's
            advisory lock says that this process lives.

    Raises:
        ConfigurationError: The address is none.
        LedgerError: There is no session to be had, or what is there is no ledger or was written by
            a newer version; later, from every method: the server cannot be reached or does not
            answer within 15 seconds, it was locked for 10 seconds, it refused, or the ledger is
            closed. `reason` says which.
    """

    durable = True
    durability: Final = "power"
    """A reserved row outlives the loss of power; an outcome that is lost with it is found unknown,
    at its upper bound."""

    def __init__(self, address: str) -> None:
        self._session = PostgresSession(address)
        self._thread = WriterThread(self._session.commit, name="mai-ledger")
        self.recovered = self.recover()
        """What dead writers had left, when this was opened."""
        survive_forks(self)

    @property
    def place(self) -> str:
        """Where it is, without user and password."""
        return self._session.place

    def reserve_soon(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> Ticket[None]:
        """Have it reserved; the ticket is done once that is on the server's disk."""
        places = _places(claims)
        return self._soon(
            "reserve an attempt in",
            partial(self._reserve, entry, claims),
            places=places,
            is_single=True,
            lasting=True,
        )

    def sent_soon(self, attempt_id: str) -> Ticket[None]:
        """Have it noted."""
        return self._soon("update", partial(postgres_rows.sent, attempt_id=attempt_id))

    def settle_soon(self, attempt_id: str, **outcome: Any) -> Ticket[bool]:
        """Have it settled, as `settle` would; may be called by a finalizer."""
        do = partial(postgres_rows.settle, attempt_id=attempt_id, **outcome)
        return self._soon("settle an attempt in", do, settles=attempt_id, is_single=True)

    def reprice_soon(self, attempt_id: str, cost: Cost) -> Ticket[None]:
        """Have `cost` kept beside the one the attempt was settled with."""
        do = partial(postgres_rows.reprice, attempt_id=attempt_id, cost=cost)
        return self._soon("update", do)

    def budget_state(self, budget_id: str, period: str) -> BudgetState:
        """Return how much is spent and reserved, by all processes that use the database."""
        do = partial(postgres_rows.budget_state, budget_id=budget_id, period=period)
        found: Ticket[BudgetState] = self._soon("read", do)
        return found.wait()

    def recover(self) -> Recovery:
        """Settle what dead writers left as unknown; done when the ledger is opened."""
        found: Ticket[Recovery] = self._soon("recover", self._recover)
        return found.wait()

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries, read a page at a time over a connection of its own."""
        after = (-math.inf if since is None else since, "")
        before = math.inf if until is None else until
        with self.reading() as db:
            while True:
                page = postgres_rows.read_page(db, after, before, _PAGE)
                yield from page
                if len(page) < _PAGE:
                    return
                after = (page[-1].reserved_at, page[-1].attempt_id)

    def sums(self, *, since: float | None = None, until: float | None = None) -> list[Cell]:
        """Return the entries added up by the server, for reports; it takes ten minutes at most."""
        low = -math.inf if since is None else since
        high = math.inf if until is None else until
        with self.reading(seconds=_ADDING_SECONDS) as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")  # all is of the same moment
            return read_cells(db, since=low, until=high)

    @contextmanager
    def reading(self, *, seconds: int = _READING_SECONDS) -> Generator[Connection[tuple[Any, ...]]]:
        """Give a connection for statements of the caller's own, which sees all that was put.

        Each may take so many seconds.
        """
        self._soon("read", _nothing).wait()
        with self._session.reading(seconds=seconds) as db:
            yield db

    def close(self) -> None:
        """Write what is still to be written, and end the session. Closing twice is harmless."""
        self._thread.stop()
        self._session.close()

    def _soon(self, deed: str, do: Callable[[Connection[Any]], Any], **more: Any) -> Ticket[Any]:
        job = Work(deed, do, **more)
        self._thread.put(job)
        return job.ticket

    def _recover(self, db: Connection[Any]) -> Recovery:
        with self._session.unhurried():
            return postgres_rows.recover(db, settled_at=time.time())

    def _reserve(self, entry: Entry, claims: Sequence[Claim], db: Connection[Any]) -> None:
        session = self._session
        if session.is_again and postgres_rows.is_kept(db, entry.attempt_id):
            return  # it was committed, and only the word of it was lost
        postgres_rows.reserve(db, entry, claims, session.writer)
        session.under_way[entry.attempt_id] = _places(claims)

    def before_fork(self) -> None:
        """Leave the connection alone until the process has forked."""
        self._session.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._session.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Start again: the session, the thread, and what it had to write, are the parent's."""
        self._session.after_fork_in_child()
        self._thread.start_afresh()


def _places(claims: Sequence[Claim]) -> list[tuple[str, str]]:
    return [(claim.budget_id, claim.period) for claim in claims]


def _nothing(db: Connection[Any]) -> None:
    """Do nothing, after all that was put before."""
