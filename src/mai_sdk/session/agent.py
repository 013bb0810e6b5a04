"""What the agent says in a session: given out, followed to the loudspeaker, stopped. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.audio.playback import PlaybackTracker
from mai_sdk.session.answers import Answers
from mai_sdk.session.history import Line
from mai_sdk.wire import live_response_events as say
from mai_sdk.wire.session_events import AgentTranscript, AudioChunk, Other, TurnDone
from mai_sdk.wire.shapes import as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.audio.playback import Heard
    from mai_sdk.session.answers import Answer, Question
    from mai_sdk.session.history import History
    from mai_sdk.wire.live_events import ServerEvent
    from mai_sdk.wire.live_parts import Response
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Agent"]


class Agent:
    """The agent's side of a conversation."""

    def __init__(
        self,
        history: History,
        *,
        sample_rate: int,
        sample_bytes: int,
        emit: Callable[[SessionEvent], None],
        question: Callable[[], Question],
    ) -> None:
        self.answers = Answers()
        self.playback = PlaybackTracker(sample_rate=sample_rate, sample_bytes=sample_bytes)
        self.dropped_ms = 0.0
        """Late audio of interrupted answers, which nobody was given."""
        self.reports_playback = False
        self._history = history
        self._rate = sample_rate
        self._sample_bytes = sample_bytes
        self._bytes_per_ms = sample_rate * sample_bytes / 1000
        self._cut: tuple[str, bytes] = ("", b"")
        """The item whose last sample is cut in two, and the part of it that came."""
        self._emit = emit
        self._question = question
        self._takes: dict[type[ServerEvent], Callable[[Any, float], None]] = {
            say.ResponseAudioDelta: self._audio,
            say.ResponseAudioTranscriptDelta: self._text,
            say.ResponseTextDelta: self._text,
            say.ResponseAudioTranscriptDone: self._whole,
            say.ResponseTextDone: self._whole,
        }

    def read(self, event: ServerEvent, now: float) -> bool:
        """Take an event that says something, and return whether it was one."""
        take = self._takes.get(type(event))
        if take is not None:
            take(event, now)
        return take is not None

    def answer(self, response_id: str) -> Answer | None:
        """Return the answer, which may begin here; None if it is over."""
        known = self.answers.open.get(response_id)
        if known is not None or self.answers.is_over(response_id):
            return known
        return self.answers.begin(response_id, self._question())

    def finish(self, answer: Answer, response: Response | None, *, reason: str | None) -> None:
        """Note that an answer is over, and tell the user what came of it."""
        status = (response.status if response is not None else None) or "failed"
        if status == "completed":
            reason = None
        elif response is not None:
            reason = as_text(as_object(response.status_details).get("reason")) or reason
        if status == "cancelled":
            answer.is_stopped = True
        self.answers.end(answer)
        self._emit(
            TurnDone(
                status=status,
                reason=reason,
                user_text=self._asked(answer),
                agent_text=answer.text,
                item_id=answer.items[-1] if answer.items else None,
                response_id=answer.id,
                heard_ms=self._heard_of(answer),
                received_ms=answer.received_ms,
                listened_ms=answer.question.listened_ms,
                was_interrupted=answer.is_stopped,
                first_text_ms=answer.latency.first_text_ms,
                first_audio_ms=answer.latency.first_audio_ms,
                first_audible_ms=answer.latency.first_audible_ms,
                raw=response,
            )
        )

    def stop(self) -> tuple[Heard, ...]:
        """Stop playback here: return what was cut, and let no more of it be heard."""
        for answer in self.answers.open.values():
            answer.is_stopped = True
        cut = self.playback.stop()
        for each in cut:
            if self.reports_playback:  # else nobody knows, and nothing is not what was heard
                self._history.heard(each.item_id, each.heard_ms / max(each.received_ms, 1e-9))
            if each.response_id is not None:
                self.answers.mute(each.response_id)
        return cut

    def played(self, *, ms: float | None, size: int | None, now: float) -> None:
        """Note that so much more came out of the loudspeaker: perhaps an answer's first sample."""
        if ms is not None:
            self.playback.played(ms)
        if size is not None:
            self.playback.played_bytes(size)
        self.reports_playback = True
        for answer in self.answers.open.values():
            heard = self._heard_of(answer)
            if answer.latency.first_audible_ms is None and heard:
                answer.latency.first_audible_ms = answer.latency.since(now)

    def _heard_of(self, answer: Answer) -> float | None:
        if not self.reports_playback:
            return None
        found = (self.playback.heard(item_id) for item_id in answer.items)
        return sum(each.heard_ms for each in found if each is not None)

    def _asked(self, answer: Answer) -> str | None:
        lines = [self._history.find(said.item_id) for said in answer.question.said]
        texts = [line.text for line in lines if line is not None and line.text is not None]
        return " ".join(texts) if texts else None

    def _audio(self, event: say.ResponseAudioDelta, now: float) -> None:
        answer = self.answer(event.response_id)
        if self.answers.is_mute(event.response_id) if answer is None else answer.is_stopped:
            self.dropped_ms += len(event.delta) / self._bytes_per_ms
            return
        pcm = self._whole_samples(event)
        if not pcm:
            self._emit(Other(type=event.type, raw=event))
            return
        offset_ms = self.playback.received(
            event.item_id,
            len(pcm),
            content_index=event.content_index,
            response_id=event.response_id,
        )
        if answer is not None:
            self._item(answer, event.item_id)
            answer.received_ms += len(pcm) / self._bytes_per_ms
            if answer.latency.first_audio_ms is None:
                answer.latency.first_audio_ms = answer.latency.since(now)
        self._emit(
            AudioChunk(
                pcm=pcm,
                sample_rate=self._rate,
                item_id=event.item_id,
                response_id=event.response_id,
                offset_ms=offset_ms,
            )
        )

    def _whole_samples(self, event: say.ResponseAudioDelta) -> bytes:
        """Return the audio with what was left before it; a sample cut in two waits for its rest."""
        item_id, rest = self._cut
        pcm = rest + event.delta if rest and item_id == event.item_id else event.delta
        cut = len(pcm) % self._sample_bytes
        if not (cut or rest):
            return pcm
        end = len(pcm) - cut
        self._cut = (event.item_id, pcm[end:])
        return pcm[:end]

    def _text(
        self, event: say.ResponseAudioTranscriptDelta | say.ResponseTextDelta, now: float
    ) -> None:
        answer = self.answer(event.response_id)
        if self.answers.is_mute(event.response_id):
            self._emit(Other(type=event.type, raw=event))
            return
        if answer is not None:
            line = self._item(answer, event.item_id)
            line.text = (line.text or "") + event.delta
            answer.texts[event.item_id] = answer.texts.get(event.item_id, "") + event.delta
            if answer.latency.first_text_ms is None:
                answer.latency.first_text_ms = answer.latency.since(now)
        self._emit(
            AgentTranscript(
                text=event.delta,
                spoken=isinstance(event, say.ResponseAudioTranscriptDelta),
                item_id=event.item_id,
                response_id=event.response_id,
            )
        )

    def _whole(
        self, event: say.ResponseAudioTranscriptDone | say.ResponseTextDone, now: float
    ) -> None:
        del now
        answer = self.answer(event.response_id)
        if self.answers.is_mute(event.response_id):
            self._emit(Other(type=event.type, raw=event))
            return
        spoken = isinstance(event, say.ResponseAudioTranscriptDone)
        whole = (
            event.transcript if isinstance(event, say.ResponseAudioTranscriptDone) else event.text
        )
        if answer is not None:
            self._item(answer, event.item_id).text = whole
            answer.texts[event.item_id] = whole
        self._emit(
            AgentTranscript(
                text="",
                final=True,
                whole=whole,
                spoken=spoken,
                item_id=event.item_id,
                response_id=event.response_id,
            )
        )

    def _item(self, answer: Answer, item_id: str) -> Line:
        answer.has_begun = True
        if item_id not in answer.items:
            answer.items.append(item_id)
        return self._history.find(item_id) or self._history.add(Line("agent", item_id))
