"""The price book: dated rows from `prices.toml`, and the user's overlay on top of them.

This file reads; what a row means for a call is in `tariff`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import ValidationError

from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.cost import ALWAYS, Cost, Price
from mai_sdk.metering.money import read_money
from mai_sdk.metering.plans import Plan, read_plans
from mai_sdk.metering.rates import rate_for
from mai_sdk.metering.tariff import Tariff
from mai_sdk.metering.usage import METERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.metering.usage import Usage

__all__ = ["PriceBook"]

_PACKAGED: Final = Path(__file__).with_name("prices.toml")
_NO_MODEL: Final = (
    "The route does not say which model this deployment is: set model=... on it to the catalog's "
    "name, so that a price can be looked up."
)
_UNIT = re.compile(r"(\d+)([KM]?) ([a-z]+?)s?")
_MANY: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_IN_BASE: Final = {"hour": ("seconds", 3600), "minute": ("seconds", 60)}
_REQUIRED: Final = ("model", "meter", "price", "unit")
_CACHED_TARIFFS: Final = 1024


class PriceBook:
    """What models cost, by day and surface. Reads files when it is loaded, and never again."""

    def __init__(
        self,
        rows: tuple[Price, ...],
        *,
        overlay: tuple[Price, ...] = (),
        plans: tuple[Plan, ...] = (),
    ) -> None:
        self._rows = rows
        self._overlay = overlay
        self.plans = plans
        """What is paid by the hour, as the overlay has it."""
        self._tariffs: dict[tuple[str, str, date], Tariff] = {}

    @property
    def overlay(self) -> tuple[Price, ...]:
        """The user's own rows, which go before the packaged ones."""
        return self._overlay

    @property
    def packaged(self) -> tuple[Price, ...]:
        """The rows this version came with."""
        return self._rows

    @classmethod
    def load(cls, *, overlay: str | Path | Mapping[str, Any] | None = None) -> PriceBook:
        """Return the packaged prices, with `overlay` before them.

        An overlay row needs `model`, `meter`, `price` (text, so that no digit is lost) and
        `unit`; it holds on every surface and day it does not exclude, and beats every packaged
        row of that model and meter. Its cost is exact unless its `basis` says otherwise.

        Args:
            overlay: The path of a TOML file with `[[prices]]` tables, or {"prices": [...]}; and
                `[[plans]]`, for what is paid by the hour.

        Raises:
            ConfigurationError: The overlay cannot be read, or a row of it cannot be used.
        """
        if overlay is None:
            return _packaged_book()
        if isinstance(overlay, Mapping):
            table, origin = overlay, "price overlay"
        else:
            path = Path(overlay).expanduser()
            table, origin = _read(path), path.name
        return cls(
            _packaged_rows(),
            overlay=tuple(_rows_of(table, origin=origin)),
            plans=tuple(read_plans(table.get("plans", ()), origin=origin)),
        )

    def price(self, model: str | None, usage: Usage, *, surface: str, on: date) -> Cost:
        """Return what `usage` of `model` costs at the prices of the day `on` (UTC).

        Never raises and never guesses: what has no price makes the cost unknown, with the reason.
        It is exact if the service reported its usage and Microsoft's list has every price. Where
        the model has a price for cached input and the service did not report any figure for it,
        all input is priced in full, and the cost is an estimate that can only be too high.
        """
        if model is None:
            return Cost.unknown(_NO_MODEL)
        tariff = self._tariffs.get((model, surface, on)) or self._tariff(model, surface, on)
        return tariff.cost(usage)

    def upper_bound(self, model: str | None, usage: Usage, *, surface: str, on: date) -> Cost:
        """Return the most a call can cost that uses at most `usage`, for a reservation.

        Nothing cached, each meter at its dearest price; unknown where a meter has no limit.
        """
        if model is None:
            return Cost.unknown(_NO_MODEL)
        return self._tariff(model, surface, on).upper_bound(usage)

    def used(self, model: str, *, surface: str, on: date) -> tuple[Price, ...]:
        """Return the row used for each meter of the model, on that surface and day."""
        return tuple(rate.price for rate in self._tariff(model, surface, on).rates.values())

    def rows(self, model: str | None = None, *, on: date | None = None) -> tuple[Price, ...]:
        """Return every row, the overlay's first, claims and conflicting ones included.

        Args:
            model: Only of this model.
            on: Only those that hold on this day.
        """
        day = on.isoformat() if on else None
        return tuple(
            row
            for row in (*self._overlay, *self._rows)
            if (model is None or _same(row.model, model))
            and (day is None or row.valid_from <= day <= (row.valid_until or day))
        )

    def _tariff(self, model: str, surface: str, on: date) -> Tariff:
        key = (model, surface, on)
        tariff = self._tariffs.get(key)
        if tariff is None:
            if len(self._tariffs) >= _CACHED_TARIFFS:
                self._tariffs.clear()
            tariff = self._tariffs[key] = self._look_up(model, surface, on)
        return tariff

    def _look_up(self, model: str, surface: str, on: date) -> Tariff:
        ours = [row for row in self._rows if _same(row.model, model)]
        theirs = [row for row in self._overlay if _same(row.model, model)]
        rates = {
            meter: rate
            for meter in dict.fromkeys(row.meter for row in (*theirs, *ours))
            if (
                rate := rate_for(
                    (row for row in ours if row.meter == meter),
                    overlay=(row for row in theirs if row.meter == meter),
                    surface=surface,
                    on=on,
                )
            )
        }
        usable = [row for row in (*theirs, *ours) if row.surface in {None, surface}]
        spans = {
            row.meter: f"from {row.valid_from}"
            + (f" until {row.valid_until}" if row.valid_until else "")
            for row in usable
            if row.basis != "claim" and row.meter not in rates
        }
        return Tariff(model, surface=surface, on=on, rates=rates, spans=spans)


