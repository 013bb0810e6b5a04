"""The voice of a live session: texts spoken in the voice and the format asked for, once each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.live_audio import Failed, Speech
from mai_sdk.emulator.live_checks import OUTPUT_FORMATS
from mai_sdk.emulator.speaking import BadDocument, BadVoice, check_voice
from mai_sdk.emulator.untyped import to_object
from mai_sdk.wire.formats import audio_format
from mai_sdk.wire.voice import model_of

if TYPE_CHECKING:
    from mai_sdk.emulator.world import World

__all__ = ["Voice"]

_KEPT: Final = 64
_RATES: Final = (0.5, 1.5)


class Voice:
    """Speaks for all sessions of one emulator."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spoken: OrderedDict[tuple[Any, ...], asyncio.Future[Speech]] = OrderedDict()

    async def speak(self, text: str, *, voice: Any, output: str) -> Speech:
        """Return the text spoken.

        Args:
            text: What is said.
            voice: As a session names it.
            output: The session's output format.

        Raises:
            Failed: There is no such voice, or it does not know the style: a session takes any
                name, and only speaking shows.
        """
        said = to_object(voice) or {"name": voice}
        name, style = str(said.get("name") or ""), said.get("style")
        if (model_of(name) or "").casefold().startswith("mai-"):
            try:
                check_voice(name, style if isinstance(style, str) else None)
            except (BadVoice, BadDocument) as error:
                raise Failed(f"Speech synthesis failed: {error}.") from None
        rate = _rate(said.get("rate"))
        key = (self._world.era, text, name, rate, output)
        speaking = self._spoken.get(key)
        if speaking is None:
            speaking = asyncio.ensure_future(
                asyncio.to_thread(self._speak, text, name=name, rate=rate, output=output)
            )
            self._spoken[key] = speaking
            if len(self._spoken) > _KEPT:
                self._spoken.popitem(last=False)
        return await asyncio.shield(speaking)

    def _speak(self, text: str, *, name: str, rate: float, output: str) -> Speech:
        form = OUTPUT_FORMATS[output]
        utterance = self._world.mouth.speak(
            text, voice=name, rate=rate, sample_rate=audio_format(form).sample_rate or 24_000
        )
        self._world.ears.remember(utterance)
        return Speech.of(utterance, form)


def _rate(value: Any) -> float:
    try:
        return min(max(float(value), _RATES[0]), _RATES[1])
    except (TypeError, ValueError):
        return 1.0
