"""One assistant message, in any of the shapes services write it, read into a `Choice`. No I/O.

A stream's deltas are first put together into such a message, so whole answers and streams are read
by the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.wire.answer import Choice
from mai_sdk.wire.events import ToolCall
from mai_sdk.wire.shapes import as_list, as_object, as_text
from mai_sdk.wire.think import LINE_ENDS, ThoughtSplitter, split_thoughts

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface

__all__ = ["finish", "part_texts", "read_choice", "splitter", "visible_reasoning"]

# foundry never writes tags (wire: MAI-Thinking-1), so an answer about tags stays whole there.
_TAGGED = frozenset({"vllm", "azure-inference", "openai-v1"})
# Only vLLM is known to leave the opening tag in the prompt; elsewhere a closing tag is text.
_LONE = frozenset({"vllm"})

_TEXT_PARTS = frozenset({"text", "output_text", "input_text"})
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "reasoning_text", "summary_text"})


def read_choice(
    message: dict[str, Any], *, finish_reason: str | None, surface: Surface, index: int = 0
) -> Choice:
    """Return the answer a message holds; the message itself is kept unchanged.

    Thoughts come from `reasoning`, `reasoning_content`, thinking parts or `<think>` tags, in this
    order. Line ends between thoughts and text are dropped from the text; thoughts stay verbatim.
    """
    content = message.get("content")
    thoughts, text = ("", content) if isinstance(content, str) else part_texts(content)
    reasoning = visible_reasoning(message) or thoughts or None
    if reasoning is None and surface in _TAGGED:
        reasoning, text = split_thoughts(text, lone=surface in _LONE)
    if reasoning is not None:
        text = text.lstrip(LINE_ENDS)
    raw_calls = message.get("tool_calls")
    calls = tool_calls(raw_calls, choice=index) if raw_calls else []
    return Choice(
        text=text,
        reasoning=reasoning,
        tool_calls=calls,
        finish_reason=finish(finish_reason, has_calls=True) if calls else finish_reason,
        refusal=as_text(message.get("refusal")),
        message=message,
    )


def splitter(surface: Surface) -> ThoughtSplitter | None:
    """Return what sorts a stream's content on this surface; None where tags are only text."""
    return ThoughtSplitter(lone=surface in _LONE) if surface in _TAGGED else None


def finish(reason: str | None, *, has_calls: bool) -> str | None:
    """Return why an answer ended; MAI-Thinking-1 says "stop" where others say "tool_calls"."""
    return "tool_calls" if has_calls and reason in {"stop", "function_call"} else reason


def visible_reasoning(message: dict[str, Any]) -> str:
    """Return the thoughts a message (or delta) shows in a field of their own, or "".

    vLLM writes `reasoning`, older vLLM and others `reasoning_content`; on foundry `reasoning` is
    an object whose readable `content` is documented to be null beside the encrypted one.
    """
    for name in ("reasoning", "reasoning_content"):
        value = message.get(name)
        if isinstance(value, dict):
            value = as_object(value).get("content")
        if isinstance(value, str) and value:
            return value
    return ""


def part_texts(content: Any) -> tuple[str, str]:
    """Return (thoughts, text) of a content given as a list of typed parts; others are skipped."""
    thoughts: list[str] = []
    texts: list[str] = []
    for part in as_list(content):
        entry = {"type": "text", "text": part} if isinstance(part, str) else as_object(part)
        kind = entry.get("type")
        text = entry.get("text", entry.get("thinking"))
        if isinstance(text, list):  # Mistral nests parts inside a thinking part
            text = "".join(part_texts(text))
        if isinstance(text, str) and kind in _TEXT_PARTS:
            texts.append(text)
        elif isinstance(text, str) and kind in _THOUGHT_PARTS:
            thoughts.append(text)
    return "".join(thoughts), "".join(texts)


def tool_calls(raw: Any, *, choice: int) -> list[ToolCall]:
    """Return the function calls of a message; entries of another kind stay on the message only."""
    calls: list[ToolCall] = []
    for entry in map(as_object, as_list(raw)):
        function = as_object(entry.get("function"))
        if function:
            name, arguments = function.get("name"), argument_text(function.get("arguments"))
            calls.append(ToolCall(str(entry.get("id") or ""), str(name or ""), arguments, choice))
    return calls


def argument_text(raw: Any) -> str:
    """Return arguments as JSON text; some hosts send the object itself."""
    if raw is None:
        return ""
    return raw if isinstance(raw, str) else to_json(raw).decode()
