"""What was spent, by whatever the user asks: sums over ledger entries. No I/O.

Nothing is made up: an entry never settled counts with an unknown cost, and every total says how
much of it is exact, how much is less sure, and for how many attempts nothing is known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final

from mai_sdk.metering import render
from mai_sdk.metering.cost import Cost, CostStatus
from mai_sdk.metering.money import Money, add_money
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mai_sdk.metering.ledger import Entry

__all__ = ["Report", "Row", "Share", "build_report"]

_KEYS: Final[dict[str, Callable[[Entry], str | None]]] = {
    "model": lambda entry: entry.operation.model,
    "modality": lambda entry: entry.operation.modality,
    "day": lambda entry: datetime.fromtimestamp(entry.operation.started_at, UTC).date().isoformat(),
    "deployment": lambda entry: entry.operation.deployment,
    "surface": lambda entry: entry.operation.surface,
    "status": lambda entry: None if entry.status is None else str(entry.status),
}
_TAG: Final = "tag:"
_STATUSES: Final[tuple[CostStatus, ...]] = (
    "exact",
    "estimated",
    "lower_bound",
    "unknown",
    "free",
)


class Share(Value):
    """How much of a total is this sure."""

    status: CostStatus
    attempts: int
    amount: Money
    """What these attempts cost; for "unknown", only what is known of it."""


class Row(Value):
    """What some of the calls used and cost together."""

    keys: dict[str, str | None]
    """What they have in common, by the names given as `by`; None where it is not known."""
    calls: int
    """Calls with an attempt in this row; one whose attempts fall into two rows counts in both."""
    attempts: int
    usage: Usage
    cost: Cost
    wasted: Cost
    """The part of `cost` for attempts that failed, or were followed by another try."""
    p50_seconds: float | None
    """The median time of a call, from its start to its last settled attempt."""
    p95_seconds: float | None
    shares: tuple[Share, ...]
    """How `cost` is made up, surest first; statuses that do not occur are left out."""


class Report(Value):
    """Rows, dearest first, and their total."""

    by: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[Row, ...]
    """One for each currency, without keys; one over nothing if there were no entries."""

    def to_table(self, *, width: int = 80) -> str:
        """Return the report as text, no line longer than `width` (at least 60)."""
        return render.table(self, width=width)

    def to_csv(self) -> str:
        """Return a header and one line for each row, without totals; unknown is empty."""
        return render.csv_text(self)

    def to_json(self) -> str:
        """Return everything, money as strings of digits so that none is lost; unknown is null."""
        return self.model_dump_json(indent=2)


def build_report(
    entries: Iterable[Entry],
    *,
    by: Sequence[str] = ("model",),
    since: float | date | None = None,
    until: float | date | None = None,
    tags: Mapping[str, str] | None = None,
) -> Report:
    """Return what `entries` used and cost, added up by the keys in `by`.

    Costs of different currencies are never added: each gets rows and a total of its own.

    Args:
        entries: From a ledger.
        by: Any of model, modality, day (UTC, of the start of the call), deployment, surface,
            status (HTTP, of the attempt) and tag:<name>.
        since: Leave out what was reserved before; seconds since the epoch, a datetime, or a day.
        until: Leave out what was reserved then or later.
        tags: Only calls that have all of these tags.

    Raises:
        ValueError: A key is none of these, or a datetime has no time zone.
    """
    if isinstance(by, str):
        by = (by,)
    readers = [_reader(key) for key in by]
    low = -math.inf if since is None else _seconds(since)
    high = math.inf if until is None else _seconds(until)
    wanted = (tags or {}).items()
    everything = list(entries)
    chosen = [
        entry
        for entry in everything
        if low <= entry.reserved_at < high and wanted <= entry.operation.tags.items()
    ]
    last = _last_attempts(everything)
    home = next((c.currency for e in chosen if (c := _cost(e)).has_money), "USD")
    rows: dict[tuple[str | None, ...], list[Entry]] = defaultdict(list)
    totals: dict[str, list[Entry]] = defaultdict(list)
    for entry in chosen:
        cost = _cost(entry)
        currency = cost.currency if cost.has_money else home
        rows[currency, *(read(entry) for read in readers)].append(entry)
        totals[currency].append(entry)
    made = [_row(dict(zip(by, key[1:], strict=True)), part, last) for key, part in rows.items()]
    made.sort(key=lambda row: (-row.cost.at_least, [key or "" for key in row.keys.values()]))
    return Report(
        by=tuple(by),
        rows=tuple(made),
        totals=tuple(_row({}, part, last) for part in totals.values()) or (_row({}, [], last),),
    )


def _reader(key: str) -> Callable[[Entry], str | None]:
    if key.startswith(_TAG) and key != _TAG:
        name = key.removeprefix(_TAG)
        return lambda entry: entry.operation.tags.get(name)
    if key not in _KEYS:
        raise ValueError(
            f"A report cannot be made by {key!r}: use {', '.join(_KEYS)} or tag:<name>."
        )
    return _KEYS[key]


def _seconds(when: float | date) -> float:
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ValueError(f"{when.isoformat()} has no time zone: add one, for example UTC.")
        return when.timestamp()
    if isinstance(when, date):
        return datetime.combine(when, time(), UTC).timestamp()
    return when


def _last_attempts(entries: Iterable[Entry]) -> dict[str, int]:
    last: dict[str, int] = {}
    for entry in entries:
        call = entry.operation.call_id
        last[call] = max(entry.number, last.get(call, 0))
    return last


def _cost(entry: Entry) -> Cost:
    if entry.cost is not None:
        return entry.cost
    return Cost.unknown(
        "An attempt was never settled: it is still running, or the process died while it was. It "
        "may have been billed up to its upper bound in the ledger."
    )


def _row(keys: dict[str, str | None], entries: Sequence[Entry], last: Mapping[str, int]) -> Row:
    spans = _spans(entries)
    return Row(
        keys=keys,
        calls=len({entry.operation.call_id for entry in entries}),
        attempts=len(entries),
        usage=Usage.sum(entry.usage or Usage(basis="unknown") for entry in entries),
        cost=Cost.sum(map(_cost, entries)),
        wasted=Cost.sum(
            _cost(entry)
            for entry in entries
            if entry.error is not None or entry.number < last[entry.operation.call_id]
        ),
        p50_seconds=_percentile(spans, 50),
        p95_seconds=_percentile(spans, 95),
        shares=_shares([_cost(entry) for entry in entries]),
    )


def _spans(entries: Iterable[Entry]) -> list[float]:
    """Return the seconds each call took, shortest first; calls not settled are left out."""
    spans: dict[str, float] = {}
    for entry in entries:
        if entry.settled_at is not None:
            call = entry.operation.call_id
            span = max(entry.settled_at - entry.operation.started_at, 0)
            spans[call] = max(span, spans.get(call, 0))
    return sorted(spans.values())


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that `percent` of them do not exceed (nearest rank)."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _shares(costs: Sequence[Cost]) -> tuple[Share, ...]:
    parts: dict[CostStatus, list[Cost]] = {status: [] for status in _STATUSES}
    for cost in costs:
        parts[cost.status].append(cost)
    return tuple(
        Share(status=status, attempts=len(part), amount=add_money(cost.at_least for cost in part))
        for status, part in parts.items()
        if part
    )
