"""The one error of a call that no route leads to: what is missing, and every way to set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.config.settings import CONNECTION_OF, SETTINGS
from mai_sdk.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config.connection import Connection
    from mai_sdk.config.route import Surface

__all__ = ["not_configured"]

_EMULATOR = (
    "To try it offline, without an account: from mai_sdk.emulator import Emulator, then "
    "`with Emulator() as emulator: client = emulator.client()`."
)


def not_configured(
    what: str, surfaces: Sequence[Surface], connections: Mapping[Surface, Connection]
) -> NotConfigured:
    """Return the error for `what`, a model's name, that is served on `surfaces`, the best first.

    The way that is already half set up is asked for first; the other ways are named after it.
    """
    begun: list[Surface] = [s for s in surfaces if connections[s].endpoint is not None]
    first = begun[0] if begun else surfaces[0]
    missing = _missing(first, connections[first])
    ways = [_missing(surface, connections[surface]) for surface in surfaces]
    others = [way for way in dict.fromkeys(ways) if way != missing]
    lines = [f"{what} is not configured. Missing:"]
    lines += [f"  {keyword}: {SETTINGS[keyword].how()}" for keyword in missing]
    if any(keyword.endswith("_api_key") for keyword in missing):
        lines.append("  (or, in place of a key: keyword credential=..., from azure-identity)")
    if "speech_endpoint" in missing:
        lines.append(f"  (or, in place of the endpoint: {SETTINGS['speech_region'].how()})")
    if first in ("speech", "voice-live") and connections[first].endpoint is None:
        lines.append("  (or foundry_endpoint with foundry_api_key, which serve it too)")
    lines += [f"  Or instead: {' and '.join(way)}" for way in others]
    lines += [f"Note: {note}" for note in connections[first].notes]
    return NotConfigured("\n".join([*lines, _EMULATOR]), missing=missing)


def _missing(surface: Surface, connection: Connection) -> tuple[str, ...]:
    name = CONNECTION_OF[surface]
    if name == "vllm":
        return () if connection.endpoint is not None else ("vllm_base_url",)
    wanted = {f"{name}_endpoint": connection.endpoint, f"{name}_api_key": connection.credential}
    return tuple(keyword for keyword, value in wanted.items() if value is None)
