"""What callers pass as audio, made into something that can be read more than once.

A file is read while it is sent, from its beginning at every try; nothing here holds a whole one.
A file object that cannot be wound back, such as a pipe, is first copied to a temporary file.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.said import clean
from mai_sdk.wire.wav import WavHead, read_wav_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

__all__ = ["Audio", "Recording", "as_url", "close_all", "copied", "open_recording"]

Audio: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]"
"""A path, the bytes, a file object open for reading bytes, or an http(s) URL."""

_PIECE: Final = 256 * 1024
_HEAD: Final = 64 * 1024
"""What stands before a WAV file's samples is seldom more than a few hundred bytes."""
_SUFFIXES: Final = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3"}
_WANTED: Final = "Pass a path, the bytes, a file object opened with mode 'rb', or an http(s) URL."


@dataclass(slots=True, kw_only=True)
class Recording:
    """Audio that can be read from any place, again and again."""

    filename: str
    """What the service is told it is called: never the folders before it."""
    size: int
    """In bytes; never 0."""
    read: Callable[[int, int], Iterator[bytes]] = field(repr=False)
    """Yields so many bytes from a place on, in pieces; raises InvalidRequest if they are gone."""
    path: Path | None = field(default=None, repr=False)
    """Where it is, if it is a file."""
    temporary: bool = False
    """Whether that file is ours, to be removed by `close`."""
    wav: WavHead | None = None
    """What a WAV file says of its samples; None for other formats."""

    @property
    def seconds(self) -> float | None:
        """How long it plays; None where only a decoder could tell."""
        if self.wav is None:
            return None
        return self.wav.samples_in(self.size) / (self.wav.frame_bytes * self.wav.sample_rate)

    def described(self) -> Self:
        """Read its head, and return itself.

        Raises:
            InvalidRequest: It is a WAV file without samples.
        """
        head = b"".join(self.read(0, min(self.size, _HEAD)))
        with suppress(ValueError):
            self.wav = read_wav_head(head)
        if not Path(self.filename).suffix:
            kind = next((s for magic, s in _SUFFIXES.items() if head.startswith(magic)), "")
            self.filename = f"{self.filename or 'audio'}{kind}"
        if self.seconds == 0:
            raise InvalidRequest(
                f"{clean(self.filename, limit=80)} is a WAV file without samples: there is nothing "
                "to transcribe."
            )
        return self

    def close(self) -> None:
        """Remove the file, if it is a temporary one."""
        if self.temporary and self.path is not None:
            self.path.unlink(missing_ok=True)


def close_all(recordings: Iterable[Recording]) -> None:
    """Remove those of their files that are temporary."""
    for recording in recordings:
        recording.close()


def copied(recording: Recording) -> Recording:
    """Return the recording as a file that many may read at once: itself, or a temporary copy."""
    if recording.path is not None:
        return recording
    return _kept(recording.read(0, recording.size), recording.filename)


def _kept(pieces: Iterator[bytes], name: str) -> Recording:
    with tempfile.NamedTemporaryFile(prefix="mai-", delete=False) as copy:
        path = Path(copy.name)
        try:
            copy.writelines(pieces)
            copy.flush()
            made = _of_path(path, filename=name).described()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    made.temporary = True
    return made


def as_url(audio: object) -> str | None:
    """Return the URL, if that is what the audio is given as.

    Raises:
        InvalidRequest: It is one that no service could fetch.
    """
    if not isinstance(audio, str) or "://" not in audio[:12]:
        return None
    try:
        parts = urlsplit(audio)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or any(character <= " " for character in audio):
        raise InvalidRequest(f"The audio is a URL that cannot be fetched by the service. {_WANTED}")
    return audio


def open_recording(audio: Any) -> Recording:
    """Return the recording for a path, bytes or a file object.

    Reads a file object that cannot be wound back to its end, into a temporary file; `close` removes
    that.

    Raises:
        InvalidRequest: It is not there, is a folder, is empty, or cannot be audio at all.
    """
    if isinstance(audio, (bytes, bytearray, memoryview)):
        return _of_bytes(memoryview(cast("bytes", audio)).cast("B")).described()
    if isinstance(audio, (str, os.PathLike)):
        return _of_path(cast("str", audio)).described()
    if not callable(getattr(audio, "read", None)):
        raise InvalidRequest(f"The audio is a {type(audio).__name__}. {_WANTED}")
    if isinstance(audio, io.TextIOBase):
        raise InvalidRequest("The audio is a file opened as text. Open it with mode 'rb'.")
    return _of_file(cast("IO[bytes]", audio))


