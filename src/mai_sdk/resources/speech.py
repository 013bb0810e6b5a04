"""What a voice call gives back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict, Field

from mai_sdk.errors import UnsupportedFeature
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value
from mai_sdk.wire.formats import audio_format
from mai_sdk.wire.speech_events import Bookmark, SentenceBoundary, Viseme, WordBoundary
from mai_sdk.wire.wav import A_LAW, MU_LAW, PCM, read_wav, wav_header

if TYPE_CHECKING:
    from os import PathLike

    from mai_sdk.wire.formats import AudioFormat

__all__ = ["Speech", "as_wav"]

_TAGS: Final = {"pcm": PCM, "mulaw": MU_LAW, "alaw": A_LAW}


def as_wav(samples: bytes, kind: AudioFormat) -> bytes:
    """Return bare samples as a WAV file, with the header that is true of them."""
    header = wav_header(
        len(samples),
        sample_rate=kind.sample_rate or 0,
        bits=kind.bits or 16,
        encoding=_TAGS[kind.encoding],
    )
    return b"".join((header, samples, b"\0" * (len(samples) % 2)))


class Speech(Value):
    """Spoken text, and what it took."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    audio: bytes = Field(repr=False)
    """The audio, as a whole file of its kind; of "pcm" and other raw formats, bare samples."""
    format: str
    """The format by the service's name, as "riff-24khz-16bit-mono-pcm"."""
    sample_rate: int | None
    """Samples a second; None for a format this version does not know."""
    audio_seconds: float | None
    """How long it plays; None where that cannot be told from its size (Opus)."""
    voice: str | None
    """Who spoke, by the whole name; None for SSML with several voices."""
    usage: Usage
    """What the call used, over all its attempts: characters, as they are billed."""
    cost: Cost
    """What the call cost, over all its attempts."""
    model: str | None
    """The catalog's name of the model, from the voice or the route."""
    deployment: str | None
    call_id: str
    """Our id: the key into the ledger."""
    request_id: str | None
    """The service's id for the last attempt: quote it to support."""
    attempts: int
    """How many requests it took: a long text takes several, one after the other."""
    timing: Timing
    receipt: Receipt = Field(repr=False)
    """Usage and cost attempt by attempt."""
    boundaries: tuple[WordBoundary | SentenceBoundary | Viseme | Bookmark, ...] = Field(
        default=(), repr=False
    )
    """Where words, sentences and mouth shapes stand, if they were asked for, in the order said."""
    raw: Any = Field(default=None, repr=False)
    """The headers of the last answer: all the service says besides the audio."""

    @property
    def duration_ms(self) -> float | None:
        """How long it plays, in milliseconds; None where that is not known."""
        return None if self.audio_seconds is None else self.audio_seconds * 1000

    @property
    def suffix(self) -> str:
        """What a file of it is usually called, with the dot: ".wav"."""
        return audio_format(self.format).suffix

    @property
    def pcm(self) -> bytes:
        """The samples: 16 bits, little-endian, one channel, `sample_rate` a second.

        Raises:
            UnsupportedFeature: The format has no such samples.
        """
        kind = audio_format(self.format)
        if not kind.is_samples or kind.encoding != "pcm":
            raise UnsupportedFeature(
                f"{self.format} holds no 16-bit samples. Ask for format='wav' or 'pcm'."
            )
        return read_wav(self.audio).samples if kind.container == "wav" else self.audio

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the file and return its path; bare samples saved as .wav get their header.

        Raises:
            OSError: It could not be written.
        """
        target = Path(path)
        kind = audio_format(self.format)
        bare = kind.container == "raw" and kind.is_samples
        wanted = bare and target.suffix.lower() == ".wav"
        target.write_bytes(as_wav(self.audio, kind) if wanted else self.audio)
        return target
