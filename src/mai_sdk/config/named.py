"""Named routes: a table of mai.toml, or the same as a mapping or a Route, made into a Route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, get_args

from mai_sdk.config.endpoint import normalise_endpoint, resource_of
from mai_sdk.config.file import check_keys
from mai_sdk.config.route import Api, Modality, Route, Surface
from mai_sdk.config.secret import Secret
from mai_sdk.config.settings import CONNECTION_OF, ROUTE_KEYS
from mai_sdk.errors import ConfigurationError, NotConfigured

if TYPE_CHECKING:
    from mai_sdk.config.connection import Connection
    from mai_sdk.config.route import Credential, TokenCredential

__all__ = ["read_route"]

_CHOICES = {"surface": get_args(Surface), "modality": get_args(Modality), "api": get_args(Api)}
_KEY_HEADERS = ("authorization", "api-key", "x-api-key", "ocp-apim-subscription-key")


def read_route(
    name: str,
    given: Route | Mapping[str, Any],
    *,
    connections: Mapping[Surface, Connection],
    environ: Mapping[str, str],
    token: TokenCredential | None = None,
    in_code: bool = False,
) -> Route:
    """Return the route of that name, its endpoint normalised and its credential found.

    What it leaves out it takes over: the endpoint from its surface's own setting, and the key
    only from a setting for the same resource, else the Entra credential.

    Args:
        name: What the route is called.
        given: A table of `ROUTE_KEYS`, or a Route.
        connections: The surfaces' own addresses and credentials.
        environ: Where `api_key_env` is looked up.
        token: The Entra credential, if there is one.
        in_code: It was passed as an argument, so it may hold a `credential` object.

    Raises:
        ConfigurationError: A key in it means nothing, or a value is of the wrong kind.
        InvalidEndpoint: Its address is none.
        NotConfigured: Its address or its key is not set anywhere. Not an error until it is used.
    """
    where = f"routes[{name!r}]" if in_code else f"[routes.{name}]"
    if isinstance(given, Route):
        route, variable = given, None
        _check_headers(route.headers, where)
    else:
        route, variable = _from_table(given, where=where, in_code=in_code)
    if route.endpoint:
        endpoint = normalise_endpoint(
            route.endpoint, surface=route.surface, name=f"{where} endpoint"
        )
    else:
        endpoint = _inherited_endpoint(route.surface, connections, where)
    credential = route.credential
    if isinstance(credential, str):
        credential = Secret(credential, name=f"{where} credential")
    if variable is not None:
        credential = _from_environment(variable, environ, where)
    if credential is None:
        credential = _inherited_credential(route.surface, endpoint, connections, token, where)
    return replace(route, endpoint=endpoint, credential=credential, name=name)


def _from_table(given: object, *, where: str, in_code: bool) -> tuple[Route, str | None]:
    """The route as written, and the variable its key is in."""
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where} must be a table of {', '.join(ROUTE_KEYS)}.")
    table = dict(cast("Mapping[str, Any]", given))
    check_keys(table, (*ROUTE_KEYS, "credential") if in_code else ROUTE_KEYS, where=where)
    if "surface" not in table:
        raise ConfigurationError(f"{where} has no surface. {ROUTE_KEYS['surface']}")
    for key in ROUTE_KEYS.keys() & table.keys() - {"query", "headers"}:
        _check_text(key, table[key], where)
    for key in ("query", "headers"):
        table[key] = _pairs(table.get(key, {}), f"{where} {key}")
    _check_headers(table["headers"], where)
    variable = table.pop("api_key_env", None)
    table.setdefault("endpoint", "")
    return Route(**table), variable


def _check_text(key: str, value: object, where: str) -> None:
    choices = _CHOICES.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{where} {key} must be text. {ROUTE_KEYS[key]}")
    if choices is not None and value not in choices:
        raise ConfigurationError(f"{where} {key} is {value!r}. It is one of {', '.join(choices)}.")


def _pairs(given: object, where: str) -> tuple[tuple[str, str], ...]:
    """A table, or pairs, of text."""
    pairs_or_table: Any = given
    items = pairs_or_table.items() if isinstance(given, Mapping) else pairs_or_table
    try:
        pairs = tuple((name, value) for name, value in items)
    except (TypeError, ValueError):
        pairs = ((None, None),)
    if not all(isinstance(part, str) for pair in pairs for part in pair):
        raise ConfigurationError(f"{where} must be a table of text to text.")
    return cast("tuple[tuple[str, str], ...]", pairs)


def _check_headers(headers: tuple[tuple[str, str], ...], where: str) -> None:
    for name, value in headers:
        if name.lower() in _KEY_HEADERS:
            raise ConfigurationError(
                f"{where} sets the header {name}, which carries a key. Headers are shown and "
                f"logged: use api_key_env."
            )
        if any(character in "\r\n\0" for character in name + value):
            raise ConfigurationError(f"{where} has a line break in the header {name!r}.")


def _inherited_endpoint(
    surface: Surface, connections: Mapping[Surface, Connection], where: str
) -> str:
    endpoint = connections[surface].endpoint
    if endpoint is None:
        keyword = _keyword(surface)
        raise NotConfigured(
            f"{where} has no endpoint: write one into it, or set {keyword}.", missing=(keyword,)
        )
    return endpoint


def _from_environment(variable: str, environ: Mapping[str, str], where: str) -> Secret:
    key = environ.get(variable, "")
    if not key.strip():
        raise NotConfigured(
            f"{where} takes its key from the environment variable {variable}, which is not set.",
            missing=(variable,),
        )
    return Secret(key, name=variable)


def _inherited_credential(
    surface: Surface,
    endpoint: str,
    connections: Mapping[Surface, Connection],
    token: TokenCredential | None,
    where: str,
) -> Credential:
    target = resource_of(endpoint)
    for other, connection in connections.items():
        at_home = connection.endpoint is not None and resource_of(connection.endpoint) == target
        alike = (other == "vllm") == (surface == "vllm")
        if at_home and alike and connection.credential is not None:
            return connection.credential
    if surface == "vllm":
        return None
    if token is not None:
        return token
    raise NotConfigured(
        f"{where} has no key: add api_key_env with the name of the environment variable that "
        f"holds it, or pass credential=... with an azure-identity credential.",
        missing=("api_key_env",),
    )


def _keyword(surface: Surface) -> str:
    connection = CONNECTION_OF[surface]
    return "vllm_base_url" if connection == "vllm" else f"{connection}_endpoint"
