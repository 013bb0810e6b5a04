"""A text that a regular expression matches, made the same way every time."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

__all__ = ["matching"]

# CPython's own parser: private, but the one grammar that is exactly what `re` accepts.
_parser: Any = importlib.import_module("re._parser")

_PRINTABLE = [chr(code) for code in range(33, 127)]
_CLASSES = {
    "CATEGORY_DIGIT": list("0123456789"),
    "CATEGORY_WORD": list("abcdefghijklmnopqrstuvwxyz0123456789_"),
    "CATEGORY_SPACE": [" "],
    "CATEGORY_NOT_DIGIT": list("abcdefghijklmnopqrstuvwxyz"),
    "CATEGORY_NOT_WORD": list("-.,:"),
    "CATEGORY_NOT_SPACE": list("abcdefghijklmnopqrstuvwxyz"),
}
_EXTRA_REPEATS = 3
"""How far above its minimum an open-ended repeat goes, at most."""


def matching(pattern: str, rng: Random) -> str:
    """Return a text the pattern matches from its start to its end.

    Look-arounds and conditionals are skipped over, so a pattern that leans on them may not match.

    Raises:
        ValueError: The pattern is not one Python can read.
    """
    try:
        parsed = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"The pattern {pattern!r} cannot be read: {error}.") from None
    return _sequence(parsed, rng, {})


def _sequence(parsed: Any, rng: Random, groups: dict[int, str]) -> str:
    return "".join(_node(str(kind), value, rng, groups) for kind, value in parsed)


def _node(kind: str, value: Any, rng: Random, groups: dict[int, str]) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = value
        times = rng.randint(low, min(int(high), low + _EXTRA_REPEATS))
        return "".join(_sequence(inner, rng, groups) for _ in range(times))
    if kind == "SUBPATTERN":
        text = _sequence(value[3], rng, groups)
        if value[0] is not None:
            groups[value[0]] = text
        return text
    if kind == "BRANCH":
        return _sequence(rng.choice(value[1]), rng, groups)
    if kind == "ATOMIC_GROUP":
        return _sequence(value, rng, groups)
    if kind == "GROUPREF":
        return groups.get(value, "")
    return _one_character(kind, value, rng)


def _one_character(kind: str, value: Any, rng: Random) -> str:
    if kind == "ANY":
        return rng.choice("abcdefghijklmnopqrstuvwxyz")
    if kind == "NOT_LITERAL":
        return rng.choice([c for c in _PRINTABLE if ord(c) != value])
    if kind == "IN":
        return rng.choice(_members(value))
    return ""  # an anchor or a look-around: no character of its own


def _members(items: Any) -> list[str]:
    found: list[str] = []
    negated = False
    for kind, value in items:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found.append(chr(value))
        elif name == "RANGE":
            found.extend(chr(code) for code in range(value[0], min(value[1], value[0] + 200) + 1))
        elif name == "CATEGORY":
            found.extend(_CLASSES.get(str(value), []))
    if negated:
        return [c for c in _PRINTABLE if c not in found] or [" "]
    return found
