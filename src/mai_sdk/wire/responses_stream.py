"""Reading a streamed Responses answer. No I/O.

The events are OpenAI's (`response.*`); the terminal ones are `response.completed`,
`response.incomplete`, `response.failed` and `error`. A `[DONE]` some hosts add is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.events import Event, Finished, ReasoningDelta, TextDelta, Unrecognised
from mai_sdk.wire.failures import failure_from_event
from mai_sdk.wire.items import call_of, read_items
from mai_sdk.wire.shapes import as_int, as_object, as_text
from mai_sdk.wire.sse import MAX_BYTES
from mai_sdk.wire.stream import StreamReader
from mai_sdk.wire.think import LINE_ENDS

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface
    from mai_sdk.wire.answer import Answer

__all__ = ["ResponsesReader"]

_THOUGHTS = frozenset({"response.reasoning_text.delta", "response.reasoning_summary_text.delta"})
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_BEGUN = frozenset({"response.created", "response.in_progress", "response.queued"})
# What these say comes again, whole, in the item or the answer they belong to.
_PIECES = frozenset({
    "response.content_part.added", "response.content_part.done",
    "response.output_text.done", "response.output_text.annotation.added",
    "response.reasoning_text.done", "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.added", "response.reasoning_summary_part.done",
    "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.refusal.delta", "response.refusal.done", "response.output_item.added",
})  # fmt: skip


class ResponsesReader(StreamReader):
    """Bytes of a streamed Responses answer in, events out, and the answer at the end.

    Function calls are given out once, whole, when their item is done. Line ends between thoughts
    and text are dropped. Events this version does not know are `Unrecognised`, never fatal.
    """

    def __init__(
        self,
        *,
        surface: Surface = "openai-v1",
        max_line_bytes: int = MAX_BYTES,
        max_event_bytes: int = MAX_BYTES,
    ) -> None:
        super().__init__(
            surface=surface,
            max_line_bytes=max_line_bytes,
            max_event_bytes=max_event_bytes,
            done_marker=False,
        )
        self._response: dict[str, Any] = {}
        self._final: dict[str, Any] | None = None
        self._items: dict[int, dict[str, Any]] = {}
        """The items that are done, by output index."""
        self._open: dict[int, tuple[str, list[str]]] = {}
        """What came so far of a part that is not done, by its place: its kind and its pieces."""
        self._given: set[str] = set()
        """The calls that were given out, by id."""
        self._texts = 0
        self._trim = False
        self._kept: list[Any] = []

    @property
    def answer(self) -> Answer:
        """The answer as far as it came: put together anew on every call."""
        body = {**self._response, **(self._final or {})}
        if not body.get("output"):
            done = [item for _, item in sorted(self._items.items())]
            body["output"] = [*done, *self._unfinished()]
        answer = read_items(body, surface=self._surface)
        if self._final is None:
            answer.choices[0].finish_reason = None
        answer.usage = self.usage
        answer.raw = [*self._kept, *([self._final] if self._final is not None else [])]
        return answer

    def _take(self, chunk: dict[str, Any], name: str | None, events: list[Event]) -> None:
        kind: Any = chunk.get("type") or name
        if kind == "response.output_text.delta":
            self._text(chunk, events)
        elif kind in _THOUGHTS:
            self._thought(chunk, events)
        elif kind == "response.output_item.done":
            self._item(chunk, events)
        elif kind in _TERMINAL:
            self._end(chunk, kind, events)
        elif kind in _BEGUN:
            self._response = as_object(chunk.get("response"))
        elif kind == "error":
            self._fail(failure_from_event(chunk, surface=self._surface))
        elif kind not in _PIECES:
            self._kept.append(chunk)
            events.append(Unrecognised(chunk))

    def _text(self, chunk: dict[str, Any], events: list[Event]) -> None:
        text = self._delta(chunk, "output_text")
        if self._trim:
            text = text.lstrip(LINE_ENDS)
        if text:
            self._trim = False
            self._texts += 1
            events.append(TextDelta(text))

    def _thought(self, chunk: dict[str, Any], events: list[Event]) -> None:
        text = self._delta(chunk, "reasoning_text")
        if text:
            self._trim = not self._texts
            events.append(ReasoningDelta(text))

    def _delta(self, chunk: dict[str, Any], kind: str) -> str:
        delta = as_text(chunk.get("delta"))
        if delta is None:
            return ""
        key = as_int(chunk.get("output_index"), default=0)
        part = self._open.get(key)
        if part is None:
            part = self._open[key] = (kind, [])
        part[1].append(delta)
        return delta

    def _item(self, chunk: dict[str, Any], events: list[Event]) -> None:
        item = as_object(chunk.get("item"))
        key = as_int(chunk.get("output_index"), default=len(self._items))
        self._items[key] = item
        self._open.pop(key, None)
        if item.get("type") == "function_call":
            self._call(item, events)

    def _call(self, item: dict[str, Any], events: list[Event]) -> None:
        call = call_of(item)
        if call.id not in self._given:
            self._given.add(call.id)
            events.append(call)

    def _end(self, chunk: dict[str, Any], kind: str, events: list[Event]) -> None:
        self._final = {"status": kind.removeprefix("response."), **as_object(chunk.get("response"))}
        self._usage = self._final.get("usage")
        self._usage_is_final = True
        if kind == "response.failed":
            self._fail(failure_from_event(self._final, surface=self._surface))
            return
        choice = self.answer.choices[0]
        if choice.text and not self._texts:
            events.append(TextDelta(choice.text))
        for item in choice.message["output"]:
            if item.get("type") == "function_call":
                self._call(item, events)
        events.append(Finished(choice.finish_reason or "stop"))
        self._mark_end()

    def _unfinished(self) -> list[dict[str, Any]]:
        """Return the parts that were cut off, as items, so that a partial answer has them."""
        kinds = {"output_text": "message", "reasoning_text": "reasoning"}
        return [
            {"type": kinds[kind], "content": [{"type": kind, "text": "".join(pieces)}]}
            for kind, pieces in self._open.values()
        ]

    def _is_finished(self) -> bool:
        return self._final is not None

    def _is_filtered(self) -> bool:
        return self._final is not None and self.answer.choices[0].finish_reason == "content_filter"
