"""What the emulated image model draws: a lake among mountains, the same for the same scene.

A row of the picture is first a row of materials (sky, the rings around the sun, a ridge, the soft
edge of one), one byte a pixel; three tables a row then turn materials into colours, all of it in
the standard library's C. A picture of 1024x1024 takes some 50 ms.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import log1p, sin, sqrt
from random import Random
from typing import TYPE_CHECKING, Final

from mai_sdk.emulator.png import encode, texts
from mai_sdk.emulator.scene import PALETTES, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.emulator.scene import Colour

__all__ = ["paint", "scene_in"]

_NOTE: Final = "mai-emulator-scene"
# The materials. An edge is two times so many levels a ridge: over the sky, and over another ridge.
_STAR, _RING, _RINGS, _RIDGE, _RIDGES, _EDGE, _LEVELS, _GLITTER = 1, 2, 64, 70, 4, 80, 8, 255
_OVER_SKY: Final = tuple(
    bytes(_RING + ring if material < _RING + ring else material for material in range(256))
    for ring in range(_RINGS)
)
"""For each ring: what lies behind it becomes it, what stands before it stays."""
_SHORE: Final = 0.62
"""How far down the water begins."""


def scene_in(data: bytes) -> Scene | None:
    """Return the scene of a picture that was painted here; None for any other."""
    number, _, light = texts(data).get(_NOTE, "").partition(" ")
    known = light in PALETTES and re.fullmatch("[0-9a-f]{1,16}", number)
    return Scene(int(number, 16), light) if known else None


@lru_cache(maxsize=32)
def paint(scene: Scene, *, width: int, height: int, transparent: bool = False) -> bytes:
    """Return the picture as a PNG; `transparent` leaves the sky out."""
    canvas = _Canvas(scene, width, height)
    return encode(
        canvas.rows(transparent=transparent),
        width=width,
        height=height,
        channels=4 if transparent else 3,
        texts={_NOTE: f"{scene.number:x} {scene.light}"},
    )


class _Canvas:
    """Where everything stands in a picture of one size, and its rows."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        rng = Random(scene.number)  # noqa: S311 - repeatable, not secret
        size = min(width, height)
        self.scene = scene
        self.width = width
        self.height = height
        self._light = PALETTES[scene.light]
        self._deep = _mix(self._light.near, self._light.top, 0.35)  # what water takes colours to
        self._shore = max(1, int(height * _SHORE))
        self._sun = (
            int(width * rng.uniform(0.25, 0.75)),
            int(self._shore * rng.uniform(0.35, 0.62)),
        )
        self._radius = size * rng.uniform(0.035, 0.055)
        # How far each ring around the sun goes: the glow, and last the sun itself.
        self._reaches = [
            self._radius * (1 + 7 * (1 - (ring + 1) / _RINGS) ** 1.6) for ring in range(_RINGS)
        ]
        # How high each ridge reaches, column by column; the far one first.
        self._tops = [
            _outline(rng, width, self._shore * (0.66 + 0.095 * ridge), size * (0.15 - 0.03 * ridge))
            for ridge in range(_RIDGES)
        ]

    def rows(self, *, transparent: bool) -> Iterator[bytearray]:
        """Yield the rows from the top, the water being what stands above it, upside down."""
        above: list[bytes] = []
        for row in self._land():
            yield self._coloured(row, len(above), transparent=transparent)
            above.append(row)
        rng = Random(self.scene.number + 1)  # noqa: S311 - repeatable, not secret
        for depth in range(self.height - self._shore):
            mirrored = max(0, self._shore - 1 - int(depth * 1.5))
            row = self._rippled(above[mirrored], depth, rng)
            water = 0.16 + 0.5 * depth / (self.height - self._shore)
            yield self._coloured(row, mirrored, water=water, transparent=transparent)

    def _land(self) -> Iterator[bytes]:
        """Yield the rows of materials from the top to the shore."""
        rng = Random(self.scene.number + 2)  # noqa: S311 - repeatable, not secret
        stars = self._light.stars
        standing = bytearray(self.width)  # by column: the nearest ridge that reaches this high
        begins = self._begins()
        for y in range(self._shore):
            soft: list[tuple[int, int]] = []
            for x, ridge, covered in begins.get(y, ()):
                if standing[x] < _RIDGE + ridge:
                    behind = _LEVELS if standing[x] else 0
                    soft.append((x, _EDGE + 2 * _LEVELS * ridge + behind + covered))
                    standing[x] = _RIDGE + ridge
            row = bytearray(standing)
            if stars and rng.random() < 0.4:
                at = rng.randrange(self.width)
                row[at] = row[at] or _STAR
            self._add_sun(row, y)
            for x, material in soft:
                row[x] = material
            yield bytes(row)

    def _begins(self) -> dict[int, list[tuple[int, int, int]]]:
        """Return by row the columns in which a ridge begins, and how much of that pixel it has."""
        begins: dict[int, list[tuple[int, int, int]]] = {}
        for ridge, tops in enumerate(self._tops):
            for x, top in enumerate(tops):
                covered = int((1 - top % 1) * _LEVELS) % _LEVELS
                begins.setdefault(int(top), []).append((x, ridge, covered))
        return begins

    def _add_sun(self, row: bytearray, y: int) -> None:
        x, middle = self._sun
        away = abs(y - middle)
        for reach, over in zip(self._reaches, _OVER_SKY, strict=True):
            if reach <= away:  # and every ring after it is smaller still
                return
            half = int(sqrt(reach * reach - away * away))
            left, right = max(0, x - half), min(self.width, x + half + 1)
            row[left:right] = row[left:right].translate(over)

    def _rippled(self, row: bytes, depth: int, rng: Random) -> bytes:
        """Return the mirrored row moved aside as by a wave, with the sun's light on it."""
        unit = self.height / 1024
        far = depth / (self.height - self._shore)
        wave = sin(46 * log1p(3.2 * far)) + 0.6 * sin(97 * log1p(3.2 * far) + 1.3)
        moved = int(wave * (1 + 9 * far) * unit)
        if moved > 0:
            row = row[moved:] + row[-1:] * moved
        elif moved < 0:
            row = row[:1] * -moved + row[:moved]
        lit = bytearray(row)
        x, radius = self._sun[0], self._radius
        for _ in range(2 if wave > 0.35 else 0):
            begin = int(rng.gauss(x, radius * (0.5 + 1.1 * far)))
            end = min(self.width, begin + int((4 + 22 * far) * unit))
            if 0 <= begin < end:
                lit[begin:end] = bytes([_GLITTER]) * (end - begin)
        return bytes(lit)

    def _coloured(
        self, row: bytes, y: int, *, water: float = 0.0, transparent: bool = False
    ) -> bytearray:
        """Return the pixels of a row of materials."""
        red, green, blue, alpha = (bytearray(256) for _ in range(4))
        height = y / self._shore
        sky = self._sky(height)
        for material in set(row):
            colour = self._colour(material, sky, height)
            if water:
                colour = _mix(colour, self._deep, water)
            red[material], green[material], blue[material] = map(int, colour)
            alpha[material] = 255 if water or material >= _RIDGE else 0
        channels = 4 if transparent else 3
        pixels = bytearray(channels * len(row))
        for channel, table in enumerate((red, green, blue, alpha)[:channels]):
            pixels[channel::channels] = row.translate(table)
        return pixels

    def _sky(self, height: float) -> Colour:
        light = self._light
        if height < 0.6:
            return _mix(light.top, light.middle, height / 0.6)
        return _mix(light.middle, light.low, (height - 0.6) / 0.4)

    def _colour(self, material: int, sky: Colour, height: float) -> Colour:
        light = self._light
        if material == _GLITTER:
            return _mix(light.low, light.sun, 0.7)
        if material >= _EDGE:
            ridge, level = divmod(material - _EDGE, 2 * _LEVELS)
            behind = self._ridge(ridge - 1, height) if level >= _LEVELS and ridge else sky
            return _mix(behind, self._ridge(ridge, height), level % _LEVELS / _LEVELS)
        if material >= _RIDGE:
            return self._ridge(material - _RIDGE, height)
        if material == _STAR:
            return _mix(sky, light.sun, 0.8)
        if material >= _RING:
            shine = (material - _RING + 1) / _RINGS
            return light.sun if shine == 1 else _mix(sky, light.sun, 0.75 * shine * shine)
        return sky

    def _ridge(self, ridge: int, height: float) -> Colour:
        """The nearer the darker; mist lies at the foot of those that are far."""
        light = self._light
        nearness = ridge / (_RIDGES - 1)
        colour = _mix(light.low, light.near, 0.34 + 0.62 * nearness)
        mist = max(0.0, (height - 0.55 - 0.08 * ridge) / 0.45) * (0.9 - 0.55 * nearness)
        return _mix(colour, light.low, mist)


def _outline(rng: Random, width: int, base: float, swing: float) -> list[float]:
    """Return how high a ridge reaches in each column: a few waves, ever shorter and flatter."""
    waves = [
        (rng.uniform(0.7, 1.3) * 2.1**octave * 4.4, rng.uniform(0, 6.3), 0.5**octave)
        for octave in range(6)
    ]
    return [
        base - swing * sum(flat * sin(often * x / width + begin) for often, begin, flat in waves)
        for x in range(width)
    ]


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )
