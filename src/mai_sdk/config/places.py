"""What each place says of a connection: the arguments, the environment and mai.toml, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.config.connection import Place
from mai_sdk.config.settings import FAMILIES
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config.settings import ConnectionName, Family

__all__ = ["places_of", "variable"]


def variable(env: Mapping[str, str], *names: str) -> str | None:
    """Return the first of the variables that is set and not blank, or None."""
    name = _which(env, *names)
    return None if name is None else env[name]


def _which(env: Mapping[str, str], *names: str) -> str | None:
    return next((name for name in names if env.get(name, "").strip()), None)


def places_of(
    connection: ConnectionName,
    arguments: Mapping[str, Any],
    env: Mapping[str, str],
    file: Mapping[str, Any],
) -> tuple[Place, ...]:
    """Return where the connection may be configured, in the order of precedence.

    Raises:
        ConfigurationError: An address is something else than text.
    """
    ours, *borrowed = FAMILIES[connection]
    keyword = "vllm_base_url" if connection == "vllm" else f"{connection}_endpoint"
    return (
        _from_arguments(connection, keyword, arguments),
        _from_family(ours, env, borrowed=False),
        _from_file(connection, keyword, env, file),
        *(_from_family(family, env, borrowed=True) for family in borrowed),
    )


def _from_arguments(
    connection: ConnectionName, keyword: str, arguments: Mapping[str, Any]
) -> Place:
    endpoint, key = arguments[keyword], arguments[f"{connection}_api_key"]
    region = arguments["speech_region"] if connection == "speech" else None
    return Place(
        name="keyword",
        endpoint=_text(endpoint, keyword),
        region=_text(region, "speech_region"),
        endpoint_name=keyword if endpoint is not None else "speech_region",
        key=key,
        key_name=f"{connection}_api_key",
    )


def _from_family(family: Family, env: Mapping[str, str], *, borrowed: bool) -> Place:
    endpoint, region = _which(env, *family.endpoint), _which(env, *family.region)
    key = _which(env, *family.key)
    return Place(
        name="environment",
        endpoint=env[endpoint] if endpoint else None,
        region=env[region] if region else None,
        endpoint_name=endpoint or region or "",
        key=env[key] if key else None,
        key_name=key or "",
        borrowed=borrowed,
    )


def _from_file(
    connection: ConnectionName, keyword: str, env: Mapping[str, str], file: Mapping[str, Any]
) -> Place:
    endpoint = _text(file.get(keyword), keyword)
    region = _text(file.get("speech_region"), "speech_region") if connection == "speech" else None
    setting = f"{connection}_api_key_env"
    named = _text(file.get(setting), setting)
    key = variable(env, named) if named else None
    note = f"mai.toml takes {connection}_api_key from {named}, which is not set."
    return Place(
        name="mai.toml",
        endpoint=endpoint,
        region=region,
        endpoint_name=f"{keyword if endpoint is not None else 'speech_region'} in mai.toml",
        key=key,
        key_name=named or "",
        note=note if named and key is None else None,
    )


def _text(value: object, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text, not {type(value).__name__}.")
    return value
