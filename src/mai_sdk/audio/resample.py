"""Samples at one rate made into samples at another, as they come. Pure.

Equal rates need nothing. Other rates need soxr (extra `[audio]`), which is loaded when the first
`Resampler` between two rates is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mai_sdk.audio.pcm import SAMPLE_BYTES, Framer
from mai_sdk.errors import ConfigurationError, InvalidRequest

__all__ = ["Resampler"]


class Resampler:
    """16-bit mono at `source_rate` in, the same sound at `target_rate` out.

    Feed it pieces of any length; what it gives back lags a few milliseconds behind, and `finish`
    gives the rest. One resampler is for one stream.

    Raises:
        InvalidRequest: A rate is not between 1,000 and 768,000 samples a second.
        ConfigurationError: The rates differ and the extra `[audio]` is not installed.
    """

    def __init__(self, *, source_rate: int, target_rate: int) -> None:
        for name, rate in (("source_rate", source_rate), ("target_rate", target_rate)):
            if not 1_000 <= rate <= 768_000:
                raise InvalidRequest(
                    f"{name} is {rate}; give samples a second, such as 16000 or 48000."
                )
        self.source_rate = source_rate
        self.target_rate = target_rate
        self._framer = Framer(SAMPLE_BYTES)
        self._stream, self._numpy = _soxr(source_rate, target_rate)

    def feed(self, pcm: bytes | bytearray | memoryview) -> bytes:
        """Return the samples that are ready now; a sample that is cut in two waits for its rest."""
        if not self._framer.held and len(pcm) % SAMPLE_BYTES == 0:
            return self._run(bytes(pcm), last=False)
        return self._run(b"".join(self._framer.feed(pcm)), last=False)

    def finish(self) -> bytes:
        """Return the last samples, and be ready for another stream; half a sample is dropped."""
        self._framer.take_rest()
        rest = self._run(b"", last=True)
        self._stream, self._numpy = _soxr(self.source_rate, self.target_rate)
        return rest

    def _run(self, pcm: bytes, *, last: bool) -> bytes:
        if self._stream is None or not (pcm or last):
            return pcm
        samples = self._numpy.frombuffer(pcm, dtype="<i2").astype(self._numpy.int16)
        made: bytes = self._stream.resample_chunk(samples, last=last).astype("<i2").tobytes()
        return made


def _soxr(source_rate: int, target_rate: int) -> tuple[Any, Any]:
    if source_rate == target_rate:
        return None, None
    try:
        soxr, numpy = import_module("soxr"), import_module("numpy")
    except ImportError:
        raise ConfigurationError(
            f"Audio at {source_rate} samples a second has to be made into {target_rate}, and that "
            'needs the extra: pip install "mai-sdk[audio]". Or give audio at '
            f"{target_rate} samples a second."
        ) from None
    return soxr.ResampleStream(source_rate, target_rate, 1, dtype="int16"), numpy
