"""16-bit samples as numbers and as bytes, and at another rate. Pure; needs no package."""

from __future__ import annotations

import sys
from array import array
from math import gcd

__all__ = ["from_bytes", "resampled", "to_bytes"]


def from_bytes(pcm: bytes) -> array[int]:
    """Return little-endian samples as numbers."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def to_bytes(samples: array[int]) -> bytes:
    """Return samples as little-endian bytes."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()


def resampled(pcm: bytes, rate: int, wanted: int) -> bytes:
    """Return mono samples of one rate at another, by lines between neighbours.

    Plenty for speech: what lies above the new rate's reach is averaged away first.
    """
    if rate == wanted or not pcm:
        return pcm
    samples = from_bytes(pcm)
    for _ in range(max(rate // wanted, rate > wanted)):
        samples = array(
            "h",
            [
                (a + 2 * b + c) >> 2
                for a, b, c in zip(samples, samples[1:], samples[2:], strict=False)
            ]
            or samples,
        )
    return to_bytes(_stretched(samples, len(pcm) // 2, rate, wanted))


def _stretched(samples: array[int], length: int, rate: int, wanted: int) -> array[int]:
    """Return as many samples as `length` of them are at the other rate.

    The new samples fall into a few phases (160 from 22,050 to 24,000 a second), and within a
    phase they all lie at the same distance between two old ones: so each phase is one sweep.
    """
    shared = gcd(rate, wanted)
    up, down = wanted // shared, rate // shared
    total = length * up // down
    out = array("h", bytes(2 * total))
    rounds = total // up + 1
    last = samples[-1]
    samples.extend([last] * ((rounds + 1) * down + 2 - len(samples)))
    for phase in range(min(up, total)):
        at, rest = divmod(phase * down, up)
        count = (total - phase + up - 1) // up
        near = samples[at::down]
        if rest:
            far = samples[at + 1 :: down]
            part = (rest << 15) // up
            line = [a + ((b - a) * part >> 15) for a, b in zip(near, far, strict=False)]
            out[phase::up] = array("h", line[:count])
        else:
            out[phase::up] = near[:count]
    return out
