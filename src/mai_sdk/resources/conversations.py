"""`client.voice.session`: the part of `client.voice` that is only async.

What it needs is loaded when a session is asked for, so that no other call pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.voice import DEFAULT_BRAIN, DEFAULT_VOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.live import Endurance
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.tools import ToolLike
    from mai_sdk.resources.voice_session import VoiceSession
    from mai_sdk.wire.live_options import LiveSettings, Raw, TurnDetection, Voice

__all__ = ["AsyncConversations"]


class AsyncConversations:
    """Conversations with a voice. Made by the client."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver
        self._pace = ConnectionPace()

    def session(
        self,
        *,
        instructions: str | None = None,
        voice: str | Voice | Raw | None = DEFAULT_VOICE,
        model: str | None = None,
        brain: str = DEFAULT_BRAIN,
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
    ) -> VoiceSession:
        """Return a conversation over Voice Live, to be opened with `async with`.

        Billed by the turn, by what Voice Live reports: each turn has a receipt, one that was
        interrupted or cut off, too. Only async: both sides may speak at once.

        Args:
            instructions: What the agent is and how it behaves.
            voice: `<locale>-<Speaker>`, spoken by `model`; a whole name with `:<Model>`; any other
                voice of Voice Live, by name or as in `mai_sdk.wire.live_options`.
            model: The MAI model that speaks, "MAI-Voice-2.1-Flash" if omitted.
            brain: What thinks: a model of Voice Live, none of which is MAI's, or a named route.
            tools: Typed functions, run and answered by the session (plain ones in a thread), or
                tools as Voice Live shapes them, answered with `answer`.
            turn_detection: How the end of the user's turn is found: "server_vad" by silence,
                "azure_semantic_vad" by what is said, or one of these classes with its settings;
                None leaves it to `commit`.
            transcription: What writes down the user's speech; None for nothing. Without it what
                the user said cannot be told again after a lost connection.
            sample_rate: Of the audio given to `send`: 16000 and 24000 go out as they are, others
                are resampled to 24000 (extra `[audio]`).
            settings: Any other setting of the session; what it sets wins.
            buffer_seconds: How much unacknowledged audio may be kept.
            endurance: How long silence, reconnecting and closing may take.
            timeout: Seconds for connecting; `Timeouts` for connect and first_byte.
            tags: Kept with every receipt.
            extra_query: Added to the address, such as {"profile": "byom-azure-openai-realtime"}.
            extra_headers: Added to every handshake. Never a key.

        Raises:
            NotConfigured: No resource for Voice Live is set.
            InvalidRequest: A setting is wrong as it stands; nothing was sent.
        """
        from mai_sdk.resources.live_session import Switchboard
        from mai_sdk.resources.voice_session import Talk, open_session

        talk = Talk(
            instructions=instructions,
            voice=voice,
            model=model,
            brain=brain,
            tools=tools,
            turn_detection=turn_detection,
            transcription=transcription,
            sample_rate=sample_rate,
            settings=settings,
            buffer_seconds=buffer_seconds,
            timeout=timeout,
            tags=tags,
            extra_query=extra_query,
            extra_headers=extra_headers,
        )
        board = Switchboard(self._core, self._driver, self._pace)
        return open_session(board, talk, endurance=endurance)
