"""A long recording in pieces: cut in pauses, each sent as a WAV file of its own.

Only the seconds around each cut are read for it; the pieces are read from the file while they are
sent.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.resources.recording import Recording, close_all, copied, open_recording
from mai_sdk.resources.silence import can_cut, quietest, window_before
from mai_sdk.wire.said import clean
from mai_sdk.wire.wav import wav_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mai_sdk.wire.wav import WavHead

__all__ = ["Cut", "cut_up"]

_BLOCK: Final = 16_384


@dataclass(slots=True, kw_only=True)
class Cut:
    """One piece: a stretch of a recording's samples, as a WAV file."""

    recording: Recording = field(repr=False)
    head: WavHead
    start: int
    """In the recording, in bytes."""
    length: int

    @property
    def offset_ms(self) -> int:
        """Where it begins."""
        return self._ms(self.start - self.head.start)

    @property
    def duration_ms(self) -> int:
        """How long it lasts; ends where the next begins."""
        return self._ms(self.start - self.head.start + self.length) - self.offset_ms

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self.length + len(self._header())

    def read(self) -> Iterator[bytes]:
        """Yield the file."""
        yield self._header()
        yield from self.recording.read(self.start, self.length)

    def _header(self) -> bytes:
        head = self.head
        return wav_header(
            self.length,
            sample_rate=head.sample_rate,
            channels=head.channels,
            bits=head.bits,
            encoding=head.encoding,
        )

    def _ms(self, length: int) -> int:
        return round(length * 1000 / (self.head.frame_bytes * self.head.sample_rate))


def cut_up(recording: Recording, *, seconds: float) -> tuple[list[Cut], list[Recording]]:
    """Return the pieces, none longer than `seconds`, and the files to close when they are sent.

    Raises:
        UnsupportedFeature: The samples cannot be read here; the text says what would.
        InvalidRequest: It is no audio.
    """
    files: list[Recording] = []
    try:
        if recording.wav is None or not can_cut(recording.wav):
            source = copied(recording)
            files += [source] if source is not recording else []
            recording = _decoded(source)
            files.append(recording)
        elif recording.path is None:
            recording = copied(recording)
            files.append(recording)
        return list(_cuts(recording, seconds)), files
    except BaseException:
        close_all(files)
        raise


def _cuts(recording: Recording, seconds: float) -> Iterator[Cut]:
    head = recording.wav
    if head is None:
        raise InvalidRequest("The audio has no samples that could be cut.")
    frame = head.frame_bytes
    longest = max(int(seconds * head.sample_rate), 1) * frame
    window = int(window_before(seconds) * head.sample_rate) * frame
    at, end = head.start, head.start + head.samples_in(recording.size)
    while end - at > longest:
        looked = b"".join(recording.read(at + longest - window, window))
        length = longest - window + quietest(looked, head)
        yield Cut(recording=recording, head=head, start=at, length=length)
        at += length
    yield Cut(recording=recording, head=head, start=at, length=end - at)


def _decoded(recording: Recording) -> Recording:
    """Return the recording as a temporary file of 16-bit samples; needs soundfile."""
    shown = clean(recording.filename, limit=80)
    try:
        soundfile: Any = import_module("soundfile")
    except (ImportError, OSError):  # OSError: the library it wraps is not there
        raise UnsupportedFeature(
            f"{shown} can be cut into pieces only with soundfile, which reads FLAC, MP3 and OGG: "
            'pip install "mai-sdk[audio]". Or pass a PCM WAV file, or leave chunks out.'
        ) from None
    with tempfile.NamedTemporaryFile(prefix="mai-", suffix=".wav", delete=False) as made:
        path = Path(made.name)
        try:
            with soundfile.SoundFile(str(recording.path)) as source:
                kind = {"sample_rate": source.samplerate, "channels": source.channels}
                made.write(wav_header(0, **kind))
                size = 0
                while samples := bytes(source.buffer_read(_BLOCK, dtype="int16")):
                    size += made.write(samples)
            made.seek(0)
            made.write(wav_header(size, **kind))
            made.flush()
            decoded = open_recording(path)
        except soundfile.SoundFileError as error:
            path.unlink(missing_ok=True)
            why = clean(str(getattr(error, "error_string", error)))  # without the folders
            raise InvalidRequest(f"{shown} cannot be read as audio: {why}") from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    decoded.temporary, decoded.filename = True, f"{Path(recording.filename).stem}.wav"
    return decoded
