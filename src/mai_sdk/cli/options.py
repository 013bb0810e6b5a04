"""What the text of an option means: tags, times, lists. No I/O but the clock, for "7d"."""

from __future__ import annotations

import argparse
import math
import re
from datetime import UTC, datetime, timedelta

__all__ = ["day", "names", "one_tag", "port", "positive", "positive_int"]

_AGO = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def one_tag(text: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no tag: write KEY=VALUE, as team=search")
    return key.strip(), value


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list separated by commas."""
    found = tuple(name for part in text.split(",") if (name := part.strip()))
    if not found:
        raise argparse.ArgumentTypeError("name at least one key, as model or day")
    return found


def day(text: str) -> datetime:
    """Return the moment meant: a date, a date and time (UTC if no zone is given), or "7d" ago."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 2026-11-01, 2026-11-01T08:00, or 7d for a week ago"
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def positive(text: str) -> float:
    """Return a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def positive_int(text: str) -> int:
    """Return a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def port(text: str) -> int:
    """Return a port's number; 0 is any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)
