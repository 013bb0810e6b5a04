"""Sums of attempts that are alike in everything a report can be made by. No I/O.

A report is made of cells, and does not mind who added them up: `fold` from entries, or a ledger
that keeps such sums itself (`SummingLedger`). Money is whole nano-dollars here, quantities are
whole numbers, and so adding is exact and may be done in any order.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from mai_sdk.metering.cost import Cost, CostLine, CostStatus, Price
from mai_sdk.metering.ladder import rung
from mai_sdk.metering.money import from_nanodollars, nanodollars_of
from mai_sdk.metering.rows import day_of
from mai_sdk.metering.usage import Basis, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.metering.ledger import Entry

__all__ = ["Cell", "Group", "LineSum", "SummingLedger", "fold", "merge", "reckoned_again"]

SECONDS_A_DAY: Final = 86_400
_REPRICED: Final = ("repriced", "repriced_from", "repriced_to", "foreign")
_UNSETTLED: Final = (
    "An attempt was never settled: it is still running, or the process died while it was. It may "
    "have been billed up to its upper bound in the ledger."
)
_NOT_SEEN: Final = (
    "An attempt may have run, and nothing says what it used. It may have been billed up to its "
    "upper bound in the ledger."
)


class Group(NamedTuple):
    """What the attempts of one cell have in common."""

    day: str
    """UTC, of the start of the call."""
    modality: str
    model: str | None
    deployment: str | None
    surface: str
    tags: str
    """As JSON."""
    session: str | None
    """Only where the report is made by it: there are as many as sessions."""
    status: int | None
    """HTTP."""
    error: str | None
    currency: str
    certainty: CostStatus
    reason: str | None
    basis: Basis
    meters: tuple[str, ...]
    """Those whose quantity is known, sorted."""


@dataclass(slots=True)
class LineSum:
    """One meter at one price, added up."""

    attempts: int = 0
    calls: int = 0
    quantity: int = 0
    nanos: int = 0


@dataclass(slots=True)
class Cell:
    """What the attempts of one group used and cost together."""

    group: Group
    attempts: int = 0
    calls: int = 0
    """First attempts: each call counts once, where it began."""
    nanos: int = 0
    """What is known of their cost."""
    used: Counter[str] = field(default_factory=Counter[str])
    """By meter."""
    lines: dict[tuple[str, Price | None], LineSum] = field(
        default_factory=dict[tuple[str, Price | None], LineSum]
    )
    milliseconds: Counter[int] = field(default_factory=Counter[int])
    """How often each rung: from the start of a call to its answer, of those that had one."""
    spent: Counter[int] = field(default_factory=Counter[int])
    """How often each rung, in nano-dollars: the cost of an answer, where it is known."""
    unheard: LineSum = field(default_factory=LineSum)
    """Seconds of voice nobody heard, and what they cost; `calls` are the attempts with a price."""
    bound_nanos: int = 0
    """The most that unsettled and unknown attempts can cost, where they have an upper bound."""
    bounded: int = 0
    """How many have one."""
    repriced: int = 0
    """Attempts that were priced again, and came out otherwise."""
    repriced_from: int = 0
    """What was known of their cost at first, in nano-units."""
    repriced_to: int = 0
    foreign: int = 0
    """How many of them were in another currency at first; they are not in `repriced_from`."""

    def add(self, other: Cell) -> None:
        """Add the sums of another cell of the same group."""
        self.attempts += other.attempts
        self.calls += other.calls
        self.nanos += other.nanos
        self.bound_nanos += other.bound_nanos
        self.bounded += other.bounded
        for name in _REPRICED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        _count(self.used, other.used)
        _count(self.milliseconds, other.milliseconds)
        _count(self.spent, other.spent)
        for key, line in other.lines.items():
            _add_line(self.lines.setdefault(key, LineSum()), line)
        if other.unheard.attempts:
            _add_line(self.unheard, other.unheard)

    def without(self, other: Cell) -> Cell:
        """Return what is left of the cell when `other`, all of which is in it, is taken out."""
        left = Cell(
            self.group,
            self.attempts - other.attempts,
            self.calls - other.calls,
            self.nanos - other.nanos,
        )
        left.used = self.used - other.used
        left.milliseconds = self.milliseconds - other.milliseconds
        left.spent = self.spent - other.spent
        none = LineSum()
        for key, line in self.lines.items():
            rest = _difference(line, other.lines.get(key, none))
            if rest.attempts:
                left.lines[key] = rest
        left.unheard = _difference(self.unheard, other.unheard)
        return left

    @property
    def usage(self) -> Usage:
        """What they used together."""
        known = {meter: self.used[meter] for meter in self.group.meters}
        return Usage.from_meters(known, basis=self.group.basis)

    @property
    def cost(self) -> Cost:
        """What they cost together."""
        amount = from_nanodollars(self.nanos)
        unknown = self.group.certainty == "unknown"
        lines = sorted(self.lines.items(), key=lambda item: (item[0][0], repr(item[0][1])))
        return Cost(
            amount=None if unknown else amount,
            known=amount if unknown else None,
            currency=self.group.currency,
            status=self.group.certainty,
            reason=self.group.reason,
            lines=tuple(_line(meter, price, line) for (meter, price), line in lines),
        )

    @property
    def has_money(self) -> bool:
        """Whether its currency means something."""
        return self.nanos > 0 or any(price is not None for _, price in self.lines)


@runtime_checkable
class SummingLedger(Protocol):
    """A ledger that can add up its entries itself, faster than by giving them out."""

    def sums(self, *, since: float | None = None, until: float | None = None) -> Iterable[Cell]:
        """Return what `fold` makes of `entries(since=since, until=until)`, without sessions."""
        ...


def fold(entries: Iterable[Entry], *, sessions: bool = False) -> list[Cell]:
    """Return the cells of `entries`, apart by session only if asked."""
    cells: dict[Group, Cell] = {}
    for entry in entries:
        group = _group(entry, sessions=sessions)
        cell = cells.get(group)
        if cell is None:
            cell = cells[group] = Cell(group)
        _book(cell, entry)
    return list(cells.values())


def merge(cells: Iterable[Cell]) -> list[Cell]:
    """Return one cell for each group; those given stay as they are."""
    found: dict[Group, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.group, []).append(cell)
    return [alike[0] if len(alike) == 1 else _added_up(alike) for alike in found.values()]


def reckoned_again(cells: Iterable[Cell], entries: Iterable[Entry]) -> list[Cell]:
    """Return `cells`, in which `entries` are as they were priced at first, with the new prices."""
    found = list(entries)
    first = {cell.group: cell for cell in fold(replace(entry, repriced=None) for entry in found)}
    left = (
        cell.without(first[cell.group]) if cell.group in first else cell for cell in merge(cells)
    )
    return merge([*(cell for cell in left if cell.attempts), *fold(found)])


def _added_up(alike: list[Cell]) -> Cell:
    whole = Cell(alike[0].group)
    for cell in alike:
        whole.add(cell)
    return whole


def _group(entry: Entry, *, sessions: bool) -> Group:
    operation, cost = entry.operation, entry.counted
    usage = entry.usage
    reason: str | None = _UNSETTLED
    if cost is not None:  # the reason of an unknown attempt names an amount, and so is one of many
        reason = _NOT_SEEN if entry.state == "unknown" else cost.reason
    return Group(
        day=day_of(operation.started_at),
        modality=operation.modality,
        model=operation.model,
        deployment=operation.deployment,
        surface=operation.surface,
        tags=json.dumps(dict(operation.tags), ensure_ascii=False),
        session=operation.session if sessions else None,
        status=entry.status,
        error=entry.error,
        currency="USD" if cost is None else cost.currency,
        certainty="unknown" if cost is None else cost.status,
        reason=reason,
        basis="unknown" if usage is None else usage.basis,
        meters=() if usage is None else tuple(sorted(usage.meters())),
    )


def _book(cell: Cell, entry: Entry) -> None:
    first = entry.number == 1
    cell.attempts += 1
    cell.calls += first
    if entry.usage is not None:
        cell.used.update(entry.usage.meters())
    cost = entry.counted
    if cost is not None:
        nanos = nanodollars_of(cost.at_least)
        cell.nanos += nanos
        for line in cost.lines:
            into = cell.lines.setdefault((line.meter, line.price), LineSum())
            _add_line(into, LineSum(1, first, int(line.quantity), _nanos(line)))
        if entry.error is None and cost.status not in {"unknown", "free"}:
            cell.spent[rung(nanos)] += 1
        _book_unheard(cell, entry)
        _book_repriced(cell, entry)
    if entry.error is None and entry.settled_at is not None and entry.state != "released":
        taken = int((entry.settled_at - entry.operation.started_at) * 1000)
        cell.milliseconds[rung(taken)] += 1
    if entry.state in {"reserved", "sent", "unknown"} and entry.upper_bound is not None:
        bound = entry.upper_bound.nanodollars
        cell.bound_nanos += bound or 0
        cell.bounded += bound is not None


def _book_unheard(cell: Cell, entry: Entry) -> None:
    """Count the voice nobody heard at its part of what the whole voice cost."""
    usage, cost = entry.usage, entry.counted
    if usage is None or cost is None or not usage.unheard_seconds:
        return
    voice = [line for line in cost.lines if line.meter in VOICE_METERS and line.amount is not None]
    spoken = usage.spoken_seconds or 0
    part = sum(_nanos(line) * usage.unheard_seconds // spoken for line in voice) if spoken else 0
    priced = int(bool(voice and spoken))
    _add_line(cell.unheard, LineSum(1, priced, usage.unheard_seconds, part))


def _book_repriced(cell: Cell, entry: Entry) -> None:
    first, now = entry.cost, entry.repriced
    if first is None or now is None or now == first:
        return
    cell.repriced += 1
    cell.repriced_to += nanodollars_of(now.at_least)
    if first.has_money and first.currency != now.currency:
        cell.foreign += 1
    else:
        cell.repriced_from += nanodollars_of(first.at_least)


VOICE_METERS: Final = ("audio_output_tokens", "spoken_seconds")
"""What is billed for the voice of a session."""


def _nanos(line: CostLine) -> int:
    return 0 if line.amount is None else nanodollars_of(line.amount)


_Key = TypeVar("_Key", str, int)


def _count(into: Counter[_Key], counts: Counter[_Key]) -> None:
    """Add `counts`; `Counter.update` takes several times as long for few keys."""
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count


def _add_line(into: LineSum, line: LineSum) -> None:
    into.attempts += line.attempts
    into.calls += line.calls
    into.quantity += line.quantity
    into.nanos += line.nanos


def _difference(whole: LineSum, part: LineSum) -> LineSum:
    return LineSum(
        whole.attempts - part.attempts,
        whole.calls - part.calls,
        whole.quantity - part.quantity,
        whole.nanos - part.nanos,
    )


def _line(meter: str, price: Price | None, line: LineSum) -> CostLine:
    amount = None if price is None else from_nanodollars(line.nanos)
    return CostLine(meter=meter, quantity=line.quantity, amount=amount, price=price)
