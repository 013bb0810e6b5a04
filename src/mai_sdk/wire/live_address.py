"""Where the sockets of live sessions are. Pure.

Voice Live: voice-live API reference, 2026-07-15. Live transcription: the Realtime page of
MAI-Transcribe-2-Streaming, 2026-09-30; it has no API version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["API_VERSION", "transcription_url", "voice_live_url"]

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
