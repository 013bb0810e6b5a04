"""What both ways of live transcription share: turns found or named, seconds billed. Pure."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from mai_sdk.audio.turns import TurnBegan
from mai_sdk.session.machine import Machine
from mai_sdk.wire.session_events import SpeechEnded, SpeechStarted, Warned

if TYPE_CHECKING:
    from mai_sdk.audio.turns import TurnDetector
    from mai_sdk.session.hearing import Hearing, Said

__all__ = ["Transcription", "ms_between"]


class Transcription(Machine):
    """See the module.

    Args:
        hearing: The user's audio.
        detector: What finds turns; None where it is not done here.
        lifetime_seconds: How long a connection lives where it does not say.
    """

    def __init__(
        self, hearing: Hearing, *, detector: TurnDetector | None, lifetime_seconds: float
    ) -> None:
        super().__init__(hearing, lifetime_seconds=lifetime_seconds)
        self._detector = detector
        self._has_started = False
        self._is_ready = False
        """Whether audio may go out on this connection."""
        self.streamed = 0
        """Samples sent over all connections: what is billed."""

    def send_audio(self, audio: bytes, *, now: float) -> None:
        """Take the next piece of audio; turns in it begin and end as the detector finds them.

        Raises:
            InvalidRequest: Its last sample is cut in two.
            AudioOverflow: Too much is not written down.
        """
        begins = self.hearing.buffer.end
        self.hearing.give(audio, now=now)
        found = self._detector.feed(audio) if self._detector is not None else []
        at = 0
        for event in found:
            if isinstance(event, TurnBegan):
                self.emit(SpeechStarted(offset_ms=self.hearing.ms(event.speech_start)))
                continue
            cut = min(max((event.end - begins) * self.hearing.sample_bytes, at), len(audio))
            self._forward(audio[at:cut])
            at = cut
            self.emit(SpeechEnded(offset_ms=self.hearing.ms(event.speech_end)))
            self._commit(begins + cut // self.hearing.sample_bytes, now=now)
        self._forward(audio[at:])

    def commit(self, *, now: float) -> bool:
        """End the turn here; False, and nothing done, where there is no audio in it."""
        return self._commit(self.hearing.buffer.end, now=now)

    def ended(self, reason: str, *, code: int | None, now: float) -> None:
        """Note that the session is over; what was not written down is told."""
        missing = len(self.hearing.buffer)
        if missing and not self.is_drained:
            self.emit(
                Warned(
                    message=f"The last {missing / self.hearing.sample_rate:.1f} s of audio were "
                    "not written down: the session ended before.",
                    code="audio_not_written_down",
                )
            )
        super().ended(reason, code=code, now=now)

    def _forward(self, audio: bytes) -> None:
        if self._is_ready and audio:
            self._append(audio)
            self.streamed += len(audio) // self.hearing.sample_bytes

    def _commit(self, end: int, *, now: float | None) -> bool:
        said = self.hearing.commit(end)
        if said is None:
            return False
        given = self.hearing.given_at(end)
        said.ended_at = given if now is None or given is None else min(given, now)
        if self._is_ready:
            self._put_commit(said)
        return True

    def _send_again(self) -> float:
        """Send what is not written down again, the commits in it at their places; return the ms."""
        before = self._queued_to
        for each in self.hearing.restart():
            if isinstance(each, bytes):
                self._forward(each)
            else:
                self._put_commit(each)
        return self.hearing.ms(self._queued_to - before)

    @abstractmethod
    def _put_commit(self, said: Said) -> None:
        """Put the end of a turn among what is to be sent."""


def ms_between(start: float | None, end: float) -> float | None:
    """Return the time between two moments; None if the first is not known."""
    return None if start is None else max(end - start, 0.0) * 1000
