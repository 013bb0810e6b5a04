"""The rows of a report: which cells belong together, and what they come to. No I/O."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from mai_sdk.metering.cells import VOICE_METERS, Cell, Group, merge
from mai_sdk.metering.cost import Cost, CostStatus, join_reasons
from mai_sdk.metering.covered import Covered, under_plans
from mai_sdk.metering.ladder import percentile
from mai_sdk.metering.money import add_money, from_nanodollars
from mai_sdk.metering.report import Repriced, Row, Share, Waste
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from mai_sdk.metering.plans import Plan
    from mai_sdk.metering.report import WasteKind

__all__ = ["KEYS", "Grouping"]

_TAG: Final = "tag:"
_READERS: Final[dict[str, Callable[[Group], str | None]]] = {
    "model": lambda group: group.model,
    "modality": lambda group: group.modality,
    "day": lambda group: group.day,
    "deployment": lambda group: group.deployment,
    "surface": lambda group: group.surface,
    "session": lambda group: group.session,
    "status": lambda group: None if group.status is None else str(group.status),
}
_METER: Final = "meter"
KEYS: Final = (*_READERS, _METER)
"""What rows can be made by, besides tag:<name>."""

_STATUSES: Final[tuple[CostStatus, ...]] = (
    "exact",
    "estimated",
    "lower_bound",
    "unknown",
    "free",
)
_CUT_OFF: Final = frozenset(
    {"Abandoned", "StreamTruncated", "CancelledError", "GeneratorExit", "KeyboardInterrupt"}
)
_UNHEARD: Final = (
    "Voice nobody heard is reckoned as its part of what the whole voice cost, by seconds."
)
_ENOUGH_FOR_P99: Final = 100
_REASONS: Final = 5
_ANY: Final = Group(
    day="",
    modality="",
    model=None,
    deployment=None,
    surface="",
    tags="{}",
    session=None,
    status=None,
    error=None,
    currency="",
    certainty="free",
    reason=None,
    basis="reported",
    meters=(),
)
_TOLD_APART: Final = ("currency", "certainty", "reason", "basis", "meters")
"""What of a group matters inside a row, besides whether it failed."""


class _Piece(NamedTuple):
    """A cell, or what of it is one meter's."""

    cell: Cell
    meter: str | None = None


class _Part(NamedTuple):
    """Cells added up, with their cost made once."""

    cell: Cell
    cost: Cost


class Grouping:
    """The cells of one report, ready to be put together in any way."""

    def __init__(
        self, cells: Iterable[Cell], *, tags: Mapping[str, str], plans: Sequence[Plan] = ()
    ) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        wanted = tags.items()
        chosen = [cell for cell in merge(cells) if wanted <= self._tags_of(cell.group).items()]
        self.covered: dict[str, Covered] = {}
        """What plans have paid for, by their names; it is free here."""
        if plans:
            free, self.covered = under_plans(chosen, plans)
            chosen = merge(free)
        chosen.sort(key=lambda cell: repr(cell.group))  # the same order, whoever added them up
        self._cells = chosen
        used = Counter[str]()
        for cell in chosen:
            if cell.has_money:
                used[cell.group.currency] += cell.attempts
        self._home = min(used, key=lambda currency: (-used[currency], currency), default="USD")
        """Where attempts without money are counted: the currency of the most attempts."""

    def rows(self, by: Sequence[str]) -> tuple[Row, ...]:
        """Return one row for each combination of what `by` names, dearest first.

        Raises:
            ValueError: A key is none of those there are.
        """
        readers = [self._reader(key) for key in by]
        if _METER in by:
            pieces = [piece for cell in self._cells for piece in _by_meter(cell)]
        else:
            pieces = [_Piece(cell) for cell in self._cells]
        groups: dict[tuple[str | None, ...], list[Cell]] = defaultdict(list)
        for piece in pieces:
            key = (self._currency(piece.cell), *(read(piece) for read in readers))
            groups[key].append(piece.cell)
        made = [
            _row(dict(zip(by, named, strict=True)), found, currency=str(currency))
            for (currency, *named), found in groups.items()
        ]
        made.sort(key=lambda row: [key or "" for key in row.keys.values()])
        made.sort(key=lambda row: row.cost.at_least, reverse=True)
        return tuple(made)

    def totals(self) -> tuple[Row, ...]:
        """Return a row for each currency; one over nothing if there are no cells."""
        groups: dict[str, list[Cell]] = defaultdict(list)
        for cell in self._cells:
            groups[self._currency(cell)].append(cell)
        return tuple(_row({}, groups[each], currency=each) for each in self._ranked(groups)) or (
            _row({}, [], currency=self._home),
        )

    def _ranked(self, currencies: Iterable[str]) -> list[str]:
        return sorted(currencies, key=lambda each: (each != self._home, each))

    def _reader(self, key: str) -> Callable[[_Piece], str | None]:
        if key.startswith(_TAG) and key != _TAG:
            name = key.removeprefix(_TAG)
            return lambda piece: self._tags_of(piece.cell.group).get(name)
        if key == _METER:
            return lambda piece: piece.meter
        if key not in _READERS:
            raise ValueError(
                f"A report cannot be made by {key!r}: use {', '.join(KEYS)} or tag:<name>."
            )
        read = _READERS[key]
        return lambda piece: read(piece.cell.group)

    def _tags_of(self, group: Group) -> dict[str, str]:
        if group.tags not in self._tags:
            self._tags[group.tags] = cast("dict[str, str]", json.loads(group.tags))
        return self._tags[group.tags]

    def _currency(self, cell: Cell) -> str:
        return cell.group.currency if cell.has_money else self._home


