"""`client.transcribe.session`: speech written down while it is spoken. Async only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.audio.turns import TurnDetector
from mai_sdk.engine.connecting import Line
from mai_sdk.engine.live import Endurance
from mai_sdk.errors import UnsupportedFeature
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.live_session import LiveSession, Switchboard
from mai_sdk.session.dictation import Dictation
from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.live_address import transcription_url
from mai_sdk.wire.live_update import transcription_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.audio.detectors import SpeechDetector
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.resources.core import Core
    from mai_sdk.wire.session_events import TurnDone

__all__ = [
    "DEFAULT_STREAMING_MODEL",
    "AsyncLiveTranscription",
    "Dictate",
    "TranscribeSession",
    "open_dictation",
]

DEFAULT_STREAMING_MODEL: Final = "MAI-Transcribe-2-Streaming"
_UNTOUCHED: Final = (16_000, 24_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictate:
    """What a caller wants written down, as it was passed."""

    model: str = DEFAULT_STREAMING_MODEL
    language: str | None = None
    sample_rate: int = 16_000
    detector: TurnDetector | SpeechDetector | None = None
    push_to_talk: bool = False
    buffer_seconds: float = 300.0
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_session: Mapping[str, Any] | None = None
    extra_query: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def rate(self) -> int:
        """Return the samples a second that are sent."""
        return self.sample_rate if self.sample_rate in _UNTOUCHED else 16_000

    def turns(self) -> TurnDetector | None:
        """Return what finds turns in what is sent."""
        if self.push_to_talk:
            return None
        if isinstance(self.detector, TurnDetector):
            return self.detector
        return TurnDetector(self.detector, sample_rate=self.rate)


class TranscribeSession(LiveSession[Dictation]):
    """Live transcription. Open it with `async with`, feed it with `send`, read it with `async for`.

    `UserTranscript` gives the text of a turn as it grows, and whole when `final`; `TurnDone` gives
    its receipt. A lost connection is replaced, and what was not written down is sent again.
    """

    def __init__(
        self,
        machine: Dictation,
        line: Line,
        board: Switchboard,
        *,
        sample_rate: int,
        endurance: Endurance,
        open_tab: Callable[[], Any],
    ) -> None:
        super().__init__(
            machine,
            line,
            board,
            open_tab=open_tab,
            endurance=endurance,
            sample_rate=sample_rate,
        )
        self._billed_seconds = 0

    async def commit(self) -> bool:
        """End the turn here and have it written down, for push-to-talk.

        Returns False, and does nothing, where no audio was given since the last one.
        """
        self._live.check()
        done = self._machine.commit(now=self._live.clock())
        self._live.wake()
        await self._live.room()
        return done

    def _give(self, audio: bytes) -> None:
        self._machine.send_audio(audio, now=self._live.clock())

    def _used(self, turn: TurnDone) -> Usage:
        return self._seconds_since()

    def _seconds_since(self) -> Usage:
        """Return the seconds streamed since the last receipt, so that all of them add up."""
        streamed = ceil(self._machine.streamed / self._machine.hearing.sample_rate)
        seconds, self._billed_seconds = streamed - self._billed_seconds, streamed
        return Usage(audio_seconds=seconds, basis="estimated")

    def _has_more(self) -> bool:
        return bool(self._machine.hearing.said)

    def _rest(self) -> Usage | None:
        rest = self._seconds_since()
        return rest if rest.audio_seconds else None


def open_dictation(
    board: Switchboard, dictate: Dictate, *, endurance: Endurance
) -> TranscribeSession:
    """Return a live transcription that is not open yet.

    Raises:
        NotConfigured: No Foundry resource is set.
        InvalidRequest: A setting is wrong as it stands.
    """
    check_extras(
        dictate.model,
        dictate.tags,
        dictate.extra_headers,
        extra_query=dictate.extra_query,
        extra_session=dictate.extra_session,
    )
    route = _route(board, dictate.model)
    session = transcription_session(
        deployment=route.deployment or DEFAULT_STREAMING_MODEL,
        sample_rate=dictate.rate,
        language=dictate.language,
        extra=dictate.extra_session,
    )
    machine = Dictation(
        session,
        sample_rate=dictate.rate,
        detector=dictate.turns(),
        buffer_seconds=dictate.buffer_seconds,
    )
    timeouts = board.core.config.timeouts_for(dictate.timeout, modality="voice")
    query = {**dict(route.query), **(dictate.extra_query or {})}
    line = Line(
        route=route,
        url=transcription_url(route.endpoint, query=query.items()),
        timeouts=timeouts,
        max_retries=board.core.config.max_retries,
        headers=tuple((dictate.extra_headers or {}).items()),
    )
    return TranscribeSession(
        machine,
        line,
        board,
        sample_rate=dictate.sample_rate,
        endurance=endurance,
        open_tab=lambda: board.core.tab(
            route, modality="transcribe", verb="session", tags=dictate.tags, timeouts=timeouts
        ),
    )


def _route(board: Switchboard, model: str) -> Route:
    core = board.core
    known = core.catalog.get(model)
    route = core.config.route(
        model,
        modality="transcribe",
        surfaces=("realtime",),
        catalog_name=known.name if known is not None else None,
        default_deployment=known.deployments if known is not None else {},
    )
    if route.surface != "realtime":
        raise UnsupportedFeature(
            f"The route {model!r} is {route.surface}, and live transcription goes over realtime: "
            "set foundry_endpoint and foundry_api_key, or name a route of that surface."
        )
    if route.deployment is None:
        route = replace(route, deployment=route.model or model)
    return route


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
            language: Such as "en" or "en-US", of which only "en" is sent; found out if omitted.
            sample_rate: Of the audio given to `send`: 16000 and 24000 go out as they are, others
                are resampled to 16000 (extra `[audio]`).
            detector: What finds turns, because the service does not: a `TurnDetector`, or what
                tells speech from the rest, such as `SileroDetector()` (extra `[audio]`). By
                loudness if omitted.
            push_to_talk: Find no turns: `commit` ends each.
            buffer_seconds: How much audio that is not written down may be kept.
            endurance: How long silence, reconnecting and closing may take.
            timeout: Seconds for connecting; `Timeouts` for connect and first_byte.
            tags: Kept with every receipt.
            extra_session: Laid over the settings of the input. They cannot be changed later.
            extra_query: Added to the address.
            extra_headers: Added to every handshake. Never a key.

        Raises:
            NotConfigured: No Foundry resource is set.
            InvalidRequest: A setting is wrong as it stands; nothing was sent.
        """
        dictate = Dictate(
            model=model,
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
        return open_dictation(board, dictate, endurance=endurance or Endurance())
