"""Audio files as they are uploaded: which kind, how long, and their samples in one channel.

WAV is read here. FLAC, MP3 and OGG need soundfile; without it a FLAC file still says how long it
is, and the others are refused rather than guessed at.
"""

from __future__ import annotations

import io
import sys
from array import array
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from mai_sdk.wire.wav import A_LAW, MU_LAW, PCM, WavHead, read_wav_head

__all__ = ["Sound", "read_sound"]

_FLOAT: Final = 3
_MAGIC: Final = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
_INSTALL: Final = 'the emulator needs soundfile to read this: pip install "mai-sdk[audio]"'
_MOST_SAMPLES: Final = 32 * 1024 * 1024
"""Bytes of samples that are listened to; of a longer recording only the length is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What is in a file."""

    duration_ms: float
    sample_rate: int
    pcm: bytes | memoryview | None = field(repr=False)
    """16 bits, little-endian, one channel; None where they cannot be read here."""


def read_sound(data: memoryview) -> Sound:
    """Return what is in the file.

    Raises:
        ValueError: It is no audio, or none that can be read here; the text says why.
    """
    start = bytes(data[:64])
    if start.startswith(b"RIFF") and start[8:12] == b"WAVE":
        return _wav(data)
    if not start.startswith(_MAGIC):
        raise ValueError("it is no WAV, FLAC, MP3 or OGG file")
    if find_spec("soundfile") is not None:
        return _decoded(data)
    if start.startswith(b"fLaC"):
        return _flac(start)
    raise ValueError(_INSTALL)


def _wav(data: memoryview) -> Sound:
    head = read_wav_head(bytes(data[: 64 * 1024]))
    size = head.samples_in(len(data))
    samples = data[head.start : head.start + size]
    duration_ms = size * 1000 / (head.frame_bytes * head.sample_rate)
    known = head.encoding in (PCM, _FLOAT, A_LAW, MU_LAW)
    if not known:
        raise ValueError(f"its samples are encoded in a way (tag {head.encoding}) not taken here")
    pcm = _mono(samples, head)
    return Sound(duration_ms=duration_ms, sample_rate=head.sample_rate, pcm=pcm)


def _mono(samples: memoryview, head: WavHead) -> bytes | memoryview | None:
    if head.encoding != PCM or head.bits != 16:
        return None
    if head.channels == 1:
        return samples
    if len(samples) > _MOST_SAMPLES:
        return None
    given = array("h", bytes(samples))
    if sys.byteorder == "big":
        given.byteswap()
    first = given[:: head.channels]
    if any(given[channel :: head.channels] != first for channel in range(1, head.channels)):
        count = head.channels
        frames = zip(*(given[channel::count] for channel in range(count)), strict=True)
        first = array("h", (sum(frame) // count for frame in frames))
    if sys.byteorder == "big":
        first.byteswap()
    return first.tobytes()


def _decoded(data: memoryview) -> Sound:
    soundfile: Any = import_module("soundfile")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as source:
            rate, channels, frames = source.samplerate, source.channels, source.frames
            short = frames * channels * 2 <= _MOST_SAMPLES
            samples = bytes(source.buffer_read(-1, dtype="int16")) if short else b""
    except soundfile.SoundFileError as error:
        why = getattr(error, "error_string", error)  # without the object's address
        raise ValueError(f"it cannot be decoded ({why})") from None
    head = WavHead(
        encoding=PCM, sample_rate=rate, channels=channels, bits=16, start=0, stated_bytes=0
    )
    pcm = _mono(memoryview(samples), head) if short else None
    return Sound(duration_ms=frames * 1000 / rate, sample_rate=rate, pcm=pcm)


def _flac(start: bytes) -> Sound:
    """From the STREAMINFO block, which always comes first (RFC 9639, section 8.2)."""
    packed = int.from_bytes(start[18:26], "big")
    rate, total = packed >> 44, packed & (1 << 36) - 1
    if len(start) < 26 or not rate or not total:
        raise ValueError("it does not say how long it is")
    return Sound(duration_ms=total * 1000 / rate, sample_rate=rate, pcm=None)
