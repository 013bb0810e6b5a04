"""In which order `mai doctor` looks at one service, and where it stops. No I/O of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from mai_sdk.cli.checks import Check, deployment_check, key_check, listed_names, listing_path
from mai_sdk.cli.layout import span
from mai_sdk.config import origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mai_sdk.config import Route

__all__ = ["Certificate", "Eyes", "Trouble", "examine"]


class Trouble(Exception):
    """A step did not work; the text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server showed of itself, once it was trusted."""

    issuer: str
    until: str
    """The last day, as 2027-03-01."""


class Eyes(Protocol):
    """What looks, a step at a time; each returns what it saw or raises `Trouble`.

    `probe.Probe` does it for real.
    """

    def proxy(self, url: str) -> str | None:
        """See `Probe.proxy`."""
        ...

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """See `Probe.resolve`."""
        ...

    def connect(self, host: str, port: int) -> float:
        """See `Probe.connect`."""
        ...

    def certificate(self, host: str, port: int) -> Certificate:
        """See `Probe.certificate`."""
        ...

    def get(self, route: Route, path: str) -> tuple[int, bytes]:
        """See `Probe.get`."""
        ...


def examine(route: Route, eyes: Eyes) -> Iterator[Check]:
    """Yield the checks of one route in order; after the first that fails, no more."""
    for check in _steps(route, eyes):
        yield check
        if check.outcome == "failed":
            return


def _steps(route: Route, eyes: Eyes) -> Iterator[Check]:
    yield from _network(route, eyes)
    path = listing_path(route)
    if path is None:
        yield Check(
            name="key",
            outcome="unsure",
            found="not tried",
            advice=f"This version makes no call on the {route.surface} surface.",
        )
        return
    try:
        status, body = eyes.get(route, path)
    except Trouble as trouble:
        advice = "The connection stands, but no answer came: check the port and any proxy."
        yield Check(name="key", outcome="failed", found=str(trouble), advice=advice)
        return
    yield key_check(route, status, body)
    names = listed_names(body) if status == 200 else None
    if names is not None:
        yield deployment_check(route, names)


def _network(route: Route, eyes: Eyes) -> Iterator[Check]:
    scheme, host, port = origin(route.endpoint)
    proxy = eyes.proxy(route.endpoint)
    if proxy is not None:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname or host, parts.port or 80
        found = f"through {host}:{port} (HTTPS_PROXY or the like)"
        yield Check(name="proxy", outcome="ok", found=found)
    yield _address(host, port, eyes)
    yield _connection(host, port, eyes)
    if scheme == "https" and proxy is None:
        yield _certificate(host, port, eyes)


def _address(host: str, port: int, eyes: Eyes) -> Check:
    try:
        found = ", ".join(eyes.resolve(host, port))
    except Trouble as trouble:
        return Check(
            name="address",
            outcome="failed",
            found=f"{host}: {trouble}",
            advice="Check the spelling of the resource's name, and that this machine's DNS works. "
            "A resource with a private endpoint has its name only inside its network.",
        )
    return Check(name="address", outcome="ok", found=found)


def _connection(host: str, port: int, eyes: Eyes) -> Check:
    try:
        seconds = eyes.connect(host, port)
    except Trouble as trouble:
        return Check(
            name="connection",
            outcome="failed",
            found=f"port {port}: {trouble}",
            advice="Nothing listens there, or a firewall is in the way. Check host and port, and "
            "that the server runs.",
        )
    return Check(name="connection", outcome="ok", found=f"port {port}, {span(seconds)}")


def _certificate(host: str, port: int, eyes: Eyes) -> Check:
    try:
        shown = eyes.certificate(host, port)
    except Trouble as trouble:
        return Check(
            name="certificate",
            outcome="failed",
            found=str(trouble),
            advice="Its issuer is not trusted here, or the name differs. Behind a company proxy, "
            "set SSL_CERT_FILE to a bundle with the company's own authority in it.",
        )
    return Check(name="certificate", outcome="ok", found=f"{shown.issuer}, until {shown.until}")
