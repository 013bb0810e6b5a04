"""`client.openai()` and `client.openai_async()`: official clients whose calls are metered.

The only module that imports the openai package, and it is loaded only when one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from mai_sdk.errors import MAIError
from mai_sdk.resources.errand import Errand, current_errand
from mai_sdk.resources.openai_transport import (
    AsyncRelayTransport,
    RelayTransport,
    library_of,
)

if TYPE_CHECKING:
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.resources.relay import Relay

__all__ = ["MeteredAsyncOpenAI", "MeteredOpenAI", "async_openai_client", "openai_client"]

_NO_KEY = "kept-by-mai-sdk"
"""The package asks for a key. The true one is added below it, and never leaves for another host."""


class MeteredOpenAI(openai.OpenAI):
    """The official client; it only says where each of its calls begins and ends."""

    def request(self, *args: Any, **options: Any) -> Any:
        """Make one call, with the client's own retries."""
        official: Any = super()
        errand = Errand()
        mark = current_errand().set(errand)
        try:
            answer: Any = official.request(*args, **options)
        except BaseException as error:
            refusal = _refusal_in(error)
            errand.ended(refusal or error)
            if refusal is None:
                raise
        else:
            return answer
        finally:
            current_errand().reset(mark)
        raise refusal


class MeteredAsyncOpenAI(openai.AsyncOpenAI):
    """See `MeteredOpenAI`."""

    async def request(self, *args: Any, **options: Any) -> Any:
        """See `MeteredOpenAI.request`."""
        official: Any = super()
        errand = Errand()
        mark = current_errand().set(errand)
        try:
            answer: Any = await official.request(*args, **options)
        except BaseException as error:
            refusal = _refusal_in(error)
            errand.ended(refusal or error)
            if refusal is None:
                raise
        else:
            return answer
        finally:
            current_errand().reset(mark)
        raise refusal


def _refusal_in(error: BaseException) -> MAIError | None:
    """Return what of ours an older official client took for a broken line; None if nothing."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
    return cause if isinstance(cause, MAIError) else None


def openai_client(relay: Relay, driver: Driver, *, owns_driver: bool) -> openai.OpenAI:
    """Return an official client on the relay's route."""
    http = library_of(openai.DefaultHttpxClient)
    transport: Any = RelayTransport(relay, driver, http, owns_driver=owns_driver)
    client = openai.DefaultHttpxClient(transport=transport, follow_redirects=False)
    return MeteredOpenAI(http_client=client, **_settings(relay, http))


def async_openai_client(
    relay: Relay, driver: AsyncDriver, *, owns_driver: bool
) -> openai.AsyncOpenAI:
    """See `openai_client`."""
    http = library_of(openai.DefaultAsyncHttpxClient)
    transport: Any = AsyncRelayTransport(relay, driver, http, owns_driver=owns_driver)
    client = openai.DefaultAsyncHttpxClient(transport=transport, follow_redirects=False)
    return MeteredAsyncOpenAI(http_client=client, **_settings(relay, http))


def _settings(relay: Relay, http: Any) -> dict[str, Any]:
    connect, first_byte = relay.limits
    return {
        "api_key": _NO_KEY,
        "base_url": relay.base_url,
        "default_query": relay.query,
        "timeout": http.Timeout(first_byte, connect=connect),
        "max_retries": relay.max_retries,
    }
