"""A call, before it is made: where it goes, what it sends, how to read what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.config import Route, Timeouts
    from mai_sdk.engine.upload import Upload
    from mai_sdk.errors import CallFailed
    from mai_sdk.metering.usage import Usage

__all__ = ["Call"]

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Call(Generic[T]):
    """Everything the engine needs to know; it knows nothing of modalities or dialects."""

    route: Route
    url: str
    body: bytes | Upload = field(repr=False)
    read: Callable[[bytes, Mapping[str, str]], T] = field(repr=False)
    """Body and headers of a 2xx answer to what it says.

    Raises CallFailed where it says that something is wrong, with `partial` where it was billed.
    """
    usage_of: Callable[[T], Usage] = field(repr=False)
    """What the service says the answer used."""
    fail: Callable[[int, Mapping[str, str], bytes], CallFailed] = field(repr=False)
    """Status, headers and body of any other answer to the error it means."""
    upper_bound: Callable[[], Usage] = field(repr=False)
    """The most this call can use; asked for only where a reservation needs it."""
    timeouts: Timeouts
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    stream: bool = False
    """Whether each piece of the answer is wanted as soon as it comes."""
    content_type: str = "application/json"
    accept: str = "application/json"
    repeats_unknown: bool = True
    """Whether it may be sent once more where nobody knows whether it ran, and was billed."""
    max_body_bytes: int = 64 * 1024 * 1024
    fault_of: Callable[[T], str | None] = field(default=lambda _: None, repr=False)
    """The class of error that an answer is good for, which is whole and billed, and of no use."""
    prompts: tuple[str, ...] = field(default=(), repr=False)
    """Texts that must not appear in errors."""
    explain_missing: Callable[[], str | None] = field(default=lambda: None, repr=False)
    """What is known about the model when the service says it is not there."""
