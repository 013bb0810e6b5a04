"""The session under a Postgres ledger: one connection that writes, transactions, and its faults.

No transaction waits for the disk while it holds the row of a budget: every one is committed without
waiting (`synchronous_commit = off`), and only then does a second, which touches nothing but this
writer's own row, wait until both are on the disk. The log is written in order, so what others built
on the first is never kept without it. A budget that every process uses then costs a row lock for as
long as the statements take, not for as long as the disk does.

The session holds an advisory lock with the number of its writer: the server lets go of it when the
session ends, however it ends, so that any host can tell which writers are gone.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper

from mai_sdk.errors import ConfigurationError, LedgerError, MAIError
from mai_sdk.metering import postgres_rows
from mai_sdk.metering.postgres_faults import ledger_error
from mai_sdk.metering.postgres_schema import migrate
from mai_sdk.metering.process import this_writer
from mai_sdk.metering.writer import Job

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from psycopg.abc import PQGen

__all__ = ["PostgresSession", "Work", "place_of"]

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 10
_RECOVERING_SECONDS: Final = 605
_CONNECT_SECONDS: Final = 10
_PORTS: Final = re.compile(r"[0-9,]*")
_SHORTEST_NAP, _LONGEST_NAP = 0.05, 0.5
_SETTINGS: Final = """
SET search_path = mai_sdk;
SET default_transaction_isolation = 'read committed';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
"""
"""The server looks for a host that went away without a word after half a minute."""
_WRITING: Final = "SET statement_timeout = '10s'; SET synchronous_commit = off;"
_READING: Final = "SET statement_timeout = '{}s'; SET default_transaction_read_only = on;"
_FLUSH: Final = """
BEGIN;
SET LOCAL synchronous_commit = {level};
UPDATE writers SET seen_at = now() WHERE writer = {writer};
COMMIT
"""


Place: TypeAlias = tuple[str, str]
"""A budget and one of its periods."""


@dataclass(slots=True)
class Work(Job):
    """A job of a Postgres ledger: what it locks, and whether its ticket waits for the disk."""

    places: Sequence[Place] = ()
    """What it claims of."""
    settles: str | None = None
    """The attempt whose claims it charges."""
    is_single: bool = False
    """Whether it is one statement, if it touches one budget at most."""
    lasting: bool = False
    """Whether it is done only once it outlives the loss of power."""


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that does not wait for ever for a server that has stopped answering."""

    patience: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        return super().wait(gen, interval, self.patience if timeout is None else timeout)


