"""`client.transcribe.session`: speech written down while it is spoken. Async only."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from mai_sdk._version import __version__
from mai_sdk.audio.turns import TurnDetector
from mai_sdk.config.endpoint import region_of
from mai_sdk.engine.connecting import Line
from mai_sdk.engine.live import Endurance
from mai_sdk.errors import UnsupportedFeature
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.live_session import LiveSession
from mai_sdk.resources.say import check_shared_host
from mai_sdk.session.dictation import Dictation
from mai_sdk.session.recognition import Recognition
from mai_sdk.session.transcription import Transcription
from mai_sdk.wire.live_address import recognition_url, transcription_url
from mai_sdk.wire.live_update import transcription_session
from mai_sdk.wire.usp import SUBPROTOCOL, config_body
from mai_sdk.wire.usp_stt import recognition_context
from mai_sdk.wire.voice import DEFAULT_STREAMING_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mai_sdk.audio.detectors import SpeechDetector
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.config.route import Surface
    from mai_sdk.resources.live_session import Switchboard
    from mai_sdk.wire.session_events import TurnDone

__all__ = [
    "DEFAULT_STREAMING_MODEL",
    "Dictate",
    "TranscribeSession",
    "open_dictation",
]

_SURFACES: Final[tuple[Surface, ...]] = ("realtime", "speech")
"""Where speech is written down while it is spoken, the first one configured counts."""
_UNTOUCHED: Final[Mapping[str, tuple[int, ...]]] = {
    "realtime": (16_000, 24_000),
    "speech": (16_000,),
}
_CONFIG: Final = config_body(name="mai-sdk", version=__version__, platform=platform.system())
_LONGEST_TURN: Final = 3600
"""Seconds of audio one turn can have: as long as the service keeps a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictate:
    """What a caller wants written down, as it was passed."""

    model: str = DEFAULT_STREAMING_MODEL
    surface: Surface | None = None
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

    def rate_for(self, surface: Surface) -> int:
        """Return the samples a second that are sent there."""
        return self.sample_rate if self.sample_rate in _UNTOUCHED[surface] else 16_000

    def turns_for(self, surface: Surface) -> TurnDetector | None:
        """Return what finds turns in what is sent; over speech the service does, unless told."""
        if self.push_to_talk or (self.detector is None and surface == "speech"):
            return None
        if isinstance(self.detector, TurnDetector):
            return self.detector
        return TurnDetector(self.detector, sample_rate=self.rate_for(surface))


