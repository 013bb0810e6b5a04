"""The cells of a report, out of a Postgres ledger: the server adds up what is alike when asked.

Nothing here begins, commits or connects. No sums are kept: a row that every attempt adds to would
have the writers of all hosts wait for each other. One statement reads each attempt once; what may
still change, what was priced again, and costs of very many lines come as rows and are folded.

A cost is kept as JSON, which would take the server longer to parse than all the rest. It has to be
cut in pieces only, for it is ours (`cost_columns`): no space in it, fields in the order of their
class, and a quote inside of a text has a backslash before it, so that `,"quantity":` can be nothing
but the field of a line. What is left without quantities and amounts, attempts have in common.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering.cells import VOICE_METERS, Cell, Group, LineSum, fold, merge
from mai_sdk.metering.ladder import rung_in_sql
from mai_sdk.metering.money import ZERO, nanodollars_of
from mai_sdk.metering.postgres_rows import read_page
from mai_sdk.metering.rows import ENTRY_COLUMNS, USAGE_COLUMNS, cost_of, entry_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from psycopg import Connection

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.ledger import Entry

__all__ = ["read_cells"]

_LINES: Final = 6
"""Costs of more lines are read as rows: no price list has so many meters for one call."""
_METERS: Final = tuple(name for name in USAGE_COLUMNS if name != "basis")
_ALIKE: Final = (
    "day",
    "modality",
    "model",
    "deployment",
    "surface",
    "tags",
    "status",
    "error",
    "basis",
    "cost_status",
)

_PLACES: Final = range(2, 2 + _LINES)
"""Where in `piece` the lines are: each begins with its quantity, and ends with the next meter."""
_WRITTEN: Final = """CASE WHEN state NOT IN ('reserved', 'sent', 'unknown')
    AND repriced_status IS NULL AND strpos(cost, ',"quantity":"') = 0 THEN cost END"""
"""The cost; NULL where it may still change, was priced again, or has a quantity that is no whole
number: what is read as a row."""
_MASK: Final = " + ".join(
    f"({name} IS NOT NULL)::integer * {1 << place}" for place, name in enumerate(_METERS)
)
_TAKEN: Final = "greatest(-1, least(1e15, trunc((settled_at - started_at) * 1000)))::bigint"
"""Milliseconds; how far it is off the ladder does not matter."""


def _quantity(place: int) -> str:
    """Return the SQL of a line's quantity."""
    return f"split_part(piece[{place}], ',', 1)::numeric"


def _amount(place: int) -> str:
    """Return the SQL of a line's amount, the first text in its piece; NULL where it has none."""
    return f"""nullif(split_part(piece[{place}], '"', 4), 'price')::numeric"""


def _like(place: int) -> str:
    """Return the SQL of what alike costs have in common of a piece."""
    return "piece[1]" if place == 1 else f"""split_part(piece[{place}], ',"price":', 2)"""


def _is_voice(place: int) -> str:
    """Return the SQL that says whether a line is billed for voice, and has a price."""
    ends = " OR ".join(
        f"right(piece[{place - 1}], {len(end)}) = '{end}'"
        for end in (f'{{"meter":"{meter}"' for meter in VOICE_METERS)
    )
    return f"(({ends}) AND {_amount(place)} IS NOT NULL)"


_PRICED: Final = f"""coalesce(unheard_seconds, 0) > 0 AND coalesce(spoken_seconds, 0) > 0
    AND ({" OR ".join(_is_voice(place) for place in _PLACES)})"""
"""What comes after a NULL would be reckoned, too, and for every attempt."""
_UNHEARD_NANOS: Final = " + ".join(
    f"CASE WHEN {_is_voice(place)} "
    f"THEN div({_amount(place)} * 1000000000 * unheard_seconds, spoken_seconds) ELSE 0 END"
    for place in _PLACES
)
_SUMS: Final = (
    "count(*)",
    "count(*) FILTER (WHERE number = 1)",
    "sum(known_nanos)",
    "count(*) FILTER (WHERE unheard_seconds > 0)",
    f"count(*) FILTER (WHERE {_PRICED})",
    f"sum({_UNHEARD_NANOS}) FILTER (WHERE {_PRICED})",
    *(f"sum({name})" for name in _METERS),
    *(f"sum({_quantity(place)})" for place in _PLACES),
    *(f"sum({_amount(place)})" for place in _PLACES),
)
_PIECES: Final = tuple(f"piece_{place}" for place in (1, *_PLACES))
_KEYS: Final = ", ".join(("is_apart", "meters", *_ALIKE, *_PIECES))
_COUNTED: Final = (
    "(SELECT json_object_agg(rung, n) "
    "FROM (SELECT rung, count(*) AS n FROM unnest({rungs}) AS rung GROUP BY rung) AS counted)"
)
_ADD_UP: Final = f"""
    SELECT {_KEYS},
        array_agg(attempt_id) FILTER (WHERE is_apart) AS apart,
        array_agg({rung_in_sql("taken")}) FILTER (WHERE error IS NULL AND state <> 'released')
            AS taken,
        array_agg({rung_in_sql("known_nanos")}) FILTER (WHERE error IS NULL
            AND cost_status NOT IN ('free', 'unknown')) AS spent,
        {", ".join(f"{each} AS sum_{n}" for n, each in enumerate(_SUMS))}
    FROM (
        SELECT *, {_MASK} AS meters, {_TAKEN} AS taken,
            coalesce(cardinality(piece), 99) > {1 + _LINES} AS is_apart,
            {", ".join(f"{_like(n)} AS piece_{n}" for n in (1, *_PLACES))}
        FROM attempts, string_to_array({_WRITTEN}, ',"quantity":') AS piece
        WHERE reserved_at >= %s AND reserved_at < %s
    ) AS attempt
    GROUP BY {_KEYS}
"""
_SLICES: Final = 6
"""Of the time asked for: the server cannot share out such a grouping between its processes, but
can give each of them some of several."""
_ADD_UP_ALL: Final = f"""
SELECT apart, {_COUNTED.format(rungs="taken")}, {_COUNTED.format(rungs="spent")}, meters,
    {", ".join((*_ALIKE, *_PIECES))}, {", ".join(f"sum_{n}" for n in range(len(_SUMS)))}
FROM ({"UNION ALL".join([_ADD_UP] * _SLICES)}) AS summed
"""
_EDGES: Final = """
SELECT min(reserved_at), max(reserved_at) FROM attempts WHERE reserved_at >= %s AND reserved_at < %s
"""
_APART: Final = f"SELECT {ENTRY_COLUMNS} FROM attempts WHERE attempt_id = ANY(%s)"
_PAGE: Final = 500

