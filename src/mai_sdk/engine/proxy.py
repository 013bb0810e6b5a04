"""Which proxy a request goes through: the environment's, as for every other program."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from mai_sdk.config.endpoint import is_loopback

__all__ = ["proxy_for"]


def proxy_for(url: str) -> str | None:
    """Return the proxy the environment asks for (HTTPS_PROXY, NO_PROXY...), or None.

    Never one for this machine itself: plain http is allowed there only because it stays here.
    """
    parts = urlsplit(url)
    if parts.hostname is None or is_loopback(parts.hostname) or proxy_bypass(parts.hostname):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
