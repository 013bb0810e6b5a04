"""The voices and styles that are known offline: `voices.toml`, read once.

A memory, not a gate: a voice that is not here may be asked for everywhere.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from mai_sdk.value import Value

__all__ = ["KnownVoice", "known_styles", "known_voices"]


class KnownVoice(Value):
    """One speaker of one locale, as one source lists it."""

    name: str
    """What to pass as `voice`: "en-US-Harper"."""
    locale: str
    speaker: str
    gender: str | None
    """"Female" or "Male", where a source says so."""
    models: tuple[str, ...]
    """The models the source lists it for."""
    styles: tuple[str, ...]
    """The styles listed for those models; not every voice need know every one."""
    source: str
    checked: date
    note: str | None = None


@cache
def known_voices() -> tuple[KnownVoice, ...]:
    """Return all of them, in the order of the file."""
    tables = _tables()
    return tuple(
        KnownVoice(
            name=f"{locale}-{speaker}",
            locale=locale,
            speaker=speaker,
            gender=tables["gender"].get(speaker),
            models=tuple(row["models"]),
            styles=known_styles(row["models"][0]),
            source=tables["sources"][row["source"]],
            checked=row.get("checked", tables["checked"]),
            note=row.get("note"),
        )
        for row in tables["voices"]
        for locale, speakers in row["speakers"].items()
        for speaker in speakers
    )


@cache
def known_styles(model: str) -> tuple[str, ...]:
    """Return the styles listed for that model, each once."""
    listed = [
        name
        for row in _tables()["styles"]
        if model.casefold() in map(str.casefold, row["models"])
        for name in row["names"]
    ]
    return tuple(dict.fromkeys(listed))


@cache
def _tables() -> dict[str, Any]:
    text = Path(__file__).with_name("voices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
