"""The cells of a report, out of a SQLite ledger: whole days from its sums, the rest from rows."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering.cells import (
    SECONDS_A_DAY,
    Cell,
    Group,
    LineSum,
    fold,
    merge,
    reckoned_again,
)
from mai_sdk.metering.cost import Price
from mai_sdk.metering.sqlite_cells import APART, METER_COLUMNS, REPRICED, UNSUMMED
from mai_sdk.metering.sqlite_rows import read_where

if TYPE_CHECKING:
    import sqlite3
    from collections import Counter

__all__ = ["read_cells"]

_CELLS: Final = f"""
SELECT cell, key, attempts, calls, nanos, unheard_attempts, unheard_priced, unheard_seconds,
    unheard_nanos, {", ".join(METER_COLUMNS)}
FROM cells WHERE day >= ? AND day < ?
"""
_PARTS: Final = """
SELECT cell, kind, name, attempts, calls, quantity, nanos FROM cell_parts
WHERE cell IN (SELECT cell FROM cells WHERE day >= ? AND day < ?)
"""
_OPEN: Final = "state IN ('reserved', 'sent')"


def read_cells(db: sqlite3.Connection, *, since: float | None, until: float | None) -> list[Cell]:
    """Return what `fold` makes of the entries from `since` to before `until`.

    Call it in a transaction, so that sums and rows are of the same moment.
    """
    low = -math.inf if since is None else since
    high = math.inf if until is None else until
    start = low if math.isinf(low) else math.ceil(low / SECONDS_A_DAY)  # the whole days within
    end = high if math.isinf(high) else math.floor(high / SECONDS_A_DAY)
    from_, to = start * SECONDS_A_DAY, end * SECONDS_A_DAY
    if not from_ < to:
        return fold(read_where(db, "reserved_at >= ? AND reserved_at < ?", (low, high)))
    cells = _summed(db, start, end)
    again = (
        f"{REPRICED} AND reserved_at >= ? AND reserved_at < ? AND NOT coalesce({APART}, 0) "
        f"AND NOT {UNSUMMED}"
    )
    if repriced := list(read_where(db, again, (from_, to))):  # the sums have their first prices
        cells = reckoned_again(cells, repriced)
    for where in _OPEN, f"({APART})", UNSUMMED:
        within = f"{where} AND reserved_at >= ? AND reserved_at < ?"
        cells += fold(read_where(db, within, (from_, to)))
    for begin, stop in (low, from_), (to, high):
        if begin < stop:
            rows = read_where(db, "reserved_at >= ? AND reserved_at < ?", (begin, stop))
            cells += fold(rows)
    return merge(cells)


def _summed(db: sqlite3.Connection, first: float, end: float) -> list[Cell]:
    cells: dict[int, Cell] = {}
    for row in db.execute(_CELLS, (first, end)):
        number, key, attempts, calls, nanos, *unheard = row[:9]
        used = dict(zip(METER_COLUMNS, row[9:], strict=True))
        cell = cells[number] = Cell(_group(key), attempts, calls, nanos)
        cell.used.update({meter: used[meter] for meter in cell.group.meters})
        cell.unheard = LineSum(*unheard)
    for number, kind, name, attempts, calls, quantity, nanos in db.execute(_PARTS, (first, end)):
        cell = cells[number]
        if kind == "line":
            cell.lines[_line_key(name)] = LineSum(attempts, calls, quantity, nanos)
        else:
            counts: Counter[int] = getattr(cell, kind)
            counts[int(name)] = attempts
    return list(cells.values())


def _group(key: str) -> Group:
    values: list[Any] = json.loads(key)
    mask: int = values[12]
    known = (name for place, name in enumerate(METER_COLUMNS) if mask >> place & 1)
    return Group(
        day=values[0],
        modality=values[1],
        model=values[2],
        deployment=values[3],
        surface=values[4],
        tags=values[5],
        session=None,
        status=values[6],
        error=values[7],
        currency=values[8],
        certainty=values[9],
        reason=values[10],
        basis=values[11],
        meters=tuple(sorted(known)),
    )


@lru_cache(maxsize=1024)
def _line_key(name: str) -> tuple[str, Price | None]:
    meter, _, price = name.partition(" ")
    return meter, None if price == "null" else Price.model_validate_json(price)
