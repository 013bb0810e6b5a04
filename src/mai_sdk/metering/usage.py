"""How much of each meter a call used. Unknown is None, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["METERS", "Basis", "Meter", "Usage"]

Basis = Literal["reported", "estimated", "lower_bound", "unknown"]
"""Where the figures come from: the service, our estimate, what had arrived when the call broke
off, or nowhere."""

_WEAKEST_FIRST: Final[tuple[Basis, ...]] = ("unknown", "lower_bound", "estimated", "reported")

Quantity = Annotated[int, Field(strict=True, ge=0)]
"""A whole number of a meter's unit; a float, a bool or a negative number is refused."""


class Meter(Value):
    """One thing that is counted and may be billed."""

    name: str
    unit: str
    """What one of it is, in the plural: "tokens", "seconds", "characters", "images"."""
    part_of: str | None = None
    """The meter whose quantity already includes this one."""
    billed_apart: bool = False
    """Whether services ask another price for it than for the rest of `part_of`. Without a price
    of its own it is then billed like the rest, which is a guess; else that is exact."""


METERS: dict[str, Meter] = {
    meter.name: meter
    for meter in (
        Meter(name="input_tokens", unit="tokens"),
        Meter(name="cached_input_tokens", unit="tokens", part_of="input_tokens", billed_apart=True),
        Meter(name="text_input_tokens", unit="tokens", part_of="input_tokens", billed_apart=True),
        Meter(name="image_input_tokens", unit="tokens", part_of="input_tokens", billed_apart=True),
        Meter(name="audio_input_tokens", unit="tokens", part_of="input_tokens", billed_apart=True),
        Meter(name="output_tokens", unit="tokens"),
        Meter(name="reasoning_tokens", unit="tokens", part_of="output_tokens"),
        Meter(
            name="image_output_tokens", unit="tokens", part_of="output_tokens", billed_apart=True
        ),
        Meter(
            name="audio_output_tokens", unit="tokens", part_of="output_tokens", billed_apart=True
        ),
        Meter(name="images", unit="images"),
        Meter(name="audio_seconds", unit="seconds"),
        Meter(name="spoken_seconds", unit="spoken seconds"),
        Meter(name="unheard_seconds", unit="spoken seconds", part_of="spoken_seconds"),
        Meter(name="characters", unit="characters"),
    )
}
"""Every meter: a field of `Usage`, and what a price row may be for."""