_PLAN: Final = """
SET LOCAL jit = off;
SET LOCAL enable_sort = off;
SET LOCAL work_mem = '64MB'
"""
"""The server takes the groups for far more than they are, and would sort all attempts."""


def read_cells(db: Connection[Any], *, since: float, until: float) -> list[Cell]:
    """Return what `fold` makes of the entries from `since` to before `until`.

    Call it in a transaction that sees one moment: it takes several statements.
    """
    db.execute(_PLAN)
    first, last = db.execute(_EDGES, (since, until)).fetchone() or (None, None)
    if first is None:
        return []
    inner = [first + (last - first) * part / _SLICES for part in range(1, _SLICES)]
    edges = [since, *inner, until]
    slices = [edge for pair in pairwise(edges) for edge in pair]
    rows = db.execute(_ADD_UP_ALL.encode(), slices).fetchall()
    if any(_has_finer(row[-_LINES:]) for row in rows):
        return fold(_all(db, since, until))
    cells = [_cell(row[1:]) for row in rows if row[0] is None]
    apart = [attempt_id for ids, *_ in rows if ids is not None for attempt_id in ids]
    return merge([*cells, *fold(_those(db, apart))])


def _has_finer(amounts: Sequence[Decimal | None]) -> bool:
    """Whether one of what was added up has more decimals than money has; `fold` rounds each.

    A cost made by hand may. A sum in Postgres has as many decimals as the one that has most.
    """
    return any(int((each or ZERO).as_tuple().exponent) < -9 for each in amounts)


def _all(db: Connection[Any], since: float, until: float) -> Iterator[Entry]:
    after = since, ""
    while page := read_page(db, after, until, _PAGE):
        yield from page
        after = page[-1].reserved_at, page[-1].attempt_id


def _those(db: Connection[Any], ids: Sequence[str]) -> Iterator[Entry]:
    for start in range(0, len(ids), _PAGE):
        rows = db.execute(_APART.encode(), (ids[start : start + _PAGE],)).fetchall()
        yield from map(entry_of, rows)


def _cell(row: Sequence[Any]) -> Cell:
    left = iter(row)

    def columns(number: int) -> list[Any]:
        return list(islice(left, number))

    taken, spent, mask = columns(3)
    alike = dict(zip(_ALIKE, columns(len(_ALIKE)), strict=True))
    pieces = tuple(each for each in columns(len(_PIECES)) if each is not None)
    attempts, calls, nanos, *unheard = (int(each or 0) for each in columns(6))
    used = dict(zip(_METERS, columns(len(_METERS)), strict=True))
    known = {name: int(used[name]) for place, name in enumerate(_METERS) if mask >> place & 1}
    quantities, amounts = columns(_LINES), columns(_LINES)
    certainty = alike.pop("cost_status")
    cost = _cost(pieces, is_unknown=certainty == "unknown")
    group = Group(
        **alike,
        session=None,
        currency=cost.currency,
        certainty=certainty,
        reason=cost.reason,
        meters=tuple(sorted(known)),
    )
    cell = Cell(group, attempts, calls, nanos, Counter(known))
    cell.milliseconds, cell.spent = _counts(taken), _counts(spent)
    cell.unheard = LineSum(unheard[0], unheard[1], known.get("unheard_seconds", 0), unheard[2])
    for place, line in enumerate(cost.lines):
        into = cell.lines.setdefault((line.meter, line.price), LineSum())
        into.attempts += attempts
        into.calls += calls
        into.quantity += int(quantities[place])
        into.nanos += nanodollars_of(amounts[place] or ZERO)
    return cell


def _counts(rungs: dict[str, int] | None) -> Counter[int]:
    return Counter({int(rung): count for rung, count in (rungs or {}).items()})


@lru_cache(maxsize=1024)
def _cost(pieces: tuple[str, ...], *, is_unknown: bool) -> Cost:
    """Return the cost put together again, without its figures."""
    written = ',"quantity":0,"amount":null,"price":'.join(pieces)
    cost = cost_of(None if is_unknown else 0, written)
    assert cost is not None  # noqa: S101 - there are pieces
    return cost
