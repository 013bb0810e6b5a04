"""Reading a streamed chat completion, in every dialect the surfaces speak. No I/O.

What one choice of it says is `wire.turn`; this file sorts the chunks and knows when all is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.answer import Answer
from mai_sdk.wire.events import Event, Unrecognised
from mai_sdk.wire.failures import failure_from_event
from mai_sdk.wire.message import splitter
from mai_sdk.wire.shapes import as_object, as_text
from mai_sdk.wire.sse import MAX_BYTES
from mai_sdk.wire.stream import StreamReader
from mai_sdk.wire.turn import Turn

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface

__all__ = ["ChatReader"]

# Fields of a streamed choice that carry nothing of their own beyond what is read here, or
# (content filter results) repeat on every chunk. A chunk with any other is kept whole in `raw`.
_KNOWN = frozenset({
    "delta", "index", "finish_reason", "stop_reason", "matched_stop", "text", "message",
    "content_filter_results", "content_filter_offsets",
})  # fmt: skip


class ChatReader(StreamReader):
    """Bytes of a streamed chat completion in, events out, and the answer at the end.

    Complete means that every choice has a `finish_reason` **and** `[DONE]` came: vLLM sends
    `[DONE]` after an engine failure, too, and a cut connection may come right after the reason.
    `done_marker=False` accepts the reason alone, for a host that never sends the marker.

    Tool calls are given out once, whole, just before `Finished`, whether they came in one piece
    or in fragments (by index, or by id). On a `partial` answer the last one may be cut short.

    Line ends between thoughts and text are dropped. Where vLLM runs without a reasoning parser,
    thoughts end with a `</think>` that nothing announced: what was given out before it were
    `TextDelta`s and cannot be called back, but `answer`, which is the truth, has them as
    `reasoning`. Start vLLM with `--reasoning-parser deepseek_r1` to have them apart as they come.
    """

    def __init__(
        self,
        *,
        surface: Surface,
        max_line_bytes: int = MAX_BYTES,
        max_event_bytes: int = MAX_BYTES,
        done_marker: bool = True,
    ) -> None:
        super().__init__(
            surface=surface,
            max_line_bytes=max_line_bytes,
            max_event_bytes=max_event_bytes,
            done_marker=done_marker,
        )
        self._turns: dict[int, Turn] = {}
        self._id: str | None = None
        self._model: str | None = None
        self._kept: list[Any] = []
        self._last: dict[str, Any] | None = None

    @property
    def answer(self) -> Answer:
        """The answer as far as it came: put together anew on every call."""
        kept = self._kept
        last = [] if self._last is None or (kept and kept[-1] is self._last) else [self._last]
        return Answer(
            id=self._id,
            model=self._model,
            choices=[self._turns[index].choice(self._surface) for index in sorted(self._turns)],
            usage=self.usage,
            raw=[*kept, *last],
        )

    def _take(self, chunk: dict[str, Any], name: str | None, events: list[Event]) -> None:
        self._last = chunk
        usage = chunk.get("usage")
        if usage is not None:
            self._usage = usage
        choices = chunk.get("choices")
        if choices.__class__ is not list or not choices:
            self._without_choice(chunk, usage, events)
            self._usage_is_final = usage is not None and self._is_finished()
            return
        if self._id is None:
            self._introduce(chunk)
        for choice in choices:
            if choice.__class__ is not dict:
                events.append(Unrecognised(chunk))
                self._kept.append(chunk)
                continue
            index = choice.get("index")
            if index.__class__ is not int:
                index = 0
            turn = self._turns.get(index)
            if turn is None:
                turn = self._turns[index] = Turn(index, splitter(self._surface))
            delta = choice.get("delta")
            if delta.__class__ is not dict:
                delta = _whole_delta(choice)
            turn.take(delta, events)
            reason = choice.get("finish_reason")
            if reason:
                turn.end(str(reason), events)
            if len(choice) > 3 and any(
                value is not None and key not in _KNOWN for key, value in choice.items()
            ):
                self._kept.append(chunk)
        if usage is not None:
            self._usage_is_final = self._is_finished()

    def _introduce(self, chunk: dict[str, Any]) -> None:
        self._id = as_text(chunk.get("id"))
        self._model = as_text(chunk.get("model")) or self._model

    def _without_choice(self, chunk: dict[str, Any], usage: Any, events: list[Event]) -> None:
        """Read a chunk that holds no choice: usage, prompt filter results, an error, or unknown."""
        if "choices" not in chunk and "message" in chunk and ("code" in chunk or "type" in chunk):
            self._fail(failure_from_event(chunk, surface=self._surface))
            return
        if usage is None:
            self._kept.append(chunk)
            if not isinstance(chunk.get("choices"), list):
                events.append(Unrecognised(chunk))

    def _is_finished(self) -> bool:
        return bool(self._turns) and all(turn.reason for turn in self._turns.values())

    def _is_filtered(self) -> bool:
        return any(turn.reason == "content_filter" for turn in self._turns.values())


def _whole_delta(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a delta for a choice without one: legacy completions (`text`), or a whole message."""
    message = choice.get("message")
    if isinstance(message, dict):
        return as_object(message)
    return {"content": as_text(choice.get("text"))}
