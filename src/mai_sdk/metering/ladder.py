"""Numbers put on rungs at most 2 % apart, so that percentiles of millions need a short list.

A percentile of counted rungs is that of the numbers, rounded down by at most 2 %. No I/O.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LADDER", "percentile", "rung", "rung_in_sql"]

_TOP: Final = 10**15

LADDER: Final[tuple[tuple[int, int], ...]] = (
    (100, 1),
    *(
        (end * 10**decade, 10**decade // parts)
        for decade in range(2, 15)
        for end, parts in ((2, 50), (5, 25), (10, 10))
    ),
)
"""Up to each limit, the distance of the rungs below it."""

_LIMITS: Final = [limit for limit, _ in LADDER]


def rung(number: int) -> int:
    """Return the rung at or below `number`; what is below 0 or above 10^15 is put there."""
    if number >= _TOP:
        return _TOP
    step = LADDER[bisect_right(_LIMITS, number)][1]
    return max(number, 0) // step * step


def rung_in_sql(number: str) -> str:
    """Return the SQL that does the same to the expression `number`, a column's name."""
    cases = " ".join(f"WHEN {number} < {end} THEN {number} / {by} * {by}" for end, by in LADDER[1:])
    return (
        f"CASE WHEN {number} < 0 THEN 0 WHEN {number} < 100 THEN {number} {cases} ELSE {_TOP} END"
    )


def percentile(counts: Mapping[int, int], percent: int) -> int | None:
    """Return the smallest number that `percent` of those counted do not exceed (nearest rank)."""
    left = -(-sum(counts.values()) * percent // 100)  # rounded up
    for number in sorted(counts):
        left -= counts[number]
        if left <= 0:
            return number
    return None
