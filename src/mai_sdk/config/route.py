"""A route: how one model is reached. Frozen values only; nothing is read or opened here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from mai_sdk.config.secret import Secret

__all__ = ["Credential", "Modality", "Route", "Surface", "Timeouts", "TokenCredential"]

Surface: TypeAlias = Literal[
    "foundry", "openai-v1", "azure-inference", "vllm", "speech", "realtime", "voice-live"
]
"""Which service dialect an endpoint speaks; see docs/architecture.md, "Routes and surfaces"."""

Modality: TypeAlias = Literal["reasoning", "code", "image", "transcribe", "voice"]
"""The five kinds of work."""


@runtime_checkable
class TokenCredential(Protocol):
    """An azure-identity credential, sync or async: anything with `get_token(*scopes)`."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Return an object with `token` and `expires_on`, or an awaitable of one."""
        ...


Credential: TypeAlias = "Secret | TokenCredential | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Four limits in seconds; None means no limit."""

    connect: float | None = 10.0
    """Until the connection stands, TLS included."""
    first_byte: float | None = 300.0
    """From the request being sent to the first byte of the answer."""
    between_chunks: float | None = 60.0
    """Between two pieces of content in a stream; keep-alives do not count as content."""
    total: float | None = 900.0
    """For the whole call, retries and waits included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to a model: the surface, where it is, what it is called there, and the key.

    The deployment name says nothing about the model: `model` does, and is what prices and
    limits are looked up by. Leave it None and usage is still counted, but cost is unknown.
    """

    surface: Surface
    endpoint: str
    """The normalised base, without trailing slash: scheme, host, and port if any."""
    deployment: str | None = None
    """The name sent as `model`; None sends none (vLLM then answers with its base model)."""
    model: str | None = None
    """The catalog's name for what is deployed, for example "MAI-Thinking-1"."""
    credential: Credential = field(default=None, repr=False)
    scope: str = "https://cognitiveservices.azure.com/.default"
    """The Entra scope a token credential is asked for."""
    query: tuple[tuple[str, str], ...] = ()
    """Extra query parameters for every call, for example (("api-version", "preview"),)."""
    headers: tuple[tuple[str, str], ...] = ()
    """Extra headers for every call. Never put a key here: use `credential`."""
    name: str | None = None
    """The name under [routes.<name>] in mai.toml, or the keyword it came from."""
