"""What a chat-completions body may hold, and how it is read into a prompt."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mai_sdk.emulator.prompt import Prompt, Shape, Tool
from mai_sdk.emulator.untyped import to_object

__all__ = ["ChatBody", "Problem", "chosen_tool", "read_body", "shape_of", "to_prompt", "tools_of"]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class ChatBody(BaseModel):
    """The fields of chat completions that any surface reads; the rest is kept as extra."""

    model_config = ConfigDict(extra="allow")

    messages: list[dict[str, Any]]
    model: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: Effort | None = None
    reasoning_display: str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    # vLLM's own
    structured_outputs: dict[str, Any] | None = None
    include_reasoning: bool = True
    thinking_token_budget: int | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    stream_interval: int | None = None
    return_token_ids: bool | None = None
    return_prompt_text: bool | None = None
    cache_salt: str | None = None
    priority: int = 0
    request_id: str | None = None

    @property
    def limit(self) -> int | None:
        """The most tokens to write, under whichever name it was sent."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else self.stop

    @property
    def include_usage(self) -> bool:
        """Whether a stream shall end with its usage."""
        return bool((self.stream_options or {}).get("include_usage"))


class Problem(Exception):
    """The body does not fit the schema; each surface says so in its own words."""

    def __init__(self, kind: str, where: str, message: str, given: Any, context: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.where = where
        """Dotted, for example "messages" or "temperature"."""
        self.message = message
        self.given = given
        self.context = context


def read_body(value: Any) -> ChatBody:
    """Return the body's fields.

    Raises:
        Problem: A field is missing or of a wrong type; the first one found.
    """
    try:
        return ChatBody.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Problem(
            first["type"], where, first["msg"], first["input"], first.get("ctx")
        ) from None


def to_prompt(body: ChatBody, model: str) -> Prompt:
    """Return what is asked of the model, from a chat-completions body."""
    return Prompt(
        model=model,
        messages=tuple(body.messages),
        tools=tools_of(body.tools),
        tool_choice=chosen_tool(body.tool_choice),
        shape=shape_of(body.response_format),
    )


def tools_of(tools: list[dict[str, Any]] | None) -> tuple[Tool, ...]:
    """Return the functions, whether described under "function" or at the top level."""
    found: list[Tool] = []
    for tool in tools or ():
        function: dict[str, Any] = tool.get("function") or tool
        if "name" in function:
            parameters = to_object(function.get("parameters")) or {}
            about = str(function.get("description") or "")
            found.append(Tool(str(function["name"]), about, parameters))
    return tuple(found)


def chosen_tool(choice: str | dict[str, Any] | None) -> str | None:
    """Return "auto", "none", "required" or the name of the function that must be called."""
    if isinstance(choice, dict):
        function: dict[str, Any] = choice.get("function") or choice
        return str(function.get("name"))
    return choice


def shape_of(form: dict[str, Any] | None) -> Shape | None:
    """Return what `response_format` (or `text.format` of the Responses API) asks for."""
    kind = (form or {}).get("type")
    if form is None or kind in (None, "text"):
        return None
    if kind == "json_schema":
        described: dict[str, Any] = form.get("json_schema") or form
        return Shape(schema=described.get("schema") or {})
    return Shape(schema={"type": "object", "properties": {"answer": {"type": "string"}}})
