"""One chat call, planned: what is sent, how the answer is read, what it may cost.

Everything here is decided before anything is sent, so bad input never reaches the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic_core import PydanticSerializationError, to_json

from mai_sdk.engine.call import Call
from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.metering.tokens import estimate_tokens
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.ask import Ask, check_ask
from mai_sdk.resources.chat_bound import most_used
from mai_sdk.resources.messages import as_images, build_messages, texts_of
from mai_sdk.resources.structured import Format, build_format
from mai_sdk.resources.tools import build_tools
from mai_sdk.wire.chat import (
    ChatReader,
    ChatRequest,
    chat_body,
    chat_path,
    default_query,
    native_schema,
    read_chat,
)
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.responses import (
    ResponsesReader,
    read_responses,
    responses_body,
    responses_path,
)
from mai_sdk.wire.shapes import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.catalog import Catalog, Model
    from mai_sdk.config import Modality, Route, Timeouts
    from mai_sdk.config.route import Surface
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core
    from mai_sdk.wire.answer import Answer

__all__ = ["Ask", "Plan", "models_that_see"]

_MAX_STREAM_BYTES = 256 * 1024 * 1024
"""Of one stream in all; a line or event has its own, smaller cap in `wire.sse`."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """An ask, checked, with the route it takes."""

    core: Core
    modality: Modality
    route: Route
    model: Model | None
    request: ChatRequest = field(repr=False)
    format: Format | None
    timeouts: Timeouts
    tags: Mapping[str, str] | None
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    prompts: tuple[str, ...] = field(repr=False)
    """Every text of the caller's: must not show up in errors."""

    @classmethod
    def make(cls, core: Core, modality: Modality, ask: Ask, *, stream: bool) -> Plan:
        """Return the plan for `ask`.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The ask is wrong as it stands.
            UnsupportedFeature: The model or surface cannot do it.
        """
        check_ask(ask)
        images = as_images(ask.images) if ask.images != () else ()
        messages = build_messages(ask.prompt, instructions=ask.instructions, images=images)
        tools = build_tools(ask.tools) if ask.tools is not None else None
        route, model = core.route(ask.model, modality)
        if images and model is not None and model.can("image_input") is False:
            raise UnsupportedFeature(_no_images(core, model))
        native, shape = False, None
        if ask.response_format is not None:
            native = native_schema(route.surface)
            where = (
                f"{route.model or route.deployment or 'The model'} on the {route.surface} surface"
            )
            shape = build_format(ask.response_format, native=native, stream=stream, where=where)
        extra, headers = ask.extra_body or {}, ask.extra_headers or {}
        prompts = texts_of([*messages, extra, *headers.values()] if extra or headers else messages)
        if shape is not None and not native:
            messages = _with_instruction(messages, shape.instruction())
        request = ChatRequest(
            messages=messages,
            deployment=route.deployment,
            tools=tools,
            tool_choice=ask.tool_choice,
            schema=shape.schema if shape is not None and native else None,
            schema_name=shape.name if shape is not None else "answer",
            max_output_tokens=ask.max_output_tokens,
            temperature=ask.temperature,
            reasoning_display=ask.reasoning_display,
            stream=stream,
            extra_body=extra,
        )
        return cls(
            core=core,
            modality=modality,
            route=route,
            model=model,
            request=request,
            format=shape,
            timeouts=core.config.timeouts_for(ask.timeout, modality=modality),
            tags=ask.tags,
            headers=tuple(headers.items()),
            prompts=prompts,
        )

    def asked_again(self, answer: dict[str, Any], problem: str) -> Plan:
        """Return the plan that shows the model its answer and says what was wrong with it."""
        again = {
            "role": "user",
            "content": f"That does not fit the schema ({problem}). "
            "Answer again with the corrected JSON value and nothing else.",
        }
        messages = [*self.request.messages, answer, again]
        return replace(
            self,
            request=replace(self.request, messages=messages),
            prompts=(*self.prompts, *texts_of([answer])),
        )

    def call(self) -> Call[Answer]:
        """Return the call as the engine makes it.

        Raises:
            InvalidRequest: Something in it cannot be written as JSON.
        """
        responses = self.route.api == "responses"
        surface = self.route.surface
        if responses:
            body = responses_body(self.request, surface=surface)
        else:
            body = chat_body(self.request, surface=surface)
        try:
            data = to_json(body)
        except PydanticSerializationError as error:
            raise InvalidRequest(f"The request cannot be written as JSON: {error}.") from None
        url = _url(self.route.endpoint, surface, self.route.query, responses=responses)
        return self.carrying(url, data, body=body)

    def carrying(self, url: str, data: bytes, *, body: Mapping[str, Any]) -> Call[Answer]:
        """Return the call that sends `data`, the JSON of `body`, which says what the plan does."""
        return Call(
            route=self.route,
            url=url,
            body=data,
            read=self._read,
            usage_of=self.usage_of,
            fail=self._fail,
            upper_bound=lambda: most_used(body, body_bytes=len(data), model=self.model),
            timeouts=self.timeouts,
            headers=self.headers,
            stream=self.request.stream,
            accept="text/event-stream" if self.request.stream else "application/json",
            max_body_bytes=_MAX_STREAM_BYTES if self.request.stream else 64 * 1024 * 1024,
            prompts=self.prompts,
            explain_missing=lambda: self.core.explain_missing(self.route, self.model),
        )

    def reader(self) -> ChatReader | ResponsesReader:
        """Return a fresh reader for this plan's stream."""
        if self.route.api == "responses":
            return ResponsesReader(surface=self.route.surface)
        return ChatReader(surface=self.route.surface)

    def usage_of(self, answer: Answer) -> Usage:
        """Return what the service says was used, or our estimate where it does not say."""
        return self.estimate(answer) if answer.usage is None else Usage.from_meters(answer.usage)

    def estimate(self, answer: Answer) -> Usage:
        """Return what a whole answer used by our own count, where the service gave none."""
        prompt = estimate_tokens(self.request.messages).tokens
        return Usage(input_tokens=prompt, output_tokens=_written(answer), basis="estimated")

    def at_least(self, answer: Answer) -> Usage:
        """Return what a broken-off answer used at least: what was sent, and what had arrived.

        Where the service has not reported the input yet, a token is taken for every eight bytes of
        the prompt: half of what is usual, so that the bound holds for very regular texts, too.
        """
        seen = answer.usage or {}
        written = max(seen.get("output_tokens", 0), _written(answer))
        if "input_tokens" in seen:
            return Usage.from_meters({**seen, "output_tokens": written}, basis="lower_bound")
        prompt = (estimate_tokens(self.request.messages).tokens + 1) // 2
        return Usage(input_tokens=prompt, output_tokens=written, basis="lower_bound")

    def _read(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        raw = parsed(body)
        if not isinstance(raw, dict):
            raise self._fail(200, headers, body)
        if self.route.api == "responses":
            return read_responses(raw, surface=self.route.surface)
        return read_chat(raw, surface=self.route.surface)

    def _fail(self, status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
        return read_failure(status=status, headers=headers, body=body, surface=self.route.surface)


@lru_cache(maxsize=256)
def _url(
    endpoint: str, surface: Surface, query: tuple[tuple[str, str], ...], *, responses: bool
) -> str:
    """Return where calls of that kind go: the same for every call on a route."""
    path = responses_path(surface) if responses else chat_path(surface)
    asked = {**default_query(surface), **dict(query)}
    return endpoint + path + (f"?{urlencode(asked)}" if asked else "")


def _written(answer: Answer) -> int:
    arrived = "".join(
        (choice.reasoning or "") + choice.text + "".join(c.arguments for c in choice.tool_calls)
        for choice in answer.choices
    )
    return estimate_tokens(arrived).tokens


def models_that_see(catalog: Catalog) -> list[str]:
    """Return the names of the models that are known to answer about images."""
    seeing = (model for model in catalog.models() if model.can("image_input"))
    return [model.name for model in seeing if model.modality in {"reasoning", "code"}]


def _no_images(core: Core, model: Model) -> str:
    able = ", ".join(models_that_see(core.catalog)) or "none known"
    return f"{model.name} takes no images. These do: {able}."


def _with_instruction(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    content = messages[0].get("content")
    if messages[0].get("role") == "system" and isinstance(content, str):
        return [{**messages[0], "content": f"{content}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]
