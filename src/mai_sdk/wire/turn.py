"""One choice of a chat answer while it streams. No I/O.

Rule of this file: a delta is turned into events at once, and kept; the answer is put together from
what was kept by the same code that reads a whole answer (`read_choice`), so the two cannot differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.wire.events import Event, Finished, ReasoningDelta, TextDelta
from mai_sdk.wire.message import (
    argument_text,
    finish,
    part_texts,
    read_choice,
    tool_calls,
    visible_reasoning,
)
from mai_sdk.wire.shapes import as_list, as_object
from mai_sdk.wire.think import LINE_ENDS, ThoughtSplitter

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface
    from mai_sdk.wire.answer import Choice

__all__ = ["Turn"]


class Turn:
    """What was given out of one choice, and the pieces of its message."""

    __slots__ = (
        "calls",
        "content",
        "extra",
        "index",
        "plain",
        "reason",
        "split",
        "thoughts",
        "trim",
        "voice",
    )

    def __init__(self, index: int, split: ThoughtSplitter | None) -> None:
        self.index = index
        self.split = split
        self.content: list[str] = []
        self.thoughts: dict[str, list[str]] = {}
        """Pieces of thoughts by the field they came in."""
        self.calls: list[dict[str, Any]] = []
        self.extra: dict[str, Any] = {}
        """Every other field of the message, as it last came."""
        self.reason: str | None = None
        self.trim = False
        """Thoughts were given out and no text yet: line ends are dropped."""
        self.voice: str | None = None
        """The field thoughts are given out from: the first that had any."""
        self.plain = split is None
        """Content is text as it stands: neither tags nor line ends need a look."""

    def take(self, delta: dict[str, Any], events: list[Event]) -> None:
        """Append the events of one delta: thoughts before text, whatever the order of fields."""
        content: Any = None
        for key, value in delta.items():
            if value is None:
                continue
            if key == "content":
                content = value
            elif key != "role" and value != "":
                self._other(key, value, events)
        if content:
            if self.plain and content.__class__ is str:
                self.content.append(content)
                events.append(TextDelta(content, self.index))
            else:
                self._content(content, events)

    def _content(self, content: Any, events: list[Event]) -> None:
        if content.__class__ is not str:
            thoughts, content = part_texts(content)
            if thoughts:
                self._thought("reasoning_content", thoughts, events)
        self.content.append(content)
        thoughts = ""
        if self.split is not None:
            thoughts, content = self.split.feed(content)
            if self.split.is_done:
                self.split = None
        self._give(thoughts, content, events)

    def _give(self, thoughts: str, text: str, events: list[Event]) -> None:
        if thoughts:
            self.trim = True
            events.append(ReasoningDelta(thoughts, self.index))
        if self.trim:
            text = text.lstrip(LINE_ENDS)
        if text:
            self.trim = False
            self.plain = self.split is None
            events.append(TextDelta(text, self.index))

    def _thought(self, key: str, text: str, events: list[Event]) -> None:
        if self.split is not None:  # thoughts have a field of their own: tags are only text
            held, self.split = self.split, None
            self._give(*held.close(), events)
        if self.voice is None:
            self.voice = key
            self.trim = not self.content
            self.plain = not self.trim
        self.thoughts.setdefault(key, []).append(text)
        if key == self.voice:  # some servers say every thought twice, under both names
            events.append(ReasoningDelta(text, self.index))

    def _other(self, key: str, value: Any, events: list[Event]) -> None:
        if key in {"reasoning", "reasoning_content"} and isinstance(value, str):
            self._thought(key, value, events)
        elif key == "reasoning" and isinstance(value, dict):
            self._reasoning_object(as_object(value), events)
        elif key == "tool_calls":
            for entry in filter(None, map(as_object, as_list(value))):
                self._call(entry)
        elif key == "refusal" and isinstance(value, str):
            self.extra[key] = self.extra.get(key, "") + value
        else:
            self.extra[key] = value

    def _reasoning_object(self, value: dict[str, Any], events: list[Event]) -> None:
        # The blob must go back unchanged, so an object is kept whole and never merged.
        if value.get("encrypted_content") or "reasoning" not in self.extra:
            self.extra["reasoning"] = value
        shown = visible_reasoning({"reasoning": value})
        if shown:
            self.trim = not self.content
            self.plain = self.split is None and not self.trim
            events.append(ReasoningDelta(shown, self.index))

    def _call(self, entry: dict[str, Any]) -> None:
        call = self._begun(entry)
        if call is None:
            call = _new_call()
            self.calls.append(call)
        function: dict[str, Any] = call["function"]
        for key, value in entry.items():
            if key == "function":
                said = as_object(value)
                function["name"] = function["name"] or str(said.get("name") or "")
                function["arguments"] += argument_text(said.get("arguments"))
            elif value is not None and value != "" and key not in call:
                call[key] = value

    def _begun(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        """Return the call this fragment continues, or None if it begins one.

        Foundry sends whole calls without `index`; others send fragments by index, by id alone, or
        with neither. Some give every call index 0: a new id there is a new call.
        """
        index, key = entry.get("index"), entry.get("id")
        if key:
            same = [call for call in self.calls if call.get("id") == key]
            if same:
                return same[-1]
        if index is not None:
            same = [call for call in self.calls if call.get("index") == index]
            if same and (not key or not same[-1].get("id")):
                return same[-1]
            return None
        return self.calls[-1] if self.calls and not key else None

    def end(self, reason: str, events: list[Event]) -> None:
        """Append what was held back, the tool calls, and `Finished`; only the first time."""
        if self.split is not None:
            self._give(*self.split.close(), events)
        if self.reason is None:
            events.extend(tool_calls(self.calls, choice=self.index))
            events.append(Finished(self._finish(reason), self.index))
        self.reason = reason

    def _finish(self, reason: str) -> str:
        return finish(reason, has_calls=bool(self.calls)) or reason

    def choice(self, surface: Surface) -> Choice:
        """Return the answer so far."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self.content) or None,
            **{key: "".join(pieces) for key, pieces in self.thoughts.items()},
            **self.extra,
        }
        if self.calls:
            message["tool_calls"] = [
                {key: value for key, value in call.items() if key != "index"} for call in self.calls
            ]
        return read_choice(message, finish_reason=self.reason, surface=surface, index=self.index)


def _new_call() -> dict[str, Any]:
    return {"type": "function", "function": {"name": "", "arguments": ""}}
