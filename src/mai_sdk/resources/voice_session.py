"""`client.voice.session`: a conversation with a voice. Async only: both sides speak at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.engine.connecting import Line
from mai_sdk.engine.live import Endurance
from mai_sdk.engine.running import Tasks
from mai_sdk.errors import InvalidRequest, MAIError, UnsupportedFeature
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.live_session import LiveSession
from mai_sdk.resources.session_bill import usage_of_turn
from mai_sdk.resources.tools import call_tool, split_tools, tool_result
from mai_sdk.session.conversation import Conversation
from mai_sdk.wire.events import ToolCall
from mai_sdk.wire.live_address import voice_live_url
from mai_sdk.wire.live_options import LiveSettings
from mai_sdk.wire.live_update import live_features, live_session, named_voice, sample_rate_of
from mai_sdk.wire.session_events import Failed, Other, ToolCalled
from mai_sdk.wire.shapes import as_object
from mai_sdk.wire.voice import DEFAULT_BRAIN, DEFAULT_VOICE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mai_sdk.config import Route, Timeouts
    from mai_sdk.resources.live_session import Switchboard
    from mai_sdk.resources.tools import Tool, ToolLike
    from mai_sdk.session.answers import Latency
    from mai_sdk.wire.live_client_events import ClientEvent
    from mai_sdk.wire.live_options import Raw, TurnDetection, Voice
    from mai_sdk.wire.session_events import SessionEvent, TurnDone

__all__ = ["DEFAULT_VOICE_MODEL", "Talk", "VoiceSession", "check_live", "open_session"]

DEFAULT_VOICE_MODEL: Final = "MAI-Voice-2.1-Flash"

_UNTOUCHED: Final = (16_000, 24_000)
_G711: Final = ("g711_ulaw", "g711_alaw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a caller wants of a conversation, as it was passed."""

    instructions: str | None = field(default=None, repr=False)
    voice: str | Voice | Raw | None = DEFAULT_VOICE
    model: str | None = None
    brain: str = DEFAULT_BRAIN
    tools: Sequence[ToolLike] | None = None
    turn_detection: str | TurnDetection | Raw | None = "server_vad"
    transcription: str | Raw | None = "mai-transcribe"
    sample_rate: int = 24_000
    settings: LiveSettings | None = None
    buffer_seconds: float = 300.0
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_query: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)

    def asked(self, tools: Sequence[Mapping[str, Any]]) -> LiveSettings:
        """Return all settings in one; those of `settings` win."""
        voice = self.voice
        if isinstance(voice, str):
            voice = named_voice(voice, model=_model_for(voice, self.model))
        turns = self.turn_detection
        known: dict[str, Any] = {
            "turn_detection": {"type": turns} if isinstance(turns, str) else turns,
            "input_audio_transcription": self.transcription,
            "modalities": ["text", "audio"],
        }
        if voice is not None:
            known["voice"] = voice
        if self.instructions is not None:
            known["instructions"] = self.instructions
        if tools:
            known["tools"] = list(tools)
        given = self.settings
        if given is not None:
            known |= {name: getattr(given, name) for name in given.model_fields_set}
        if known.get("input_audio_sampling_rate") is None and not _is_g711(known):
            rate = self.sample_rate if self.sample_rate in _UNTOUCHED else 24_000
            known["input_audio_sampling_rate"] = rate
        return LiveSettings(**known)