class Usage(Value):
    """What one call, or several added up, used."""

    input_tokens: Quantity | None = None
    """Prompt tokens, cached ones included."""
    cached_input_tokens: Quantity | None = None
    """The part of `input_tokens` read from the service's prompt cache."""
    output_tokens: Quantity | None = None
    """Answer tokens, reasoning included."""
    reasoning_tokens: Quantity | None = None
    """The part of `output_tokens` spent on thoughts; None where the service does not count them."""
    text_input_tokens: Quantity | None = None
    """The part of `input_tokens` that was text, where a model tells it from pictures."""
    image_input_tokens: Quantity | None = None
    """The part of `input_tokens` that was pictures."""
    image_output_tokens: Quantity | None = None
    """The part of `output_tokens` that is a picture."""
    audio_input_tokens: Quantity | None = None
    """The part of `input_tokens` that was audio, where a model hears."""
    audio_output_tokens: Quantity | None = None
    """The part of `output_tokens` that is a voice."""
    images: Quantity | None = None
    """Pictures made."""
    audio_seconds: Quantity | None = None
    """Seconds of audio heard; a request's last, begun second counts whole."""
    spoken_seconds: Quantity | None = None
    """Seconds of voice made in a session; the last, begun second counts whole."""
    unheard_seconds: Quantity | None = None
    """The part of `spoken_seconds` that was made and not played: the user had interrupted."""
    characters: Quantity | None = None
    """Characters spoken, as they are billed: an ideograph of Chinese, Japanese or Korean is two."""
    basis: Basis = "reported"
    """Where the figures come from; the weakest, where several were added."""

    def __add__(self, other: Usage) -> Usage:
        """Return both together; see `sum` for what an unknown figure does."""
        return Usage.sum((self, other))

    @classmethod
    def sum(cls, usages: Iterable[Usage]) -> Usage:
        """Return all of `usages` together; of none, `Usage.zero()`.

        The basis is the weakest of all. A meter unknown in every part stays unknown. A meter
        known in some parts only is the sum of those, and the basis is then at best
        "lower_bound": more was used than the figure says. A part has no say in a meter of a unit
        it does not count in (seconds, where it reports tokens), and none at all if it provably
        used nothing (an attempt that never ran).
        """
        parts = [usage for usage in usages if not usage.used_nothing]
        if not parts:
            return cls.zero()
        bases: set[Basis] = {part.basis for part in parts}
        totals: dict[str, int | None] = {}
        counting = {unit: sum(part.counts_in(unit) for part in parts) for unit in _IN_UNIT}
        for name in _QUANTITIES:
            known = [q for part in parts if (q := part.known(name)) is not None]
            totals[name] = sum(known) if known else None
            if 0 < len(known) < counting[METERS[name].unit]:
                bases.add("lower_bound")
        basis = next(basis for basis in _WEAKEST_FIRST if basis in bases)
        return cls.model_validate({**totals, "basis": basis})

    @classmethod
    def zero(cls) -> Usage:
        """Return what a call used that provably never ran: 0 of every meter."""
        return _ZERO

    @classmethod
    def from_meters(cls, meters: Mapping[str, int], *, basis: Basis = "reported") -> Usage:
        """Return the usage of `meters`, name to quantity; a name left out is unknown.

        Raises:
            ValueError: A name is no field of `Usage`, or a quantity is not an int >= 0.
        """
        fields = {**_DEFAULTS, **meters, "basis": basis}
        if len(fields) == len(_DEFAULTS):
            for quantity in meters.values():
                if quantity.__class__ is not int or quantity < 0:
                    break
            else:
                return cls.trusted(**fields)
        try:
            return cls(**meters, basis=basis)
        except (ValidationError, TypeError):
            raise ValueError(_complaint(meters)) from None

    def known(self, meter: str) -> int | None:
        """Return the quantity of `meter`; None if unknown."""
        quantity: int | None = self.__dict__.get(meter)
        return quantity

    def meters(self) -> dict[str, int]:
        """Return the known quantities by meter name."""
        return {name: q for name in _QUANTITIES if (q := self.known(name)) is not None}

    def counts_in(self, unit: str) -> bool:
        """Whether it has a say in meters of that unit: it knows one of them, or none of any."""
        return any(self.known(name) is not None for name in _IN_UNIT[unit]) or not self.meters()

    @property
    def is_whole(self) -> bool:
        """Whether what is billed is known: some meter, and of tokens those in and those out."""
        if self.input_tokens is not None or self.output_tokens is not None:
            return self.input_tokens is not None and self.output_tokens is not None
        return any(self.known(name) is not None for name in _WHOLES)

    @property
    def used_nothing(self) -> bool:
        """Whether it is certain that nothing was used."""
        return self.basis == "reported" and self.is_whole and not any(self.meters().values())


_QUANTITIES: Final = tuple(name for name in Usage.model_fields if name in METERS)
_WHOLES: Final = tuple(name for name in _QUANTITIES if METERS[name].part_of is None)
_IN_UNIT: Final = {
    unit: tuple(name for name in _QUANTITIES if METERS[name].unit == unit)
    for unit in dict.fromkeys(meter.unit for meter in METERS.values())
}
_DEFAULTS: Final = {name: field.default for name, field in Usage.model_fields.items()}
_ZERO: Final = Usage.model_validate(dict.fromkeys(_QUANTITIES, 0))


def _complaint(meters: Mapping[str, Any]) -> str:
    named = ", ".join(
        f"{name}={quantity!r}"
        for name, quantity in meters.items()
        if name not in _QUANTITIES or type(quantity) is not int or quantity < 0
    )
    return (
        f"These are not quantities a Usage can hold: {named}. "
        f"Give whole numbers >= 0 for {', '.join(_QUANTITIES)}, and leave out what is not known."
    )
