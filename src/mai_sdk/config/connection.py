"""One address and the key that may go there.

The rule of this file: a key goes only to the resource it was configured for.
- The address is that of the first place that has one (keyword, MAI_* variable, mai.toml, then the
  variables of other tools, family by family).
- The key is the first, in the same order, that may go to that address. A key whose own place also
  names an address may go there alone. A key of ours without an address beside it may go to
  whatever address was chosen. A borrowed key without one may go only where nothing is in doubt:
  it is the only key, and there is only one address.
- An Entra credential stands behind a key given by keyword and before every other key.
Azure's sibling hosts of one resource count as one address: they take the same key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mai_sdk.config.endpoint import normalise_endpoint, regional_endpoint, resource_of
from mai_sdk.config.secret import Secret
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config.endpoint import Origin
    from mai_sdk.config.route import Credential, Surface, TokenCredential

__all__ = ["Connection", "Place", "connect", "sibling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place a connection can be configured in, and what it says there."""

    name: str
    """For messages: "keyword", "environment", "mai.toml"."""
    endpoint: str | None = None
    region: str | None = None
    """In place of an endpoint; only Speech has one."""
    endpoint_name: str = ""
    key: str | Secret | None = field(default=None, repr=False)
    key_name: str = ""
    note: str | None = None
    """What is amiss with the key, if it is named but not there."""
    borrowed: bool = False
    """Its variables were set for another program: what is wrong with them is not our error."""

    @property
    def has_address(self) -> bool:
        """Whether this place says where to go."""
        return self.endpoint is not None or self.region is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An address and its credential, either of which may be missing."""

    endpoint: str | None = None
    """Normalised for the surface."""
    credential: Credential = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    """Why something that is set was not used, in sentences."""


def connect(
    places: Sequence[Place], *, surface: Surface, token: TokenCredential | None = None
) -> Connection:
    """Return the address and the key that the places agree on.

    Raises:
        InvalidEndpoint: An address of ours is none.
        InsecureEndpoint: An address of ours is plain http to another machine.
        InvalidCredential: A key of ours could never be sent.
    """
    bases, notes = _bases(places, surface)
    if not bases:
        return Connection(notes=notes)
    chosen = next(iter(bases.values()))
    homes = {place: resource_of(base) for place, base in bases.items()}
    credential, unused = _credential(places, homes, resource_of(chosen), token)
    return Connection(endpoint=chosen, credential=credential, notes=(*notes, *unused))


def sibling(connection: Connection, other: Connection, *, surface: Surface) -> Connection:
    """Return `connection`, filled in from `other` where that is the same Azure resource.

    A Foundry resource serves Speech and Voice Live too, with the same key.
    """
    if other.endpoint is None:
        return connection
    if connection.endpoint is None:
        endpoint = normalise_endpoint(other.endpoint, surface=surface, name="foundry_endpoint")
        return Connection(endpoint=endpoint, credential=other.credential, notes=connection.notes)
    same = resource_of(connection.endpoint) == resource_of(other.endpoint)
    if connection.credential is None and same:
        return Connection(endpoint=connection.endpoint, credential=other.credential)
    return connection


def _bases(
    places: Sequence[Place], surface: Surface
) -> tuple[Mapping[Place, str], tuple[str, ...]]:
    bases: dict[Place, str] = {}
    notes = [place.note for place in places if place.note is not None]
    for place in places:
        if not place.has_address:
            continue
        try:
            bases[place] = _base(place, surface)
        except ConfigurationError as error:
            if not place.borrowed:
                raise
            notes.append(error.message)
    return bases, tuple(notes)


def _base(place: Place, surface: Surface) -> str:
    if place.endpoint is not None:
        return normalise_endpoint(place.endpoint, surface=surface, name=place.endpoint_name)
    return regional_endpoint(place.region or "", name=place.endpoint_name)


def _credential(
    places: Sequence[Place],
    homes: Mapping[Place, Origin],
    target: Origin,
    token: TokenCredential | None,
) -> tuple[Credential, tuple[str, ...]]:
    keyed = [place for place in places if place.key is not None]
    lone = len(keyed) == 1 and len(set(homes.values())) == 1
    notes: list[str] = []
    for place in keyed:
        if token is not None and place.name != "keyword":
            break
        free = not place.has_address and (lone or not place.borrowed)
        if not (free or homes.get(place) == target):
            notes.append(_bound(place, target))
            continue
        try:
            return _secret(place), tuple(notes)
        except ConfigurationError as error:
            if not place.borrowed:
                raise
            notes.append(error.message)
    return token, tuple(notes)


def _secret(place: Place) -> Secret:
    key = place.key
    return key if isinstance(key, Secret) else Secret(key or "", name=place.key_name)


def _bound(place: Place, target: Origin) -> str:
    home = f"{place.endpoint_name}, another resource" if place.has_address else "nobody knows where"
    return f"{place.key_name} is set, but it belongs to {home}, so it is not sent to {target.host}."