def _by_meter(cell: Cell) -> list[_Piece]:
    """Return what each meter has of the cell, and what none has."""
    made: dict[str, Cell] = {}
    for (meter, price), line in cell.lines.items():
        group = cell.group._replace(meters=(meter,))
        if price is not None and group.certainty == "unknown":
            known = _sureness(group, basis=price.basis)
            group = group._replace(certainty=known, reason=None)
        elif price is None:
            group = group._replace(certainty="unknown")
        part = made.setdefault(meter, Cell(group))
        if group.certainty == "unknown":
            part.group = group
        part.lines[meter, price] = line
        part.attempts += line.attempts
        part.calls += line.calls
        part.nanos += line.nanos
        part.used[meter] += line.quantity
    voice = next((meter for meter in VOICE_METERS if meter in made), None)
    if voice is not None:
        made[voice].unheard = cell.unheard
    pieces = [_Piece(part, meter) for meter, part in made.items()]
    left = cell.nanos - sum(part.nanos for part in made.values())
    if not made:
        pieces.append(_Piece(cell))
    elif left > 0:
        pieces.append(_Piece(Cell(cell.group, nanos=left)))
    return pieces


def _sureness(group: Group, *, basis: str) -> CostStatus:
    """Return how sure the cost of a meter with a price is, where another one makes it unknown."""
    if group.basis == "reported" and basis == "list":
        return "exact"
    return "lower_bound" if group.basis == "lower_bound" else "estimated"


def _kind_of_failure(group: Group) -> WasteKind:
    cut = group.error in _CUT_OFF or group.basis == "lower_bound"
    return "interrupted" if cut else "failed"


def _alike(cells: Iterable[Cell]) -> list[_Part]:
    """Return the cells added up as far as a row has no need to tell them apart."""
    sums: dict[tuple[object, ...], Cell] = {}
    for cell in cells:
        group = cell.group
        waste = None if group.error is None else _kind_of_failure(group)
        alike = (waste, *(getattr(group, name) for name in _TOLD_APART))
        if alike not in sums:
            told = {name: getattr(group, name) for name in _TOLD_APART}
            sums[alike] = Cell(_ANY._replace(error=waste, **told))
        sums[alike].add(cell)
    return [_Part(cell, cell.cost) for cell in sums.values()]