def _of_bytes(data: memoryview, filename: str = "") -> Recording:
    if not data:
        raise InvalidRequest("The audio is empty: 0 bytes.")

    def read(start: int, length: int) -> Iterator[bytes]:
        for at in range(start, start + length, _PIECE):
            yield bytes(data[at : min(at + _PIECE, start + length)])

    return Recording(filename=filename or "audio", size=len(data), read=read)


def _of_path(given: str | os.PathLike[str], *, filename: str = "") -> Recording:
    path = Path(os.fsdecode(given))
    name = filename or path.name
    shown = clean(name or str(path), limit=80)
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise InvalidRequest(f"{shown} is a folder. Pass the path of one file.")
        with path.open("rb") as file:
            if not stat.S_ISREG(about.st_mode):  # a pipe can be read once
                return _spooled(file, name)
    except InvalidRequest:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL, or what no file name can hold
        why = (isinstance(error, OSError) and error.strerror) or "that is no path"
        raise InvalidRequest(f"The audio {shown} cannot be read: {why}.") from None
    if about.st_size == 0:
        raise InvalidRequest(f"The audio {shown} is empty: 0 bytes.")

    def read(start: int, length: int) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                file.seek(start)
                yield from _exactly(file, length, shown)
        except OSError as error:
            why = error.strerror or "it is gone"
            raise InvalidRequest(f"The audio {shown} cannot be read any more: {why}.") from None

    return Recording(filename=name, size=about.st_size, read=read, path=path)


def _of_file(file: IO[bytes], *, filename: str = "") -> Recording:
    named = getattr(file, "name", None)
    name = filename or (Path(named).name if isinstance(named, str) else "")
    try:
        begin = file.tell() if file.seekable() else None
        size = 0 if begin is None else file.seek(0, os.SEEK_END) - begin
    except (OSError, ValueError, AttributeError, TypeError):
        begin, size = None, 0
    if begin is None:
        return _spooled(file, name)
    if size <= 0:
        raise InvalidRequest("The file object has nothing left to read. Wind it back: seek(0).")
    shown = clean(name, limit=80) or "file object"

    def read(start: int, length: int) -> Iterator[bytes]:
        try:
            file.seek(begin + start)
        except (OSError, ValueError) as error:
            raise _unreadable(error, shown) from None
        yield from _exactly(file, length, shown)

    made = Recording(filename=name or "audio", size=size, read=read)
    return made.described()


def _spooled(file: IO[bytes], name: str) -> Recording:
    shown = clean(name, limit=80) or "file object"
    return _kept(iter(lambda: _some(file, _PIECE, shown), b""), name or "audio")


def _exactly(file: IO[bytes], length: int, shown: str) -> Iterator[bytes]:
    while length > 0:
        data = _some(file, min(_PIECE, length), shown)
        if not data:
            raise InvalidRequest(
                f"The audio {shown} became shorter while it was being sent. Send a file that "
                "nothing else writes to."
            )
        length -= len(data)
        yield data


def _some(file: IO[bytes], size: int, shown: str) -> bytes:
    """Read so many bytes at most; none at the end."""
    try:
        data: Any = file.read(size)
    except (OSError, ValueError) as error:
        raise _unreadable(error, shown) from None
    if not isinstance(data, (bytes, bytearray, memoryview)):
        kind = type(cast("object", data)).__name__
        raise InvalidRequest(
            f"The audio {shown} gives {kind} where bytes are needed. Open it with mode 'rb'."
        )
    return bytes(cast("bytes", data))


def _unreadable(error: OSError | ValueError, shown: str) -> InvalidRequest:
    """Return what a file object's failure means; of a closed one it is a ValueError."""
    why = (isinstance(error, OSError) and error.strerror) or "it is closed, or not for reading"
    return InvalidRequest(f"The audio {shown} cannot be read: {why}.")
