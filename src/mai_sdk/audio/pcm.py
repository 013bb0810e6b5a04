"""16-bit samples: how long, how loud, cut into frames. Pure, and without numpy."""

from __future__ import annotations

import math
import sys
from array import array
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "SAMPLE_BYTES",
    "Framer",
    "bytes_in",
    "level_db",
    "ms_in",
    "rms",
    "samples_of",
    "silence",
]

SAMPLE_BYTES: Final = 2
_FULL_SCALE: Final = 32768.0


def ms_in(size: int, *, sample_rate: int, sample_bytes: int = SAMPLE_BYTES) -> float:
    """Return how many milliseconds so many bytes play."""
    return size / sample_bytes * 1000 / sample_rate


def bytes_in(ms: float, *, sample_rate: int, sample_bytes: int = SAMPLE_BYTES) -> int:
    """Return how many bytes play for so long: whole samples, the nearest number of them."""
    return round(ms * sample_rate / 1000) * sample_bytes


def silence(ms: float, *, sample_rate: int) -> bytes:
    """Return samples of nothing."""
    return bytes(bytes_in(ms, sample_rate=sample_rate))


def samples_of(pcm: bytes | bytearray | memoryview) -> array[int]:
    """Return the samples as numbers.

    Raises:
        ValueError: The last sample is cut in two.
    """
    samples = array("h")
    samples.frombytes(pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def rms(pcm: bytes | bytearray | memoryview) -> float:
    """Return the root mean square, from 0 to 1, where 1 is full scale; 0 of no samples."""
    samples = samples_of(pcm)
    if not samples:
        return 0.0
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) / _FULL_SCALE


def level_db(pcm: bytes | bytearray | memoryview) -> float:
    """Return the level in dBFS: 0 is full scale, -inf is digital silence."""
    level = rms(pcm)
    return 20 * math.log10(level) if level else -math.inf


class Framer:
    """Bytes of any length in, frames of one length out; what is left waits for more."""

    def __init__(self, frame_bytes: int) -> None:
        self.frame_bytes = frame_bytes
        self._rest = bytearray()

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._rest)

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Return the frames that are whole now, in order."""
        if not self._rest and len(data) == self.frame_bytes:
            return iter((bytes(data),))
        self._rest += data
        whole = len(self._rest) - len(self._rest) % self.frame_bytes
        ready = bytes(memoryview(self._rest)[:whole])
        del self._rest[:whole]
        return (ready[at : at + self.frame_bytes] for at in range(0, whole, self.frame_bytes))

    def take_rest(self) -> bytes:
        """Return what is left, and forget it."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest
