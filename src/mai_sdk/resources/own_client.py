"""Bring your own client: an official client of the openai package, on a route of ours."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mai_sdk.engine.auth import AsyncTokens, Tokens
from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.engine.transport import async_transport, sync_transport
from mai_sdk.errors import ConfigurationError
from mai_sdk.resources.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import AsyncOpenAI, OpenAI

    from mai_sdk.resources.core import Core

__all__ = ["own_async_client", "own_client"]


def own_client(
    core: Core, driver: Driver | str | None, *, model: str | None, tags: Mapping[str, str] | None
) -> OpenAI:
    """Return an official client over `driver`, or over one of its own where that is a name."""
    relay, package = Relay(core, model=model, tags=tags), _package()
    owns = not isinstance(driver, Driver)
    used = driver if isinstance(driver, Driver) else Driver(sync_transport(driver), Tokens())
    made: OpenAI = package.openai_client(relay, used, owns_driver=owns)
    return made


def own_async_client(
    core: Core,
    driver: AsyncDriver | str | None,
    *,
    model: str | None,
    tags: Mapping[str, str] | None,
) -> AsyncOpenAI:
    """See `own_client`."""
    relay, package = Relay(core, model=model, tags=tags), _package()
    owns = not isinstance(driver, AsyncDriver)
    used = (
        driver
        if isinstance(driver, AsyncDriver)
        else AsyncDriver(async_transport(driver), AsyncTokens())
    )
    made: AsyncOpenAI = package.async_openai_client(relay, used, owns_driver=owns)
    return made


def _package() -> Any:
    """Return the module that needs openai.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return import_module("mai_sdk.resources.openai_client")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "openai":
            raise
    raise ConfigurationError(
        'client.openai() needs the openai package: pip install "mai-sdk[openai]".'
    )
