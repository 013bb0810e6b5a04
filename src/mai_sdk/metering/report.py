"""What was spent, by whatever the user asks: sums over ledger entries. No I/O.

Nothing is made up: an entry never settled counts with an unknown cost, and every total says how
much of it is exact, how much is less sure, and for how many attempts nothing is known.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PrivateAttr

from mai_sdk.metering import render
from mai_sdk.metering.cost import Cost, CostStatus
from mai_sdk.metering.covered import PlanCost, plan_costs
from mai_sdk.metering.money import Money
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mai_sdk.metering.cells import Cell
    from mai_sdk.metering.grouping import Grouping
    from mai_sdk.metering.ledger import Entry
    from mai_sdk.metering.plans import Plan

__all__ = ["Report", "Repriced", "Row", "Share", "Waste", "WasteKind", "build_report"]

WasteKind = Literal["failed", "interrupted", "unheard"]
"""failed: the attempt ended in an error, whether it was tried again or not. interrupted: it was cut
off or left before its end. unheard: voice that was made, and not played to anyone."""


class Share(Value):
    """How much of a total is this sure."""

    status: CostStatus
    attempts: int
    amount: Money
    """What these attempts cost; for "unknown", only what is known of it."""
    at_most: Money | None
    """The most they can cost; None for "unknown" where one of them has no upper bound."""


class Waste(Value):
    """What was spent on nothing, for one reason."""

    kind: WasteKind
    attempts: int
    cost: Cost
    seconds: int | None = None
    """For "unheard", the seconds of voice."""


class Repriced(Value):
    """What was priced again after a correction, and came out otherwise."""

    attempts: int
    before: Money | None
    """What was known of their cost at first; None where that was in another currency."""
    after: Money
    """What is known of it now: this is in `cost`."""


class Row(Value):
    """What some of the calls used and cost together."""

    keys: dict[str, str | None]
    """What they have in common, by the names given as `by`; None where it is not known."""
    calls: int
    """Calls that began here: one whose attempts fall into two rows counts in that of its first."""
    attempts: int
    usage: Usage
    """In a row for one meter, what was billed in it."""
    cost: Cost
    wasted: Cost
    """The part of `cost` that was spent on nothing."""
    waste: tuple[Waste, ...]
    """How `wasted` is made up; kinds that do not occur are left out."""
    p50_seconds: float | None
    """The median time from the start of a call to its answer, over those that had one. Times and
    costs of a call are rounded down by at most 2 %; there are none in a row for one meter."""
    p95_seconds: float | None
    p99_seconds: float | None
    """None for fewer than 100 answers."""
    p50_cost: Money | None
    """The median cost of an answer, over those whose cost is known and not nothing."""
    p95_cost: Money | None
    p99_cost: Money | None
    """None for fewer than 100 answers."""
    shares: tuple[Share, ...]
    """How `cost` is made up, surest first; statuses that do not occur are left out."""
    repriced: Repriced | None = None
    """The part that `client.costs.reprice()` changed; None if there is none, and in a row for one
    meter."""


class Report(Value):
    """Rows, dearest first, and their total."""

    by: tuple[str, ...]
    since: datetime | None = None
    """Nothing reserved before is in it; None for no such limit."""
    until: datetime | None = None
    """Nothing reserved then or later is in it."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Only calls with all of these are in it."""
    rows: tuple[Row, ...]
    totals: tuple[Row, ...]
    """One for each currency, without keys; one over nothing if there were no entries."""
    plans: tuple[PlanCost, ...] = ()
    """What is paid by the hour, beside the totals; of `tags` only what they cover depends."""
    _grouping: Any = PrivateAttr(default=None)
    """The cells, for other rows than those asked for."""

    def __eq__(self, other: object) -> bool:
        """Whether both say the same."""
        return isinstance(other, Report) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def rows_by(self, *keys: str) -> tuple[Row, ...]:
        """Return the rows of the same calls by other keys, dearest first.

        A report that was read from JSON knows no other rows than its own, and returns none.

        Raises:
            ValueError: A key is none of those there are.
        """
        grouping: Grouping | None = self._grouping
        return () if grouping is None else grouping.rows(keys)

    @classmethod
    def of_cells(
        cls,
        cells: Iterable[Cell],
        *,
        by: Sequence[str],
        since: float | None = None,
        until: float | None = None,
        tags: Mapping[str, str] | None = None,
        plans: Sequence[Plan] = (),
        now: float = 0.0,
    ) -> Report:
        """Return the report over `cells`, which were chosen by `since` and `until` already.

        What `plans` cover is free in it, and they cost what they do up to the day of `now`.

        Raises:
            ValueError: A key is none of those there are.
        """
        from mai_sdk.metering.grouping import Grouping

        grouping = Grouping(cells, tags=tags or {}, plans=plans)
        report = cls(
            by=tuple(by),
            since=_moment(since),
            until=_moment(until),
            tags=dict(tags or {}),
            rows=grouping.rows(tuple(by)),
            totals=grouping.totals(),
            plans=plan_costs(plans, grouping.covered, since=since, until=until, now=now),
        )
        report._grouping = grouping
        return report

    def to_table(self, *, width: int = 80) -> str:
        """Return the report as text, no line longer than `width` (at least 60)."""
        return render.table(self, width=width)

    def to_csv(self) -> str:
        """Return a header and one line for each row, without totals; unknown is empty."""
        return render.csv_text(self)

    def to_json(self) -> str:
        """Return everything, money as strings of digits so that none is lost; unknown is null."""
        return self.model_dump_json(indent=2)

    def to_html(
        self, *, title: str = "What the calls cost", made_at: datetime | None = None
    ) -> str:
        """Return one page with charts and tables that needs nothing else: no network, no script.

        It follows the reader's light or dark setting, prints, and says in tables all that its
        charts show.

        Args:
            title: Its heading.
            made_at: When the report was made, to be shown; left out if None.
        """
        from mai_sdk.metering.html import page  # read only by those who ask for it

        return page(self, title=title, made_at=made_at)

    def to_parquet(self, path: str | Path) -> None:
        """Write the rows, as `to_csv` has them, to a Parquet file; money is decimal128(38, 9).

        The file is there whole, or not at all.

        Raises:
            ConfigurationError: pyarrow is not installed; it comes with the [parquet] extra.
            OSError: The file cannot be written.
        """
        from mai_sdk.metering.parquet import write  # pyarrow takes time to import

        write(self, path)


