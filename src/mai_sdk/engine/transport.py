"""Chooses what carries requests, and keeps each library's failures in one place.

httpx2 is the default; `transport="pyreqwest"` (extra `[fast]`) takes Rust's reqwest instead.
Neither follows redirects, keeps cookies, or decodes bodies here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from mai_sdk.engine.steps import AsyncTransport, Transport

__all__ = ["async_transport", "sync_transport"]

_NAMES = ("httpx2", "pyreqwest")


def sync_transport(choice: str | Transport | None) -> Transport:
    """Return the transport for a sync client.

    Raises:
        ConfigurationError: The name is unknown, or its package is not installed.
    """
    if choice is not None and not isinstance(choice, str):
        return choice
    if _checked(choice) == "pyreqwest":
        from mai_sdk.engine.transport_pyreqwest import PyreqwestTransport

        return PyreqwestTransport()
    from mai_sdk.engine.transport_httpx2 import Httpx2Transport

    return Httpx2Transport()


def async_transport(choice: str | AsyncTransport | None) -> AsyncTransport:
    """Return the transport for an async client; see `sync_transport`."""
    if choice is not None and not isinstance(choice, str):
        return choice
    if _checked(choice) == "pyreqwest":
        from mai_sdk.engine.transport_pyreqwest import AsyncPyreqwestTransport

        return AsyncPyreqwestTransport()
    from mai_sdk.engine.transport_httpx2 import AsyncHttpx2Transport

    return AsyncHttpx2Transport()


def _checked(choice: str | None) -> str:
    name = choice or "httpx2"
    if name not in _NAMES:
        raise ConfigurationError(
            f"transport={name!r} is not known. Use one of {', '.join(map(repr, _NAMES))}, or pass "
            "an object with the methods of mai_sdk.engine.steps.Transport."
        )
    if name == "pyreqwest":
        from importlib.util import find_spec

        if find_spec("pyreqwest") is None:
            raise ConfigurationError(
                'transport="pyreqwest" needs the extra: pip install "mai-sdk[fast]".'
            )
    return name
