"""The agent's answers in a session: which are under way, and which may not be heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mai_sdk.session.hearing import Said

__all__ = ["Answer", "Answers", "Latency", "Question"]

_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer is to."""

    said: tuple[Said, ...] = ()
    """What the user had said when it began."""
    ended_at: float | None = None
    """When the user had ended, on the clock of the session."""
    listened_ms: float = 0.0
    """How much of the user's audio that was."""


@dataclass(slots=True, eq=False)
class Latency:
    """How long an answer took, in ms from the end of what it answers; None for what never came."""

    response_id: str
    ended_at: float | None = field(repr=False)
    first_text_ms: float | None = None
    first_audio_ms: float | None = None
    """To the first byte of the voice."""
    first_audible_ms: float | None = None
    """To the first sample out of the loudspeaker, as `played` reports it."""

    def since(self, now: float) -> float | None:
        """Return the milliseconds up to now; None if nobody knows since when."""
        return None if self.ended_at is None else max(now - self.ended_at, 0.0) * 1000


@dataclass(slots=True, eq=False)
class Answer:
    """One response of the service."""

    id: str
    latency: Latency
    question: Question
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """What its items say, as far as it came."""
    items: list[str] = field(default_factory=list[str])
    """Its items, in order."""
    is_stopped: bool = False
    """Whether it was interrupted: no more of it may be heard."""
    has_begun: bool = False
    """Whether anything of it was given to the user."""
    received_ms: float = 0.0

    @property
    def text(self) -> str | None:
        """All it said or wrote, as far as it came."""
        return "\n".join(self.texts.values()) or None


class Answers:
    """The answers under way, and the ids of those that are over."""

    def __init__(self) -> None:
        self.open: dict[str, Answer] = {}
        self.latencies: list[Latency] = []
        self._over: dict[str, bool] = {}

    def begin(self, response_id: str, question: Question) -> Answer:
        """Return a new answer."""
        latency = Latency(response_id, question.ended_at)
        answer = self.open[response_id] = Answer(response_id, latency, question)
        self.latencies.append(latency)
        del self.latencies[:-_REMEMBERED]
        return answer

    def end(self, answer: Answer) -> None:
        """Note that an answer is over; its id stays known for a while."""
        self.open.pop(answer.id, None)
        self._over[answer.id] = answer.is_stopped
        if len(self._over) > _REMEMBERED:
            self._over.pop(next(iter(self._over)))

    def is_over(self, response_id: str) -> bool:
        """Whether its end has come."""
        return response_id in self._over

    def mute(self, response_id: str) -> None:
        """Let no more be heard of an answer that is over, though it still plays."""
        if response_id in self._over:
            self._over[response_id] = True

    def is_mute(self, response_id: str) -> bool:
        """Whether its audio may not be heard: it was interrupted."""
        answer = self.open.get(response_id)
        return answer.is_stopped if answer is not None else self._over.get(response_id, False)

    def forget(self) -> None:
        """Note that the connection is gone, and with it whatever was over."""
        self._over.clear()
