"""`client.voice`: text spoken, whole or as it comes, and the voices there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.engine.live import Endurance
from mai_sdk.resources.live_session import Switchboard
from mai_sdk.resources.say import Say
from mai_sdk.resources.speaking import open_speech
from mai_sdk.resources.speech import Speech
from mai_sdk.resources.stream import AsyncStream, Stream
from mai_sdk.resources.voice_session import DEFAULT_BRAIN, DEFAULT_TURNS, Talk, open_session
from mai_sdk.resources.voices import list_voices
from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.voice import DEFAULT_VOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.tools import ToolLike
    from mai_sdk.resources.voice_session import VoiceSession
    from mai_sdk.resources.voices import Voice as ListedVoice
    from mai_sdk.wire.live_options import LiveSettings, Raw, TurnDetection
    from mai_sdk.wire.live_options import Voice as VoiceChoice

__all__ = ["AsyncSpeechStream", "AsyncVoice", "SpeechStream", "Voice"]


class SpeechStream(Stream[bytes, Speech]):
    """The audio of one text, in pieces as they come; open it with `with`, read it with `for`.

    Every piece is whole samples, without a file's header; `speech` is the whole, once read. Leaving
    the block early closes the connection; the request's characters are billed all the same. Not
    for use by two threads at once.

    Raises:
        CallFailed: From the `with` line if the call is not answered, after retries; from the loop
            if the audio breaks off (`ConnectionFailed`, `TimedOut`, `StreamTruncated`) or is none
            (`UnreadableAnswer`). `error.partial` is the speech as far as it came. Nothing is sent
            again once its audio has begun.
    """

    @property
    def speech(self) -> Speech:
        """The whole speech, once the stream has finished.

        Raises:
            InvalidRequest: The stream has not been read to its end.
        """
        return self._result("speech")


class AsyncSpeechStream(AsyncStream[bytes, Speech]):
    """See `SpeechStream`; opened with `async with`, read with `async for`."""

    @property
    def speech(self) -> Speech:
        """See `SpeechStream.speech`."""
        return self._result("speech")


class Voice:
    """Speech from text. Made by the client; safe to share between threads."""

    def __init__(self, core: Core, driver: Driver) -> None:
        self._core = core
        self._driver = driver

    def synthesize(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "wav",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Speech:
        """Speak the text and return the whole of it with what it cost.

        Billed by the character, as counted here (see docs/voice.md): the service reports no usage,
        so the cost is an estimate. A long text is cut between sentences into requests of a few
        minutes each, since the service stops after ten without a word; the audio is joined.
        A failure before the first audio is retried; afterwards nothing is sent again.

        Args:
            text: What to say, at most 100,000 characters; characters that XML cannot hold become
                spaces. Or `SSML(...)`, sent as it is, with its own voices.
            voice: `<locale>-<Speaker>`, as "en-US-Harper" (the default), or with `:<Model>`, which
                then wins over `model`. No list decides what may be asked for.
            model: A model's name or a route's name; the route configured, or the default model,
                if omitted.
            format: "wav", "pcm", "mp3", "opus", "webm", "mulaw", "alaw", with a rate as in
                "wav-16khz", or the service's own name of a format. 24 kHz unless it says otherwise.
            style: A way of speaking the voice knows, as "excited"; see `client.models.voices()`.
            style_degree: How strong the style is, up to 2; 1 is as it is.
            rate: How fast: 1.15 is 15 % faster than usual; or a text as SSML has it.
            pitch: How high, likewise.
            language: The language of the text, where it is not the voice's own.
            timeout: Seconds for the whole call, or `Timeouts`; audio has to begin within 20 s and
                may pause for 10, unless set.
            tags: Kept with the receipt; reports can be split by them.
            extra_headers: Headers added to the request. Never a key.

        Raises:
            NotConfigured: No Speech resource is set, or only one that takes no Entra token.
            InvalidRequest: The call is wrong as it stands; nothing was sent.
            RequestRejected: No such voice, style or format, as the service puts it.
            CallFailed: The service failed, or the audio broke off; see `mai_sdk.errors`.
        """
        say = Say(
            text=text,
            voice=voice,
            model=model,
            format=format,
            style=style,
            style_degree=style_degree,
            rate=rate,
            pitch=pitch,
            language=language,
            timeout=timeout,
            tags=tags,
            extra_headers=extra_headers,
        )
        with SpeechStream(open_speech(self._core, say, verb="synthesize"), self._driver) as audio:
            return audio.read()

    def stream(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "pcm",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> SpeechStream:
        """Return the audio as a stream to be opened with `with`; nothing is sent before that.

        Arguments as for `synthesize`. The pieces of "wav" are bare samples, too: only the whole,
        on `.speech`, has the header, because only then its length is known.

        Raises:
            NotConfigured: No Speech resource is set.
            InvalidRequest: The call is wrong as it stands.
        """
        say = Say(
            text=text,
            voice=voice,
            model=model,
            format=format,
            style=style,
            style_degree=style_degree,
            rate=rate,
            pitch=pitch,
            language=language,
            timeout=timeout,
            tags=tags,
            extra_headers=extra_headers,
        )
        return SpeechStream(open_speech(self._core, say, verb="stream"), self._driver)

    def voices(
        self, *, locale: str | None = None, model: str | None = None
    ) -> tuple[ListedVoice, ...]:
        """Return the voices the service lists now. Bills nothing.

        The list is not the last word: voices of MAI have spoken without being on it, and one that
        is on it did not. `client.models.voices()` is what is known offline.

        Args:
            locale: Only of this locale, "en-US", or language, "en".
            model: Only of this model; also decides the route that is asked.

        Raises:
            NotConfigured: No Speech resource is set.
            CallFailed: The service refused or failed.
        """
        return self._driver.run(list_voices(self._core, locale=locale, model=model))


class AsyncVoice:
    """See `Voice`. Safe to share between tasks."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        self._core = core
        self._driver = driver
        self._pace = ConnectionPace()

    async def synthesize(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "wav",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Speech:
        """See `Voice.synthesize`."""
        say = Say(
            text=text,
            voice=voice,
            model=model,
            format=format,
            style=style,
            style_degree=style_degree,
            rate=rate,
            pitch=pitch,
            language=language,
            timeout=timeout,
            tags=tags,
            extra_headers=extra_headers,
        )
        speaking = open_speech(self._core, say, verb="synthesize")
        async with AsyncSpeechStream(speaking, self._driver) as audio:
            return await audio.read()

    def stream(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "pcm",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncSpeechStream:
        """See `Voice.stream`; opened with `async with`."""
        say = Say(
            text=text,
            voice=voice,
            model=model,
            format=format,
            style=style,
            style_degree=style_degree,
            rate=rate,
            pitch=pitch,
            language=language,
            timeout=timeout,
            tags=tags,
            extra_headers=extra_headers,
        )
        return AsyncSpeechStream(open_speech(self._core, say, verb="stream"), self._driver)

    async def voices(
        self, *, locale: str | None = None, model: str | None = None
    ) -> tuple[ListedVoice, ...]:
        """See `Voice.voices`."""
        return await self._driver.run(list_voices(self._core, locale=locale, model=model))

    def session(
        self,
        *,
        instructions: str | None = None,
        voice: str | VoiceChoice | Raw | None = DEFAULT_VOICE,
        model: str | None = None,
        brain: str = DEFAULT_BRAIN,
        tools: Sequence[ToolLike] | None = None,
        turn_detection: TurnDetection | Raw | None = DEFAULT_TURNS,
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
            turn_detection: How the end of the user's turn is found; None leaves it to `commit`.
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
        return open_session(board, talk, endurance=endurance or Endurance())