class TranscribeSession(LiveSession[Transcription]):
    """Live transcription. Open it with `async with`, feed it with `send`, read it with `async for`.

    `UserTranscript` gives the text of a turn as it grows, and whole when `final`; `TurnDone` gives
    its receipt. A lost connection is replaced, and what was not written down is sent again.
    """

    def __init__(
        self,
        machine: Transcription,
        line: Line,
        board: Switchboard,
        *,
        sample_rate: int,
        endurance: Endurance,
        open_tab: Callable[[str], Any],
    ) -> None:
        super().__init__(
            machine,
            line,
            board,
            open_tab=open_tab,
            endurance=endurance,
            sample_rate=sample_rate,
            most=Usage(audio_seconds=_LONGEST_TURN, basis="estimated"),
        )
        self._billed_seconds = 0

    async def commit(self) -> bool:
        """End the turn here and have it written down, for push-to-talk.

        Returns False, and does nothing, where no audio was given since the last one.
        """
        self._live.check()
        self._flush()
        done = self._machine.commit(now=self._live.clock())
        await self._live.out()
        return done

    def given_at(self, offset_ms: float) -> float | None:
        """Return when the audio at that place was given, on a monotonic clock.

        None if that is more than a minute ago.
        """
        hearing = self._machine.hearing
        return hearing.given_at(round(offset_ms * hearing.sample_rate / 1000))

    async def _begin(self) -> None:
        """See to it that what is sent is written down, also silence or a turn that has no end.

        Every row stays below what is reserved for it: half of it is left for what is sent again.
        """
        if self._streamed() - self._billed_seconds >= _LONGEST_TURN // 2:
            self._bill.settle(self._seconds_since(), request_id=None, error=None)
        await super()._begin()

    def _give(self, audio: bytes) -> None:
        self._machine.send_audio(audio, now=self._live.clock())

    def _used(self, turn: TurnDone) -> Usage:
        return self._seconds_since()

    def _seconds_since(self) -> Usage:
        """Return the seconds streamed since the last receipt, so that all of them add up."""
        streamed = self._streamed()
        seconds, self._billed_seconds = streamed - self._billed_seconds, streamed
        return Usage(audio_seconds=seconds, basis="estimated")

    def _streamed(self) -> int:
        return ceil(self._machine.streamed / self._machine.hearing.sample_rate)

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
        NotConfigured: Nothing is set that leads to the model.
        InvalidRequest: A setting is wrong as it stands.
    """
    check_extras(
        dictate.model,
        dictate.tags,
        dictate.extra_headers,
        extra_query=dictate.extra_query,
        extra_session=dictate.extra_session,
    )
    route = _route(board, dictate)
    machine = _machine(dictate, route)
    timeouts = board.core.config.timeouts_for(dictate.timeout, modality="voice")
    line = _line(board, dictate, route, timeouts)
    return TranscribeSession(
        machine,
        line,
        board,
        sample_rate=dictate.sample_rate,
        endurance=endurance or Endurance(),
        open_tab=lambda session: board.core.tab(
            route,
            modality="transcribe",
            verb="session",
            tags=dictate.tags,
            timeouts=timeouts,
            session=session,
        ),
    )


def _machine(dictate: Dictate, route: Route) -> Transcription:
    rate, detector = dictate.rate_for(route.surface), dictate.turns_for(route.surface)
    model = route.deployment or DEFAULT_STREAMING_MODEL
    if route.surface == "speech":
        context = recognition_context(
            model=model, language=dictate.language, extra=dictate.extra_session
        )
        return Recognition(
            context,
            config=_CONFIG,
            sample_rate=rate,
            detector=detector,
            buffer_seconds=dictate.buffer_seconds,
        )
    session = transcription_session(
        deployment=model, sample_rate=rate, language=dictate.language, extra=dictate.extra_session
    )
    return Dictation(
        session, sample_rate=rate, detector=detector, buffer_seconds=dictate.buffer_seconds
    )


def _line(board: Switchboard, dictate: Dictate, route: Route, timeouts: Timeouts) -> Line:
    query = {**dict(route.query), **(dictate.extra_query or {})}.items()
    headers = tuple((dictate.extra_headers or {}).items())
    is_usp = route.surface == "speech"
    if is_usp:
        headers = (("X-ConnectionId", uuid.uuid4().hex), *headers)
    address = recognition_url if is_usp else transcription_url
    return Line(
        route=route,
        url=address(route.endpoint, query=query),
        timeouts=timeouts,
        max_retries=board.core.config.max_retries,
        headers=headers,
        subprotocol=SUBPROTOCOL if is_usp else None,
    )


def _route(board: Switchboard, dictate: Dictate) -> Route:
    """Return where the session goes: as the caller, the route or the catalog says."""
    core, model = board.core, dictate.model
    known = core.catalog.get(model)
    if dictate.surface is not None:
        asked: tuple[Surface, ...] = (dictate.surface,)
    else:
        served = _SURFACES if known is None else known.surfaces
        asked = tuple(each for each in _SURFACES if each in served) or _SURFACES
    route = core.config.route(
        model,
        modality="transcribe",
        surfaces=asked,
        catalog_name=known.name if known is not None else None,
        default_deployment=known.deployments if known is not None else {},
    )
    if route.surface not in _SURFACES or route.surface not in asked:
        raise UnsupportedFeature(
            f"The route {model!r} is {route.surface}, and live transcription goes over "
            f"{' or '.join(asked)}: set what that takes, or name a route of that surface."
        )
    if route.deployment is None:
        route = replace(route, deployment=route.model or model)
    return _spoken_to(route) if route.surface == "speech" else route


def _spoken_to(route: Route) -> Route:
    """Return the route with the host that recognises, and the model's name as it is taken there.

    Raises:
        NotConfigured: It is a region's shared host, and the credential is an Entra one.
    """
    name = route.deployment or ""
    if route.model is not None and name.casefold() == route.model.casefold():
        name = name.lower()
    region = region_of(route.endpoint)
    if region is not None:
        check_shared_host(route.credential)
        endpoint = f"https://{region}.stt.speech.microsoft.com"
        return replace(route, deployment=name, endpoint=endpoint)
    return replace(route, deployment=name)
