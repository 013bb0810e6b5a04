"""What was asked, whatever service it was asked of: the one form every surface reads into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mai_sdk.emulator.tokens import ASSISTANT, BOS, EOS, USER
from mai_sdk.emulator.untyped import objects_in, to_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.emulator.instances import Schema

__all__ = ["Prompt", "Shape", "Tool", "plain_text", "schema_in"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    parameters: Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the text of the answer must fit: exactly one of the three."""

    schema: Schema | None = None
    pattern: str | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request to a chat model."""

    model: str
    """The catalog's name, for example "MAI-Thinking-1": it decides how the model behaves."""
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """None or "auto", "none", "required", or the name of the one tool to call."""
    shape: Shape | None = None

    @property
    def question(self) -> str:
        """The text of the last message from the user."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return plain_text(message.get("content"))
        return ""

    @property
    def tool_results(self) -> tuple[str, ...]:
        """What the tools answered, if the conversation ends with their answers."""
        results: list[str] = []
        for message in reversed(self.messages):
            if message.get("role") != "tool":
                break
            results.append(plain_text(message.get("content")))
        return tuple(reversed(results))

    def render(self, *, thinking: bool | None = True) -> str:
        """Return the text the model would read, in the template of the R1 family.

        Args:
            thinking: Whether the thoughts are opened for the model (True), opened and closed
                again (False), or not mentioned because the model does not think (None).
        """
        parts = [BOS]
        if self.tools:
            parts.append(to_json([tool.parameters for tool in self.tools]).decode())
            parts.extend(f"\n{tool.name}: {tool.description}" for tool in self.tools)
        parts.extend(map(_rendered, self.messages))
        parts.append(ASSISTANT)
        if thinking is not None:
            parts.append("<think>\n" if thinking else "<think>\n\n</think>\n\n")
        return "".join(parts)


def _rendered(message: Mapping[str, Any]) -> str:
    text = plain_text(message.get("content"))
    role = message.get("role")
    if role == "assistant":
        reasoning = to_object(message.get("reasoning")) or {}
        # An encrypted blob counts against the context window.
        text += str(reasoning.get("encrypted_content") or "")
        calls: Any = message.get("tool_calls")
        if calls:
            text += to_json(calls).decode()
        return f"{ASSISTANT}{text}{EOS}"
    if role in ("user", "tool"):
        return f"{USER}{text}"
    return text if role in ("system", "developer") else ""


def plain_text(content: Any) -> str:
    """Return the text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in objects_in(content))


def schema_in(text: str) -> Schema | None:
    """Return the JSON schema written out in a text, or None.

    A client whose service has no structured output puts the schema into the prompt; a model
    would follow it, so the emulator does too.
    """
    if '"properties"' not in text and '"enum"' not in text and '"items"' not in text:
        return None
    at = text.find("{")
    while at >= 0:
        end = text.rfind("}")
        while end > at:
            try:
                found = to_object(from_json(text[at : end + 1]))
            except ValueError:
                end = text.rfind("}", at, end)
                continue
            if found is not None and ("type" in found or "$ref" in found or "anyOf" in found):
                return found
            break
        at = text.find("{", at + 1)
    return None
