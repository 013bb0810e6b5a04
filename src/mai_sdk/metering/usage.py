"""How much of each meter a call used. Unknown is None, never 0."""

from __future__ import annotations

from typing import Literal

from mai_sdk.value import Value

__all__ = ["METERS", "Basis", "Meter", "Usage"]

Basis = Literal["reported", "estimated", "lower_bound", "unknown"]
"""Where the figures come from: the service, our estimate, what had arrived when the call broke
off, or nowhere."""


class Meter(Value):
    """One thing that is counted and may be billed."""

    name: str
    unit: str
    """What one of it is, in the plural: "tokens", "seconds", "characters", "images"."""
    part_of: str | None = None
    """The meter whose quantity already includes this one."""


METERS: dict[str, Meter] = {
    meter.name: meter
    for meter in (
        Meter(name="input_tokens", unit="tokens"),
        Meter(name="cached_input_tokens", unit="tokens", part_of="input_tokens"),
        Meter(name="output_tokens", unit="tokens"),
        Meter(name="reasoning_tokens", unit="tokens", part_of="output_tokens"),
    )
}
"""Every meter there is. A meter joins this table when the modality that reports it does."""


class Usage(Value):
    """What one call, or several added up, used."""

    input_tokens: int | None = None
    """Prompt tokens, cached ones included."""
    cached_input_tokens: int | None = None
    """The part of `input_tokens` read from the service's prompt cache."""
    output_tokens: int | None = None
    """Answer tokens, reasoning included."""
    reasoning_tokens: int | None = None
    """The part of `output_tokens` spent on thoughts; None where the service does not count them."""
    basis: Basis = "reported"
    """Where the figures come from; the weakest, where several were added."""