class PostgresSession:
    """The ledger's session, opened and its tables brought up to date; one thread commits in it.

    When it is lost, the next commit opens another, for which it waits ten seconds at most; where
    that failed once, the following ones try once each until the server is back.

    Raises:
        LedgerError: There is no session to be had, or what is there is no ledger.
    """

    def __init__(self, address: str) -> None:
        self.place = place_of(address)
        """Where the ledger is, without user and password."""
        self.is_closed = False
        self.writer = 0
        """The number of this session's writer."""
        self.under_way: dict[str, Sequence[Place]] = {}
        """The attempts that this session has reserved and not settled, and what they claim of."""
        self.is_again = False
        """Whether what is done now may have been committed before, by a session that was lost."""
        self._address = address
        self._db: _Connection | None = None
        self._level = "on"
        self._patience = 0.0  # at first, a server that is not there is said at once
        self.made_afresh()
        self.db("open")

    def made_afresh(self) -> None:
        """Be as nobody had locked it: what was is the parent's, after a fork."""
        self._commits = threading.RLock()

    def db(self, deed: str) -> _Connection:
        """Return the connection that writes, opened if it is not."""
        if self.is_closed:
            raise self._closed()
        if self._db is None:
            with ledger_error(deed, self.place):
                self._db = self._connect_patiently()
        return self._db

    def _closed(self) -> LedgerError:
        return LedgerError(f"The ledger {self.place} is closed: open it again.", reason="closed")

    def _connect_patiently(self) -> _Connection:
        deadline = time.monotonic() + self._patience
        self._patience, nap = 0.0, _SHORTEST_NAP
        while True:
            try:
                db = self._connect()
            except psycopg.OperationalError:
                if time.monotonic() >= deadline:
                    raise
            else:
                self._patience = _PATIENCE_SECONDS
                return db
            time.sleep(nap * random.uniform(0.5, 1))  # noqa: S311 - to be out of step, not secret
            nap = min(2 * nap, _LONGEST_NAP)

    def _connect(self) -> _Connection:
        db = self._open(_WRITING, patience=None)
        try:
            level = db.execute(
                "SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'"
            )
            self._level = _waiting((level.fetchone() or ("on",))[0])
            migrate(db, self.place)
            db.patience = _PATIENCE_SECONDS + 5  # after the server's own limits
            self.writer = postgres_rows.add_writer(db, this_writer())
            self.under_way = {}
        except BaseException:
            db.close()
            raise
        return db

    def _open(self, settings: str, *, patience: float | None) -> _Connection:
        known = conninfo_to_dict(self._address)
        db = _Connection.connect(
            self._address,
            autocommit=True,
            client_encoding="utf8",
            fallback_application_name="mai_sdk",
            connect_timeout=known.get("connect_timeout", _CONNECT_SECONDS),
        )
        db.patience = patience
        db.adapters.register_dumper(int, Int8Dumper)  # so that a statement is prepared once
        db.execute((_SETTINGS + settings).encode())
        return db

    def commit(self, batch: Sequence[Job]) -> None:
        """Do the jobs in one transaction, and give each its outcome once that is committed.

        If it fails, each is done in one of its own, so that it fails for the one at fault alone;
        if the session was lost, in a new one.
        """
        with self._commits:
            try:
                outcomes = self._together(batch)
            except Exception as error:  # noqa: BLE001 - whoever waits is to hear of it
                outcomes = self._each(batch, error)
        for job, outcome in zip(batch, outcomes, strict=True):
            job.ticket.done(*outcome)

    def _each(self, batch: Sequence[Job], error: Exception) -> list[tuple[Any, Exception | None]]:
        lost = self._db is None
        is_worth_it = len(batch) > 1 or isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
        if self._patience == 0 if lost else not is_worth_it:
            return [(None, error)] * len(batch)
        outcomes: list[tuple[Any, Exception | None]] = []
        self.is_again = lost
        try:
            for job in batch:
                try:
                    outcomes += self._together([job])
                except Exception as failure:  # noqa: BLE001 - whoever waits is to hear of it
                    if self._db is None:  # lost once more: what is left need not try
                        left = len(batch) - len(outcomes)
                        return outcomes + [(None, failure)] * left
                    outcomes.append((None, failure))
        finally:
            self.is_again = False
        return outcomes

    def _together(self, batch: Sequence[Job]) -> list[tuple[Any, Exception | None]]:
        deed = batch[0].deed
        db = self.db(deed)
        outcomes: list[tuple[Any, Exception | None]] = []
        with ledger_error(deed, self.place):
            try:
                places, settled = self._touched(batch)
                is_single = len(batch) == 1 and len(places) < 2 and not settled
                is_single = is_single and isinstance(batch[0], Work) and batch[0].is_single
                if not is_single:
                    db.execute("BEGIN")
                if settled or len(places) > 1:
                    postgres_rows.lock_budgets(db, of=settled, and_also=places)
                for job in batch:
                    try:
                        outcomes.append((job.do(db), None))
                    except MAIError as error:  # it was refused, and what it wrote taken back
                        outcomes.append((None, error))
                if not is_single:
                    db.execute("COMMIT")
                if any(isinstance(job, Work) and job.lasting for job in batch):
                    db.execute(_FLUSH.format(level=self._level, writer=self.writer).encode())
            except BaseException:
                self._roll_back(db)
                raise
        for job, (_, failure) in zip(batch, outcomes, strict=True):
            if isinstance(job, Work) and job.settles is not None and failure is None:
                self.under_way.pop(job.settles, None)
        return outcomes

    def _touched(self, batch: Sequence[Job]) -> tuple[set[Place], list[str]]:
        """Return the budgets that a batch touches, and attempts which may have claimed of more."""
        places: set[Place] = set()
        others: list[str] = []
        for job in batch:
            if isinstance(job, Work):
                places.update(job.places)
                if job.settles in self.under_way:
                    places.update(self.under_way[job.settles])
                elif job.settles is not None:
                    others.append(job.settles)
        return places, others

    def _roll_back(self, db: _Connection) -> None:
        """Be ready for the next transaction, in this session or without one."""
        if not db.closed:
            with suppress(psycopg.Error):
                db.execute("ROLLBACK", prepare=False)
                return
        db.close()
        self._db = None

    @contextmanager
    def unhurried(self) -> Generator[None]:
        """Let what is done meanwhile, in the transaction under way, take ten minutes."""
        db = self.db("recover")
        db.execute("SET LOCAL statement_timeout = '600s'")
        patience, db.patience = db.patience, _RECOVERING_SECONDS
        try:
            yield
        finally:
            db.patience = patience

    @contextmanager
    def reading(self, *, seconds: int) -> Generator[psycopg.Connection[tuple[Any, ...]]]:
        """Give a connection of its own that only reads, for one thread.

        A statement may take so many seconds.
        """
        if self.is_closed:
            raise self._closed()
        with ledger_error("read", self.place):
            db = self._open(_READING.format(seconds), patience=seconds + 5)
            try:
                yield db
            finally:
                db.close()

    def close(self) -> None:
        """End the session for good. Closing twice is harmless."""
        with self._commits:
            self.is_closed = True
            db, self._db = self._db, None
            if db is None:
                return
            if not self.under_way:
                with suppress(psycopg.Error):  # then whoever opens it next finds out
                    postgres_rows.writers_gone(db, [self.writer])
            db.close()

    def before_fork(self) -> None:
        """Let nobody use the connection until the process has forked."""
        self._commits.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._commits.release()

    def after_fork_in_child(self) -> None:
        """Leave the session to the parent: close this end of it without a word to the server."""
        self.made_afresh()
        db, self._db = self._db, None
        if db is not None and not db.closed:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, db.fileno())
            os.close(nowhere)
            db.close()


def place_of(address: str) -> str:
    """Return where an address leads, without user, password and options.

    Raises:
        ConfigurationError: It is none; it is not repeated, for it may have a password in it.
    """
    try:
        known = conninfo_to_dict(address)
    except psycopg.Error:
        known = None
    host, port, database = (
        str((known or {}).get(name) or "") for name in ("host", "port", "dbname")
    )
    if known is None or "@" in host + database or not _PORTS.fullmatch(port):
        raise ConfigurationError(
            "The address of the ledger is not one that Postgres knows: give "
            "postgresql://user@host:5432/database, with what is special in it percent-encoded."
        )
    return f"postgresql://{host}{':' if port else ''}{port}/{database}"


def _waiting(level: str) -> str:
    """Return the user's own `synchronous_commit`, or "on" where it would not wait."""
    return level if level in {"local", "remote_write", "remote_apply"} else "on"
