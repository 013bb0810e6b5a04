"""Where a turn of speech begins and ends. Pure: samples in, decisions out.

For services that have no turn detection of their own: MAI-Transcribe's Realtime route, and ears,
model and mouth put together. The four settings have the names and meanings of Voice Live's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mai_sdk.audio.detectors import EnergyDetector
from mai_sdk.audio.pcm import SAMPLE_BYTES, Framer, ms_in
from mai_sdk.audio.resample import Resampler
from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from mai_sdk.audio.detectors import SpeechDetector

__all__ = ["TurnBegan", "TurnDetector", "TurnEnded", "TurnEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnBegan:
    """Someone began to speak. Offsets count samples from the first one fed."""

    start: int
    """Where the turn's audio begins: the prefix included, but nothing of an earlier turn."""
    speech_start: int
    """Where speech was first found."""
    decided: int
    """How much had been heard when that was sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """They stopped. Offsets count samples from the first one fed."""

    start: int
    """That of the `TurnBegan` it belongs to."""
    speech_end: int
    """Where the last speech ended."""
    end: int
    """Where the turn's audio ends: the silence that decided it included."""


TurnEvent: TypeAlias = TurnBegan | TurnEnded


class TurnDetector:
    """Finds turns in a stream of 16-bit mono audio.

    A turn begins once `speech_duration_ms` of speech were found, gaps not counted, and ends once
    `silence_duration_ms` passed without any. While someone speaks it takes less to go on than it
    took to begin (`threshold` less 0.15), so that a turn does not flicker.

    Args:
        detector: What tells speech from the rest; `EnergyDetector` at the input's rate if None.
        sample_rate: Of the input. Where the detector takes another one the input is resampled,
            which needs the extra `[audio]`.
        threshold: How sure the detector must be, 0 to 1.
        speech_duration_ms: Speech that begins a turn.
        silence_duration_ms: Silence that ends one.
        prefix_padding_ms: Audio before the speech that belongs to the turn: first sounds are soft.

    Raises:
        InvalidRequest: A setting makes no sense.
        ConfigurationError: The input has to be resampled and the extra is not installed.
    """

    def __init__(
        self,
        detector: SpeechDetector | None = None,
        *,
        sample_rate: int = 16_000,
        threshold: float = 0.5,
        speech_duration_ms: float = 80,
        silence_duration_ms: float = 500,
        prefix_padding_ms: float = 300,
    ) -> None:
        if not 0 < threshold < 1:
            raise InvalidRequest(f"threshold is {threshold}; it lies between 0 and 1.")
        for name, ms in (
            ("speech_duration_ms", speech_duration_ms),
            ("silence_duration_ms", silence_duration_ms),
            ("prefix_padding_ms", prefix_padding_ms),
        ):
            if ms < 0:
                raise InvalidRequest(f"{name} is {ms}; it cannot be negative.")
        self._detector = detector or EnergyDetector(sample_rate=sample_rate)
        self._begin, self._go_on = threshold, max(threshold - 0.15, threshold / 2)
        self._speech_ms, self._silence_ms = speech_duration_ms, silence_duration_ms
        self._prefix = round(prefix_padding_ms * sample_rate / 1000)
        frame_bytes, rate = self._detector.frame_bytes, self._detector.sample_rate
        self._frame_ms = ms_in(frame_bytes, sample_rate=rate)
        self._scale = sample_rate / rate
        self._frame_samples = frame_bytes // SAMPLE_BYTES
        self._resampler = Resampler(source_rate=sample_rate, target_rate=rate)
        self._framer = Framer(frame_bytes)
        self.reset()

    @property
    def speaking(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._turn is not None

    @property
    def spoken_ms(self) -> float:
        """How much speech the turn has so far, its gaps not counted; 0 between turns."""
        return self._spoken_ms if self.speaking else 0.0

    def reset(self) -> None:
        """Forget everything: another stream begins, whose first sample is 0."""
        self._detector.reset()
        self._resampler.finish()
        self._framer.take_rest()
        self._frames = self._fed = 0
        self._turn: int | None = None
        self._free = 0  # everything before it belongs to an earlier turn
        self._candidate = 0
        self._speech_end = 0
        self._spoken_ms = self._silent_ms = 0.0

    def feed(self, pcm: bytes | bytearray | memoryview) -> list[TurnEvent]:
        """Return what was decided with these samples, in order: mostly nothing.

        Pieces may be of any length; whole frames of the detector are looked at.
        """
        self._fed += len(pcm)
        found: list[TurnEvent] = []
        for frame in self._framer.feed(self._resampler.feed(pcm)):
            event = self._hear(self._detector.probability(frame))
            if event is not None:
                found.append(event)
        return found

    def finish(self) -> list[TurnEvent]:
        """Return the end of a turn that the end of the stream cuts off, and reset."""
        turn, speech_end, end = self._turn, self._speech_end, self._fed // SAMPLE_BYTES
        self.reset()
        return [] if turn is None else [TurnEnded(start=turn, speech_end=speech_end, end=end)]

    def _hear(self, probability: float) -> TurnEvent | None:
        begins = self._frames
        self._frames += 1
        end = self._offset(self._frames)
        speech = probability >= (self._begin if self._turn is None else self._go_on)
        if speech:
            if not self._spoken_ms:
                self._candidate = self._offset(begins)
            self._spoken_ms += self._frame_ms
            self._silent_ms = 0.0
            self._speech_end = end
        else:
            self._silent_ms += self._frame_ms
        if self._turn is None:
            return self._maybe_begin(end, speech=speech)
        if self._silent_ms >= self._silence_ms and not speech:
            turn, self._turn, self._free = self._turn, None, end
            self._spoken_ms = 0.0
            return TurnEnded(start=turn, speech_end=self._speech_end, end=end)
        return None

    def _maybe_begin(self, end: int, *, speech: bool) -> TurnBegan | None:
        if speech and self._spoken_ms >= self._speech_ms:
            self._turn = max(self._candidate - self._prefix, self._free, 0)
            return TurnBegan(start=self._turn, speech_start=self._candidate, decided=end)
        if self._silent_ms >= 2 * self._frame_ms:  # a click, not the start of a word
            self._spoken_ms = 0.0
        return None

    def _offset(self, frames: int) -> int:
        return round(frames * self._frame_samples * self._scale)
