"""Samples in the formats that can be asked for. Pure.

WAV, bare samples and G.711 are written here; MP3 and Ogg Opus by `soundfile`, if it is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.pcm import from_bytes
from mai_sdk.wire.wav import A_LAW, MU_LAW, PCM, wav_header

if TYPE_CHECKING:
    from mai_sdk.wire.formats import AudioFormat

__all__ = ["CannotEncode", "content_type", "encode"]

_UNKNOWN_LENGTH: Final = 0xFFFFFFFF
_TAGS: Final = {"pcm": PCM, "mulaw": MU_LAW, "alaw": A_LAW}
_KINDS: Final = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "OPUS")}
_RATES: Final = ("8khz", "16khz", "22050hz", "24khz", "44100hz", "48khz")
_SERVED: Final = frozenset({
    *(f"{head}-{rate}-16bit-mono-pcm" for head in ("raw", "riff") for rate in _RATES),
    *(f"{head}-8khz-8bit-mono-{law}" for head in ("raw", "riff") for law in ("mulaw", "alaw")),
    *(f"audio-16khz-{rate}kbitrate-mono-mp3" for rate in (32, 64, 128)),
    *(f"audio-24khz-{rate}kbitrate-mono-mp3" for rate in (48, 96, 160)),
    *(f"audio-48khz-{rate}kbitrate-mono-mp3" for rate in (96, 192)),
    *(f"ogg-{rate}khz-16bit-mono-opus" for rate in (16, 24, 48)),
})  # fmt: skip
"""What the service has, by the Speech SDK 1.53.0, and can be written here."""
_TYPES: Final = {"wav": "audio/x-wav", "mp3": "audio/mpeg", "ogg": "audio/ogg"}


class CannotEncode(Exception):
    """The emulator has no way to write this format; the text says which, and what is missing."""


def content_type(kind: AudioFormat) -> str:
    """Return what the answer calls itself."""
    return _TYPES.get(kind.container, "audio/basic")


def encode(pcm: bytes, kind: AudioFormat) -> bytes:
    """Return 16-bit samples, of the format's own rate, in that format.

    Raises:
        CannotEncode: It is none that can be written here.
    """
    if kind.name not in _SERVED or not kind.sample_rate:
        raise CannotEncode(f"the emulator cannot write {kind.name}")
    if kind.is_samples:
        data = pcm if kind.encoding == "pcm" else _companded(pcm, kind.encoding)
        if kind.container == "raw":
            return data
        # A streamed file cannot know its length, and says so.
        return (
            wav_header(
                _UNKNOWN_LENGTH,
                sample_rate=kind.sample_rate,
                bits=kind.bits or 16,
                encoding=_TAGS[kind.encoding],
            )
            + data
        )
    if importlib.util.find_spec("soundfile") is None:
        raise CannotEncode(f"{kind.name} needs soundfile: pip install 'mai-sdk[speech]'")
    return _with_soundfile(pcm, kind, kind.sample_rate)


def _with_soundfile(pcm: bytes, kind: AudioFormat, rate: int) -> bytes:
    soundfile: Any = importlib.import_module("soundfile")
    container, subtype = _KINDS[kind.container]
    options: dict[str, Any] = {}
    if kind.bitrate:
        # libsndfile takes a level between the fastest and the slowest rate of the MPEG version.
        most, least = (320_000, 32_000) if rate >= 32_000 else (160_000, 8_000)
        level = (most - kind.bitrate) / (most - least)
        options = {"bitrate_mode": "CONSTANT", "compression_level": min(max(level, 0.0), 1.0)}
    out = io.BytesIO()
    with soundfile.SoundFile(
        out, "w", samplerate=rate, channels=1, format=container, subtype=subtype, **options
    ) as file:
        file.buffer_write(pcm, dtype="int16")
    return out.getvalue()


def _companded(pcm: bytes, law: str) -> bytes:
    table = _table(law)
    return bytes([table[sample & 0xFFFF] for sample in from_bytes(pcm)])


@cache
def _table(law: str) -> bytes:
    """Return the G.711 byte of every 16-bit sample, taken as unsigned."""
    one = _mulaw if law == "mulaw" else _alaw
    return bytes(one(value - 65_536 if value & 0x8000 else value) for value in range(65_536))


def _mulaw(sample: int) -> int:
    """ITU-T G.711, the mu-law segment: a sign, three bits of exponent, four of mantissa."""
    sign = 0x80 if sample < 0 else 0
    level = min(abs(sample >> 2), 8158) + 33
    exponent = max(level.bit_length() - 6, 0)
    return ~(sign | exponent << 4 | (level >> exponent + 1) & 0x0F) & 0xFF


def _alaw(sample: int) -> int:
    """ITU-T G.711, A-law: every second bit is inverted."""
    sign = 0x80 if sample >= 0 else 0
    level = min(sample if sample >= 0 else ~sample, 32_767)
    exponent = max(level.bit_length() - 8, 0)
    mantissa = level >> (exponent + 3 if exponent else 4) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55
