"""Which header proves who is calling, and where a fresh token comes from."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mai_sdk.config import Secret
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from mai_sdk.config import Route, TokenCredential

__all__ = ["AsyncTokens", "Tokens", "auth_header"]

_REFRESH_BEFORE_SECONDS = 300
"""A token is replaced this long before it expires, so that none dies on its way."""

_KEY_HEADER = {
    "foundry": "api-key",
    "azure-inference": "api-key",
    "speech": "ocp-apim-subscription-key",
    "realtime": "api-key",
    "voice-live": "api-key",
}
"""Surfaces whose key has a header of its own (Microsoft's pages of MAI, Model Inference, Speech and
Voice Live); all others take `Authorization: Bearer`, which /openai/v1 and vLLM accept for keys as
well."""


def auth_header(route: Route, *, token: Secret | None) -> tuple[str, str] | None:
    """Return the header that authenticates a request on `route`; None if it has no credential."""
    if token is not None:
        return ("authorization", f"Bearer {token.reveal()}")
    if not isinstance(route.credential, Secret):
        return None
    name = _KEY_HEADER.get(route.surface)
    key = route.credential.reveal()
    return (name, key) if name else ("authorization", f"Bearer {key}")


class _Cache:
    """Tokens by credential and scope. The credential objects are held, so ids stay theirs."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[int, str], tuple[TokenCredential, Secret, float]] = {}

    def find(
        self, credential: TokenCredential, scope: str, rejected: Secret | None
    ) -> Secret | None:
        """Return a token that is neither stale nor the one just refused, or None."""
        found = self._tokens.get((id(credential), scope))
        if found is None or found[1] == rejected:
            return None
        return found[1] if found[2] - _REFRESH_BEFORE_SECONDS > time.time() else None

    def keep(self, credential: TokenCredential, scope: str, answer: Any) -> Secret:
        """Keep a credential's answer and return its token."""
        token = Secret(str(answer.token), name="the Entra token")
        self._tokens[id(credential), scope] = (credential, token, float(answer.expires_on))
        return token


class Tokens:
    """Entra tokens for a sync client; 100 calls that need one wait for a single request."""

    def __init__(self) -> None:
        self._cache = _Cache()
        self._lock = threading.Lock()

    def get(self, credential: TokenCredential, scope: str, *, rejected: Secret | None) -> Secret:
        """Return a token that is not `rejected`, asking the credential only if need be.

        Raises:
            ConfigurationError: The credential is an async one.
        """
        token = self._cache.find(credential, scope, rejected)
        if token is not None:
            return token
        with self._lock:
            token = self._cache.find(credential, scope, rejected)
            if token is None:
                answer = credential.get_token(scope)
                if inspect.isawaitable(answer):
                    if inspect.iscoroutine(answer):
                        answer.close()
                    raise ConfigurationError(
                        "The credential is an async one (azure.identity.aio), but MAI is the sync "
                        "client. Pass one from azure.identity, or use AsyncMAI."
                    )
                token = self._cache.keep(credential, scope, answer)
            return token


class AsyncTokens:
    """See `Tokens`. A sync credential is asked in a thread, so it never blocks the loop."""

    def __init__(self) -> None:
        self._cache = _Cache()
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )

    async def get(
        self, credential: TokenCredential, scope: str, *, rejected: Secret | None
    ) -> Secret:
        """Return a token that is not `rejected`, asking the credential only if need be."""
        token = self._cache.find(credential, scope, rejected)
        if token is not None:
            return token
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            token = self._cache.find(credential, scope, rejected)
            if token is None:
                if inspect.iscoroutinefunction(credential.get_token):
                    answer = await credential.get_token(scope)
                else:
                    answer = await asyncio.to_thread(credential.get_token, scope)
                    if inspect.isawaitable(answer):
                        answer = await answer
                token = self._cache.keep(credential, scope, answer)
            return token
