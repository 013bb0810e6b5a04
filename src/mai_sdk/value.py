"""The base of every value that users hold: frozen, and compared by what it says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Value"]


class Value(BaseModel):
    """A frozen value. Made once, never changed, safe to share between threads."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
