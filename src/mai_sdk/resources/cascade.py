"""`client.voice.session(engine="cascade")`: what it takes, checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import UnsupportedFeature
from mai_sdk.metering.ids import uuid7
from mai_sdk.resources.cascade_bill import CascadeBill
from mai_sdk.resources.cascade_session import CascadeSession
from mai_sdk.resources.cascade_settings import CascadeSettings, Roles
from mai_sdk.resources.code import AsyncCode
from mai_sdk.resources.live_session import Switchboard
from mai_sdk.resources.reasoning import AsyncReasoning
from mai_sdk.resources.tools import split_tools
from mai_sdk.resources.transcribe_session import DEFAULT_STREAMING_MODEL, Dictate, open_dictation
from mai_sdk.session.cascade import Cascade
from mai_sdk.wire.voice import DEFAULT_VOICE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mai_sdk.config import Modality, Timeouts
    from mai_sdk.engine.live import Endurance
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.stream import AsyncReplyStream
    from mai_sdk.resources.tools import ToolLike
    from mai_sdk.resources.voice import AsyncVoice

__all__ = ["Cast", "check_cascade", "open_cascade"]

_SAMPLE_RATE = 24_000
"""Of the voice: what is asked for, and given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What a caller wants of a cascade, as it was passed."""

    brain: str | None = None
    ears: str | None = None
    model: str | None = None
    voice: Any = DEFAULT_VOICE
    instructions: str | None = field(default=None, repr=False)
    tools: Sequence[ToolLike] | None = None
    turn_detection: Any = "server_vad"
    sample_rate: int = 24_000
    settings: Any = None
    buffer_seconds: float = 300.0
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)

    def wanted(self) -> CascadeSettings:
        """Return the settings.

        Raises:
            UnsupportedFeature: They are Voice Live's.
        """
        if self.turn_detection not in ("server_vad", None):
            raise UnsupportedFeature(
                "In a cascade turns are found here, not by a service: leave turn_detection out "
                "and set detector in CascadeSettings, or pass None and end each turn with "
                "commit(). Settings of Voice Live's detectors need engine='live'."
            )
        settings = self.settings if self.settings is not None else CascadeSettings()
        if not isinstance(settings, CascadeSettings):
            raise UnsupportedFeature(
                f"settings is a {type(settings).__name__}; a cascade takes CascadeSettings. What "
                "LiveSettings have beyond them only Voice Live can do: engine='live'."
            )
        return settings


def check_cascade(*, transcription: object, extra_query: object) -> None:
    """Return if nothing was asked for that only Voice Live has.

    Raises:
        UnsupportedFeature: Something was.
    """
    if transcription != "mai-transcribe" or extra_query is not None:
        name = "extra_query" if extra_query is not None else "transcription"
        raise UnsupportedFeature(
            f"{name} is a setting of Voice Live (engine='live'). In a cascade, ears names what "
            "writes down the user's speech."
        )


def open_cascade(
    board: Switchboard,
    cast: Cast,
    *,
    endurance: Endurance | None,
    mouth: Callable[[Core], AsyncVoice],
) -> CascadeSession:
    """Return a conversation that is not open yet.

    Args:
        board: The client's.
        cast: Who does what.
        endurance: How long the ears hold out.
        mouth: What makes the client's voice one whose calls are turns of a session.

    Raises:
        NotConfigured: No route leads to ears, brain or mouth.
        InvalidRequest: A setting is wrong as it stands.
        UnsupportedFeature: It is a thing of Voice Live.
    """
    settings, session_id = cast.wanted(), uuid7()
    core = board.core.in_session(session_id)
    board = Switchboard(core, board.driver, board.pace)
    functions, schemas = split_tools(cast.tools)
    roles = Roles(
        brain=cast.brain,
        voice=cast.voice,
        model=cast.model,
        instructions=cast.instructions,
        tools=schemas,
        settings=settings,
        tags=cast.tags,
        extra_headers=cast.extra_headers,
    )
    brain = roles.check(core)
    dictate = Dictate(
        model=cast.ears or DEFAULT_STREAMING_MODEL,
        surface="realtime",  # where turns end by our commits
        language=settings.language,
        sample_rate=cast.sample_rate,
        push_to_talk=cast.turn_detection is None,
        buffer_seconds=cast.buffer_seconds,
        timeout=cast.timeout,
        tags=cast.tags,
        extra_headers=cast.extra_headers,
    )
    detector = (
        None if dictate.push_to_talk else settings.turns(sample_rate=dictate.rate_for("realtime"))
    )
    ears = open_dictation(board, replace(dictate, detector=detector), endurance=endurance)
    machine = Cascade(
        sample_rate=_SAMPLE_RATE,
        brain=brain,
        barge_in_ms=settings.barge_in_ms,
        given_at=ears.given_at,
    )

    def think(modality: Modality, **asked: Any) -> AsyncReplyStream[Any]:
        kind = AsyncCode if modality == "code" else AsyncReasoning
        return kind(core, board.driver).stream(**asked)

    return CascadeSession(
        machine,
        ears,
        core,
        roles=roles,
        functions=functions,
        bill=CascadeBill(session_id, model=brain),
        think=think,
        mouth=mouth(core),
        spoken_ms=lambda: detector.spoken_ms if detector is not None else 0.0,
    )
