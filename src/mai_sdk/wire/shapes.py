"""JSON that may have any shape, taken for what it should be. No I/O.

Parsed JSON has exact classes, so the class is compared: type checkers then keep `Any`.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import from_json

__all__ = ["as_count", "as_int", "as_list", "as_object", "as_text", "parsed"]


def parsed(body: bytes) -> Any:
    """Return the parsed body, or None where it is no JSON; NaN and infinity are none."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        return None


def as_object(value: Any) -> dict[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if value.__class__ is dict else {}


def as_list(value: Any) -> list[Any]:
    """Return the value if it is a JSON list, else an empty one."""
    return value if value.__class__ is list else []


def as_text(value: Any) -> str | None:
    """Return the value if it is a text with something in it, else None."""
    return value if isinstance(value, str) and value else None


_MOST: Final = 10**12
"""Of anything a call can use: 30 years of audio in milliseconds, or a hundred million dollars."""


def as_count(value: Any) -> int | None:
    """Return the value if that much can have been counted, else None.

    More than any call uses is nonsense, which neither a price nor a ledger could hold.
    """
    return value if value.__class__ is int and 0 <= value <= _MOST else None


def as_int(value: Any, *, default: int) -> int:
    """Return the value if it is a whole number, else the default."""
    return value if value.__class__ is int else default