class VoiceSession(LiveSession[Conversation]):
    """A conversation. Open it with `async with`, read it with `async for`, speak with `send`.

    What comes is in `mai_sdk.wire.session_events`. A lost connection is replaced, with the
    conversation told again as text and the user's unacknowledged audio sent again, and
    `Reconnected` says so; what cannot be mended is raised from the loop.
    """

    def __init__(
        self,
        machine: Conversation,
        line: Line,
        board: Switchboard,
        *,
        functions: Mapping[str, Tool],
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
        )
        self._functions = dict(functions)
        self._tasks = Tasks()

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """Say something in writing; the answer follows once the one under way has ended.

        Raises:
            InvalidRequest: The text is empty, or the session is not open.
            BudgetExceeded: A budget has no room for another turn; it was not sent.
            LedgerError: The turn could not be written down; it was not sent.
        """
        if not text.strip():
            raise InvalidRequest("The text is empty, so there is nothing to be said.")
        await self._begin()
        self._machine.send_text(text, respond=respond, now=self._live.clock())
        await self._out()

    async def respond(self, *, instructions: str | None = None) -> None:
        """Ask for an answer now, or as soon as the one under way has ended: a greeting, say."""
        await self._begin()
        self._machine.respond(instructions=instructions, now=self._live.clock())
        await self._out()

    async def commit(self, *, respond: bool = True) -> bool:
        """End the user's turn here, for push-to-talk (`turn_detection=None`).

        Returns False, and does nothing, where no audio was given since the last one.
        """
        await self._begin()
        self._flush()
        done = self._machine.commit(respond=respond, now=self._live.clock())
        await self._out()
        return done

    async def clear(self) -> None:
        """Take back the audio that is in no turn yet."""
        self._live.check()
        self._machine.clear()
        await self._out()

    async def interrupt(self) -> bool:
        """Stop the agent, as the user's voice does; False where it was silent anyway.

        Stop your own playback, too. The model is told how much was heard, by what `played` said.
        """
        self._live.check()
        stopped = self._machine.interrupt(now=self._live.clock())
        await self._out()
        return stopped

    async def update(self, settings: LiveSettings | None = None, **changes: Any) -> None:
        """Change settings, by the fields of `LiveSettings`: what is left out stays as it is.

        Functions given as `tools` take the place of those there were.

        Raises:
            InvalidRequest: A value is outside what Voice Live documents, or would change the
                format of audio that is under way: open another session for that.
        """
        self._live.check()
        functions = self._functions
        if "tools" in changes and changes["tools"] is not None:
            functions, changes["tools"] = _tools_of(changes["tools"])
        if isinstance(changes.get("voice"), str):
            voice = changes["voice"]
            changes["voice"] = named_voice(voice, model=_model_for(voice, None))
        given = {name: getattr(settings, name) for name in settings.model_fields_set} if (
            settings is not None
        ) else {}  # fmt: skip
        session = live_session(LiveSettings(**{**given, **changes}))
        _check_audio(session, self._machine.settings.session)
        self._functions = functions
        self._machine.update(session)
        await self._out()

    async def answer(self, call_id: str, result: Any, *, failed: bool = False) -> None:
        """Give the model what a function returned, for a call that no given function answers."""
        await self._begin()
        output = tool_result(ToolCall(id=call_id, name="", arguments=""), result)["content"]
        self._machine.answer_call(call_id, output, failed=failed, now=self._live.clock())
        await self._out()

    async def played(self, ms: float) -> None:
        """Say that so many more milliseconds came out of the loudspeaker.

        Without it nobody knows what was heard, and an interrupted answer is not cut.

        Raises:
            InvalidRequest: It is negative, or no number: what was heard cannot be unheard.
        """
        if not 0 <= ms < inf:
            raise InvalidRequest(f"{ms} ms were played; report how much more, never less.")
        self._machine.played(ms=ms, now=self._live.clock())

    async def played_bytes(self, size: int) -> None:
        """Say that so many more bytes of `AudioChunk.pcm` came out of the loudspeaker.

        Raises:
            InvalidRequest: It is negative.
        """
        if size < 0:
            raise InvalidRequest(f"{size} bytes were played; report how many more, never fewer.")
        self._machine.played(size=size, now=self._live.clock())

    async def send_event(self, event: ClientEvent) -> None:
        """Send an event of Voice Live as it is; it is not repeated on another connection."""
        await self._begin()
        self._machine.send(event)
        await self._out()

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """How long each of the last answers took."""
        return self._machine.latencies

    @property
    def unheard_ms(self) -> float:
        """How much of the agent's audio has arrived and was not played yet."""
        return self._machine.agent.playback.unheard_ms

    async def _out(self) -> None:
        await self._live.out()

    def _give(self, audio: bytes) -> None:
        self._machine.send_audio(audio, now=self._live.clock())

    def _used(self, turn: TurnDone) -> Usage:
        return usage_of_turn(turn)

    def _has_more(self) -> bool:
        return not self._machine.is_quiet and not self._machine.is_closing

    def _rest(self) -> Usage | None:
        heard_ms = self._machine.user.unanswered_ms
        if heard_ms:
            return Usage(audio_seconds=ceil(heard_ms / 1000), basis="lower_bound")
        # An answer that was asked for and has not begun may be made, and billed, all the same.
        return None if self._machine.asking.is_idle else Usage(basis="unknown")

    def _observe(self, event: SessionEvent) -> SessionEvent:
        if isinstance(event, ToolCalled) and not event.remote and event.name in self._functions:
            self._tasks.start(self._run(self._functions[event.name], event))
        elif isinstance(event, Other) and event.type == "response.created":
            self._bill.begun(event.raw.response.id)
        return super()._observe(event)

    async def _run(self, tool: Tool, called: ToolCalled) -> None:
        call = ToolCall(id=called.call_id, name=called.name, arguments=called.arguments)
        output, failed = await call_tool(tool, call)
        try:
            await self.answer(called.call_id, output, failed=failed)
        except MAIError as error:
            if self._live.is_running:  # else the session is over, and whoever reads it is told
                self._machine.emit(Failed(error=error))
                self._live.wake()

    async def _close(self, *, drain: bool, reason: str) -> None:
        try:
            await self._tasks.stop()
        finally:
            await super()._close(drain=drain, reason=reason)


