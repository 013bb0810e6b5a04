"""Sounds that tests share: 16-bit mono."""

import array
import math
import random


def pcm_of(values):
    return array.array("h", [max(-32768, min(32767, round(value))) for value in values]).tobytes()


def tone(ms, *, sample_rate=16000, hertz=440.0, volume=0.3):
    count = round(ms * sample_rate / 1000)
    step = 2 * math.pi * hertz / sample_rate
    return pcm_of(32767 * volume * math.sin(step * i) for i in range(count))


def noise(ms, *, sample_rate=16000, volume=0.05, seed=1):
    chance = random.Random(seed)  # noqa: S311 - no secret
    count = round(ms * sample_rate / 1000)
    return pcm_of(chance.gauss(0, 32767 * volume) for _ in range(count))
