"""The receipt of a call: every attempt, what it used, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.money import write_money
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value

__all__ = ["Attempt", "AttemptState", "Receipt", "Timing"]

AttemptState = Literal[
    "reserved", "sent", "settled_exact", "settled_estimated", "released", "unknown"
]
"""reserved: written before anything was sent. sent: an answer has begun. settled_exact: the service
said what it used. settled_estimated: we had to count. released: nothing ran, nothing is owed.
unknown: it may have run; the upper bound stands."""


class Timing(Value):
    """Seconds from the start of the call, on a monotonic clock; None for what never came."""

    queued: float = 0.0
    """Spent waiting before the (last) request went out: retries and pauses."""
    first_byte: float | None = None
    first_content: float | None = None
    """To the first piece of answer or thought; equals `first_byte` for a whole answer."""
    total: float = 0.0


class Attempt(Value):
    """One request that was, or may have been, sent."""

    id: str
    number: int
    """1 for the first."""
    state: AttemptState
    usage: Usage
    cost: Cost
    status: int | None = None
    """The HTTP status, if an answer came."""
    error: str | None = None
    """The class name of what went wrong, if anything."""
    request_id: str | None = None
    seconds: float = 0.0


class Receipt(Value):
    """What one call used and cost, over all its attempts."""

    call_id: str
    model: str | None
    deployment: str | None
    surface: str
    attempts: tuple[Attempt, ...]
    usage: Usage
    """The sum over the attempts."""
    cost: Cost
    """The sum over the attempts, as weak as its weakest."""
    unrecorded: str | None = None
    """Why the ledger does not have all of this, where it could not be written; None if it has."""
    modality: str | None = None
    """The kind of work: "reasoning", "image"...; None on a receipt over several calls."""
    verb: str | None = None
    """The method that was called; None on a receipt over several calls."""
    tags: Mapping[str, str] = Field(default_factory=dict[str, str])
    """The labels of the call, those of its client included."""
    session: str | None = None
    """The id of the session that the call was a turn of."""

    def explain(self) -> str:
        """Return how the cost came about: each attempt, its meters, rates, sources, rounding."""
        what = self.model or "a model the route does not name"
        count = len(self.attempts)
        text = [
            f"Call {self.call_id}: {what} on {self.surface}"
            + (f", deployment {self.deployment}" if self.deployment else ""),
            f"{count} attempt{'' if count == 1 else 's'}, {self.cost}",
        ]
        for attempt in self.attempts:
            text += _attempt_lines(attempt)
        if any(line.price for line in self.cost.lines):
            text.append("Each line is rounded half to even to 0.000000001; sums are exact.")
        return "\n".join(text)


def _attempt_lines(attempt: Attempt) -> list[str]:
    outcome = attempt.error or (f"HTTP {attempt.status}" if attempt.status else "no answer")
    text = [f"Attempt {attempt.number}: {attempt.state}, {outcome}, {attempt.cost}"]
    for line in attempt.cost.lines:
        if line.price is None or line.amount is None:
            text.append(f"  {line.quantity:,} {line.meter}: no price is known")
            continue
        amount = write_money(line.amount, currency=line.price.currency)
        text.append(f"  {line.quantity:,} {line.meter} at {line.price} = {amount}")
        text.append(f"    {line.price.source}; checked {line.price.checked}")
    if attempt.cost.reason:
        text.append(f"  {attempt.cost.reason}")
    return text
