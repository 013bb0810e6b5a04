"""The verbs of `client.reasoning` and `client.code`, sync and async, one signature for all four."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import TypeVar

from mai_sdk.resources.asking import create, open_stream
from mai_sdk.resources.counting import count
from mai_sdk.resources.plan import Ask
from mai_sdk.resources.stream import AsyncReplyStream, ReplyStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.config import Modality, Timeouts
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.metering.tokens import TokenCount
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.messages import Image, Prompt
    from mai_sdk.resources.reply import Reply
    from mai_sdk.resources.tools import ToolLike

__all__ = ["AsyncChat", "Chat"]

ParsedT = TypeVar("ParsedT", default=Any)


class Chat:
    """Questions and conversations in text. Made by the client; safe to share between threads."""

    modality: ClassVar[Modality]

    def __init__(self, core: Core, driver: Driver) -> None:
        self._core = core
        self._driver = driver

    def create(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        instructions: str | None = None,
        images: Iterable[Image] = (),
        tools: Iterable[ToolLike] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_display: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Reply[ParsedT]:
        """Ask, wait for the whole answer, and return it with what it cost.

        A failure that surely did no work is retried; one that may have is retried once, and both
        attempts stay on the receipt. Billed by the token; thoughts are billed as output.

        Args:
            prompt: A question, or a conversation as a list of messages and earlier replies.
            model: A model's name, a route's name, or any deployment's name; the route configured,
                or this modality's default model, if omitted.
            instructions: The system message.
            images: Paths, bytes or URLs, added to the last user message. Files are sent, URLs are
                passed on; only some models take them.
            tools: Typed functions, `Tool`s, or tools as the OpenAI API shapes them. A call comes
                back on `reply.tool_calls`; answer it with `tool_result`.
            tool_choice: As the OpenAI API shapes it. Not documented for MAI-Thinking-1.
            response_format: A pydantic class the answer must fit: on `reply.parsed`. Where the
                service cannot be held to it, the answer is checked here and asked for again, at
                most twice; every ask is an attempt on the receipt.
            max_output_tokens: The most the model may write, thoughts included.
            temperature: 0 to 2; the service's own default if omitted.
            reasoning_display: "encrypted" makes MAI-Thinking-1 return its thoughts sealed, for the
                next turn: put the reply back into `prompt`.
            timeout: Seconds for the whole call, or `Timeouts`.
            tags: Kept with the receipt; reports can be split by them.
            extra_body: Fields added to the request as they are; they win over ours.
            extra_headers: Headers added to the request. Never a key.

        Raises:
            NotConfigured: No route leads to the model; the text says what to set.
            InvalidRequest: The call is wrong as it stands; nothing was sent.
            StructuredOutputFailed: No answer fitted `response_format`.
            CallFailed: The service refused or failed, or no answer came; see `mai_sdk.errors`.
        """
        ask = Ask(
            prompt=prompt,
            model=model,
            instructions=instructions,
            images=images,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            reasoning_display=reasoning_display,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return self._driver.run(create(self._core, self.modality, ask))

    def stream(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        instructions: str | None = None,
        images: Iterable[Image] = (),
        tools: Iterable[ToolLike] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_display: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> ReplyStream[ParsedT]:
        """Return the answer as a stream to be opened with `with`; nothing is sent before that.

        Arguments as for `create`. `response_format` needs a surface that takes a schema itself,
        since a stream cannot be asked for again.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The call is wrong as it stands.
        """
        ask = Ask(
            prompt=prompt,
            model=model,
            instructions=instructions,
            images=images,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            reasoning_display=reasoning_display,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return ReplyStream(open_stream(self._core, self.modality, ask), self._driver)

    def count_tokens(
        self, prompt: Prompt, *, model: str | None = None, instructions: str | None = None
    ) -> TokenCount:
        """Return how many tokens `prompt` is, and how sure that is.

        Exact on vLLM, whose own tokenizer is asked; elsewhere from tiktoken's vocabulary if it is
        on disk, else a labelled estimate. Never billed; never downloads anything.

        Raises:
            NotConfigured: No route leads to the model.
            CallFailed: vLLM was asked and did not answer.
        """
        return self._driver.run(count(self._core, self.modality, prompt, model, instructions))


class AsyncChat:
    """See `Chat`. Safe to share between tasks."""

    modality: ClassVar[Modality]

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver

    async def create(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        instructions: str | None = None,
        images: Iterable[Image] = (),
        tools: Iterable[ToolLike] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_display: str | None = None,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Reply[ParsedT]:
        """See `Chat.create`."""
        ask = Ask(
            prompt=prompt,
            model=model,
            instructions=instructions,
            images=images,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            reasoning_display=reasoning_display,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return await self._driver.run(create(self._core, self.modality, ask))

    def stream(
        self,
        prompt: Prompt,
        *,
        model: str | None = None,
        instructions: str | None = None,
        images: Iterable[Image] = (),
        tools: Iterable[ToolLike] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        response_format: type[ParsedT] | Mapping[str, Any] | None = None,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_display: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncReplyStream[ParsedT]:
        """See `Chat.stream`; opened with `async with`."""
        ask = Ask(
            prompt=prompt,
            model=model,
            instructions=instructions,
            images=images,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            reasoning_display=reasoning_display,
            timeout=timeout,
            tags=tags,
            extra_body=extra_body,
            extra_headers=extra_headers,
        )
        return AsyncReplyStream(open_stream(self._core, self.modality, ask), self._driver)

    async def count_tokens(
        self, prompt: Prompt, *, model: str | None = None, instructions: str | None = None
    ) -> TokenCount:
        """See `Chat.count_tokens`."""
        return await self._driver.run(count(self._core, self.modality, prompt, model, instructions))
