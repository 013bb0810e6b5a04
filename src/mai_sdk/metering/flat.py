"""A row of a report as files without nesting have it: one value a column. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from mai_sdk.metering.usage import METERS

if TYPE_CHECKING:
    from mai_sdk.metering.report import Row

__all__ = ["COLUMNS", "flat"]

COLUMNS: Final[dict[str, Literal["count", "money", "seconds", "text"]]] = {
    "calls": "count",
    "attempts": "count",
    **dict.fromkeys(METERS, "count"),
    "usage_basis": "text",
    "cost": "money",
    "currency": "text",
    "cost_status": "text",
    "cost_at_least": "money",
    "wasted": "money",
    "wasted_status": "text",
    "repriced_attempts": "count",
    "repriced_before": "money",
    "repriced_after": "money",
    "p50_seconds": "seconds",
    "p95_seconds": "seconds",
    "p99_seconds": "seconds",
    "p50_cost": "money",
    "p95_cost": "money",
    "p99_cost": "money",
    "reason": "text",
}
"""In this order, after the columns the report is by."""


def flat(row: Row) -> dict[str, Any]:
    """Return the value of each of `COLUMNS`: None is unknown, or does not apply."""
    again = row.repriced
    return {
        "calls": row.calls,
        "attempts": row.attempts,
        **dict.fromkeys(METERS),
        **row.usage.meters(),
        "usage_basis": row.usage.basis,
        "cost": row.cost.amount,
        "currency": row.cost.currency,
        "cost_status": row.cost.status,
        "cost_at_least": row.cost.at_least,
        "wasted": row.wasted.amount,
        "wasted_status": row.wasted.status,
        "repriced_attempts": again and again.attempts,
        "repriced_before": again and again.before,
        "repriced_after": again and again.after,
        "p50_seconds": row.p50_seconds,
        "p95_seconds": row.p95_seconds,
        "p99_seconds": row.p99_seconds,
        "p50_cost": row.p50_cost,
        "p95_cost": row.p95_cost,
        "p99_cost": row.p99_cost,
        "reason": row.cost.reason,
    }
