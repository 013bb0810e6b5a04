"""Finds speech in audio by its loudness, as a service's voice activity detection does. Pure.

Audio is looked at in windows of 20 ms, at every fifth sample only: cheap enough for hundreds of
sessions at once, and plenty to tell speech from silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mai_sdk.emulator.pcm import from_bytes

__all__ = ["Edge", "VoiceActivity", "loudest_silence"]

_WINDOW_MS: Final = 20
_STRIDE: Final = 5
_QUIETEST_DB: Final = -60.0
_LOUDEST_DB: Final = -20.0
_GAP_MS: Final = 160
"""A pause within a word no longer than this does not begin the count of speech anew."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where speech begins or ends, from the start of all audio."""

    kind: Literal["started", "stopped"]
    at_ms: int
    """A start has the padding before it, an end the silence that proved it."""


def loudest_silence(threshold: float) -> int:
    """Return the highest sample that is still silence, for a threshold from 0 to 1.

    The threshold is read as a place between -60 and -20 dB of full scale.
    """
    db = _QUIETEST_DB + (_LOUDEST_DB - _QUIETEST_DB) * min(max(threshold, 0.0), 1.0)
    return int(32_768 * 10 ** (db / 20))


class VoiceActivity:
    """Takes audio as it comes, in pieces of any size.

    Args:
        sample_rate: Samples a second.
        threshold: How sure it must be, from 0 to 1.
        prefix_ms: What is taken along from before the speech.
        silence_ms: The silence that ends it.
        speech_ms: The speech that begins it.
        from_ms: How much audio came before this.
    """

    def __init__(
        self,
        *,
        sample_rate: int,
        threshold: float = 0.5,
        prefix_ms: int = 300,
        silence_ms: int = 500,
        speech_ms: int = 200,
        from_ms: int = 0,
    ) -> None:
        self._size = sample_rate * _WINDOW_MS // 1000 * 2
        self._silent = loudest_silence(threshold)
        self._prefix_ms = prefix_ms
        self._silence_ms = max(silence_ms, _WINDOW_MS)
        self._speech_ms = speech_ms
        self._rest = b""
        self._now_ms = self._floor_ms = from_ms
        self._begun_ms = 0
        self._voiced_ms = 0
        self._quiet_ms = 0
        self.is_speech = False
        """Whether speech has begun and not ended."""

    def feed(self, pcm: bytes) -> list[Edge]:
        """Return the edges in this audio, in order.

        Args:
            pcm: 16 bits, little-endian, one channel; windows are cut across pieces.
        """
        if self._rest:
            pcm = self._rest + pcm
        size, edges = self._size, list[Edge]()
        whole = len(pcm) - len(pcm) % size
        for at in range(0, whole, size):
            samples = from_bytes(pcm[at : at + size])[::_STRIDE]
            loud = max(samples) > self._silent or min(samples) < -self._silent
            edge = self._step(is_loud=loud)
            if edge is not None:
                edges.append(edge)
        self._rest = pcm[whole:]
        return edges

    def _step(self, *, is_loud: bool) -> Edge | None:
        before = self._now_ms
        self._now_ms += _WINDOW_MS
        if self.is_speech:
            return self._speaking(is_loud=is_loud)
        if not is_loud:
            self._quiet_ms += _WINDOW_MS
            if self._quiet_ms > _GAP_MS:
                self._voiced_ms = 0
            return None
        if not self._voiced_ms:
            self._begun_ms = before
        self._voiced_ms += _WINDOW_MS
        self._quiet_ms = 0
        if self._voiced_ms < self._speech_ms:
            return None
        self.is_speech = True
        return Edge("started", max(self._begun_ms - self._prefix_ms, self._floor_ms))

    def _speaking(self, *, is_loud: bool) -> Edge | None:
        self._quiet_ms = 0 if is_loud else self._quiet_ms + _WINDOW_MS
        if self._quiet_ms < self._silence_ms:
            return None
        self.is_speech = False
        self._voiced_ms = 0
        self._floor_ms = self._now_ms
        return Edge("stopped", self._now_ms)
