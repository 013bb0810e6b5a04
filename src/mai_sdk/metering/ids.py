"""Ids of our own making: time-ordered, and never the service's."""

from __future__ import annotations

import os
import threading
import time

__all__ = ["uuid7"]

_RANDOM_BITS = 74
_VERSION = 0x7
_VARIANT = 0b10
_lock = threading.Lock()
_last = 0


def uuid7() -> str:
    """Return a UUID of version 7 (RFC 9562): later calls in this process sort after earlier ones.

    48 bits of Unix milliseconds, then 74 random bits from the operating system. Within one
    millisecond, or when the clock steps back, the previous value is raised by a random step
    (RFC 9562, section 6.2, method 2), so that order holds and ids cannot be guessed.
    """
    global _last
    noise = int.from_bytes(os.urandom(10), "big") >> (80 - _RANDOM_BITS)
    value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | noise
    with _lock:
        if value <= _last:
            value = _last + 1 + (noise & 0xFFFF_FFFF)
        _last = value
    high, low = value >> 62, value & ((1 << 62) - 1)
    text = f"{(high >> 12) << 16 | _VERSION << 12 | high & 0xFFF:016x}{_VARIANT << 62 | low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
