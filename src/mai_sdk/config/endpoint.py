"""What users paste as an address, made into the base that a surface's paths are put behind.

Rule of this file: pure text. A host of Azure is turned into the sibling host that serves the
surface; any other host is left alone, and only a path that belongs to an API is cut off.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import SplitResult, urlsplit

from mai_sdk.errors import InsecureEndpoint, InvalidEndpoint

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface

__all__ = [
    "Origin",
    "is_loopback",
    "normalise_endpoint",
    "origin",
    "region_of",
    "regional_endpoint",
    "resource_of",
]

_SERVICES = ".services.ai.azure.com"
_COGNITIVE = ".cognitiveservices.azure.com"
_OPENAI = ".openai.azure.com"
_SIBLINGS = (_SERVICES, _COGNITIVE, _OPENAI)

_HOSTS: dict[Surface, tuple[str, ...]] = {
    "foundry": (_SERVICES,),
    "openai-v1": _SIBLINGS,
    "azure-inference": (_SERVICES,),
    "realtime": (_SERVICES,),
    "voice-live": (_SERVICES, _COGNITIVE),
    "speech": (_COGNITIVE,),
    "vllm": _SIBLINGS,
}
"""The hosts of one Azure resource that serve a surface; others are turned into the first."""

_EXAMPLES: dict[Surface, str] = {
    "speech": "https://<resource>.cognitiveservices.azure.com",
    "vllm": "http://localhost:8000",
}
_EXAMPLE = "https://<resource>.services.ai.azure.com"

_AZURE_TAIL = re.compile(
    r"/+(openai|mai/v1|api/projects|models(/(chat|embeddings|images|info)\b.*)?/*$"
    r"|speechtotext|tts|stt|cognitiveservices|speech/(recognition|universal|synthesis)"
    r"|voice-live|sts/v1\.0)(/.*)?$",
    re.IGNORECASE,
)
_VLLM_TAIL = re.compile(
    r"/+(v1(/(chat/completions|completions|responses|messages|models|embeddings))?"
    r"|health|metrics|version|docs|openapi\.json|tokenize|detokenize)$",
)
_REGIONAL = re.compile(
    r"^([a-z0-9]+)\.(?:api\.cognitive\.microsoft\.com|(?:tts|stt)\.speech\.microsoft\.com)$"
)
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"^{_LABEL}(?:\.{_LABEL})*$")
_SCHEMES = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}

_PAGES = frozenset(
    f"{prefix}{host}"
    for prefix in ("", "www.")
    for host in (
        "ai.azure.com",
        "oai.azure.com",
        "portal.azure.com",
        "ms.portal.azure.com",
        "azure.microsoft.com",
        "learn.microsoft.com",
        "speech.microsoft.com",
        "microsoft.ai",
        "github.com",
        "huggingface.co",
    )
)
_GITHUB_MODELS = frozenset({"models.github.ai", "models.inference.ai.azure.com"})


class Origin(NamedTuple):
    """What a key is bound to."""

    scheme: str
    host: str
    port: int


def origin(url: str) -> Origin:
    """Return scheme, host and port of a normalised URL; a port left out is filled in."""
    parts = urlsplit(url)
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return Origin(parts.scheme, parts.hostname or "", port)


def resource_of(url: str) -> Origin:
    """Return the origin with Azure's sibling hosts of one resource made equal: one key fits all."""
    scheme, host, port = origin(url)
    return Origin(scheme, _on(host, (_SERVICES,)), port)


def region_of(url: str) -> str | None:
    """Return the region of a regional Azure host such as eastus.tts.speech.microsoft.com."""
    match = _REGIONAL.match(urlsplit(url).hostname or "")
    return match[1] if match else None


