"""Where a conversation stands, by its events: who speaks, what is owed. No I/O but a clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mai_sdk.wire.session_events import (
    AudioChunk,
    Failed,
    Reconnected,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Progress"]

_WORDS_S: Final = 5.0
"""How long a transcript may take after everything else, before it is given up."""
_FIRST_S: Final = 5.0
"""How long the service may take to notice that somebody speaks."""
_REST_S: Final = 0.5
"""How long nothing must come before nothing more is expected."""
_ANSWER_S: Final = 60.0
"""How long an answer may be silent before it is given up."""


class Progress:
    """Told every event of a conversation; says whether more is to come of it."""

    def __init__(
        self, *, most_turns: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.turns: list[TurnDone] = []
        """Those that are over."""
        self.is_speaking = False
        """Whether the user speaks, as the service hears it."""
        self.owes_answer = False
        """Whether an answer to what the user said is still to end."""
        self.first_audio_ms: float | None = None
        """The last latency there is."""
        self.spoken_ms = 0.0
        self._most_turns = most_turns
        self._owes_words: set[str | None] = set()
        self._was_asked = False
        self._clock = clock
        self._last_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether there were as many turns as were wanted."""
        return self._most_turns is not None and len(self.turns) >= self._most_turns

    def asked(self) -> None:
        """Note that the caller asked for an answer: in writing, or by the end of a turn."""
        self._last_at, self._was_asked, self.owes_answer = self._clock(), True, True

    def take(self, event: SessionEvent) -> None:
        """Note an event."""
        self._last_at = self._clock()
        match event:
            case SpeechStarted():
                self.is_speaking = self._was_asked = True
            case SpeechEnded():
                self.is_speaking, self.owes_answer = False, True
                self._owes_words.add(event.item_id)
            case UserTranscript(final=True) | Failed():
                self._owes_words.discard(event.item_id)
            case AudioChunk():
                self.spoken_ms += len(event.pcm) * 500 / event.sample_rate
            case TurnDone():
                self.turns.append(event)
                self.first_audio_ms = event.first_audio_ms or self.first_audio_ms
                if not event.was_interrupted:  # else the answer to the interruption is owed
                    self.owes_answer = False
            case Reconnected(response_lost=True):
                self.is_speaking = False
            case _:
                pass

    def expects_more(self) -> bool:
        """Whether something is still to come, once the user has said all there is."""
        now = self._clock()
        if self._last_at is None:
            self._last_at = now
        idle = now - self._last_at
        if self.is_over:
            return bool(self._owes_words) and idle < _WORDS_S
        if self.is_speaking or self.owes_answer:
            return idle < _ANSWER_S
        if self._owes_words:
            return idle < _WORDS_S
        return idle < (_REST_S if self._was_asked else _FIRST_S)

    @property
    def trouble(self) -> str | None:
        """What went wrong, once nothing more is expected; None where all is well."""
        if self.is_over or self.turns:
            return None
        if self._was_asked:
            return f"No answer came within {_ANSWER_S:.0f} seconds."
        return "No speech was found, so there was nothing to answer."
