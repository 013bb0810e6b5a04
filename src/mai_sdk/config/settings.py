"""Every setting there is, in one table: what loading, messages and documentation read.

The order of places, everywhere: the keyword; the MAI_* variable; mai.toml; last, the variables
that other tools use, because those were set for another program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config.route import Modality, Surface

__all__ = [
    "CONNECTIONS",
    "CONNECTION_OF",
    "DEFAULT_MODELS",
    "DEFAULT_SURFACES",
    "FAMILIES",
    "ROUTE_KEYS",
    "SERVING_SURFACES",
    "SETTINGS",
    "ConnectionName",
    "Family",
    "Setting",
]

ConnectionName: TypeAlias = Literal["foundry", "speech", "voice_live", "vllm"]
"""What has one address and one key."""

CONNECTIONS: tuple[ConnectionName, ...] = ("foundry", "speech", "voice_live", "vllm")

CONNECTION_OF: Mapping[Surface, ConnectionName] = {
    "foundry": "foundry",
    "openai-v1": "foundry",
    "azure-inference": "foundry",
    "realtime": "foundry",
    "speech": "speech",
    "voice-live": "voice_live",
    "vllm": "vllm",
}
"""Whose address and key a surface is reached with."""

DEFAULT_MODELS: Mapping[Modality, str] = {
    "reasoning": "MAI-Thinking-1",
    "code": "MAI-Code-1-Flash",
    "image": "MAI-Image-2.6",
    "transcribe": "MAI-Transcribe-2",
    "voice": "MAI-Voice-2.1",
}
"""The model of a call that names none, where no single route says otherwise."""

SERVING_SURFACES: Mapping[Modality, tuple[Surface, ...]] = {
    "reasoning": ("foundry", "vllm", "openai-v1", "azure-inference"),
    "code": ("foundry", "vllm", "openai-v1", "azure-inference"),
    "image": ("foundry",),
    "transcribe": ("speech", "realtime"),
    "voice": ("speech", "voice-live"),
}
"""The surfaces that can do each kind of work."""

DEFAULT_SURFACES: Mapping[Modality, tuple[Surface, ...]] = {
    "reasoning": ("foundry", "vllm"),
    "code": ("foundry", "vllm"),
    "image": ("foundry",),
    "transcribe": ("speech",),
    "voice": ("speech",),
}
"""Where a name that no catalog knows is looked for: the first of these that is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Variables that belong together: the key is bound to the endpoint beside it."""

    endpoint: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


FAMILIES: Mapping[ConnectionName, tuple[Family, ...]] = {
    "foundry": (
        Family(endpoint=("MAI_FOUNDRY_ENDPOINT",), key=("MAI_FOUNDRY_API_KEY",)),
        Family(endpoint=("AZURE_AI_ENDPOINT", "AZURE_AI_API_BASE"), key=("AZURE_AI_API_KEY",)),
        Family(endpoint=("AZURE_OPENAI_ENDPOINT",), key=("AZURE_OPENAI_API_KEY",)),
        Family(endpoint=("AZURE_INFERENCE_ENDPOINT",), key=("AZURE_INFERENCE_CREDENTIAL",)),
        Family(
            endpoint=("AZURE_AI_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT", "PROJECT_ENDPOINT")
        ),
    ),
    "speech": (
        Family(
            endpoint=("MAI_SPEECH_ENDPOINT",),
            region=("MAI_SPEECH_REGION",),
            key=("MAI_SPEECH_API_KEY",),
        ),
        Family(
            endpoint=("AZURE_SPEECH_ENDPOINT",),
            region=("AZURE_SPEECH_REGION",),
            key=("AZURE_SPEECH_KEY",),
        ),
        Family(endpoint=("SPEECH_ENDPOINT",), region=("SPEECH_REGION",), key=("SPEECH_KEY",)),
    ),
    "voice_live": (
        Family(endpoint=("MAI_VOICE_LIVE_ENDPOINT",), key=("MAI_VOICE_LIVE_API_KEY",)),
        Family(endpoint=("AZURE_VOICELIVE_ENDPOINT",), key=("AZURE_VOICELIVE_API_KEY",)),
    ),
    "vllm": (
        Family(endpoint=("MAI_VLLM_BASE_URL",), key=("MAI_VLLM_API_KEY",)),
        Family(endpoint=("VLLM_BASE_URL",), key=("VLLM_API_KEY",)),
    ),
}
"""The first family of each is ours; the others are borrowed from tools that users already have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be set, and all its names."""

    keyword: str
    """The argument of `MAI` and `AsyncMAI`."""
    what: str
    example: str
    """A value as it is written in mai.toml."""
    environment: tuple[str, ...] = ()
    """The variables it is read from, the first that is set and not blank."""
    toml: str | None = None
    """The key in mai.toml; None if a file cannot hold it. A secret is never in the file: its key
    ends in _env and names the variable that holds it."""
    secret: bool = False

    def how(self) -> str:
        """Say every way to set it."""
        ways = [f"keyword {self.keyword}=..."]
        ways += [f"environment {self.environment[0]}"] if self.environment else []
        ways += [f"mai.toml: {self.toml} = {self.example}"] if self.toml else []
        return ", or ".join(ways)


def _address(keyword: str, connection: ConnectionName, what: str, example: str) -> Setting:
    names = tuple(name for family in FAMILIES[connection] for name in family.endpoint)
    return Setting(keyword=keyword, what=what, example=example, environment=names, toml=keyword)


def _key(connection: ConnectionName, what: str) -> Setting:
    names = tuple(name for family in FAMILIES[connection] for name in family.key)
    return Setting(
        keyword=f"{connection}_api_key",
        what=what,
        example=f'"{names[0]}"',
        environment=names,
        toml=f"{connection}_api_key_env",
        secret=True,
    )


def _plain(keyword: str, what: str, example: str, environment: tuple[str, ...] = ()) -> Setting:
    return Setting(
        keyword=keyword, what=what, example=example, environment=environment, toml=keyword
    )


_TABLE = (
    _address(
        "foundry_endpoint",
        "foundry",
        "The Foundry resource; also used for Speech and Voice Live unless they have their own.",
        '"https://<resource>.services.ai.azure.com"',
    ),
    _key("foundry", "The key of that resource."),
    _address(
        "speech_endpoint",
        "speech",
        "The Speech resource, for transcription and voice.",
        '"https://<resource>.cognitiveservices.azure.com"',
    ),
    _plain(
        "speech_region",
        "Its region, in place of the endpoint.",
        '"eastus"',
        tuple(name for family in FAMILIES["speech"] for name in family.region),
    ),
    _key("speech", "The key of that resource."),
    _address(
        "voice_live_endpoint",
        "voice_live",
        "The resource for voice sessions, if not the Foundry one.",
        '"https://<resource>.services.ai.azure.com"',
    ),
    _key("voice_live", "The key of that resource."),
    _address(
        "vllm_base_url",
        "vllm",
        "Where your own vLLM server listens, with or without /v1.",
        '"http://localhost:8000"',
    ),
    _key("vllm", "Its key, if it was started with --api-key."),
    Setting(
        keyword="credential",
        what="An azure-identity credential, in place of the keys of Azure.",
        example="DefaultAzureCredential()",
    ),
    Setting(
        keyword="routes",
        what="Named ways to deployments, by name.",
        example="[routes.<name>]",
        toml="routes",
    ),
    _plain(
        "timeout", "Seconds for a whole call, or each of the four limits.", "60", ("MAI_TIMEOUT",)
    ),
    _plain("max_retries", "How often a failed call may be tried again.", "2", ("MAI_MAX_RETRIES",)),
    _plain(
        "ledger",
        "A SQLite file, or a postgresql:// address, that keeps a row per attempt.",
        '"mai.db"',
        ("MAI_LEDGER",),
    ),
    _plain("budget", "What calls may cost; or a list of such.", '{ limit = "5.00", per = "day" }'),
    _plain("tags", "Labels that every call's rows carry.", '{ team = "search" }'),
    _plain(
        "prices", "Your own prices, laid over the packaged ones.", '"prices.toml"', ("MAI_PRICES",)
    ),
    _plain(
        "models", "Your own model facts, laid over the catalog.", '"models.toml"', ("MAI_MODELS",)
    ),
    Setting(
        keyword="config_file",
        what="The file to read in place of ./mai.toml.",
        example='"mai.toml"',
        environment=("MAI_CONFIG",),
    ),
)

SETTINGS: Mapping[str, Setting] = {setting.keyword: setting for setting in _TABLE}
"""Every setting by its keyword, in the order documentation lists them."""

ROUTE_KEYS: Mapping[str, str] = {
    "surface": 'The dialect: "foundry", "openai-v1", "azure-inference", "vllm", "speech", '
    '"realtime" or "voice-live". Required.',
    "endpoint": "The address; left out, that of the surface's own setting.",
    "deployment": "The name sent as `model`.",
    "model": "What is deployed there, by its name in the catalog: the name it is priced by.",
    "modality": "The one kind of work it is for.",
    "api": '"chat" or "responses", on openai-v1.',
    "api_key_env": "The environment variable that holds its key; left out, the key of the same "
    "host's own setting.",
    "scope": "The Entra scope its token is asked for.",
    "query": "Extra query parameters, as a table.",
    "headers": "Extra headers, as a table; never a key.",
}
"""What a [routes.<name>] table may hold."""
