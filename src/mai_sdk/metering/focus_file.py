"""A ledger written as two CSV files: FOCUS 1.2, and beside it what has no known price."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mai_sdk.metering.csv_cells import shown_row
from mai_sdk.metering.focus import (
    COLUMNS,
    UNPRICED_COLUMNS,
    Account,
    focus_rows,
    unpriced_rows,
)
from mai_sdk.metering.money import Money, from_nanodollars, nanodollars_of
from mai_sdk.metering.whole_file import check_writable, whole_file
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.metering.ledger import Entry

__all__ = ["FocusFiles", "unpriced_path", "write_focus"]


class FocusFiles(Value):
    """What was written."""

    path: Path
    rows: int
    billed: dict[str, Money]
    """What the rows of each currency add up to: what the ledger knows of it."""
    unpriced_path: Path
    """The companion; it is written, with its header only, also where nothing is unknown."""
    unpriced_rows: int


def unpriced_path(path: str | Path) -> Path:
    """Return where the companion of a FOCUS file goes: bill.csv has bill.unpriced.csv."""
    path = Path(path).expanduser()
    return path.with_name(f"{path.stem}.unpriced{path.suffix or '.csv'}")


def write_focus(
    entries: Iterable[Entry], path: str | Path, *, account: Account | None = None
) -> FocusFiles:
    """Write both files, one entry at a time; each is there whole or not at all.

    Raises:
        InvalidRequest: Nothing can be written there.
        OSError: Writing failed; what was there is as it was.
    """
    target, companion = check_writable(path), check_writable(unpriced_path(path))
    account = account or Account()
    nanos, counts = Counter[str](), Counter[str]()
    with (
        whole_file(target) as billed,
        whole_file(companion) as unpriced,
        billed.open("w", encoding="utf-8", newline="") as one,
        unpriced.open("w", encoding="utf-8", newline="") as other,
    ):
        known = csv.DictWriter(one, COLUMNS, lineterminator="\n")
        unknown = csv.DictWriter(other, UNPRICED_COLUMNS, lineterminator="\n")
        known.writeheader()
        unknown.writeheader()
        for entry in entries:
            for row in focus_rows(entry, account=account):
                known.writerow(shown_row(row))
                counts["rows"] += 1
            cost = entry.counted
            if cost is not None and cost.at_least:
                nanos[cost.currency] += nanodollars_of(cost.at_least)
            for row in unpriced_rows(entry):
                unknown.writerow(shown_row(row))
                counts["unpriced"] += 1
    return FocusFiles(
        path=target,
        rows=counts["rows"],
        billed={currency: from_nanodollars(each) for currency, each in sorted(nanos.items())},
        unpriced_path=companion,
        unpriced_rows=counts["unpriced"],
    )
