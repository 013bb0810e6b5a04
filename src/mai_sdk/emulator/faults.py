"""Every fault that can be scripted, by name: what it does, its parameters, and how true it is.

`exact` means that what reaches the client is what such a failure is known to be, byte for byte or
packet for packet. `emulated` means that part of it is ours: a body no one has recorded, or timing
that the network may smooth over. `needs` tells which answers a fault can befall: "stream" waits
for a streamed answer, "server" works only under the emulator's own server, because it takes hold
of the connection; "socket" befalls a turn on a WebSocket.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.emulator.request import Answer, Request

__all__ = ["FAULTS", "SWITCHING", "Fault", "Scripted", "fault", "from_header", "scripted"]


SWITCHING = 101
"""The status of a WebSocket's handshake, unless it is refused."""

_ON_HANDSHAKES = frozenset({
    "status", "rate_limit", "redirect", "html_200", "empty_200", "key_echo", "token_expired",
})  # fmt: skip
"""The faults of plain answers that make sense before a WebSocket is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way an answer can go wrong."""

    name: str
    about: str
    """What it does, in one sentence."""
    fidelity: Literal["exact", "emulated"]
    needs: Literal["any", "stream", "server", "socket"]
    parameters: Mapping[str, Any]
    """Names and defaults."""
    apply: Callable[..., Answer]
    """Takes answer, request and the parameters; returns the answer as it will be given."""


@dataclass(frozen=True, slots=True)
class Scripted:
    """A fault with its parameters filled in."""

    fault: Fault
    parameters: Mapping[str, Any]

    def fits(self, answer: Answer) -> bool:
        """Return whether this kind of answer can go wrong this way."""
        if answer.status == SWITCHING:
            return self.fault.needs == "socket" or self.fault.name in _ON_HANDSHAKES
        return self.fault.needs != "socket" and (self.fault.needs != "stream" or answer.stream)

    def apply(self, answer: Answer, request: Request) -> Answer:
        """Return the answer gone wrong."""
        spoiled = self.fault.apply(answer, request, **self.parameters)
        spoiled.fault = str(self)
        return spoiled

    def __str__(self) -> str:
        given = "; ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.fault.name}; {given}" if given else self.fault.name


FAULTS: dict[str, Fault] = {}
"""All faults by name."""


def fault(
    *,
    fidelity: Literal["exact", "emulated"] = "exact",
    needs: Literal["any", "stream", "server", "socket"] = "any",
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Enter the decorated function into the table; its docstring says what the fault does."""

    def enter(apply: Callable[..., Answer]) -> Callable[..., Answer]:
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = {
            one.name: one.default
            for one in inspect.signature(apply).parameters.values()
            if one.kind is keyword
        }
        name = apply.__name__
        FAULTS[name] = Fault(
            name=name,
            about=(apply.__doc__ or "").strip(),
            fidelity=fidelity,
            needs=needs,
            parameters=parameters,
            apply=apply,
        )
        return apply

    return enter


def scripted(name: str, parameters: Mapping[str, Any]) -> Scripted:
    """Return a fault with its parameters checked.

    Raises:
        ValueError: There is no such fault, or it has no such parameter.
    """
    known = FAULTS.get(name)
    if known is None:
        raise ValueError(f"There is no fault {name!r}. Known are: {', '.join(sorted(FAULTS))}.")
    for parameter in parameters:
        if parameter not in known.parameters:
            has = ", ".join(known.parameters) or "none"
            raise ValueError(f"The fault {name!r} has no parameter {parameter!r}. It has: {has}.")
    return Scripted(known, dict(parameters))


def from_header(value: str) -> Scripted:
    """Return the fault an `x-mai-emulator-fault` header asks for: `name; key=value; key=value`.

    Raises:
        ValueError: There is no such fault, or it has no such parameter.
    """
    name, *rest = [part.strip() for part in value.split(";")]
    parameters: dict[str, Any] = {}
    for part in rest:
        if part:
            key, _, text = part.partition("=")
            parameters[key.strip()] = _value(text.strip())
    return scripted(name, parameters)


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