def check_live(*, engine: object, ears: object, settings: object) -> None:
    """Return if a conversation over Voice Live was asked for, and nothing that it does not have.

    Raises:
        InvalidRequest: There is no such engine.
        UnsupportedFeature: Something was that only a cascade has.
    """
    if engine != "live":
        raise InvalidRequest("engine is neither 'live' nor 'cascade'.")
    if ears is not None:
        raise UnsupportedFeature(
            "ears name the model that hears in a cascade (engine='cascade'). Over Voice Live, set "
            "transcription."
        )
    if settings is not None and not isinstance(settings, LiveSettings):
        raise UnsupportedFeature(
            f"settings is a {type(settings).__name__}; Voice Live takes LiveSettings. For "
            "CascadeSettings, say engine='cascade'."
        )


def open_session(board: Switchboard, talk: Talk, *, endurance: Endurance | None) -> VoiceSession:
    """Return a conversation that is not open yet.

    Raises:
        NotConfigured: No Voice Live resource is set.
        InvalidRequest: A setting is wrong as it stands.
    """
    for model in (talk.model, talk.brain):
        check_extras(model, talk.tags, talk.extra_headers, extra_query=talk.extra_query)
    route = _route(board, talk.brain)
    functions, schemas = _tools_of(talk.tools)
    asked = talk.asked(schemas)
    session = live_session(asked)
    rate = session.get("input_audio_sampling_rate") or 8000
    output = session.get("output_audio_format")
    machine = Conversation(
        session,
        sample_rate=rate,
        output_rate=sample_rate_of(output),
        sample_bytes=1 if _is_g711(session) else 2,
        output_bytes=1 if output in _G711 else 2,
        buffer_seconds=talk.buffer_seconds,
        continues_remote_calls="agent-name" not in (talk.extra_query or {}),
    )
    features = live_features(asked)
    query = {**dict(route.query), **({"features": features} if features else {})}
    timeouts = board.core.config.timeouts_for(talk.timeout, modality="voice")
    line = Line(
        route=route,
        url=voice_live_url(
            route.endpoint,
            model=route.deployment,
            query={**query, **(talk.extra_query or {})}.items(),
        ),
        timeouts=timeouts,
        max_retries=board.core.config.max_retries,
        headers=tuple((talk.extra_headers or {}).items()),
    )
    return VoiceSession(
        machine,
        line,
        board,
        functions=functions,
        sample_rate=rate if _is_g711(session) else talk.sample_rate,
        endurance=endurance or Endurance(),
        open_tab=lambda session: board.core.tab(
            route,
            modality="voice",
            verb="session",
            tags=talk.tags,
            timeouts=timeouts,
            session=session,
        ),
    )


def _route(board: Switchboard, brain: str) -> Route:
    route = board.core.config.route(brain, modality="voice", surfaces=("voice-live",))
    if route.surface != "voice-live":
        raise UnsupportedFeature(
            f"The route {brain!r} is {route.surface}, and conversations go over voice-live: set "
            "voice_live_endpoint (or foundry_endpoint) and its key, or name another brain."
        )
    return replace(route, model=route.model or route.deployment)


def _tools_of(tools: Any) -> tuple[dict[str, Tool], list[dict[str, Any]]]:
    """Return the functions that can be run, by name, and what the model is told of all tools."""
    functions: dict[str, Tool] = {}
    sent: list[dict[str, Any]] = []
    for given in tools or ():
        shape = as_object(given)
        if shape and shape.get("type") != "function":
            sent.append(shape)
            continue
        found, schemas = split_tools([given])
        functions |= found
        sent += schemas
    return functions, sent


def _check_audio(changes: Mapping[str, Any], session: Mapping[str, Any]) -> None:
    """Refuse another format of audio: positions and durations are reckoned by the one there is."""
    for name in ("input_audio_sampling_rate", "input_audio_format", "output_audio_format"):
        now, wanted = session.get(name), changes.get(name)
        if wanted is not None and wanted != (now or "pcm16"):
            raise InvalidRequest(
                f"{name} is {now or 'pcm16'} and cannot be changed in a session. Open another."
            )


def _model_for(voice: str, model: str | None) -> str | None:
    """Return the MAI model to speak with; None for a voice of another maker, or a whole name."""
    is_named = "-" in voice and ":" not in voice and not voice.endswith("Neural")
    return model or (DEFAULT_VOICE_MODEL if is_named else None)


def _is_g711(session: Mapping[str, Any]) -> bool:
    return session.get("input_audio_format") in _G711
