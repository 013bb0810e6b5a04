"""A report as a Parquet file (extra `[parquet]`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.usage import METERS
from mai_sdk.metering.whole_file import whole_file

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from mai_sdk.metering.report import Report, Row

__all__ = ["write"]

_MONEY: Final = ("cost", "cost_at_least", "wasted", "p50_cost", "p95_cost", "p99_cost")
_SECONDS: Final = ("p50_seconds", "p95_seconds", "p99_seconds")
_COUNTS: Final = ("calls", "attempts", *METERS)
_TEXTS: Final = ("usage_basis", "currency", "cost_status", "wasted_status", "reason")


def write(report: Report, path: str | Path) -> None:
    """Write the rows to `path`; unknown is null, money decimal128(38, 9).

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidRequest: Nothing can be written there.
    """
    arrow, parquet = _pyarrow()
    money = arrow.decimal128(38, 9)
    columns: dict[str, tuple[Any, list[Any]]] = {
        key: (arrow.string(), [row.keys[key] for row in report.rows]) for key in report.by
    }
    types = (
        (_COUNTS, arrow.int64()),
        (_MONEY, money),
        (_SECONDS, arrow.float64()),
        (_TEXTS, arrow.string()),
    )
    cells = [_cells(row) for row in report.rows]
    for names, kind in types:
        columns |= {name: (kind, [each[name] for each in cells]) for name in names}
    table = arrow.table(
        {name: arrow.array(values, type=kind) for name, (kind, values) in columns.items()}
    )
    with whole_file(path) as file:
        parquet.write_table(table, file)


def _cells(row: Row) -> dict[str, Any]:
    meters = row.usage.meters()
    counts: dict[str, int | None] = {meter: meters.get(meter) for meter in METERS}
    amounts: dict[str, Decimal | None] = {
        "cost": row.cost.amount,
        "cost_at_least": row.cost.at_least,
        "wasted": row.wasted.amount,
        "p50_cost": row.p50_cost,
        "p95_cost": row.p95_cost,
        "p99_cost": row.p99_cost,
    }
    return {
        **counts,
        **amounts,
        "calls": row.calls,
        "attempts": row.attempts,
        "p50_seconds": row.p50_seconds,
        "p95_seconds": row.p95_seconds,
        "p99_seconds": row.p99_seconds,
        "usage_basis": row.usage.basis,
        "currency": row.cost.currency,
        "cost_status": row.cost.status,
        "wasted_status": row.wasted.status,
        "reason": row.cost.reason,
    }


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError(
            "A Parquet file needs pyarrow, which is not installed: pip install 'mai-sdk[parquet]'."
        ) from None
