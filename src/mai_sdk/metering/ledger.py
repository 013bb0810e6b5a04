"""Where every attempt leaves one row: written before the request goes out, settled after.

This file has the protocol and the rules every ledger keeps: which state may follow which, what a
claim holds of its budget before and after, and how a ledger is opened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

from mai_sdk.errors import BudgetExceeded, ConfigurationError, LedgerError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.money import from_nanodollars, nanodollars_of, write_money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mai_sdk.metering.receipt import AttemptState
    from mai_sdk.metering.usage import Usage
    from mai_sdk.metering.writer import Ticket

__all__ = [
    "BudgetState",
    "Claim",
    "Durability",
    "Entry",
    "Ledger",
    "Operation",
    "QueuedLedger",
    "Recovery",
    "added_up",
    "charged_nanos",
    "died",
    "keeps_claim",
    "may_settle",
    "no_room",
    "no_such_attempt",
    "open_ledger",
]


Durability = Literal["process", "power"]
"""What a committed row outlives: "process" the death of the process at any instant, "power" also
the loss of power, for which every commit waits for the disk."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """One call a user made; its attempts refer to it, so nobody changes it.

    It is not frozen only because that would double what making one takes.
    """

    call_id: str
    """UUIDv7, ours."""
    modality: str
    verb: str
    """The method that was called: "create", "stream", "session"..."""
    model: str | None
    deployment: str | None
    surface: str
    started_at: float
    """Seconds since the epoch, UTC."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    session: str | None = None
    """The id of the session this call is a turn of; None for a call of its own."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One attempt as the ledger keeps it."""

    attempt_id: str
    number: int
    operation: Operation
    state: AttemptState
    reserved_at: float
    """Seconds since the epoch, UTC."""
    upper_bound: Cost | None
    """The worst case, reckoned before sending; None where no price is known."""
    settled_at: float | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    status: int | None = None
    error: str | None = None
    request_id: str | None = None
    first_byte: float | None = None
    first_content: float | None = None
    seconds: float | None = None
    repriced: Cost | None = None
    """The cost as it was reckoned again after a price was corrected; `cost` stays what it was."""

    @property
    def counted(self) -> Cost | None:
        """What reports count: the cost as it was reckoned last."""
        return self.repriced or self.cost


class Claim(NamedTuple):
    """The part of one budget's period that one attempt may use up at most."""

    budget_id: str
    """A stable digest of the budget's definition and of the value of its scope."""
    period: str
    """Which of the budget's periods: "2026-11-25", "2026-11", "total"."""
    limit_nanos: int
    """What the whole period may cost."""
    nanos: int
    """What the attempt costs at most."""


class BudgetState(NamedTuple):
    """How much of one budget's period is gone, in nano-units of its currency."""

    spent_nanos: int
    """Settled; attempts whose outcome is unknown count with all they had claimed."""
    reserved_nanos: int
    """Claimed by attempts that are under way."""


class Recovery(NamedTuple):
    """What dead processes had left behind."""

    attempts: int
    """How many attempts were made "unknown"."""
    nanos: int | None
    """What they cost at most, all together; None where no upper bound is known of one of them,
    or where they are not all in one currency."""


