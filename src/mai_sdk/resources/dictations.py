"""`client.transcribe.session`: the part of `client.transcribe` that is only async.

What it needs is loaded when a session is asked for, so that no other call pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.voice import DEFAULT_STREAMING_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.audio.detectors import SpeechDetector
    from mai_sdk.audio.turns import TurnDetector
    from mai_sdk.config import Timeouts
    from mai_sdk.config.route import Surface
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.live import Endurance
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.transcribe_session import TranscribeSession

__all__ = ["AsyncLiveTranscription"]


class AsyncLiveTranscription:
    """Speech to text while it is spoken; the part of `client.transcribe` that is only async."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver
        self._pace = ConnectionPace()

    def session(
        self,
        *,
        model: str = DEFAULT_STREAMING_MODEL,
        surface: Surface | None = None,
        language: str | None = None,
        sample_rate: int = 16_000,
        detector: TurnDetector | SpeechDetector | None = None,
        push_to_talk: bool = False,
        buffer_seconds: float = 300.0,
        endurance: Endurance | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_session: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> TranscribeSession:
        """Return a live transcription, to be opened with `async with`.

        Billed by the second of audio that is sent, silence included; the service reports no
        usage, so the cost is an estimate. Each turn has a receipt, and their seconds add up.

        Args:
            model: The streaming model, a route's name, or the name of your deployment of it.
            surface: "realtime" (a Foundry deployment) or "speech" (the Speech resource's WebSocket,
                which needs none). If omitted, what the route says, or of those that serve the
                model the first one configured, "realtime" before "speech".
            language: Such as "en" or "en-US", of which realtime is sent only "en"; found out if
                omitted.
            sample_rate: Of the audio given to `send`: 16000, and for realtime 24000, go out as they
                are, others are resampled to 16000 (extra `[audio]`).
            detector: What finds turns, because the service of realtime does not: a `TurnDetector`,
                or what tells speech from the rest, such as `SileroDetector()` (extra `[audio]`).
                If omitted, by loudness for realtime; speech finds phrases by itself, and takes
                the ends that a detector finds as advice.
            push_to_talk: Find no turns: `commit` ends each.
            buffer_seconds: How much audio that is not written down may be kept.
            endurance: How long silence, reconnecting and closing may take.
            timeout: Seconds for connecting; `Timeouts` for connect and first_byte.
            tags: Kept with every receipt.
            extra_session: Laid over the settings of the input; for speech over `speech.context`.
                They cannot be changed later.
            extra_query: Added to the address.
            extra_headers: Added to every handshake. Never a key.

        Raises:
            NotConfigured: Nothing is set that leads to the model; the text says what to set.
            UnsupportedFeature: The route goes over another surface.
            InvalidRequest: A setting is wrong as it stands; nothing was sent.
        """
        from mai_sdk.resources.live_session import Switchboard
        from mai_sdk.resources.transcribe_session import Dictate, open_dictation

        dictate = Dictate(
            model=model,
            surface=surface,
            language=language,
            sample_rate=sample_rate,
            detector=detector,
            push_to_talk=push_to_talk,
            buffer_seconds=buffer_seconds,
            timeout=timeout,
            tags=tags,
            extra_session=extra_session,
            extra_query=extra_query,
            extra_headers=extra_headers,
        )
        board = Switchboard(self._core, self._driver, self._pace)
        return open_dictation(board, dictate, endurance=endurance)
