"""What a client knows of the world: its routes, and the choice of one for a call. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mai_sdk.config.endpoint import region_of
from mai_sdk.config.missing import not_configured
from mai_sdk.config.route import DEFAULT_TIMEOUTS, Route, Timeouts
from mai_sdk.config.settings import (
    CONNECTION_OF,
    DEFAULT_MODELS,
    DEFAULT_SURFACES,
    SERVING_SURFACES,
)
from mai_sdk.errors import InvalidRequest, NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mai_sdk.config.connection import Connection
    from mai_sdk.config.route import Modality, Surface

__all__ = ["DEFAULT_RETRIES", "Config"]

DEFAULT_RETRIES = 2
"""How often a failed call may be tried again, unless set otherwise."""

_NONE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a client was set up with, once and for all. Made by `load_config`."""

    connections: Mapping[Surface, Connection]
    """The address and credential of every surface, either of which may be missing."""
    routes: Mapping[str, Route] = field(default_factory=dict[str, Route])
    """The named routes, by name."""
    unusable: Mapping[str, NotConfigured] = field(
        default_factory=dict[str, NotConfigured], repr=False
    )
    """Named routes whose address or key is not set here, with what is missing."""
    timeout: float | Timeouts | None = None
    """What was set for every call; None for the limits of each kind of work."""
    max_retries: int = DEFAULT_RETRIES
    """How often a failed call may be tried again; 0 for never."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels on every call's rows."""
    ledger: Any = field(default=None, repr=False)
    """A path, a URL or a ledger, as given; None for one in memory."""
    budget: Any = None
    """A budget, a table of one, or a list of them, as given."""
    prices: Any = None
    """A path or mapping to lay over the packaged prices."""
    models: Any = None
    """A path or mapping to lay over the packaged catalog."""
    file: Path | None = None
    """The mai.toml that was read, if one was."""

    def route(
        self,
        model: str | None = None,
        *,
        modality: Modality,
        surfaces: Sequence[Surface] = (),
        catalog_name: str | None = None,
        default_deployment: Mapping[Surface, str] = _NONE,
    ) -> Route:
        """Return the way to `model`, by the first rule that finds one.

        1. The named route of that very name.
        2. The first named route to that model of the catalog.
        3. For a model of the catalog: the first of its surfaces that is configured, and there the
           name that deployments of it usually have. On vLLM no name, so that it answers with its
           base model.
        4. For any other name: a deployment of that name, on the first configured surface of
           the modality. What it is remains unknown, and so does its cost.

        Without a model: the only named route for that kind of work, else the modality's default
        model, else the vLLM server if that is all there is.

        Args:
            model: A named route, a model of the catalog, or a deployment.
            modality: The kind of work.
            surfaces: Where the catalog says it is served, the best first; the modality's own if
                empty. Not looked at without a model, nor is `catalog_name`.
            catalog_name: Its name there; None for one that the catalog does not know.
            default_deployment: The usual deployment name, by surface.

        Raises:
            NotConfigured: Nothing leads there; the text lists what to set.
        """
        if model is None:
            return _addressed(self._default(modality, default_deployment), modality)
        if not model.strip():
            raise InvalidRequest("model is an empty name. Leave it out for the default model.")
        named = self._named(model, catalog_name)
        if named is None:
            asked = tuple(surfaces) or DEFAULT_SURFACES[modality]
            surface = self._first(asked)
            if surface is None:
                raise not_configured(catalog_name or model, asked, self.connections)
            usual = default_deployment.get(surface) if catalog_name is not None else model
            named = self._to(surface, deployment=usual, model=catalog_name)
        return _addressed(named, modality)

    def default_model(self, modality: Modality) -> str | None:
        """Return what a call that names no model would reach, by its name in the catalog.

        None if that is a deployment or server of which no one said what it is. With nothing
        configured, the modality's default model.
        """
        try:
            return self._default(modality, _NONE).model
        except NotConfigured:
            return DEFAULT_MODELS[modality]

    def timeouts_for(self, timeout: float | Timeouts | None, *, modality: Modality) -> Timeouts:
        """Return the limits of one call: its own, or these, or those of its kind of work."""
        given = self.timeout if timeout is None else timeout
        return Timeouts.of(given, default=DEFAULT_TIMEOUTS[modality])

    def is_configured(self, surface: Surface) -> bool:
        """Whether the surface has an address and whatever credential it cannot do without."""
        connection = self.connections[surface]
        keyed = connection.credential is not None or surface == "vllm"
        return connection.endpoint is not None and keyed

    def _first(self, surfaces: Sequence[Surface]) -> Surface | None:
        return next((surface for surface in surfaces if self.is_configured(surface)), None)

    def _named(self, model: str, catalog_name: str | None) -> Route | None:
        if model in self.unusable:
            raise self.unusable[model]
        if model in self.routes:
            return self.routes[model]
        wanted = (catalog_name or model).casefold()
        matching = (r for r in self.routes.values() if (r.model or "").casefold() == wanted)
        return next(matching, None)

    def _default(self, modality: Modality, default_deployment: Mapping[Surface, str]) -> Route:
        fitting = [route for route in self.routes.values() if _fits(route, modality)]
        if len(fitting) == 1:
            return fitting[0]
        model = DEFAULT_MODELS[modality]
        named = self._named(model, model)
        if named is not None:
            return named
        surface = self._first(DEFAULT_SURFACES[modality])
        if surface is None:
            raise not_configured(model, DEFAULT_SURFACES[modality], self.connections)
        if surface == "vllm":
            return self._to(surface, deployment=None, model=None)
        return self._to(surface, deployment=default_deployment.get(surface, model), model=model)

    def _to(self, surface: Surface, *, deployment: str | None, model: str | None) -> Route:
        connection = self.connections[surface]
        return Route(
            surface=surface,
            endpoint=connection.endpoint or "",
            deployment=deployment,
            model=model,
            credential=connection.credential,
            name=CONNECTION_OF[surface],
        )


def _fits(route: Route, modality: Modality) -> bool:
    if route.modality is not None:
        return route.modality == modality
    return route.surface in SERVING_SURFACES[modality]


def _addressed(route: Route, modality: Modality) -> Route:
    """A region's voices are served from another host than its transcription."""
    if route.surface != "speech" or modality != "voice":
        return route
    region = region_of(route.endpoint)
    if region is None:
        return route
    return replace(route, endpoint=f"https://{region}.tts.speech.microsoft.com")
