"""Where to cut speech: at the quietest place near the end of each piece. No I/O.

Loudness is enough to find a pause between words, and no model has to be shipped for it.
"""

from __future__ import annotations

import sys
from array import array
from math import gcd
from typing import TYPE_CHECKING, Final

from mai_sdk.wire.wav import PCM

if TYPE_CHECKING:
    from mai_sdk.wire.wav import WavHead

__all__ = ["can_cut", "quietest", "window_before"]

_FLOAT: Final = 3
_STEP_SECONDS: Final = 0.02
_PAUSE_STEPS: Final = 10
"""A pause is looked for that is a fifth of a second long."""
_ENOUGH: Final = 8000
"""Samples a second that are looked at; more would not find another pause."""
_WINDOW: Final = 0.2
_LONGEST_WINDOW: Final = 20.0


def can_cut(head: WavHead) -> bool:
    """Whether the samples are of a kind whose loudness can be told."""
    if head.encoding == _FLOAT:
        return head.bits == 32
    return head.encoding == PCM and head.bits in (8, 16, 24, 32)


def window_before(limit_seconds: float) -> float:
    """Return how many seconds before the end of a piece are searched for a pause."""
    return min(limit_seconds * _WINDOW, _LONGEST_WINDOW)


def quietest(samples: bytes, head: WavHead) -> int:
    """Return the byte in `samples` at the middle of the quietest fifth of a second.

    The last of several: a piece should be as long as it may. Always between two whole frames.
    """
    loud = _as_16_bit(samples, head)
    a_second = head.sample_rate * head.channels
    stride = max(a_second // _ENOUGH, 1)
    while gcd(stride, head.channels) > 1:  # or only one of the channels would be looked at
        stride += 1
    seen = loud[::stride]
    step = max(round(a_second * _STEP_SECONDS / stride), 1)
    levels = [sum(map(abs, seen[at : at + step])) for at in range(0, len(seen), step)]
    wide = min(_PAUSE_STEPS, len(levels)) or 1
    best, least = 0, None
    total = sum(levels[:wide])
    for at in range(len(levels) - wide + 1):
        if at:
            total += levels[at + wide - 1] - levels[at - 1]
        if least is None or total <= least:
            best, least = at, total
    middle = (best * 2 + wide) * step * stride // 2  # in samples of any channel
    frame = min(middle // head.channels, len(samples) // head.frame_bytes)
    return frame * head.frame_bytes


def _as_16_bit(samples: bytes, head: WavHead) -> array[int]:
    """The samples as far as 16 bits tell them apart; all channels together."""
    width = head.bits // 8
    samples = samples[: len(samples) - len(samples) % width]
    if head.encoding == _FLOAT:
        given = array("f", samples)
        if sys.byteorder == "big":
            given.byteswap()
        return array("h", (round(max(-1.0, min(1.0, each)) * 32_767) for each in given))
    high = bytearray(len(samples) // width * 2)
    high[1::2] = samples[width - 1 :: width]
    if width > 1:
        high[0::2] = samples[width - 2 :: width]
    else:  # 8 bits are unsigned
        high[1::2] = bytes(each ^ 0x80 for each in high[1::2])
    made = array("h", bytes(high))
    if sys.byteorder == "big":
        made.byteswap()
    return made
