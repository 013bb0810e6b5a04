"""Live transcription over MAI-Transcribe's Realtime route, as a state machine. Pure.

The service finds no turns, so they are found here, or named by the caller; it takes no settings
once audio has come, so audio waits for `session.updated`; and it writes down what was committed,
so everything is committed before the end. One commit is one turn, and one receipt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.session.hearing import Hearing, Said
from mai_sdk.session.realtime import RealtimeMachine
from mai_sdk.session.refusals import error_of, refusal_of
from mai_sdk.session.transcription import Transcription, ms_between
from mai_sdk.session.written import Written
from mai_sdk.wire import live_client_events as ask
from mai_sdk.wire import live_events as live
from mai_sdk.wire.session_events import (
    Failed,
    Other,
    Reconnected,
    SessionStarted,
    TurnDone,
    Warned,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.audio.turns import TurnDetector
    from mai_sdk.wire.live_codec import Received

__all__ = ["Dictation"]

_SETTINGS = "settings-1"
_REMEMBERED = 256
_PATIENCE = 15.0
"""Seconds the service may take to begin."""


class Dictation(Transcription, RealtimeMachine):
    """See the module.

    Args:
        session: The `session` object of session.update.
        sample_rate: Of the audio, as the session has it.
        detector: What finds turns; None where the caller commits.
        buffer_seconds: How much audio is kept that is not written down.
        lifetime_seconds: How long a connection lives where it does not say.
    """

    def __init__(
        self,
        session: Mapping[str, Any],
        *,
        sample_rate: int,
        detector: TurnDetector | None,
        buffer_seconds: float = 300.0,
        lifetime_seconds: float = 3600.0,
    ) -> None:
        super().__init__(
            Hearing(sample_rate, buffer_seconds),
            detector=detector,
            lifetime_seconds=lifetime_seconds,
        )
        self._session = dict(session)
        self._written = Written()
        self._done: dict[str, None] = {}

    # What the user says.

    def close(self) -> None:
        """Note that no more audio comes: what there is, is a turn."""
        if not self.is_closing:
            super().close()
            self._commit(self.hearing.buffer.end, now=None)

    def ended(self, reason: str, *, code: int | None, now: float) -> None:
        """Note that the session is over: turns that are not written down will not be."""
        for said in self.hearing.said:
            listened_ms = self.hearing.ms((said.end or said.start) - said.start)
            self.emit(TurnDone(status="failed", reason="session_closed", listened_ms=listened_ms))
        self.hearing.said.clear()
        super().ended(reason, code=code, now=now)

    def wants_rollover(self, now: float) -> bool:
        """See `Machine`; also where the service never says that the settings stand."""
        mute = self.is_connected and not self._is_ready and now - self._began_at > _PATIENCE
        return mute or super().wants_rollover(now)

    @property
    def is_drained(self) -> bool:
        """Whether, once closed, all is written down."""
        return self.is_closing and not self.hearing.said

    # The connection.

    @property
    def detects_turns(self) -> bool:
        """Whether audio without speech needs no commit; not while somebody speaks."""
        return self._detector is not None and not self._detector.speaking

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks and nothing is being written down."""
        return self.detects_turns and not self.hearing.said

    def _open(self, now: float) -> None:
        self._is_ready = False
        self._written.clear()

    def _lost(self, now: float) -> None:
        self._is_ready = False
        self._news = Reconnected(why=self._why, connections=0)

    def _begin(self, event: live.SessionUpdated, now: float) -> None:
        """Let audio through: the settings stand."""
        self._is_ready = True
        resent = self._send_again()
        if self._news is not None:
            self._news = Reconnected(why=self._why, connections=0, resent_ms=resent)
            self.emit(Other(type=event.type, raw=event))
            self._returned(now)
        elif not self._has_started:
            self._has_started = True
            self.emit(
                SessionStarted(
                    session_id=event.session.id,
                    model=event.session.model,
                    expires_at=event.session.expires_at,
                    raw=event.session,
                )
            )

    def _put_commit(self, said: Said) -> None:
        self.send(ask.InputAudioBufferCommit())

    # What the service says.

    def _read(self, event: Received, now: float) -> None:
        if isinstance(event, live.SessionCreated):
            self._take_expiry(event)
            self.emit(Other(type=event.type, raw=event))
            self.send(ask.SessionUpdate(event_id=_SETTINGS, session=self._session))
        elif isinstance(event, live.SessionUpdated) and not self._is_ready:
            self._begin(event, now)
        elif isinstance(event, live.ServerError):
            self._refused(event, now)
        else:
            self.is_proven = True
            self._heard(event, now)

    def _heard(self, event: Received, now: float) -> None:
        if isinstance(event, live.InputAudioTranscriptionCompleted):
            self._finish(event, event.item_id, "completed", event.transcript, now)
        elif isinstance(event, live.InputAudioTranscriptionFailed):
            error = error_of(event.error, surface="realtime")
            self.emit(Failed(error=error, item_id=event.item_id, raw=event))
            self._finish(event, event.item_id, "failed", None, now)
        elif isinstance(event, live.UnrecognisedEvent):
            self.emit(Other(type=event.type, raw=event))
        else:
            if isinstance(event, live.InputAudioBufferCommitted):
                self.hearing.committed(event.item_id)
            self.emit(self._written.read(event) or Other(type=event.type, raw=event))

    def _finish(
        self,
        event: live.ServerEvent,
        item_id: str | None,
        status: str,
        text: str | None,
        now: float,
    ) -> None:
        written = self._written.read(event)
        said = self._turn_of(item_id)
        if said is None:
            self.emit(Other(type=event.type, raw=event))
            return
        if written is not None:
            self.emit(written)
        self._written.forget(item_id)
        self.emit(
            TurnDone(
                status=status,
                user_text=text,
                item_id=item_id,
                listened_ms=self.hearing.ms((said.end or said.start) - said.start),
                first_text_ms=ms_between(said.ended_at, now),
                raw=event,
            )
        )

    def _turn_of(self, item_id: str | None) -> Said | None:
        """Return the turn that is over with this, once; services need not name items."""
        if item_id is not None:
            if item_id in self._done:
                return None
            self._done[item_id] = None
            if len(self._done) > _REMEMBERED:
                del self._done[next(iter(self._done))]
        return self.hearing.kept(item_id) or self.hearing.kept(None)

    def _refused(self, event: live.ServerError, now: float) -> None:
        problem, refusal = event.error, refusal_of(event.error)
        if refusal == "benign":
            self.emit(Warned(message=problem.message or "", code=problem.code, raw=event))
            if problem.code == "input_audio_buffer_commit_empty":
                self._finish(event, None, "completed", "", now)
            return
        if refusal == "expired":
            self._ends_at = now
        error = error_of(problem, surface="realtime")
        self.emit(Failed(error=error, raw=event))
        if not self._is_ready and refusal != "expired":
            self.failure = error
