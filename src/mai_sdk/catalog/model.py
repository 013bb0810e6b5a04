"""One model: what is claimed of it, and how a reader picks among claims that disagree.

Rule of this file: nothing is thrown away. Sources that contradict each other stand side by side
in the rows; `status`, `limit` and `can` each say which one they answer with.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from pydantic import Field

from mai_sdk.catalog.explain import explain
from mai_sdk.value import Value

if TYPE_CHECKING:
    from mai_sdk.config.route import Modality, Surface
else:
    # The names are defined one door further, on this same floor, so at run time they are text; a
    # test holds the packaged rows to the real lists. An overlay may name a surface to come.
    Modality = Surface = str

__all__ = ["Capability", "Claim", "Limit", "Model", "RateLimit", "Stage", "Status", "Weights"]

Stage: TypeAlias = Literal[
    "announced",
    "private_preview",
    "open_weights",
    "preview",
    "retirement_scheduled",
    "retired",
]
"""The stages of a model's life, in order. Nothing of the MAI family is generally available yet."""

_ORDER = {stage: rank for rank, stage in enumerate(get_args(Stage))}


class Row(Value):
    """One claim: who says so, and when that was last looked up."""

    source: str
    """The public page or package the claim was read from."""
    checked: date
    note: str | None = None


class Claim(Row):
    """A statement in words, for example of the architecture."""

    value: str


class Status(Row):
    """One step of a model's life."""

    stage: Stage
    on: date
    """The day it begins; for "retirement_scheduled", the day it is scheduled for."""
    seen: date | None = None
    """The last day this source is known to have still said so."""


class Limit(Row):
    """One bound, for example `context_tokens`; several rows of one name are a disagreement."""

    name: str
    value: int


class RateLimit(Row):
    """How much may be sent in a time, by the tier of the quota."""

    name: str
    """For example "requests_per_minute"."""
    tiers: dict[str, int]
    """Tier to quantity; a tier of 0 serves nothing until a quota is granted."""


class Capability(Row):
    """Whether the model can do one thing."""

    name: str
    value: Literal["yes", "no", "claimed"]
    """"claimed" is a second-hand yes: someone other than the maker or a live call says so."""


class Weights(Row):
    """Where the weights are, for models that can be served at home."""

    repo: str
    """The Hugging Face repository."""
    licence: str
    precision: str
    """"bf16" or "fp8"."""


class Model(Value):
    """Everything that is known of one model. No field here decides whether it may be called."""

    name: str
    modality: Modality
    surfaces: tuple[Surface, ...]
    """The dialects it is or was reached by, the best first; empty if it was never served."""
    deployments: dict[Surface, str] = Field(default_factory=dict[Surface, str])
    """The name a deployment has unless its owner chose another, by surface.

    Filled with `name` for every surface but vLLM, whose server knows its base model by itself.
    """
    aliases: tuple[str, ...] = ()
    successor: str | None = None
    """The model to move to, as of the day the row was checked."""
    use: str | None = None
    """What it is for, in a few words."""
    note: str | None = None
    weights: Weights | None = None
    architecture: tuple[Claim, ...] = ()
    statuses: tuple[Status, ...] = ()
    """The history as claimed, every source; `status[...]` in the file."""
    limits: tuple[Limit, ...] = ()
    rates: tuple[RateLimit, ...] = ()
    capabilities: tuple[Capability, ...] = ()

    def status(self, on: date | None = None) -> Status | None:
        """Return the step in effect on that day (today in UTC), or None before the first.

        It is the one that began last; of several that began on one day, the one furthest along a
        model's life, and of several sources for it, the one seen last. A scheduled retirement
        whose day has passed is given as "retirement_scheduled", not as "retired": nobody has said
        that it took place. "retired" speaks of Azure: open weights can be served ever after.
        """
        day = on or _today()
        return max(
            (status for status in self.statuses if status.on <= day),
            key=lambda status: (status.on, _ORDER[status.stage], status.seen or date.min),
            default=None,
        )

    def is_retired(self, on: date | None = None) -> bool:
        """Whether a source says that Azure no longer serves it on that day (today in UTC)."""
        status = self.status(on)
        return status is not None and status.stage == "retired"

    def limit(self, name: str) -> int | None:
        """Return the most tolerant claim of that limit, or None where none is known.

        The most tolerant, because refusing here what the service would take is the worse mistake:
        the highest value, or for a name that begins with "min_" the lowest.
        """
        values = [limit.value for limit in self.limits if limit.name == name]
        if not values:
            return None
        return min(values) if name.startswith("min_") else max(values)

    def can(self, capability: str) -> bool | None:
        """Return whether it can do that, or None where it is unknown.

        A plain yes or no outweighs any "claimed"; a yes against a no, or a claim alone, is None.
        """
        said = {row.value for row in self.capabilities if row.name == capability} - {"claimed"}
        return said == {"yes"} if len(said) == 1 else None

    def explain(self, on: date | None = None) -> str:
        """Say in one sentence what its status is, why a 404 is no surprise, and what to use."""
        return explain(self, on or _today())


def _today() -> date:
    return datetime.now(UTC).date()
