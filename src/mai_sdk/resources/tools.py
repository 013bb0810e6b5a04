"""Functions a model may call: from a typed Python function to its schema, and back to a result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic_core import to_json

from mai_sdk.engine.running import run_function
from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.structured import problems_of
from mai_sdk.wire.shapes import as_object

if TYPE_CHECKING:
    from mai_sdk.wire.events import ToolCall

__all__ = ["Tool", "ToolLike", "build_tools", "call_tool", "split_tools", "tool_result"]

ToolLike: TypeAlias = "Tool | Callable[..., Any] | Mapping[str, Any]"
"""A Tool, a typed function, or a tool as the OpenAI API shapes it."""


class Tool:
    """A Python function with the schema of its parameters.

    Name and description come from the function and its docstring's first paragraph; parameters
    from its annotations (every parameter needs one). Use it as a decorator, or pass plain
    functions as `tools=[...]` and let it happen.

    Raises:
        InvalidRequest: A parameter has no annotation, or one that has no JSON schema.
    """

    def __init__(self, function: Callable[..., Any], *, name: str | None = None) -> None:
        self.function = function
        self.name = name if name is not None else _name_of(function)
        self.description = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        self._arguments = _arguments_model(self.name, function)
        self._parameters = tuple(self._arguments.model_fields)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, as if it were no tool."""
        return self.function(*args, **kwargs)

    def schema(self) -> dict[str, Any]:
        """Return the tool as the OpenAI API shapes it."""
        parameters = self._arguments.model_json_schema()
        parameters.pop("title", None)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": parameters,
            },
        }

    def run(self, call: ToolCall) -> Any:
        """Check the model's arguments against the annotations and call the function with them.

        An async function gives back its coroutine: await it.

        Raises:
            InvalidRequest: The model's arguments do not fit; the text says how, so it can be sent
                back to the model with `tool_result`.
        """
        try:
            arguments = self._arguments.model_validate_json(call.arguments or "{}")
        except ValidationError as error:
            problems = problems_of(error, root="arguments")
            raise InvalidRequest(f"The arguments for {self.name} do not fit: {problems}") from None
        return self.function(**{name: getattr(arguments, name) for name in self._parameters})


def tool_result(call: ToolCall, result: Any) -> dict[str, Any]:
    """Return the message that answers `call`; anything but text is sent as JSON."""
    content = result if isinstance(result, str) else to_json(result, fallback=str).decode()
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def split_tools(tools: Any) -> tuple[dict[str, Tool], list[dict[str, Any]]]:
    """Return the functions that can be run, by name, and what the model is told of all tools.

    Raises:
        InvalidRequest: One of them is no tool.
    """
    is_one = callable(tools) or isinstance(tools, Mapping)
    if not is_one and (isinstance(tools, (str, bytes)) or not isinstance(tools, Iterable)):
        return {}, build_tools(tools) or []
    listed: list[Any] = [tools] if is_one else list(cast("Iterable[Any]", tools))
    given = [
        Tool(tool) if callable(tool) and not isinstance(tool, Tool) else tool for tool in listed
    ]
    functions = {tool.name: tool for tool in given if isinstance(tool, Tool)}
    return functions, build_tools(given) or []


async def call_tool(tool: Tool, call: ToolCall) -> tuple[str, bool]:
    """Return what the model is told of the call, and whether it failed.

    A plain function runs in a thread. What it raises is named by its class alone: the reason may
    be nobody else's business.
    """
    try:
        result: Any = await run_function(tool.function, lambda: tool.run(call))
        return tool_result(call, result)["content"], False
    except InvalidRequest as error:
        return error.message, True
    except Exception as error:  # noqa: BLE001 - the model is told, and may try otherwise
        return f"{call.name} failed ({type(error).__name__}).", True


def build_tools(tools: Any) -> list[dict[str, Any]] | None:
    """Return the tools as they are sent, or None; one by itself is a list of one.

    Raises:
        InvalidRequest: One of them is no tool.
    """
    if tools is None:
        return None
    if isinstance(tools, (Tool, Mapping)) or callable(tools):
        return [_as_schema(tools, 0)]
    if isinstance(tools, (str, bytes)) or not isinstance(tools, Iterable):
        raise InvalidRequest(f"tools is a {type(tools).__name__}. Pass a list of functions.")
    listed = cast("Iterable[ToolLike]", tools)
    return [_as_schema(tool, place) for place, tool in enumerate(listed)] or None


def _as_schema(tool: Any, place: int) -> dict[str, Any]:
    if isinstance(tool, Tool):
        return tool.schema()
    if isinstance(tool, Mapping):
        fields = dict(cast("Mapping[str, Any]", tool))
        if fields.get("type") != "function" or not as_object(fields.get("function")):
            raise InvalidRequest(
                f"Tool {place} is not a function tool. MAI models take only "
                '{"type": "function", "function": {...}}.'
            )
        return fields
    if callable(tool):
        return Tool(tool).schema()
    raise InvalidRequest(f"Tool {place} is a {type(tool).__name__}. Pass a typed function.")


def _name_of(function: object) -> str:
    name = getattr(function, "__name__", None)
    if not callable(function) or not isinstance(name, str):
        raise InvalidRequest(
            f"A tool is a {type(function).__name__} without a name. Pass a typed function, or "
            'Tool(..., name="...").'
        )
    return name


def _arguments_model(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, ValueError, TypeError) as error:
        raise InvalidRequest(f"The parameters of {name} cannot be read: {error}.") from None
    fields: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InvalidRequest(f"{name} takes *args or **kwargs, which have no schema.")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise InvalidRequest(f"{name} has a positional-only parameter; tools take keywords.")
        if parameter.annotation is parameter.empty:
            raise InvalidRequest(f"Parameter {parameter.name!r} of {name} needs an annotation.")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (parameter.annotation, default)
    try:
        model: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        TypeAdapter(model).json_schema()
    except Exception as error:  # noqa: BLE001 - pydantic raises several kinds for bad annotations
        raise InvalidRequest(f"The parameters of {name} have no JSON schema: {error}.") from None
    return model