def _row(keys: dict[str, str | None], cells: Iterable[Cell], *, currency: str) -> Row:
    parts = _alike(cells)
    times, spent = Counter[int](), Counter[int]()
    for part in parts:
        times.update(part.cell.milliseconds)
        spent.update(part.cell.spent)
    waste = _waste(parts)
    by_percent: dict[str, Any] = {}
    for percent in 50, 95, 99:
        enough = percent < 99 or sum(times.values()) >= _ENOUGH_FOR_P99
        taken = percentile(times, percent) if enough else None
        by_percent[f"p{percent}_seconds"] = None if taken is None else taken / 1000
        enough = percent < 99 or sum(spent.values()) >= _ENOUGH_FOR_P99
        nanos = percentile(spent, percent) if enough else None
        by_percent[f"p{percent}_cost"] = None if nanos is None else from_nanodollars(nanos)
    return Row(
        keys=keys,
        calls=sum(part.cell.calls for part in parts),
        attempts=sum(part.cell.attempts for part in parts),
        usage=Usage.sum(part.cell.usage for part in parts),
        cost=_together(parts).model_copy(update={"currency": currency}),
        wasted=Cost.sum(each.cost for each in waste),
        waste=waste,
        shares=_shares(parts),
        repriced=_repriced(parts),
        **by_percent,
    )


def _together(parts: Sequence[_Part]) -> Cost:
    """Return the sum, with the reasons of most attempts; there may be one for every model."""
    whole = Cost.sum(part.cost.model_copy(update={"reason": None}) for part in parts)
    reasons = Counter[str]()
    for part in parts:
        if part.cost.status == whole.status and part.cost.reason:
            reasons[part.cost.reason] += part.cell.attempts
    told = sorted(reasons, key=lambda reason: (-reasons[reason], reason))[:_REASONS]
    if len(reasons) > _REASONS:
        told.append(f"And {len(reasons) - _REASONS:,} more reasons, for fewer attempts each.")
    return whole.model_copy(update={"reason": join_reasons(told)})


def _waste(parts: Sequence[_Part]) -> tuple[Waste, ...]:
    failed: dict[WasteKind, list[_Part]] = {"failed": [], "interrupted": []}
    unheard: list[Cell] = []
    for part in parts:
        group = part.cell.group
        if group.error is not None:
            failed["interrupted" if group.error == "interrupted" else "failed"].append(part)
        elif part.cell.unheard.attempts:
            unheard.append(part.cell)
    made = [
        Waste(
            kind=kind,
            attempts=sum(part.cell.attempts for part in found),
            cost=_together(found),
        )
        for kind, found in failed.items()
        if found
    ]
    return (*made, _unheard(unheard)) if unheard else tuple(made)


def _unheard(cells: Sequence[Cell]) -> Waste:
    sums = [cell.unheard for cell in cells]
    amount = from_nanodollars(sum(each.nanos for each in sums))
    attempts = sum(each.attempts for each in sums)
    whole = sum(each.calls for each in sums) == attempts
    money = next((cell.group.currency for cell in cells if cell.has_money), "USD")
    return Waste(
        kind="unheard",
        attempts=attempts,
        seconds=sum(each.quantity for each in sums),
        cost=Cost(
            amount=amount if whole else None,
            known=None if whole else amount,
            currency=money,
            status="estimated" if whole else "unknown",
            reason=_UNHEARD if whole else f"{_UNHEARD} For some of it no price is known.",
        ),
    )


def _repriced(parts: Sequence[_Part]) -> Repriced | None:
    cells = [part.cell for part in parts if part.cell.repriced]
    if not cells:
        return None
    before = from_nanodollars(sum(cell.repriced_from for cell in cells))
    return Repriced(
        attempts=sum(cell.repriced for cell in cells),
        before=None if any(cell.foreign for cell in cells) else before,
        after=from_nanodollars(sum(cell.repriced_to for cell in cells)),
    )


def _shares(parts: Sequence[_Part]) -> tuple[Share, ...]:
    by_status: dict[CostStatus, list[_Part]] = {status: [] for status in _STATUSES}
    for part in parts:
        by_status[part.cost.status].append(part)
    return tuple(
        Share(
            status=status,
            attempts=sum(part.cell.attempts for part in found),
            amount=add_money(part.cost.at_least for part in found),
            at_most=_at_most(found),
        )
        for status, found in by_status.items()
        if found
    )


def _at_most(parts: Sequence[_Part]) -> Decimal | None:
    nanos = 0
    for part in parts:
        cell = part.cell
        if part.cost.status == "unknown":
            if cell.bounded < cell.attempts:
                return None
            nanos += max(cell.bound_nanos, cell.nanos)
        elif part.cost.status == "lower_bound":
            return None
        else:
            nanos += cell.nanos
    return from_nanodollars(nanos)
