"""Which settings `mai doctor` found, where each came from, and what there is to check."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.config import Route, Secret, normalise_endpoint
from mai_sdk.config.endpoint import regional_endpoint
from mai_sdk.config.file import read_file
from mai_sdk.config.places import places_of
from mai_sdk.config.settings import CONNECTIONS
from mai_sdk.errors import ConfigurationError, NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config import Config, Surface
    from mai_sdk.config.connection import Connection, Place
    from mai_sdk.config.settings import ConnectionName
    from mai_sdk.resources.core import Core

__all__ = ["Setting", "Target", "found_settings", "targets_of"]

_INHERITED = "the same resource"

_SURFACES: Mapping[ConnectionName, Surface] = {
    "foundry": "foundry",
    "speech": "speech",
    "voice_live": "voice-live",
    "vllm": "vllm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that is set, or not."""

    name: str
    value: str | None
    """As it will be used; of a key only that it is there; None if it is not set."""
    source: str = ""
    """The option, variable or file it came from."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way that can be checked."""

    name: str
    route: Route | None
    problem: str | None = None
    """Why it cannot be used as it is set up; then `route` is None."""
    missing: tuple[str, ...] = field(default=())


def found_settings(
    config: Config, given: Mapping[str, Any], environ: Mapping[str, str]
) -> list[Setting]:
    """Return what is set, connection by connection, without any key's text."""
    file = read_file(config.file) if config.file is not None else {}
    settings = [
        Setting(name="file", value=None if config.file is None else str(config.file)),
        Setting(name="ledger", value=None if config.ledger is None else str(config.ledger)),
    ]
    arguments: dict[str, Any] = {
        f"{name}_{what}": None
        for name in CONNECTIONS
        for what in ("endpoint", "api_key", "base_url", "region")
    }
    arguments.update(given)
    for name in CONNECTIONS:
        connection = config.connections[_SURFACES[name]]
        places = places_of(name, arguments, environ, file)
        settings += _of_connection(name, connection, places)
    return settings


def _of_connection(
    name: ConnectionName, connection: Connection, places: Sequence[Place]
) -> list[Setting]:
    address = Setting(
        name=name,
        value=connection.endpoint,
        source=_source(connection, places, _SURFACES[name]),
        notes=connection.notes,
    )
    if connection.endpoint is None:
        return [address]
    if address.source == _INHERITED:
        return [Setting(name=name, value="as foundry", source=_INHERITED)]
    credential = connection.credential
    if isinstance(credential, Secret):
        return [address, Setting(name="  key", value="set", source=credential.origin_name)]
    if credential is None:
        return [address, Setting(name="  key", value=None)]
    return [address, Setting(name="  sign-in", value="Entra", source=type(credential).__name__)]


def _source(connection: Connection, places: Sequence[Place], surface: Surface) -> str:
    """The place whose address was taken."""
    for place in places:
        if place.has_address:
            with suppress(ConfigurationError):
                if _base(place, surface) == connection.endpoint:
                    option = f"--{place.endpoint_name.replace('_', '-')}"
                    return option if place.name == "keyword" else place.endpoint_name
    return _INHERITED if connection.endpoint else ""


def _base(place: Place, surface: Surface) -> str:
    if place.endpoint is not None:
        return normalise_endpoint(place.endpoint, surface=surface, name=place.endpoint_name)
    return regional_endpoint(place.region or "", name=place.endpoint_name)


def targets_of(core: Core, models: Sequence[str], settings: Sequence[Setting]) -> list[Target]:
    """Return what there is to check: named routes, then other addresses, then models asked for.

    An address that a named route uses with the same credential is checked with that route.
    """
    config = core.config
    targets = [Target(name=f"route {name}", route=route) for name, route in config.routes.items()]
    targets += [
        Target(name=f"route {name}", route=None, problem=error.message, missing=error.missing)
        for name, error in config.unusable.items()
    ]
    targets += [_for_model(core, model) for model in models]
    inherited = {each.name for each in settings if each.source == _INHERITED}
    for name in CONNECTIONS:
        surface = _SURFACES[name]
        connection = config.connections[surface]
        if connection.endpoint is not None and name not in inherited:
            target = _plain(name, surface, connection)
            if not any(_covers(other.route, target.route) for other in targets):
                targets.append(target)
    return targets


def _plain(name: ConnectionName, surface: Surface, connection: Connection) -> Target:
    if connection.credential is None and surface != "vllm":
        key = f"{name}_api_key"
        why = " ".join(connection.notes) or "No key is set."
        problem = f"{why} Set MAI_{key.upper()} beside the address, or sign in with --entra."
        return Target(name=name, route=None, problem=problem, missing=(key,))
    route = Route(
        surface=surface,
        endpoint=connection.endpoint or "",
        credential=connection.credential,
        name=name,
    )
    return Target(name=name, route=route)


def _covers(route: Route | None, other: Route | None) -> bool:
    if route is None or other is None:
        return False
    same_kind = (route.surface == "vllm") == (other.surface == "vllm")
    same_place = route.endpoint == other.endpoint and route.credential == other.credential
    return same_kind and same_place


def _for_model(core: Core, name: str) -> Target:
    known = core.catalog.get(name)
    modality: Any = "reasoning" if known is None else known.modality
    try:
        route, _ = core.route(name, modality)
    except NotConfigured as error:
        return Target(
            name=f"model {name}", route=None, problem=error.message, missing=error.missing
        )
    return Target(name=f"model {name}", route=route)
