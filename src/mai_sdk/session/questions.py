"""What the user said in a cascade, spoken or written, and was not answered yet. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mai_sdk.session.answers import Question
from mai_sdk.session.hearing import Said
from mai_sdk.session.history import Line
from mai_sdk.wire.session_events import SpeechEnded, SpeechStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.session.history import History
    from mai_sdk.wire.session_events import SessionEvent, TurnDone

__all__ = ["Questions"]


class Questions:
    """See the module.

    Args:
        history: Where it is kept.
        emit: Tells the user.
        given_at: When the user's audio at a place in ms was given; None if nobody knows.
    """

    def __init__(
        self,
        history: History,
        *,
        emit: Callable[[SessionEvent], None],
        given_at: Callable[[float], float | None],
    ) -> None:
        self.is_speaking = False
        """Whether the user speaks just now."""
        self.ended_at: float | None = None
        """When the user last ended, on the clock of the session."""
        self._history = history
        self._emit = emit
        self._given_at = given_at
        self._said: list[Said] = []
        self._heard: list[TurnDone] = []
        self._count = 0

    def read(self, event: SessionEvent, now: float) -> None:
        """Take an event of the ears that says where the user speaks."""
        if isinstance(event, SpeechStarted):
            self.is_speaking = True
        elif isinstance(event, SpeechEnded):
            self.is_speaking = False
            given = None if event.offset_ms is None else self._given_at(event.offset_ms)
            self.ended_at = now if given is None else min(given, now)

    def write(self, text: str, now: float) -> None:
        """Take what the user wrote."""
        self.ended_at = now
        self._add(None, text)

    def is_known(self, item_id: str | None) -> bool:
        """Whether that turn of the ears was taken before."""
        return self._history.find(item_id) is not None

    def take(self, turn: TurnDone, text: str, now: float) -> None:
        """Take what the user said, now that the ears have written it down."""
        self._add(turn.item_id, text)
        self._heard.append(turn)
        if self.ended_at is None:
            self.ended_at = now - (turn.first_text_ms or 0.0) / 1000

    def question(self) -> Question:
        """Return what an answer that begins now is to."""
        said, self._said = tuple(self._said), []
        ended_at, self.ended_at = self.ended_at, None
        return Question(said, ended_at, sum(each.listened_ms for each in self._heard))

    def turns(self) -> tuple[TurnDone, ...]:
        """Return the turns of the ears that it is to, once."""
        heard, self._heard = tuple(self._heard), []
        return heard

    def dismiss(self) -> None:
        """Say of what was not answered that it will not be: the session ends."""
        for turn in self.turns():
            self.close(turn, "cancelled", "session_closed")

    def close(self, turn: TurnDone, status: str, reason: str | None) -> None:
        """Tell the user of a turn that has no answer."""
        self._emit(replace(turn, status=status, reason=reason, response_id=None, raw=(turn,)))

    def _add(self, item_id: str | None, text: str) -> None:
        self._count += 1
        named = item_id or f"user-{self._count}"
        self._history.add(Line("user", named)).text = text
        self._said.append(Said(0, 0, named))
