"""`client.voice.session`: the part of `client.voice` that is only async.

Two engines, one shape: `live` is Voice Live, `cascade` is ears, brain and mouth put together.
What they need is loaded when a session is asked for, so that no other call pays for it.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, overload

from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.voice import DEFAULT_BRAIN, DEFAULT_VOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.live import Endurance
    from mai_sdk.resources.cascade_session import CascadeSession
    from mai_sdk.resources.cascade_settings import CascadeSettings
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.tools import ToolLike
    from mai_sdk.resources.voice import AsyncVoice
    from mai_sdk.resources.voice_session import VoiceSession
    from mai_sdk.wire.live_options import LiveSettings, Raw, TurnDetection, Voice

    Call: TypeAlias = VoiceSession | CascadeSession

__all__ = ["AsyncConversations"]


class AsyncConversations:
    """Conversations with a voice: a part of `AsyncVoice`."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver
        self._pace = ConnectionPace()

    @overload
    def session(
        self,
        *,
        engine: Literal["live"] = "live",
        instructions: str | None = None,
        voice: str | Voice | Raw | None = DEFAULT_VOICE,
        model: str | None = None,
        brain: str | None = None,
        tools: Sequence[ToolLike] | None = None,
        turn_detection: str | TurnDetection | Raw | None = "server_vad",
        transcription: str | Raw | None = "mai-transcribe",
        sample_rate: int = 24_000,
        settings: LiveSettings | None = None,
        buffer_seconds: float = 300.0,
        endurance: Endurance | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> VoiceSession: ...

    @overload
    def session(
        self,
        *,
        engine: Literal["cascade"],
        brain: str | None = None,
        ears: str | None = None,
        model: str | None = None,
        voice: str = DEFAULT_VOICE,
        instructions: str | None = None,
        tools: Sequence[ToolLike] | None = None,
        turn_detection: Literal["server_vad"] | None = "server_vad",
        sample_rate: int = 24_000,
        settings: CascadeSettings | None = None,
        buffer_seconds: float = 300.0,
        endurance: Endurance | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> CascadeSession: ...

    def session(
        self,
        *,
        engine: str = "live",
        instructions: str | None = None,
        voice: Any = DEFAULT_VOICE,
        model: str | None = None,
        brain: str | None = None,
        ears: str | None = None,
        tools: Sequence[ToolLike] | None = None,
        turn_detection: Any = "server_vad",
        transcription: str | Raw | None = "mai-transcribe",
        sample_rate: int = 24_000,
        settings: Any = None,
        buffer_seconds: float = 300.0,
        endurance: Endurance | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> VoiceSession | CascadeSession:
        """Return a conversation, to be opened with `async with`. Only async: both sides speak.

        Each turn has a receipt, one that was interrupted or cut off, too. With `live` it is billed
        by what Voice Live reports; with `cascade` ears, brain and mouth are billed as everywhere,
        and their rows in the ledger have the id of one session.

        Args:
            engine: "live", over Voice Live; or "cascade", where MAI-Transcribe hears, any
                reasoning or code model thinks and MAI-Voice speaks, sentence by sentence.
            instructions: What the agent is and how it behaves.
            voice: `<locale>-<Speaker>`, spoken by `model`; a whole name with `:<Model>`; with
                `live` any other of Voice Live, by name or as in `mai_sdk.wire.live_options`.
            model: The MAI model that speaks: with `live` "MAI-Voice-2.1-Flash" if omitted, with
                `cascade` what `voice.stream` would take.
            brain: What thinks. With `live` a model of Voice Live, none of which is MAI's,
                "gpt-realtime" if omitted; with `cascade` a model, route or deployment of
                `client.reasoning` or `client.code`.
            ears: With `cascade` the streaming model, route or deployment that hears;
                "MAI-Transcribe-2-Streaming" if omitted.
            tools: Typed functions, run and answered by the session (plain ones in a thread), or
                tools as the service shapes them, answered with `answer`.
            turn_detection: How the end of the user's turn is found: "server_vad" by silence (in a
                cascade it is found here); with `live` "azure_semantic_vad" by what is said, or one
                of these classes with its settings; None leaves it to `commit`.
            transcription: What writes down the user's speech, with `live`; None for nothing.
                Without it what the user said cannot be told again after a lost connection.
            sample_rate: Of the audio given to `send`: 16000 and 24000 go out as they are, others
                are resampled (extra `[audio]`).
            settings: Any other setting: `LiveSettings`, whose values win, or `CascadeSettings`.
            buffer_seconds: How much unacknowledged audio may be kept.
            endurance: How long silence, reconnecting and closing may take.
            timeout: Seconds for connecting; `Timeouts` for connect and first_byte.
            tags: Kept with every receipt.
            extra_query: Added to Voice Live's address, such as
                {"profile": "byom-azure-openai-realtime"}.
            extra_headers: Added to every handshake and request. Never a key.

        Raises:
            NotConfigured: No resource for Voice Live is set, or for a part of the cascade.
            InvalidRequest: A setting is wrong as it stands; nothing was sent.
            UnsupportedFeature: Only the other engine can do it; nothing was sent.
        """
        from mai_sdk.resources.live_session import Switchboard

        board = Switchboard(self._core, self._driver, self._pace)
        both: dict[str, Any] = {
            "instructions": instructions,
            "voice": voice,
            "model": model,
            "tools": tools,
            "turn_detection": turn_detection,
            "sample_rate": sample_rate,
            "settings": settings,
            "buffer_seconds": buffer_seconds,
            "timeout": timeout,
            "tags": tags,
            "extra_headers": extra_headers,
        }
        if engine == "cascade":
            from mai_sdk.resources.cascade import Cast, check_cascade, open_cascade

            check_cascade(transcription=transcription, extra_query=extra_query)
            whole = Cast(brain=brain, ears=ears, **both)
            return open_cascade(board, whole, endurance=endurance, mouth=partial(_over, self))
        from mai_sdk.resources.voice_session import Talk, check_live, open_session

        check_live(engine=engine, ears=ears, settings=settings)
        talk = Talk(
            brain=DEFAULT_BRAIN if brain is None else brain,
            transcription=transcription,
            extra_query=extra_query,
            **both,
        )
        return open_session(board, talk, endurance=endurance)


def _over(voice: AsyncConversations, core: Core) -> AsyncVoice:
    """Return the same voice over another core."""
    other: Any = copy(voice)
    other._core = core  # noqa: SLF001 - it is one of us
    return cast("AsyncVoice", other)
