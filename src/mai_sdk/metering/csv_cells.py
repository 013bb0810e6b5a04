"""Text in CSV that a spreadsheet is to show and not to run. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["shown", "shown_row"]

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def shown(text: str | None) -> str | None:
    """Return `text` so that no spreadsheet takes it for a formula: with an apostrophe before it.

    A tag or a name may be a stranger's. JSON and Parquet have it as it is. A carriage return, which
    Python before 3.13 does not quote, becomes a space, so that a row stays one.
    Source: owasp.org/www-community/attacks/CSV_Injection, read 2026-11-25.
    """
    if not text:
        return text
    guard = "'" if text.startswith(_FORMULAS) else ""
    return guard + text.replace("\r", " ")


def shown_row(row: Mapping[str, str]) -> dict[str, str | None]:
    """Return all cells of a row so."""
    return {name: shown(text) for name, text in row.items()}
