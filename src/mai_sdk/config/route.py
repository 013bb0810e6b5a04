"""A route: how one model is reached. Frozen values only; nothing is read or opened here."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config.secret import Secret

__all__ = [
    "DEFAULT_TIMEOUTS",
    "Api",
    "Credential",
    "Modality",
    "Route",
    "Surface",
    "Timeouts",
    "TokenCredential",
]

Surface: TypeAlias = Literal[
    "foundry", "openai-v1", "azure-inference", "vllm", "speech", "realtime", "voice-live"
]
"""Which service dialect an endpoint speaks; see docs/architecture.md, "Routes and surfaces"."""

Modality: TypeAlias = Literal["reasoning", "code", "image", "transcribe", "voice"]
"""The five kinds of work."""

Api: TypeAlias = Literal["chat", "responses"]
"""Which of the two chat interfaces of `openai-v1` a deployment answers on."""


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

    def __post_init__(self) -> None:
        """Refuse a limit that could never be kept."""
        for name in ("connect", "first_byte", "between_chunks", "total"):
            limit: object = getattr(self, name)
            usable = isinstance(limit, (int, float)) and isfinite(limit) and limit > 0
            if limit is not None and (isinstance(limit, bool) or not usable):
                raise ConfigurationError(
                    f"timeout: {name} must be a number of seconds above 0, or None for no limit; "
                    f"it is {limit!r}."
                )

    @classmethod
    def of(cls, timeout: float | Timeouts | None, *, default: Timeouts | None = None) -> Timeouts:
        """Return the four limits that `timeout` stands for.

        A number is the limit on the whole call, retries and waits included; of the other three,
        those that would be longer are cut to it. None gives the defaults. So `timeout=600` leaves
        the 300 seconds to the first byte as they are: pass Timeouts to move those.

        Args:
            timeout: What a user set.
            default: The limits of this kind of work; those of a chat if omitted.

        Raises:
            ConfigurationError: It is not a number above 0.
        """
        if isinstance(timeout, Timeouts):
            return timeout
        usual = default or cls()
        if timeout is None:
            return usual
        whole = cls(total=timeout)
        return cls(
            connect=_cut(usual.connect, timeout),
            first_byte=_cut(usual.first_byte, timeout),
            between_chunks=_cut(usual.between_chunks, timeout),
            total=whole.total,
        )


def _cut(limit: float | None, total: float) -> float:
    return total if limit is None else min(limit, total)


DEFAULT_TIMEOUTS: Final[Mapping[Modality, Timeouts]] = {
    "reasoning": Timeouts(),
    "code": Timeouts(),
    # 30 to 110 s were seen for one picture, and a read that outlasted 180, in September 2026.
    "image": Timeouts(first_byte=600.0, total=1800.0),
    # Two hours of audio are answered whole; Microsoft calls 300 s too short for long files.
    "transcribe": Timeouts(first_byte=1200.0, total=3600.0),
    # Speech begins within about a second. The official client waits 40 s, which users complain of.
    "voice": Timeouts(first_byte=20.0, between_chunks=10.0),
}
"""The limits of each kind of work, where none are set."""


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
    api: Api = "chat"
    """Which interface of `openai-v1` to call; other surfaces have only one. GitHub Copilot's
    MAI-Code deployments answer on "responses" alone."""
    modality: Modality | None = None
    """The one kind of work it is for; None for any that its surface serves. Only looked at when a
    call names no model."""
    name: str | None = None
    """The name under [routes.<name>] in mai.toml; for a route made from the plain settings, whose
    they are: "foundry", "speech", "voice_live" or "vllm"."""
