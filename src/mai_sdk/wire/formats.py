"""Audio formats: what the service calls them, and what they are. Pure.

Names as the Speech SDK 1.53.0 has them. A name that is not known is sent as it is, for the
service may know it; only then nothing is known of what comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from mai_sdk.errors import InvalidRequest

__all__ = ["SHORT_NAMES", "AudioFormat", "Container", "audio_format"]

Container: TypeAlias = Literal["raw", "wav", "mp3", "ogg", "webm", "amr", "other"]
"""What the file is; "raw" is samples and nothing else."""

_DEFAULTS: Final = {
    "wav": "riff-24khz-16bit-mono-pcm",
    "pcm": "raw-24khz-16bit-mono-pcm",
    "mp3": "audio-24khz-96kbitrate-mono-mp3",
    "opus": "ogg-24khz-16bit-mono-opus",
    "ogg": "ogg-24khz-16bit-mono-opus",
    "webm": "webm-24khz-16bit-mono-opus",
    "mulaw": "raw-8khz-8bit-mono-mulaw",
    "alaw": "raw-8khz-8bit-mono-alaw",
    "g722": "g722-16khz-64kbps",
    "amr": "amr-wb-16000hz",
}
_RATES: Final = ("8khz", "16khz", "22050hz", "24khz", "44100hz", "48khz")
SHORT_NAMES: Final[dict[str, str]] = {
    **_DEFAULTS,
    **{f"wav-{rate}": f"riff-{rate}-16bit-mono-pcm" for rate in _RATES},
    **{f"pcm-{rate}": f"raw-{rate}-16bit-mono-pcm" for rate in _RATES},
    "mp3-16khz": "audio-16khz-64kbitrate-mono-mp3",
    "mp3-24khz": "audio-24khz-96kbitrate-mono-mp3",
    "mp3-48khz": "audio-48khz-192kbitrate-mono-mp3",
    "opus-16khz": "ogg-16khz-16bit-mono-opus",
    "opus-24khz": "ogg-24khz-16bit-mono-opus",
    "opus-48khz": "ogg-48khz-16bit-mono-opus",
}
"""What may be written in place of a format's own name."""

_RATE: Final = re.compile(r"(?<![a-z0-9])(\d{1,6})(k?)hz(?![a-z0-9])")
_BITS: Final = re.compile(r"(?<![a-z0-9])(\d{1,3})bit(?![a-z0-9])")
_BITRATE: Final = re.compile(r"(?<![a-z0-9])(\d{1,6})k(?:bitrate|bps)(?![a-z0-9])")
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_CONTAINERS: Final[dict[str, Container]] = {
    "raw": "raw", "riff": "wav", "ogg": "ogg", "webm": "webm", "amr": "amr", "g722": "raw",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """What audio comes as."""

    name: str
    """The name the service has for it, and what is asked for; see `wire_name`."""
    container: Container
    encoding: str
    """"pcm", "mulaw", "alaw", "mp3", "opus", or what else the name ends with."""
    sample_rate: int | None
    """Samples a second."""
    bits: int | None
    """Of one sample as it comes; None for what is compressed."""
    bitrate: int | None
    """Bits a second, where the name says so and it is constant."""

    @property
    def wire_name(self) -> str:
        """What the service is asked for: bare samples where the result is to be a WAV file.

        A streamed header cannot know the length, so ours is written when all has come.
        """
        return self.name.replace("riff-", "raw-", 1) if self.container == "wav" else self.name

    @property
    def frame_bytes(self) -> int:
        """Bytes that belong together; 1 where any cut is as good as another."""
        return max((self.bits or 8) // 8, 1)

    @property
    def is_samples(self) -> bool:
        """Whether it is bare samples, each of the same size."""
        return self.container in ("raw", "wav") and self.bits is not None

    @property
    def is_joinable(self) -> bool:
        """Whether two pieces, one after the other, are one piece of the same kind.

        MP3 is frames, and Ogg may be chained (RFC 3533); a WebM file or bare Opus can be neither.
        """
        return self.is_samples or self.container in ("mp3", "ogg") or self.encoding == "g722"

    @property
    def suffix(self) -> str:
        """What a file of it is usually called, with the dot."""
        return {"raw": ".raw", "other": ".bin"}.get(self.container, f".{self.container}")

    def seconds(self, size: int) -> float | None:
        """Return how long `size` bytes play; None where that cannot be told from the size."""
        if self.is_samples and self.sample_rate:
            return size / (self.frame_bytes * self.sample_rate)
        return size * 8 / self.bitrate if self.bitrate else None


@lru_cache(maxsize=256)
def audio_format(name: str) -> AudioFormat:
    """Return the format of that name, short or as the service has it.

    Raises:
        InvalidRequest: It is no short name and cannot be one of the service's either.
    """
    full = SHORT_NAMES.get(name.strip().lower(), name.strip().lower())
    if not _NAME.fullmatch(full):
        raise InvalidRequest(
            f"There is no audio format of that name. Short ones are {', '.join(_DEFAULTS)}, with a "
            "rate as in wav-16khz; else the service's own, as audio-24khz-96kbitrate-mono-mp3."
        )
    head, tail = full.split("-")[0], full.rsplit("-", 1)[-1]
    container = _CONTAINERS.get(head, "mp3" if tail == "mp3" else "other")
    encoding = head if head in ("g722", "amr") else tail
    rate, bits, bitrate = _RATE.search(full), _BITS.search(full), _BITRATE.search(full)
    constant = bitrate and encoding in ("mp3", "g722")
    return AudioFormat(
        name=full,
        container=container,
        encoding=encoding,
        sample_rate=int(rate[1]) * (1000 if rate[2] else 1) if rate else None,
        bits=int(bits[1]) if bits and encoding in ("pcm", "mulaw", "alaw") else None,
        bitrate=int(bitrate[1]) * 1000 if constant and bitrate else None,
    )