def _same(a: str, b: str) -> bool:
    return a.casefold() == b.casefold()


@cache
def _packaged_rows() -> tuple[Price, ...]:
    return tuple(_rows_of(_read(_PACKAGED), origin=_PACKAGED.name))


@cache
def _packaged_book() -> PriceBook:
    return PriceBook(_packaged_rows())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigurationError(
            f"The price overlay {path} could not be read ({error.strerror}). Check the path."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The price overlay {path} is not valid TOML: {error}.") from None


def _rows_of(table: Mapping[str, Any], *, origin: str) -> Iterator[Price]:
    rows = table.get("prices", ())
    if not isinstance(rows, list | tuple) or not table or set(table) - {"prices", "plans"}:
        raise ConfigurationError(
            f"The {origin} should hold [[prices]] and [[plans]] tables and nothing else, but "
            f"holds {', '.join(sorted(table)) or 'nothing'}."
        )
    for number, row in enumerate(cast("list[Any]", rows), start=1):
        where = f"Row {number} of the {origin}"
        try:
            yield from _prices_of(row, source=f"the {origin}")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            named = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(f"{where} has no usable {named}: {first['msg']}.") from None
        except ValueError as error:
            raise ConfigurationError(f"{where} cannot be used: {error}") from None


def _prices_of(row: Any, *, source: str) -> Iterator[Price]:
    """Yield the row once for each surface it names."""
    if not isinstance(row, Mapping):
        raise ValueError("it is not a table.")  # noqa: TRY004 - becomes a ConfigurationError
    fields: dict[str, Any] = dict(cast("Mapping[str, Any]", row))
    lacking = [name for name in _REQUIRED if name not in fields]
    if lacking:
        raise ValueError(f"it lacks {', '.join(lacking)}.")
    meter, unit = str(fields["meter"]), str(fields.pop("unit"))
    surface = fields.pop("surface", None)
    fields = {"valid_from": ALWAYS, "source": source, "checked": "not said", **fields}
    fields["amount"] = read_money(fields.pop("price"))
    fields["per"] = _per(unit, meter=meter)
    fields["checked"] = str(fields["checked"])
    for name in fields.keys() & {"valid_from", "valid_until"}:
        fields[name] = _day(fields[name])
    surfaces = cast("list[str | None]", surface if isinstance(surface, list) else [surface])
    for each in surfaces:
        yield Price(surface=each, unit=unit, **fields)


def _per(unit: str, *, meter: str) -> int:
    """Return how many of the meter's own unit one `unit` is: "1M tokens" is 1,000,000."""
    if meter not in METERS:
        raise ValueError(f"there is no meter {meter!r}; the meters are {', '.join(METERS)}.")
    match = _UNIT.fullmatch(unit)
    base, size = ("", 0)
    if match:
        noun = match[3]
        base, size = _IN_BASE.get(noun, (f"{noun}s", 1))
        size *= int(match[1]) * _MANY[match[2]]
    if base != METERS[meter].unit or size == 0:
        raise ValueError(
            f"{unit!r} is no unit for {meter}, which is counted in {METERS[meter].unit}: "
            f'write "1M tokens", "1M characters", "1 hour" or "1 image".'
        )
    return size


def _day(value: object) -> str:
    day = value if isinstance(value, date) else date.fromisoformat(str(value))
    return day.isoformat()[:10]