@runtime_checkable
class Ledger(Protocol):
    """What the engine needs of a ledger: quick, thread-safe, raising only LedgerError."""

    @property
    def durable(self) -> bool:
        """Whether rows outlive the process, so that reservations must carry their upper bound."""
        ...

    def reserve(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> None:
        """Keep `entry` in state "reserved": after this returns, it survives the process.

        The entry is the ledger's from here on: whoever made it does not change it. Every claim is
        held with it, or nothing is written: both in one transaction, so that no two attempts,
        threads or processes take the same money.

        Raises:
            BudgetExceeded: A claim does not fit: what is spent and reserved of its period leaves
                less than it needs. Nothing was written.
            LedgerError: It could not be written.
        """
        ...

    def sent(self, attempt_id: str) -> None:
        """Note that the service began to answer; without effect on a settled attempt."""
        ...

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
        """Write the outcome; True if this call settled it, False if it was settled before.

        An attempt settled as "unknown" may be settled once more, when its outcome is found out.
        In the same transaction its claims are no longer reserved, and `charged_nanos` is spent.
        """
        ...

    def reprice(self, attempt_id: str, cost: Cost) -> None:
        """Keep `cost` as the attempt's `repriced`, beside the one it was settled with."""
        ...

    def budget_state(self, budget_id: str, period: str) -> BudgetState:
        """Return how much of the budget's period is spent and reserved; zeros if it is unused."""
        ...

    def recover(self) -> Recovery:
        """Settle as "unknown" what dead processes had reserved, at its upper bound.

        Nothing is released: what may have been billed stays claimed until its outcome is found
        out. Attempts of a process that lives, or of another host, are left alone. A ledger that
        outlives the process does this when it is opened.
        """
        ...

    def entries(self, *, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
        """Yield entries by time of reservation, oldest first.

        From `since`, itself included, to before `until`.
        """
        ...

    def close(self) -> None:
        """Let go of files; a closed ledger refuses further writes."""
        ...


@runtime_checkable
class QueuedLedger(Ledger, Protocol):
    """A ledger that writes on a thread of its own, in the order in which it is asked to.

    Each method returns at once; its ticket is done once what was asked for is committed.
    """

    def reserve_soon(self, entry: Entry, *, claims: Sequence[Claim] = ()) -> Ticket[None]:
        """See `Ledger.reserve`."""
        ...

    def sent_soon(self, attempt_id: str) -> Ticket[None]:
        """See `Ledger.sent`."""
        ...

    def settle_soon(self, attempt_id: str, **outcome: Any) -> Ticket[bool]:
        """See `Ledger.settle`; may be called by a finalizer, in any thread, at any moment."""
        ...

    def reprice_soon(self, attempt_id: str, cost: Cost) -> Ticket[None]:
        """See `Ledger.reprice`."""
        ...


SETTLES_FROM: Final[dict[AttemptState, frozenset[AttemptState]]] = {
    "settled_exact": frozenset({"reserved", "sent", "unknown"}),
    "settled_estimated": frozenset({"reserved", "sent", "unknown"}),
    "released": frozenset({"reserved", "sent", "unknown"}),
    "unknown": frozenset({"reserved", "sent"}),
}
"""For each state an attempt can be settled in, the states it can be settled from."""


def may_settle(state: AttemptState) -> frozenset[AttemptState]:
    """Return the states from which an attempt can be settled as `state`.

    Raises:
        LedgerError: No attempt is settled as "reserved" or "sent".
    """
    try:
        return SETTLES_FROM[state]
    except KeyError:
        raise LedgerError(
            f'An attempt cannot be settled as "{state}": use {", ".join(SETTLES_FROM)}.'
        ) from None


def no_such_attempt(attempt_id: str) -> LedgerError:
    """Return the error for an attempt that was never reserved here."""
    return LedgerError(
        f"The ledger has no attempt {attempt_id}: it was reserved in another ledger, or its row "
        f"was dropped.",
        reason="refused",
    )


def keeps_claim(state: AttemptState, cost: Cost) -> bool:
    """Whether all of a claim stays spent: nobody knows that the attempt cost less.

    So it is where it may have run, where its price is unknown, and where only what had arrived of
    a broken-off answer is known: more may have been made, and billed.
    """
    return state == "unknown" or cost.status in {"unknown", "lower_bound"}


def charged_nanos(state: AttemptState, cost: Cost, claimed: int) -> int:
    """Return what a settled attempt takes out of a budget it had `claimed` so much of.

    Its cost where that is known; all of the claim, or what is known if that is more, where it
    `keeps_claim`; nothing where nothing ran.
    """
    if state == "released":
        return 0
    known = nanodollars_of(cost.at_least)
    return max(known, claimed) if keeps_claim(state, cost) else known


def added_up(claims: Sequence[Claim]) -> Sequence[Claim]:
    """Return `claims` with those of one budget and period made one."""
    if len(claims) < 2:
        return claims
    sums: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        place = (claim.budget_id, claim.period)
        before = sums[place].nanos if place in sums else 0
        sums[place] = claim._replace(nanos=before + claim.nanos)
    return list(sums.values())


def no_room(claim: Claim, state: BudgetState) -> BudgetExceeded:
    """Return the error for a claim that does not fit into what is left of its period."""
    limit, most, spent, reserved = (
        write_money(from_nanodollars(nanos))
        for nanos in (claim.limit_nanos, claim.nanos, state.spent_nanos, state.reserved_nanos)
    )
    return BudgetExceeded(
        f"The call may cost {most}, which does not fit into the budget of {limit} for "
        f"{claim.period}: {spent} of it is spent and {reserved} reserved. Nothing was sent.",
        claim=claim,
        state=state,
    )


def died(upper_bound: Cost | None) -> Cost:
    """Return the cost of an attempt whose process died before it was settled."""
    most = ""
    if upper_bound is not None and upper_bound.amount is not None:
        most = f" It cannot be more than {upper_bound.amount} {upper_bound.currency}."
    return Cost.unknown(f"The process died while the attempt was under way.{most}")


def open_ledger(
    ledger: str | Path | Ledger | None = None, *, durability: Durability | None = None
) -> Ledger:
    """Return the ledger meant: None is a new one in memory, a path or sqlite:/// URL a file.

    A postgresql:// URL is a database. A ledger object is returned as it is. Whoever opened a ledger
    closes it.

    Args:
        ledger: None, a path, "sqlite:///relative.db", "sqlite:////absolute.db",
            "postgresql://user:password@host/database", or a ledger.
        durability: What a row in a file outlives once it is committed: "process", the death of
            the process at any instant, which is the default, or "power", the loss of power too.
            In a URL: "sqlite:///mai.db?durability=power". Postgres always keeps to "power".

    Raises:
        ConfigurationError: The URL is of a kind that cannot be used, or the extra `[postgres]` is
            not installed.
        LedgerError: It cannot be opened, or is not a ledger this version can read.
    """
    from mai_sdk.metering.memory import MemoryLedger

    if ledger is None:
        return MemoryLedger()
    if isinstance(ledger, Ledger):
        return ledger
    address = os.fspath(ledger)
    if address.startswith(("postgres://", "postgresql://")):
        return _open_postgres(address)
    from mai_sdk.metering.sqlite import SQLiteLedger  # sqlite3 takes time to import

    place, asked = _place_of(address)
    return SQLiteLedger(Path(place).expanduser(), durability=durability or asked)


def _open_postgres(address: str) -> Ledger:
    try:
        from mai_sdk.metering.postgres import PostgresLedger
    except ImportError as error:
        raise ConfigurationError(
            'A ledger in Postgres needs the extra: pip install "mai-sdk[postgres]".'
        ) from error
    return PostgresLedger(address)


def _place_of(address: str) -> tuple[str, Durability]:
    """Return the path and the durability that an address asks for."""
    scheme, colon, rest = address.partition("://")
    if not colon:
        return address, "process"
    path, _, options = rest.partition("?")
    durability = _DURABILITIES.get(options)
    if scheme != "sqlite" or not path.startswith("/") or path == "/" or durability is None:
        raise ConfigurationError(
            f"A ledger cannot be opened from a {scheme}:// address of this form: give a file path, "
            f"sqlite:///relative.db, or sqlite:////absolute.db, with at most ?durability=power, or "
            f"postgresql://user@host/database."
        )
    return path[1:], durability


_DURABILITIES: Final[dict[str, Durability]] = {
    "": "process",
    "durability=process": "process",
    "durability=power": "power",
}
