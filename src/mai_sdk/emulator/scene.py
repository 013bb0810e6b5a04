"""What the emulated image model can draw: scenes, each in one of a few lights. Values only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["PALETTES", "Colour", "Palette", "Scene"]

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one light, and the words that ask for it."""

    top: Colour
    middle: Colour
    low: Colour
    sun: Colour
    near: Colour
    words: str
    stars: bool = False


PALETTES: Final = {
    "dawn": Palette(
        top=(68, 92, 150), middle=(196, 164, 190), low=(255, 214, 170), sun=(255, 246, 220),
        near=(38, 46, 82), words="dawn morning sunrise early spring",
    ),
    "day": Palette(
        top=(46, 116, 190), middle=(122, 184, 226), low=(222, 240, 246), sun=(255, 253, 236),
        near=(26, 66, 74), words="day noon sunny summer bright",
    ),
    "dusk": Palette(
        top=(52, 36, 92), middle=(190, 82, 104), low=(255, 178, 102), sun=(255, 226, 160),
        near=(34, 20, 48), words="dusk sunset evening red orange warm",
    ),
    "night": Palette(
        top=(8, 12, 34), middle=(22, 36, 78), low=(58, 88, 134), sun=(240, 244, 255),
        near=(6, 10, 24), words="night moon star stars dark midnight", stars=True,
    ),
    "forest": Palette(
        top=(88, 150, 150), middle=(164, 204, 178), low=(240, 240, 202), sun=(255, 252, 222),
        near=(18, 54, 44), words="forest green wood tree trees jungle meadow",
    ),
    "autumn": Palette(
        top=(108, 140, 168), middle=(226, 196, 158), low=(252, 226, 178), sun=(255, 240, 206),
        near=(84, 40, 26), words="autumn fall leaves harvest gold brown",
    ),
    "winter": Palette(
        top=(120, 146, 180), middle=(184, 204, 224), low=(240, 244, 250), sun=(255, 255, 250),
        near=(66, 88, 118), words="winter snow ice frozen cold white",
    ),
}  # fmt: skip
"""By the name of the light."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: where everything stands, by a number, and in which light."""

    number: int
    light: str

    @classmethod
    def of(cls, words: str, *, number: int, after: str | None = None) -> Scene:
        """Return the scene for a prompt: in the light it names, else in one of the number's.

        Args:
            words: The prompt.
            number: Decides the shapes.
            after: The light it was in: a prompt that names none then gives the next one.
        """
        said = re.findall(r"[a-z]+", words.lower())
        named = (
            light
            for word in said
            for light, palette in PALETTES.items()
            if word in palette.words.split()
        )
        lights = list(PALETTES)
        other = number % len(lights) if after is None else lights.index(after) + 1
        return cls(number, next(named, lights[other % len(lights)]))
