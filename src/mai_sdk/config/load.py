"""Arguments, environment and mai.toml, made into one frozen Config.

The only file of this package that reads anything: the environment and one file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from mai_sdk.config.config import DEFAULT_RETRIES, Config
from mai_sdk.config.connection import Connection, connect, sibling
from mai_sdk.config.file import check_keys, read_file
from mai_sdk.config.named import read_route
from mai_sdk.config.places import places_of, variable
from mai_sdk.config.route import Route, Surface, Timeouts
from mai_sdk.config.settings import CONNECTION_OF, SETTINGS
from mai_sdk.errors import ConfigurationError, NotConfigured

if TYPE_CHECKING:
    from mai_sdk.config.route import TokenCredential
    from mai_sdk.config.secret import Secret

__all__ = ["load_config"]

_TIMEOUTS = ("connect", "first_byte", "between_chunks", "total")


def load_config(
    *,
    foundry_endpoint: str | None = None,
    foundry_api_key: str | Secret | None = None,
    speech_endpoint: str | None = None,
    speech_region: str | None = None,
    speech_api_key: str | Secret | None = None,
    voice_live_endpoint: str | None = None,
    voice_live_api_key: str | Secret | None = None,
    vllm_base_url: str | None = None,
    vllm_api_key: str | Secret | None = None,
    credential: TokenCredential | None = None,
    routes: Mapping[str, Route | Mapping[str, Any]] | None = None,
    timeout: float | Timeouts | None = None,
    max_retries: int | None = None,
    ledger: Any = None,
    tags: Mapping[str, str] | None = None,
    budget: Any = None,
    prices: Any = None,
    models: Any = None,
    environ: Mapping[str, str] | None = None,
    config_file: Path | str | None = None,
) -> Config:
    """Return the configuration that arguments, environment and mai.toml make together.

    What each argument means is in `SETTINGS`. An argument wins over a MAI_* variable, that over
    mai.toml, and that over the variables of other tools. A variable that is blank counts as not
    set. Which key may go to which address: see `connection`.

    `routes` are Route objects, or mappings of the keys in `ROUTE_KEYS`, by name; each takes the
    place of the one of that name in mai.toml, as each of `tags` does. `timeout` is read by
    `Timeouts.of`. `config_file` is the file to read; if it is None, that is the one MAI_CONFIG
    names, else ./mai.toml if it is there, and nowhere else is looked. `environ` takes the place
    of this process's environment.

    Raises:
        ConfigurationError: Something that is set could never work. What is merely missing is
            no error until a call needs it.
    """
    env = os.environ if environ is None else environ
    path = _file(config_file, env)
    file = {} if path is None else read_file(path)
    arguments: dict[str, Any] = {
        "foundry_endpoint": foundry_endpoint,
        "foundry_api_key": foundry_api_key,
        "speech_endpoint": speech_endpoint,
        "speech_region": speech_region,
        "speech_api_key": speech_api_key,
        "voice_live_endpoint": voice_live_endpoint,
        "voice_live_api_key": voice_live_api_key,
        "vllm_base_url": vllm_base_url,
        "vllm_api_key": vllm_api_key,
    }
    connections = _connections(arguments, env, file, credential)
    usable, unusable = _routes(routes, env, file, connections, credential)
    return Config(
        connections=connections,
        routes=usable,
        unusable=unusable,
        timeout=_timeout(_plain("timeout", timeout, env, file)),
        max_retries=_retries(_plain("max_retries", max_retries, env, file)),
        tags=_tags(file.get("tags"), tags),
        ledger=_plain("ledger", ledger, env, file),
        budget=_plain("budget", budget, env, file),
        prices=_plain("prices", prices, env, file),
        models=_plain("models", models, env, file),
        file=path,
    )


def _file(given: Path | str | None, env: Mapping[str, str]) -> Path | None:
    named = given if given is not None else variable(env, "MAI_CONFIG")
    if named is not None:
        return Path(named)
    beside = Path("mai.toml")
    return beside if beside.is_file() else None


def _plain(keyword: str, given: Any, env: Mapping[str, str], file: Mapping[str, Any]) -> Any:
    if given is not None:
        return given
    found = variable(env, *SETTINGS[keyword].environment)
    return file.get(keyword) if found is None else found


def _connections(
    arguments: Mapping[str, Any],
    env: Mapping[str, str],
    file: Mapping[str, Any],
    token: TokenCredential | None,
) -> Mapping[Surface, Connection]:
    made: dict[Surface, Connection] = {}
    for surface, connection in CONNECTION_OF.items():
        places = places_of(connection, arguments, env, file)
        usable_token = None if connection == "vllm" else token
        made[surface] = connect(places, surface=surface, token=usable_token)
    for surface in ("speech", "voice-live"):
        made[surface] = sibling(made[surface], made["foundry"], surface=surface)
    return MappingProxyType(made)


def _routes(
    given: Mapping[str, Route | Mapping[str, Any]] | None,
    env: Mapping[str, str],
    file: Mapping[str, Any],
    connections: Mapping[Surface, Connection],
    token: TokenCredential | None,
) -> tuple[Mapping[str, Route], Mapping[str, NotConfigured]]:
    in_file, in_code = file.get("routes", {}), given or {}
    for tables in (in_file, in_code):
        if not isinstance(tables, Mapping):
            raise ConfigurationError("routes must be a table of [routes.<name>] tables.")
    usable: dict[str, Route] = {}
    unusable: dict[str, NotConfigured] = {}
    for name, table in {**in_file, **in_code}.items():
        try:
            usable[name] = read_route(
                name,
                table,
                connections=connections,
                environ=env,
                token=token,
                in_code=name in in_code,
            )
        except NotConfigured as error:
            unusable[name] = error
    return MappingProxyType(usable), MappingProxyType(unusable)


def _timeout(given: Any) -> float | Timeouts | None:
    if isinstance(given, Mapping):
        table = cast("Mapping[str, Any]", given)
        check_keys(table, _TIMEOUTS, where="timeout")
        return Timeouts(**table)
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            raise ConfigurationError(
                "timeout (MAI_TIMEOUT) must be a number of seconds, for example 60."
            ) from None
    Timeouts.of(given)  # refuses here what could never be kept
    return given  # type: ignore[no-any-return]  # a number, Timeouts or None by now


def _retries(given: Any) -> int:
    if given is None:
        return DEFAULT_RETRIES
    if isinstance(given, str) and given.strip().isdecimal():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ConfigurationError("max_retries must be a whole number, 0 or more.")
    return given


def _tags(in_file: Any, given: Mapping[str, str] | None) -> Mapping[str, str]:
    tags: dict[Any, Any] = {}
    for part in (in_file, given):
        if part is not None and not isinstance(part, Mapping):
            raise ConfigurationError("tags must be a table of text to text.")
        tags.update(cast("Mapping[Any, Any]", part or {}))
    if not all(
        isinstance(text, str) and "\0" not in text for pair in tags.items() for text in pair
    ):
        raise ConfigurationError("tags must be a table of text to text, without NUL.")
    return MappingProxyType(tags)
