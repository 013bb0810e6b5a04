"""What every resource stands on: the configuration, the catalog, and the engine's shared parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from mai_sdk.engine.spacing import Spacing
from mai_sdk.engine.steps import Work
from mai_sdk.engine.tab import Tab

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mai_sdk.catalog import Catalog, Model
    from mai_sdk.config import Config, Modality, Route, Timeouts
    from mai_sdk.engine.engine import Engine
    from mai_sdk.engine.steps import Step

__all__ = ["Core"]

_MAX_ROUTES = 1000
"""Names are the caller's: a program that makes them up must not fill the memory."""


class OpenStream(Protocol):
    """A stream whose attempt is not settled yet."""

    def left(self) -> None:
        """Settle it as it stands, if it was not settled; whoever reads on is told."""
        ...


@dataclass(slots=True)
class Core:
    """One client's parts that do no I/O of their own."""

    config: Config
    catalog: Catalog
    engine: Engine
    session: str | None = None
    """The id of the session all calls are turns of; see `in_session`."""
    open_streams: WeakSet[OpenStream] = field(default_factory=WeakSet["OpenStream"])
    """Streams that are open, so that closing the client can settle them."""
    _routes: dict[tuple[str | None, Modality], tuple[Route, Model | None]] = field(
        default_factory=dict["tuple[str | None, Modality]", "tuple[Route, Model | None]"]
    )
    _spacings: dict[tuple[str, str | None], Spacing] = field(
        default_factory=dict["tuple[str, str | None]", Spacing]
    )

    def in_session(self, session: str) -> Core:
        """Return the same parts for the calls that a session is made of: its id is on each row."""
        return replace(self, session=session)

    def settle_open_streams(self) -> None:
        """Settle every stream nobody has read to its end, with what had arrived."""
        for stream in tuple(self.open_streams):
            stream.left()

    def close_ledger(self) -> Generator[Step, Any, None]:
        """Write what is still to be written, and close the ledger."""
        yield Work(self.engine.ledger.close)

    def route(self, model: str | None, modality: Modality) -> tuple[Route, Model | None]:
        """Return the route for `model`, and what the catalog knows of what it leads to.

        Raises:
            NotConfigured: No endpoint or key is set for it.
        """
        found = self._routes.get((model, modality))
        if found is None:
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            found = self._routes[model, modality] = self._find(model, modality)
        return found

    def _find(self, model: str | None, modality: Modality) -> tuple[Route, Model | None]:
        name = model if model is not None else self.config.default_model(modality)
        known = self.catalog.get(name) if name is not None else None
        route = self.config.route(
            model,
            modality=modality,
            surfaces=known.surfaces if known is not None else (),
            catalog_name=known.name if known is not None else None,
            default_deployment=known.deployments if known is not None else {},
        )
        if route.model is not None and (known is None or known.name != route.model):
            known = self.catalog.get(route.model)
        return route, known

    def explain_missing(self, route: Route, model: Model | None) -> str | None:
        """Say what is known of a model that the service says is not there; None if nothing is."""
        if model is not None:
            return model.explain()
        names = self.catalog.suggest(route.deployment or "")
        return f"Names like it: {', '.join(names)}." if names else None

    def wait_for_turn(self, route: Route, *, requests_per_minute: float) -> float:
        """Take the next turn at the route's deployment, and return the seconds until it comes.

        Turns are shared by all calls of the client that keep such a pace.
        """
        place = (route.endpoint, route.deployment)
        if len(self._spacings) >= _MAX_ROUTES:
            self._spacings.clear()
        spacing = self._spacings.setdefault(place, Spacing())
        return spacing.book(now=self.engine.clock(), requests_per_minute=requests_per_minute)

    def tab(
        self,
        route: Route,
        *,
        modality: Modality,
        verb: str,
        tags: Mapping[str, str] | None,
        timeouts: Timeouts,
        session: str | None = None,
    ) -> Tab:
        """Open the tab for one call; a call's own tags win over the client's.

        `session` is the id of the session it is a turn of.
        """
        return Tab(
            self.engine,
            route=route,
            modality=modality,
            verb=verb,
            tags={**self.config.tags, **(tags or {})},
            total_seconds=timeouts.total,
            session=self.session or session,
        )
