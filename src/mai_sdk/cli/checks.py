"""What each check of `mai doctor` concludes from what was seen. No I/O.

A check is a name, an outcome, what was found, and what to do about it. `unsure` is said where a
request that bills nothing cannot tell; it is no failure, and its advice says what would.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic_core import from_json

from mai_sdk.config import Secret
from mai_sdk.wire.shapes import as_list, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.config import Route

__all__ = ["Check", "Outcome", "deployment_check", "key_check", "listed_names", "listing_path"]

Outcome: TypeAlias = Literal["ok", "failed", "unsure"]

_LISTINGS: Final = {
    "foundry": "/openai/v1/models",
    "openai-v1": "/openai/v1/models",
    "azure-inference": "/openai/v1/models",
    "vllm": "/v1/models",
}
"""By surface, a GET that asks for the key and bills nothing. The Azure surfaces of one resource
take the same key, so one address tells for all."""
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    found: str
    """What was seen, in a few words."""
    advice: str | None = None
    """What to do, where it is not ok."""


def listing_path(route: Route) -> str | None:
    """Return the path that lists models and checks the key; None where no free GET is known."""
    return _LISTINGS.get(route.surface)


def listed_names(body: bytes) -> list[str] | None:
    """Return the names a listing gives; None if it is no listing."""
    try:
        data: Any = as_object(from_json(body)).get("data")
    except ValueError:
        return None
    if not isinstance(data, list):
        return None
    return [name for item in as_list(data) if (name := as_text(as_object(item).get("id")))]


def key_check(route: Route, status: int, body: bytes) -> Check:
    """Return what the answer to the listing says of the key."""
    key = _key_of(route)
    if status == 200:
        return _answered(route, body)
    if status == 401:
        return Check(
            name="key",
            outcome="failed",
            found="not accepted (401)" if key else "asked for, and none is set (401)",
            advice=_refused(route, key),
        )
    if status == 403:
        return Check(
            name="key",
            outcome="failed",
            found="known, but not allowed (403)",
            advice="Ask for the role Cognitive Services User on the resource (a new role takes "
            "minutes), and check that its network rules let this machine in.",
        )
    if 300 <= status < 400:
        return Check(
            name="key",
            outcome="failed",
            found=f"answered with a redirect ({status})",
            advice="This is not the service itself. Configure the address it redirects to.",
        )
    if status >= 500:
        return Check(
            name="key",
            outcome="failed",
            found=f"the service failed ({status})",
            advice="Try again later; a vLLM server answers like this while it loads its model.",
        )
    return Check(
        name="key",
        outcome="unsure",
        found=f"the listing answered {status}",
        advice="It says nothing about the key. `mai doctor --call` tries it with a billed call.",
    )


def _answered(route: Route, body: bytes) -> Check:
    if listed_names(body) is None:
        return Check(
            name="key",
            outcome="failed",
            found="an answer, but not this service's",
            advice="The address is probably a proxy's or a sign-in page. Check the endpoint.",
        )
    if route.credential is None:
        return Check(name="key", outcome="ok", found="none set, none asked for")
    return Check(name="key", outcome="ok", found=f"accepted, from {_key_of(route)}")


def _refused(route: Route, key: str | None) -> str:
    if route.surface == "vllm":
        return (
            f"The server was started with another key than the one from {key}."
            if key
            else "Set MAI_VLLM_API_KEY to the key the server was started with (--api-key)."
        )
    return (
        f"Check that what {key} holds belongs to this very resource and was not renewed. Where "
        "keys are disabled, sign in instead: --entra, or credential=... in code."
    )


def _key_of(route: Route) -> str | None:
    """Where the key is from; never the key."""
    if isinstance(route.credential, Secret):
        return route.credential.origin_name
    return None if route.credential is None else type(route.credential).__name__


def deployment_check(route: Route, names: Sequence[str]) -> Check:
    """Return whether what the route asks for is among the names listed.

    Azure lists base models, not deployments (its reference of `GET /openai/v1/models`), so that
    there only a call can tell. Any other host lists what may be sent as `model`.
    """
    wanted = route.deployment
    if wanted is None:
        return _serving(names)
    if wanted in names:
        return Check(name="deployment", outcome="ok", found=wanted)
    if (urlsplit(route.endpoint).hostname or "").endswith(".azure.com"):
        return Check(
            name="deployment",
            outcome="unsure",
            found=f"{wanted}: Azure does not list deployments",
            advice="`mai doctor --call` asks it for a few tokens, which proves it and is billed.",
        )
    near = get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return Check(
        name="deployment",
        outcome="failed",
        found=f"there is no {wanted} here",
        advice=f"{hint}It serves {_some(names)}.",
    )


def _serving(names: Sequence[str]) -> Check:
    if not names:
        return Check(
            name="models", outcome="failed", found="none", advice="The server has no model loaded."
        )
    return Check(name="models", outcome="ok", found=_some(names))


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "") or "nothing"
