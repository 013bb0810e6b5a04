"""What the headers of an answer say: its id, and how long to wait. No I/O, no clock.

Header names are lower-case here; the caller sees to that.
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["request_id", "retry_after"]

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]*)?|\.[0-9]+")
_IDS = ("apim-request-id", "x-ms-request-id", "x-request-id")
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the service's id for the request, to be quoted to its support; None if it has none."""
    for name in _IDS:
        value = headers.get(name)
        if value:
            return value
    return None


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return how many seconds the service asks to wait, from `now` (seconds since 1970).

    Without `now` a date is measured against the answer's own `date` header, which no skew between
    two clocks can falsify.

    The longest of all valid hints, since Azure sends several that disagree. A date in the past is
    0. What is no finite number and no date is no hint.
    """
    hints = [_number(headers.get(name, "")) for name in _MILLISECONDS]
    waits = [hint / 1000 for hint in hints if hint is not None]
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is None and (until := _date(value)) is not None:
        since = now if now is not None else _date(headers.get("date", ""))
        seconds = None if since is None else max(0.0, until - since)
    if seconds is not None:
        waits.append(seconds)
    return max(waits, default=None)


def _number(value: str) -> float | None:
    # A header sent twice arrives joined with a comma; so does one half of a date, hence "all".
    parts = [part.strip() for part in value.split(",")]
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return max(float(part) for part in parts)


def _date(value: str) -> float | None:
    try:
        when = parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return when.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
