"""Where the sockets of live sessions are. Pure.

Voice Live: voice-live API reference, 2026-07-15. Live transcription: the Realtime and the Speech
SDK page of MAI-Transcribe-2-Streaming, 2026-09-30; they have no API version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["API_VERSION", "recognition_url", "transcription_url", "voice_live_url"]

API_VERSION: Final = "2026-07-15"


def voice_live_url(
    endpoint: str, *, model: str | None, query: Iterable[tuple[str, str]] = ()
) -> str:
    """Return the address of a conversation; `query` wins over what is there by default."""
    asked = {"api-version": API_VERSION}
    if model is not None:
        asked["model"] = model
    return f"{endpoint}/voice-live/realtime?{urlencode({**asked, **dict(query)}, quote_via=quote)}"


def transcription_url(endpoint: str, *, query: Iterable[tuple[str, str]] = ()) -> str:
    """Return the address of live transcription."""
    asked = {"intent": "transcription", **dict(query)}
    return f"{endpoint}/mai/v1/realtime?{urlencode(asked, quote_via=quote)}"


def recognition_url(endpoint: str, *, query: Iterable[tuple[str, str]] = ()) -> str:
    """Return the address of the Speech service's recognition; a resource's own host has it below.

    That is the Speech SDK's rule: nothing before the path on a region's host, `/stt` on others.
    """
    regional = (urlsplit(endpoint).hostname or "").endswith(".stt.speech.microsoft.com")
    url = f"{endpoint}{'' if regional else '/stt'}/speech/universal/v2"
    asked = urlencode(tuple(query), quote_via=quote)
    return f"{url}?{asked}" if asked else url
