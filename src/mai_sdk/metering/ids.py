"""Ids of our own making: time-ordered, and never the service's."""

from __future__ import annotations

import os
import threading
import time

__all__ = ["uuid7"]

_RANDOM_BITS = 74
_VERSION = 0x7
_VARIANT = 0b10
_AT_A_TIME = 64
_lock = threading.Lock()
_last = 0
_noise: list[int] = []
"""Random numbers not used yet: the operating system is asked for many at a time."""


def uuid7() -> str:
    """Return a UUID of version 7 (RFC 9562): later calls in this process sort after earlier ones.

    48 bits of Unix milliseconds, then 74 random bits from the operating system. Within one
    millisecond, or when the clock steps back, the previous value is raised by a random step
    (RFC 9562, section 6.2, method 2), so that order holds and ids cannot be guessed.
    """
    global _last
    with _lock:
        noise = (_noise or _more_noise()).pop()
        value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | noise
        if value <= _last:
            value = _last + 1 + (noise & 0xFFFF_FFFF)
        _last = value
    return "%08x-%04x-%04x-%04x-%012x" % (  # noqa: UP031 - twice as fast as an f-string
        value >> 90,
        value >> 74 & 0xFFFF,
        _VERSION << 12 | value >> 62 & 0xFFF,
        _VARIANT << 14 | value >> 48 & 0x3FFF,
        value & 0xFFFF_FFFF_FFFF,
    )


def _more_noise() -> list[int]:
    """Fill the store, and return it."""
    data = os.urandom(10 * _AT_A_TIME)
    tens = (data[at : at + 10] for at in range(0, len(data), 10))
    _noise.extend(int.from_bytes(ten, "big") >> (80 - _RANDOM_BITS) for ten in tens)
    return _noise


def _after_fork() -> None:
    """A child must not go on with its parent's numbers, nor wait for a lock nobody will release."""
    global _lock
    _lock = threading.Lock()
    _noise.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
