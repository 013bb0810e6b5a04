"""RIFF WAVE: a header for samples, and the samples out of a file. Pure.

Streamed files state no true length (0, 0xFFFFFFFF, or more than came), so what is there counts.
Format: Microsoft, "Multiple Channel Audio Data and WAVE Files"; chunk sizes are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "A_LAW",
    "MU_LAW",
    "PCM",
    "Wav",
    "WavHead",
    "read_wav",
    "read_wav_head",
    "stream_header",
    "wav_header",
]

PCM: Final = 1
A_LAW: Final = 6
MU_LAW: Final = 7
_EXTENSIBLE: Final = 0xFFFE
_LONGEST: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Wav:
    """Samples, and what they are."""

    encoding: int = PCM
    """The format tag: PCM, A_LAW or MU_LAW; others are kept as they are."""
    sample_rate: int
    """Samples a second, of each channel."""
    channels: int = 1
    bits: int = 16
    """Of one sample."""
    samples: bytes = field(repr=False)
    """Interleaved, little-endian; only whole frames."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return max(self.channels * self.bits // 8, 1)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / (self.frame_bytes * self.sample_rate)


def stream_header(*, sample_rate: int) -> bytes:
    """Return the 44 bytes before 16-bit samples of one channel whose number nobody knows yet.

    The official Speech SDK says 0 for both lengths.
    """
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 0, b"WAVE",
        b"fmt ", 16, PCM, 1, sample_rate, sample_rate * 2, 2, 16,
        b"data", 0,
    )  # fmt: skip


def wav_header(
    data_bytes: int, *, sample_rate: int, channels: int = 1, bits: int = 16, encoding: int = PCM
) -> bytes:
    """Return the 44 bytes before `data_bytes` of samples; past 4 GiB the lengths say "unknown"."""
    frame = channels * bits // 8
    padded = min(36 + data_bytes + data_bytes % 2, _LONGEST)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", padded, b"WAVE",
        b"fmt ", 16, encoding, channels, sample_rate, sample_rate * frame, frame, bits,
        b"data", min(data_bytes, _LONGEST),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHead:
    """What a file says of its samples, and where they are."""

    encoding: int
    """As in `Wav`."""
    sample_rate: int
    channels: int
    bits: int
    start: int
    """Where in the file the first sample is."""
    stated_bytes: int
    """How long the samples are said to be; not to be trusted."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return max(self.channels * self.bits // 8, 1)

    def samples_in(self, file_bytes: int) -> int:
        """Return how many bytes of samples a file of that size has, whole frames only."""
        there = max(file_bytes - self.start, 0)
        size = there if self.stated_bytes == 0 or self.stated_bytes > there else self.stated_bytes
        return size - size % self.frame_bytes


def read_wav_head(data: bytes) -> WavHead:
    """Return what the beginning of a file says; `data` need not reach beyond its samples' start.

    Raises:
        ValueError: It is no WAV file, or says nothing usable of its samples.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("it does not begin like a WAV file")
    at, kind = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            kind = _kind(data[at : at + size])
        elif name == b"data":
            if kind is None:
                raise ValueError("it has samples before saying what they are")
            encoding, channels, rate, bits = kind
            return WavHead(
                encoding=encoding,
                sample_rate=rate,
                channels=channels,
                bits=bits,
                start=at,
                stated_bytes=size,
            )
        at += size + size % 2
    raise ValueError("it has no samples")


def read_wav(data: bytes) -> Wav:
    """Return what is in the file; a last frame cut in two is left out.

    Raises:
        ValueError: It is no WAV file, or says nothing usable of its samples.
    """
    head = read_wav_head(data)
    return Wav(
        encoding=head.encoding,
        sample_rate=head.sample_rate,
        channels=head.channels,
        bits=head.bits,
        samples=data[head.start : head.start + head.samples_in(len(data))],
    )


def _kind(chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:
        raise ValueError("its format chunk is cut off")
    encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= 26:
        encoding = int.from_bytes(chunk[24:26], "little")
    if not (channels and rate and bits):
        raise ValueError("its format chunk says 0 channels, samples or bits")
    return encoding, channels, rate, bits
