"""From the options of a command to a client, or to the settings it would have."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator, Generator

    from mai_sdk.client import MAI, AsyncMAI

__all__ = ["apart", "open_async_client", "open_client", "settings_of"]


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say, as keyword arguments of `MAI` and `load_config`.

    Raises:
        ConfigurationError: Entra was asked for, and azure-identity is not installed.
    """
    named = (
        "foundry_endpoint", "vllm_base_url", "speech_endpoint", "speech_region",
        "voice_live_endpoint",
    )  # fmt: skip
    settings: dict[str, Any] = {name: getattr(args, name, None) for name in named}
    settings["config_file"] = args.config
    if args.entra:
        settings["credential"] = _signed_in()
    return settings


def apart() -> dict[str, Any]:
    """Return settings that keep an emulated client apart from the user's own.

    No mai.toml, whose routes would lead to real services, and no ledger file, whose sums made-up
    calls would spoil.
    """
    from mai_sdk.metering.memory import MemoryLedger

    return {"config_file": os.devnull, "ledger": MemoryLedger()}


@contextmanager
def open_client(args: argparse.Namespace) -> Generator[MAI, None, None]:
    """Open the client a command asks for: the user's own, or one of an emulator."""
    from mai_sdk.client import MAI

    if not args.emulator:
        with MAI(**settings_of(args)) as client:
            yield client
        return
    from mai_sdk.emulator import Emulator

    with Emulator() as emulator, emulator.client(**apart()) as client:
        yield client


@asynccontextmanager
async def open_async_client(args: argparse.Namespace) -> AsyncGenerator[AsyncMAI]:
    """Open the async client a command asks for: the user's own, or one of an emulator."""
    from mai_sdk.client import AsyncMAI

    if not args.emulator:
        async with AsyncMAI(**settings_of(args)) as client:
            yield client
        return
    from mai_sdk.emulator import Emulator

    async with Emulator() as emulator, emulator.async_client(**apart()) as client:
        yield client


def _signed_in() -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise ConfigurationError(
            '--entra needs the package azure-identity: pip install "mai-sdk[entra]".'
        ) from None
    return DefaultAzureCredential()
