"""One answer of a cascade while brain and mouth make it: what is written and said. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from mai_sdk.session.spoken import Spoken
from mai_sdk.wire import live_response_events as say
from mai_sdk.wire.aloud import Aloud
from mai_sdk.wire.live_tool_events import ResponseFunctionCallArgumentsDone

if TYPE_CHECKING:
    from mai_sdk.session.answers import Answer
    from mai_sdk.wire.aloud import Sentence
    from mai_sdk.wire.events import ToolCall
    from mai_sdk.wire.live_events import ServerEvent
    from mai_sdk.wire.session_events import TurnDone

__all__ = ["Leave", "Making", "Speak", "Think", "Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Think:
    """Have the brain answer; `thought` must follow, however that ends."""

    response_id: str
    messages: list[dict[str, Any]] = field(repr=False)
    extra: str | None = field(repr=False)
    """Instructions for this answer only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speak:
    """Have the mouth say this; `said` must follow, however that ends."""

    response_id: str
    number: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Leave what brain and mouth do for it; `thought` and `said` must follow all the same."""

    response_id: str


Work: TypeAlias = Think | Speak | Leave


@dataclass(slots=True, eq=False)
class Making:
    """See the module."""

    answer: Answer
    item_id: str
    heard: tuple[TurnDone, ...] = ()
    """The turns of the ears that it is to."""
    text: str = ""
    thinks: bool = True
    """Whether the brain is at it."""
    saying: int | None = None
    """The piece that the mouth is at."""
    is_mute: bool = False
    """Whether the mouth failed: the rest comes in writing only."""
    is_over: bool = False
    is_cut: bool = False
    """Whether its text was cut at what was heard."""
    status: str = "completed"
    reason: str | None = None
    spoken: Spoken = field(default_factory=Spoken)
    _aloud: Aloud = field(default_factory=Aloud)
    _waiting: deque[tuple[int, str]] = field(default_factory=deque["tuple[int, str]"])

    @property
    def id(self) -> str:
        """The answer's id."""
        return self.answer.id

    # What the agent is told, as if Voice Live had sent it: so the rules for both are the same.

    def write(self, text: str) -> ServerEvent:
        """Take the next piece of text."""
        self.text += text
        self._queue(self._aloud.feed(text))
        kind = say.ResponseTextDelta if self.is_mute else say.ResponseAudioTranscriptDelta
        return kind(response_id=self.id, item_id=self.item_id, delta=text)

    def whole(self) -> ServerEvent:
        """Return that the text is complete."""
        if self.is_mute:
            return say.ResponseTextDone(response_id=self.id, item_id=self.item_id, text=self.text)
        return say.ResponseAudioTranscriptDone(
            response_id=self.id, item_id=self.item_id, transcript=self.text
        )

    def sound(self, pcm: bytes) -> ServerEvent:
        """Return the next piece of the voice."""
        return say.ResponseAudioDelta(response_id=self.id, item_id=self.item_id, delta=pcm)

    def call(self, call_id: str, call: ToolCall) -> ServerEvent:
        """Return that a function is to be called."""
        return ResponseFunctionCallArgumentsDone(
            response_id=self.id,
            item_id=f"{self.id}-{call_id}",
            call_id=call_id,
            name=call.name,
            arguments=call.arguments,
        )

    # What is done with it.

    def thought(self, *, is_whole: bool) -> None:
        """Note that the brain is done; the rest of a text that broke off is not said."""
        self.thinks = False
        if is_whole:
            self._queue(self._aloud.finish())

    def next(self) -> Speak | None:
        """Return what the mouth is to say now, if it says nothing."""
        if self.saying is not None or not self._waiting:
            return None
        self.saying, text = self._waiting.popleft()
        return Speak(response_id=self.id, number=self.saying, text=text)

    def said(self, number: int) -> bool:
        """Note that the mouth is done with a piece; False if that is no news."""
        if number != self.saying:
            return False
        self.saying = None
        self.spoken.whole(number)
        return True

    def mute(self) -> None:
        """Note that the mouth failed at it."""
        self.is_mute = True
        self.hush()

    def hush(self) -> None:
        """Let nothing more of it be said."""
        self._waiting.clear()

    @property
    def is_done(self) -> bool:
        """Whether neither brain nor mouth has anything to do."""
        return not self.thinks and self.saying is None and not self._waiting

    def remembered(self, *, heard_ms: float | None) -> str:
        """Return what the brain may believe it said, once it was cut.

        Never reported is never cut: without `heard_ms` that is all that became sound. An answer
        whose mouth failed was there to be read.
        """
        if self.is_mute:
            return self.text
        return self.spoken.heard(self.answer.received_ms if heard_ms is None else heard_ms)

    def _queue(self, sentences: list[Sentence]) -> None:
        if self.is_mute:
            return
        for each in sentences:
            number = self.spoken.add(each.written, aloud=each.aloud)
            if each.aloud:
                self._waiting.append((number, each.aloud))
