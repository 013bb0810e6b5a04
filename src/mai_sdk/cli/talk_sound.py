"""The sound of a conversation: the question out of a file, the answers on their way into one.

No I/O: bytes in, bytes out, and a clock that is passed in.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from typing import TYPE_CHECKING, Final

from mai_sdk.audio.pcm import ms_in, samples_of, silence
from mai_sdk.audio.resample import Resampler
from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.wav import PCM, read_wav, wav_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.wire.session_events import AudioChunk

__all__ = ["RATE", "Playing", "Recording", "VirtualSpeaker", "question_of"]

RATE: Final = 24_000
"""Samples a second of what the agent says."""
_PAUSE_MS: Final = 500.0
"""Between one answer and the next in a file."""


def question_of(data: bytes, *, name: str) -> tuple[bytes, int]:
    """Return the samples of a WAV file, all channels made one, and how many there are a second.

    Raises:
        InvalidRequest: It is no WAV file of 16-bit samples, or is empty.
    """
    try:
        wav = read_wav(data)
    except ValueError as error:
        raise InvalidRequest(f"--in: {name} is no WAV file: {error}.") from None
    if wav.encoding != PCM or wav.bits != 16:
        raise InvalidRequest(
            f"--in: {name} has {wav.bits}-bit samples of format {wav.encoding}. Give 16-bit PCM, "
            "as most recorders write it."
        )
    if not wav.samples:
        raise InvalidRequest(f"--in: there is no sound in {name}.")
    return _as_one(wav.samples, wav.channels), wav.sample_rate


def _as_one(pcm: bytes, channels: int) -> bytes:
    if channels == 1:
        return pcm
    samples = samples_of(pcm)
    sides = [samples[side::channels] for side in range(channels)]
    mixed = array("h", (sum(each) // channels for each in zip(*sides, strict=True)))
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()


class Recording:
    """What was heard of the agent, one answer after another with a pause between."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.rate = RATE
        self._response: str | None = None

    def add(self, response_id: str, pcm: bytes) -> None:
        """Append what came out of the loudspeaker."""
        if self.pcm and response_id != self._response:
            self.pcm += silence(_PAUSE_MS, sample_rate=self.rate)
        self._response = response_id
        self.pcm += pcm

    def wav(self) -> bytes:
        """Return it as a file."""
        return wav_header(len(self.pcm), sample_rate=self.rate) + self.pcm


class Playing:
    """What waits to be played, at the recording's rate; what is taken of it is recorded."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._resampler: Resampler | None = None
        self._response = ""

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._recording.rate

    @property
    def held(self) -> int:
        """How many bytes wait."""
        return sum(len(pcm) for _, pcm in self._waiting)

    def give(self, chunk: AudioChunk) -> None:
        """Let this be played after what waits.

        Raises:
            ConfigurationError: It comes at another rate, and the extra `[audio]` is missing.
        """
        pcm, rate, self._response = chunk.pcm, chunk.sample_rate, chunk.response_id
        if rate != self.rate:
            if self._resampler is None:
                self._resampler = Resampler(source_rate=rate, target_rate=self.rate)
            pcm = self._resampler.feed(pcm)
        if pcm:
            self._waiting.append((self._response, pcm))

    def finish(self) -> None:
        """Let the last samples of an answer be played, too, which a resampler keeps back."""
        resampler, self._resampler = self._resampler, None
        rest = resampler.finish() if resampler is not None else b""
        if rest:
            self._waiting.append((self._response, rest))

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most so many."""
        taken = bytearray()
        while self._waiting and len(taken) < size:
            response_id, pcm = self._waiting.popleft()
            room = size - len(taken)
            piece, rest = pcm[:room], pcm[room:]
            self._recording.add(response_id, piece)
            taken += piece
            if rest:
                self._waiting.appendleft((response_id, rest))
        return bytes(taken)

    def drop(self) -> None:
        """Forget what waits: the agent was interrupted."""
        self._waiting.clear()
        self._resampler = None


class VirtualSpeaker:
    """A loudspeaker that nobody hears: it plays as fast as a real one, or at once."""

    def __init__(
        self, playing: Playing, *, clock: Callable[[], float], at_once: bool = False
    ) -> None:
        self._playing = playing
        self._clock = clock
        self._at_once = at_once
        self._until: float | None = None
        """Up to when it has played; None while it has nothing to play."""

    def give(self, chunk: AudioChunk) -> None:
        """Let this be played after what waits."""
        if self._until is None:
            self._until = self._clock()
        self._playing.give(chunk)

    def finish(self) -> None:
        """Note that an answer has come to its end."""
        self._playing.finish()

    def played(self) -> float:
        """Return how many more milliseconds it has played since it was asked last."""
        if self._until is None:
            return 0.0
        if self._at_once:
            return self.rest()
        due = max(self._clock() - self._until, 0.0)
        taken = self._playing.take(int(due * self._playing.rate) * 2)
        ms = ms_in(len(taken), sample_rate=self._playing.rate)
        self._until = self._until + ms / 1000 if self._playing.held else None
        return ms

    def rest(self) -> float:
        """Play what waits at once, and return how long it is: nobody can interrupt any more."""
        self._until = None
        taken = self._playing.take(self._playing.held)
        return ms_in(len(taken), sample_rate=self._playing.rate)

    def stop(self) -> None:
        """Play no more of what waits."""
        self._playing.drop()
        self._until = None
