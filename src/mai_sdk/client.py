"""MAI and AsyncMAI: configuration, lifetime, the resources, and the costs so far."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

from mai_sdk.catalog import Catalog
from mai_sdk.config import load_config
from mai_sdk.engine.auth import AsyncTokens, Tokens
from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.engine.engine import Engine
from mai_sdk.engine.retry import RetryPolicy
from mai_sdk.engine.transport import async_transport, sync_transport
from mai_sdk.engine.watching import watchers_for
from mai_sdk.metering.budget import read_budgets
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.resources.code import AsyncCode, Code
from mai_sdk.resources.core import Core
from mai_sdk.resources.costs import Costs
from mai_sdk.resources.image import AsyncImage, Image
from mai_sdk.resources.own_client import own_async_client, own_client
from mai_sdk.resources.reasoning import AsyncReasoning, Reasoning
from mai_sdk.resources.transcribe import AsyncTranscribe, Transcribe
from mai_sdk.resources.voice import AsyncVoice, Voice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from openai import AsyncOpenAI, OpenAI

    from mai_sdk.config import Route, Timeouts, TokenCredential
    from mai_sdk.engine.pool import AsyncPool, Pool
    from mai_sdk.engine.steps import AsyncTransport, Transport
    from mai_sdk.engine.telemetry import Telemetry
    from mai_sdk.metering.budget import Budget
    from mai_sdk.metering.ledger import Ledger
    from mai_sdk.metering.receipt import Receipt

__all__ = ["MAI", "AsyncMAI"]


def _core(
    settings: Mapping[str, Any],
    on_receipt: Callable[[Receipt], object] | None,
    telemetry: bool | Telemetry,  # noqa: FBT001 - a switch, as users set it
) -> Core:
    config = load_config(**settings)
    engine = Engine(
        ledger=open_ledger(config.ledger),
        prices=PriceBook.load(overlay=config.prices),
        budgets=read_budgets(config.budget),
        retry=RetryPolicy(max_retries=config.max_retries),
        watchers=watchers_for(on_receipt=on_receipt, telemetry=telemetry),
    )
    return Core(config=config, catalog=Catalog.load(overlay=config.models), engine=engine)


class MAI:
    """The way to every MAI model. Make one, keep it, share it between threads, close it.

    Settings come from keyword arguments, then the environment, then `mai.toml`; see
    docs/configuration.md for every name. Making a client opens no connection and asks for no
    token: a missing setting shows in the first call that needs it.

    Args:
        foundry_endpoint: Your Foundry resource, in any form the portal shows it.
        foundry_api_key: Its key. Or use `credential`.
        speech_endpoint: Your Speech resource.
        speech_region: Its region, instead of an endpoint.
        speech_api_key: Its key.
        voice_live_endpoint: The resource for live voice, if not the Foundry one.
        voice_live_api_key: Its key.
        vllm_base_url: A vLLM server, with or without /v1.
        vllm_api_key: Its key, if it was started with one.
        credential: An azure-identity credential, used wherever no key is set.
        routes: Named routes: name to `Route`, or to a mapping of its fields.
        timeout: Seconds for a whole call, or `Timeouts`.
        max_retries: Tries after the first, 2 by default.
        ledger: Where receipts are kept: a path for SQLite, a postgresql:// address, or a
            ledger; in memory if omitted.
        budget: A `Budget`, or several: what calls may cost. A call that does not fit raises
            `BudgetExceeded` and is not sent.
        prices: A TOML file, or rows, of prices that win over the packaged ones.
        models: A TOML file, or rows, of models that are added to the packaged catalog.
        config_file: The `mai.toml` to read, instead of the one in the current folder.
        tags: Kept with every receipt of this client.
        transport: "httpx2" (default), "pyreqwest" (extra `[fast]`), or a `Transport`. One that is
            passed in is closed with the client.
        on_receipt: Called with the receipt of every call and every turn of a session once it is
            over, however it ended: on the thread or loop it ended on, so it must be quick. What
            it raises is logged and harms no call.
        telemetry: True for OpenTelemetry spans and metrics (extra `[otel]`) with the global
            providers, or a `Telemetry`. Neither has prompts or answers in it.

    Raises:
        ConfigurationError: A setting is wrong as it stands.
    """

    def __init__(
        self,
        *,
        foundry_endpoint: str | None = None,
        foundry_api_key: str | None = None,
        speech_endpoint: str | None = None,
        speech_region: str | None = None,
        speech_api_key: str | None = None,
        voice_live_endpoint: str | None = None,
        voice_live_api_key: str | None = None,
        vllm_base_url: str | None = None,
        vllm_api_key: str | None = None,
        credential: TokenCredential | None = None,
        routes: Mapping[str, Route | Mapping[str, Any]] | None = None,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        ledger: str | Path | Ledger | None = None,
        budget: Budget | Sequence[Budget] | None = None,
        prices: str | Path | Mapping[str, Any] | None = None,
        models: str | Path | Mapping[str, Any] | None = None,
        config_file: str | Path | None = None,
        tags: Mapping[str, str] | None = None,
        transport: str | Transport | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        telemetry: bool | Telemetry = False,
    ) -> None:
        self._core = _core(
            {
                "foundry_endpoint": foundry_endpoint,
                "foundry_api_key": foundry_api_key,
                "speech_endpoint": speech_endpoint,
                "speech_region": speech_region,
                "speech_api_key": speech_api_key,
                "voice_live_endpoint": voice_live_endpoint,
                "voice_live_api_key": voice_live_api_key,
                "vllm_base_url": vllm_base_url,
                "vllm_api_key": vllm_api_key,
                "credential": credential,
                "routes": routes,
                "timeout": timeout,
                "max_retries": max_retries,
                "ledger": ledger,
                "budget": budget,
                "prices": prices,
                "models": models,
                "config_file": config_file,
                "tags": tags,
            },
            on_receipt,
            telemetry,
        )
        self._owns_ledger = ledger is None or isinstance(ledger, (str, PurePath))
        self._driver = Driver(sync_transport(transport), Tokens())
        self._carrier = transport if isinstance(transport, str) else None

    @cached_property
    def reasoning(self) -> Reasoning:
        """Questions that want thought."""
        return Reasoning(self._core, self._driver)

    @cached_property
    def code(self) -> Code:
        """Questions about code."""
        return Code(self._core, self._driver)

    @cached_property
    def image(self) -> Image:
        """Pictures from words, pictures edited, questions about pictures."""
        return Image(self._core, self._driver)

    @cached_property
    def transcribe(self) -> Transcribe:
        """Speech to text, from files."""
        return Transcribe(self._core, self._driver)

    @cached_property
    def voice(self) -> Voice:
        """Speech from text."""
        return Voice(self._core, self._driver, lambda: self._pool)

    @cached_property
    def _pool(self) -> Pool:
        """WebSockets for speech, kept warm between turns."""
        from mai_sdk.engine.pool import Pool

        return Pool()

    @property
    def models(self) -> Catalog:
        """What is known about each model: status, limits, capabilities, each with its source."""
        return self._core.catalog

    @cached_property
    def costs(self) -> Costs:
        """What this client's ledger has recorded."""
        engine = self._core.engine
        return Costs(engine.ledger, budgets=engine.budgets, prices=engine.prices)

    def openai(self, model: str | None = None, *, tags: Mapping[str, str] | None = None) -> OpenAI:
        """Return an official `openai.OpenAI` whose calls leave receipts here (extra `[openai]`).

        It is bound to the model's route: address, deployment and key are the route's, whatever the
        code that uses it names. Each of its calls is one call in the ledger, each try an attempt;
        a stream is settled however it ends, and raises if it breaks off. Close it, or this client.
        See docs/openai.md.

        Args:
            model: A model's name, a route's name, or any deployment's name; the route configured,
                or the default reasoning model, if omitted.
            tags: Kept with every receipt of it.

        Raises:
            NotConfigured: No route leads to the model.
            UnsupportedFeature: The model has no chat interface.
            ConfigurationError: The openai package is missing, or older than 1.106.
        """
        return own_client(self._core, self._driver, model=model, tags=tags)

    def openai_async(
        self, model: str | None = None, *, tags: Mapping[str, str] | None = None
    ) -> AsyncOpenAI:
        """See `openai`; returns an `openai.AsyncOpenAI`."""
        return own_async_client(self._core, self._carrier, model=model, tags=tags)

    def close(self) -> None:
        """Settle open streams as they stand; close connections, and the ledger if it is ours.

        A ledger passed in as an object stays open.
        """
        self._core.settle_open_streams()
        self._driver.close()
        if "_pool" in self.__dict__:
            self._pool.close()
        if self._owns_ledger:
            self._core.engine.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncMAI:
    """See `MAI`: the same settings and names, awaited. May be used on several event loops."""

    def __init__(
        self,
        *,
        foundry_endpoint: str | None = None,
        foundry_api_key: str | None = None,
        speech_endpoint: str | None = None,
        speech_region: str | None = None,
        speech_api_key: str | None = None,
        voice_live_endpoint: str | None = None,
        voice_live_api_key: str | None = None,
        vllm_base_url: str | None = None,
        vllm_api_key: str | None = None,
        credential: TokenCredential | None = None,
        routes: Mapping[str, Route | Mapping[str, Any]] | None = None,
        timeout: float | Timeouts | None = None,
        max_retries: int | None = None,
        ledger: str | Path | Ledger | None = None,
        budget: Budget | Sequence[Budget] | None = None,
        prices: str | Path | Mapping[str, Any] | None = None,
        models: str | Path | Mapping[str, Any] | None = None,
        config_file: str | Path | None = None,
        tags: Mapping[str, str] | None = None,
        transport: str | AsyncTransport | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        telemetry: bool | Telemetry = False,
    ) -> None:
        self._core = _core(
            {
                "foundry_endpoint": foundry_endpoint,
                "foundry_api_key": foundry_api_key,
                "speech_endpoint": speech_endpoint,
                "speech_region": speech_region,
                "speech_api_key": speech_api_key,
                "voice_live_endpoint": voice_live_endpoint,
                "voice_live_api_key": voice_live_api_key,
                "vllm_base_url": vllm_base_url,
                "vllm_api_key": vllm_api_key,
                "credential": credential,
                "routes": routes,
                "timeout": timeout,
                "max_retries": max_retries,
                "ledger": ledger,
                "budget": budget,
                "prices": prices,
                "models": models,
                "config_file": config_file,
                "tags": tags,
            },
            on_receipt,
            telemetry,
        )
        self._owns_ledger = ledger is None or isinstance(ledger, (str, PurePath))
        self._driver = AsyncDriver(async_transport(transport), AsyncTokens())
        self._carrier = transport if isinstance(transport, str) else None

    @cached_property
    def reasoning(self) -> AsyncReasoning:
        """See `MAI.reasoning`."""
        return AsyncReasoning(self._core, self._driver)

    @cached_property
    def code(self) -> AsyncCode:
        """See `MAI.code`."""
        return AsyncCode(self._core, self._driver)

    @cached_property
    def image(self) -> AsyncImage:
        """See `MAI.image`."""
        return AsyncImage(self._core, self._driver)

    @cached_property
    def transcribe(self) -> AsyncTranscribe:
        """See `MAI.transcribe`."""
        return AsyncTranscribe(self._core, self._driver)

    @cached_property
    def voice(self) -> AsyncVoice:
        """See `MAI.voice`."""
        return AsyncVoice(self._core, self._driver, lambda: self._pool)

    @cached_property
    def _pool(self) -> AsyncPool:
        """See `MAI._pool`."""
        from mai_sdk.engine.pool import AsyncPool

        return AsyncPool()

    @property
    def models(self) -> Catalog:
        """See `MAI.models`."""
        return self._core.catalog

    @cached_property
    def costs(self) -> Costs:
        """See `MAI.costs`."""
        engine = self._core.engine
        return Costs(engine.ledger, budgets=engine.budgets, prices=engine.prices)

    def openai(self, model: str | None = None, *, tags: Mapping[str, str] | None = None) -> OpenAI:
        """See `MAI.openai`."""
        return own_client(self._core, self._carrier, model=model, tags=tags)

    def openai_async(
        self, model: str | None = None, *, tags: Mapping[str, str] | None = None
    ) -> AsyncOpenAI:
        """See `MAI.openai_async`."""
        return own_async_client(self._core, self._driver, model=model, tags=tags)

    async def aclose(self) -> None:
        """See `MAI.close`."""
        self._core.settle_open_streams()
        await self._driver.aclose()
        if "_pool" in self.__dict__:
            await self._pool.aclose()
        if self._owns_ledger:
            await self._driver.run(self._core.close_ledger())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
