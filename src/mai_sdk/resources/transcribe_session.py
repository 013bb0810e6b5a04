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
from mai_sdk.resources.live_session import LiveSession
from mai_sdk.session.dictation import Dictation
from mai_sdk.wire.live_address import transcription_url
from mai_sdk.wire.live_update import transcription_session
from mai_sdk.wire.voice import DEFAULT_STREAMING_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.audio.detectors import SpeechDetector
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.resources.live_session import Switchboard
    from mai_sdk.wire.session_events import TurnDone

__all__ = [
    "DEFAULT_STREAMING_MODEL",
    "Dictate",
    "TranscribeSession",
    "open_dictation",
]

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
        self._flush()
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
    board: Switchboard, dictate: Dictate, *, endurance: Endurance | None
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
        endurance=endurance or Endurance(),
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