def regional_endpoint(region: str, *, name: str) -> str:
    """Return the address of the Speech service in that region: "eastus", also as "East US".

    Raises:
        InvalidEndpoint: It is no region's name.
    """
    short = re.sub(r"[\s_-]", "", region).lower()
    if not re.fullmatch(r"[a-z0-9]{1,40}", short):
        raise InvalidEndpoint(
            f"{name} is not the name of a region. Give its short name, for example eastus; an "
            f"address goes into speech_endpoint."
        )
    return f"https://{short}.api.cognitive.microsoft.com"


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine by its very name: localhost, 127.0.0.0/8 or ::1."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def normalise_endpoint(text: str, *, surface: Surface, name: str) -> str:
    """Return the base URL that `text` means for that surface, without trailing slash.

    Args:
        text: What a user pasted: a resource root, a full request URL, a project endpoint, a host
            without scheme, a wss address. Query and fragment are dropped.
        surface: The dialect whose paths will be put behind it.
        name: What the setting is called, for the message: "foundry_endpoint".

    Raises:
        InvalidEndpoint: No service can be at that address. The message names `name` and says what
            to paste; it never repeats the text, which may be a key in the wrong place.
        InsecureEndpoint: It is plain http to a host other than this machine.
    """
    parts = _split(text.strip().strip("\"'`").strip(), surface, name)
    host = _host(parts, surface, name)
    if parts.scheme not in _SCHEMES:
        _refuse(name, "begins with neither https:// nor wss://", surface)
    scheme = _SCHEMES[parts.scheme]
    if scheme == "http" and not is_loopback(host):
        raise InsecureEndpoint(
            f"{name} is plain http to {host}, which would carry keys and prompts in the clear. "
            f"Use https; only this machine (localhost, 127.0.0.1, [::1]) may be reached by http."
        )
    if surface == "speech" and (region := _REGIONAL.match(host)):
        host = f"{region[1]}.api.cognitive.microsoft.com"
    else:
        host = _on(host, _HOSTS[surface])
    return f"{scheme}://{_bracketed(host)}{_port(parts, surface, name)}{_path(parts, surface)}"


def _split(text: str, surface: Surface, name: str) -> SplitResult:
    if not text:
        _refuse(name, "is empty", surface)
    if "<" in text or ">" in text or "{" in text:
        _refuse(name, "still holds a placeholder", surface)
    # urlsplit drops line breaks and tabs without a word, so they are refused before it looks.
    if any(character <= " " or character == "\x7f" for character in text) or "\\" in text:
        _refuse(name, "holds a space, a line break or a backslash", surface)
    try:
        if "://" in text:
            return urlsplit(text)
        bare = urlsplit(f"//{text}")
        host = (bare.hostname or "").lower()
    except ValueError:
        _refuse(name, "is not a URL", surface)
    if "." not in host and not is_loopback(host) and ":" not in bare.netloc:
        _refuse(name, "is only a name, not an address", surface)
    return bare._replace(scheme="http" if is_loopback(host) else "https")


def _host(parts: SplitResult, surface: Surface, name: str) -> str:
    if "@" in parts.netloc:
        _refuse(name, "holds a user name or password, which belong in no address", surface)
    host = (parts.hostname or "").lower()
    if host in _GITHUB_MODELS:
        _refuse(name, "is GitHub Models, which was retired on 2026-07-30", surface)
    if host in _PAGES:
        _refuse(name, f"is a page to read ({host}), not a service to call", surface)
    if not (_NAME.match(host) or _is_address(host)):
        _refuse(name, "has no usable host name", surface)
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _on(host: str, suffixes: tuple[str, ...]) -> str:
    """`host`, or where it is a host of an Azure resource, the sibling that has a wanted suffix."""
    for sibling in _SIBLINGS:
        resource = host.removesuffix(sibling)
        if resource != host and resource and sibling not in suffixes:
            return resource + suffixes[0]
    return host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(parts: SplitResult, surface: Surface, name: str) -> str:
    try:
        port = parts.port
    except ValueError:
        _refuse(name, "has a port that is no number up to 65535", surface)
    return "" if port is None else f":{port}"


def _path(parts: SplitResult, surface: Surface) -> str:
    """The prefix in front of the API's own paths; Azure's own hosts have none."""
    if surface != "vllm" and (parts.hostname or "").endswith((*_SIBLINGS, ".microsoft.com")):
        return ""
    tail = _VLLM_TAIL if surface == "vllm" else _AZURE_TAIL
    path = parts.path.rstrip("/")
    while (shorter := tail.sub("", path).rstrip("/")) != path:
        path = shorter
    return path


def _refuse(name: str, why: str, surface: Surface) -> NoReturn:
    example = _EXAMPLES.get(surface, _EXAMPLE)
    where = (
        "the address vLLM listens on"
        if surface == "vllm"
        else "the resource's endpoint, from its page 'Keys and Endpoint' in the Azure portal"
    )
    raise InvalidEndpoint(f"{name} {why}. Paste {where}: {example}")