def build_report(
    entries: Iterable[Entry],
    *,
    by: Sequence[str] = ("model",),
    since: float | date | None = None,
    until: float | date | None = None,
    tags: Mapping[str, str] | None = None,
    plans: Sequence[Plan] = (),
    now: float = 0.0,
) -> Report:
    """Return what `entries` used and cost, added up by the keys in `by`.

    Costs of different currencies are never added: each gets rows and a total of its own.

    Args:
        entries: From a ledger.
        by: Any of model, modality, meter, day (UTC, of the start of the call), deployment,
            surface, session, status (HTTP, of the attempt) and tag:<name>.
        since: Leave out what was reserved before; seconds since the epoch, a datetime, or a day.
        until: Leave out what was reserved then or later.
        tags: Only calls that have all of these tags.
        plans: What is paid by the hour; the calls they cover are free.
        now: Up to when plans cost; seconds since the epoch.

    Raises:
        ValueError: A key is none of these, or a datetime has no time zone.
    """
    from mai_sdk.metering.cells import fold

    low = None if since is None else _seconds(since)
    high = None if until is None else _seconds(until)
    chosen = (
        entry
        for entry in entries
        if (low is None or low <= entry.reserved_at) and (high is None or entry.reserved_at < high)
    )
    by = (by,) if isinstance(by, str) else tuple(by)
    return Report.of_cells(
        fold(chosen, sessions="session" in by),
        by=by,
        since=low,
        until=high,
        tags=tags,
        plans=plans,
        now=now,
    )


def _seconds(when: float | date) -> float:
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ValueError(f"{when.isoformat()} has no time zone: add one, for example UTC.")
        return when.timestamp()
    if isinstance(when, date):
        return datetime.combine(when, time(), UTC).timestamp()
    return when


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None or not math.isfinite(seconds):
        return None
    return datetime.fromtimestamp(seconds, UTC)
