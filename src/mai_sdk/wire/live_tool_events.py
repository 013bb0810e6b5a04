"""What the service does in a live session: functions, MCP servers, searches, agents. Values only.

Fields: azure-ai-voicelive 1.3.1. `response.foundry_agent_call.*` is in the documentation without
its fields, and comes as an `UnrecognisedEvent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mai_sdk.wire.live_events import ServerEvent

__all__ = [
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "ResponseFileSearchCallCompleted",
    "ResponseFileSearchCallInProgress",
    "ResponseFileSearchCallSearching",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseInvocationDelta",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
    "ResponseWebSearchCallCompleted",
    "ResponseWebSearchCallInProgress",
    "ResponseWebSearchCallSearching",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListToolsInProgress(ServerEvent):
    """The service asks an MCP server for its tools."""

    type: ClassVar[str] = "mcp_list_tools.in_progress"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListToolsCompleted(ServerEvent):
    """The MCP server has named its tools."""

    type: ClassVar[str] = "mcp_list_tools.completed"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListToolsFailed(ServerEvent):
    """The MCP server did not name its tools."""

    type: ClassVar[str] = "mcp_list_tools.failed"
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFunctionCallArgumentsDelta(ServerEvent):
    """The next piece of the arguments of a call."""

    type: ClassVar[str] = "response.function_call_arguments.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    call_id: str
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFunctionCallArgumentsDone(ServerEvent):
    """A function is to be called, with these arguments."""

    type: ClassVar[str] = "response.function_call_arguments.done"
    response_id: str
    item_id: str
    output_index: int = 0
    call_id: str
    arguments: str
    """JSON text as the model wrote it; it may be invalid."""
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMcpCallArgumentsDelta(ServerEvent):
    """The next piece of the arguments for a tool of an MCP server."""

    type: ClassVar[str] = "response.mcp_call_arguments.delta"
    item_id: str
    response_id: str | None = None
    output_index: int = 0
    delta: str
    obfuscation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMcpCallArgumentsDone(ServerEvent):
    """The arguments for a tool of an MCP server, whole."""

    type: ClassVar[str] = "response.mcp_call_arguments.done"
    item_id: str
    response_id: str | None = None
    output_index: int = 0
    arguments: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMcpCallInProgress(ServerEvent):
    """The service calls a tool of an MCP server."""

    type: ClassVar[str] = "response.mcp_call.in_progress"
    item_id: str
    output_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMcpCallCompleted(ServerEvent):
    """The MCP server has answered. Unless an agent answers, the client asks for a response."""

    type: ClassVar[str] = "response.mcp_call.completed"
    item_id: str
    output_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMcpCallFailed(ServerEvent):
    """The MCP server has not answered."""

    type: ClassVar[str] = "response.mcp_call.failed"
    item_id: str
    output_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseWebSearchCallInProgress(ServerEvent):
    """A search of the web begins."""

    type: ClassVar[str] = "response.web_search_call.in_progress"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseWebSearchCallSearching(ServerEvent):
    """A search of the web goes on."""

    type: ClassVar[str] = "response.web_search_call.searching"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseWebSearchCallCompleted(ServerEvent):
    """A search of the web is over."""

    type: ClassVar[str] = "response.web_search_call.completed"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFileSearchCallInProgress(ServerEvent):
    """A search of files begins."""

    type: ClassVar[str] = "response.file_search_call.in_progress"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFileSearchCallSearching(ServerEvent):
    """A search of files goes on."""

    type: ClassVar[str] = "response.file_search_call.searching"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFileSearchCallCompleted(ServerEvent):
    """A search of files is over."""

    type: ClassVar[str] = "response.file_search_call.completed"
    response_id: str
    item_id: str
    output_index: int = 0
    sequence_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseInvocationDelta(ServerEvent):
    """What an invoked agent sends besides its answer."""

    type: ClassVar[str] = "response.invocation.delta"
    delta: dict[str, Any]
