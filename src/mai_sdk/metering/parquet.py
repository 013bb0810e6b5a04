"""A report as a Parquet file (extra `[parquet]`)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.flat import COLUMNS, flat
from mai_sdk.metering.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from mai_sdk.metering.report import Report

__all__ = ["write"]


def write(report: Report, path: str | Path) -> None:
    """Write the rows to `path`; unknown is null, money decimal128(38, 9).

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidRequest: Nothing can be written there.
    """
    arrow, parquet = _pyarrow()
    kinds = {
        "count": arrow.int64(),
        "money": arrow.decimal128(38, 9),
        "seconds": arrow.float64(),
        "text": arrow.string(),
    }
    columns: dict[str, tuple[Any, list[Any]]] = {
        key: (kinds["text"], [row.keys[key] for row in report.rows]) for key in report.by
    }
    cells = [flat(row) for row in report.rows]
    for name, kind in COLUMNS.items():
        columns[name] = kinds[kind], [each[name] for each in cells]
    table = arrow.table(
        {name: arrow.array(values, type=kind) for name, (kind, values) in columns.items()}
    )
    with whole_file(path) as file:
        parquet.write_table(table, file)


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError(
            "A Parquet file needs pyarrow, which is not installed: pip install 'mai-sdk[parquet]'."
        ) from None
