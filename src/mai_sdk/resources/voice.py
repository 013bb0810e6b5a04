"""`client.voice`: text spoken, whole or as it comes, and the voices there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mai_sdk.engine.pieces import AsyncPieces, Pieces
from mai_sdk.resources.conversations import AsyncConversations
from mai_sdk.resources.live_speaking import Live, open_live
from mai_sdk.resources.say import Say
from mai_sdk.resources.speaking import open_speech
from mai_sdk.resources.speech import Speech
from mai_sdk.resources.stream import AsyncOpenStream, OpenStream
from mai_sdk.resources.voices import list_voices
from mai_sdk.resources.warming import warmed
from mai_sdk.wire.speech_events import AudioChunk, SpeechEvent

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Callable,
        Iterable,
        Iterator,
        Mapping,
    )

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.engine.pool import AsyncPool, Pool
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.voices import Voice as ListedVoice

__all__ = ["AsyncSpeechStream", "AsyncVoice", "SpeechStream", "Voice"]


class SpeechStream(OpenStream[SpeechEvent, Speech]):
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

    def __iter__(self) -> Iterator[bytes]:
        for event in self._read_items():
            if isinstance(event, AudioChunk):
                yield event.data

    def events(self) -> Iterator[SpeechEvent]:
        """Give everything that comes, in order: `AudioChunk`, and what else was asked for.

        Instead of `for` over the stream itself, which gives the audio alone. What stands in a
        piece of audio comes before it. Times and places count from the beginning of all the text.
        """
        return self._read_items()

    @property
    def speech(self) -> Speech:
        """The whole speech, once the stream has finished.

        Raises:
            InvalidRequest: The stream has not been read to its end.
        """
        return self._result("speech")


class AsyncSpeechStream(AsyncOpenStream[SpeechEvent, Speech]):
    """See `SpeechStream`; opened with `async with`, read with `async for`."""

    async def _audio(self) -> AsyncIterator[bytes]:
        async for event in self._begin_items():
            if isinstance(event, AudioChunk):
                yield event.data

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._audio()

    def events(self) -> AsyncIterator[SpeechEvent]:
        """See `SpeechStream.events`; read with `async for`."""
        return self._begin_items()

    @property
    def speech(self) -> Speech:
        """See `SpeechStream.speech`."""
        return self._result("speech")


class Voice:
    """Speech from text. Made by the client; safe to share between threads."""

    def __init__(self, core: Core, driver: Driver, pool: Callable[[], Pool]) -> None:
        self._core = core
        self._driver = driver
        self._pool = pool

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
        text: str | Iterable[str],
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "pcm",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        boundaries: bool = False,
        visemes: bool = False,
        text_streaming: bool = False,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> SpeechStream:
        """Return the audio as a stream to be opened with `with`; nothing is sent before that.

        Arguments as for `synthesize`, and those below. The pieces of "wav" are bare samples, too:
        only the whole, on `.speech`, has the header, because only then its length is known.

        Text that is still being written (an iterator of pieces, such as the deltas of a reply), and
        whatever asks for more than audio, goes over a WebSocket that is kept warm for the next
        call. Whole sentences are gathered and spoken one after the other; each is an attempt on the
        receipt. The next piece is asked for when the audio so far was read.

        - `text`: as for `synthesize`, or an iterable of its pieces.
        - `boundaries`: whether `events()` also tells where words and sentences stand.
        - `visemes`: whether `events()` also tells the shapes of the mouth.
        - `text_streaming`: send pieces as they are, in one turn, for the service to cut. It does so
          for some voices only; whether MAI's are among them is not documented.

        Raises:
            NotConfigured: No Speech resource is set.
            InvalidRequest: The call is wrong as it stands.
        """
        say = Say(
            text=cast("str", text),
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
        live = Live(boundaries=boundaries, visemes=visemes, text_streaming=text_streaming)
        written = live.written(text)
        if written is None and not live.needs_socket:
            return SpeechStream(open_speech(self._core, say, verb="stream"), self._driver)
        pieces = None if written is None else Pieces(written)
        speaking = open_live(self._core, say, live, pieces=pieces)
        turns = self._pool().turns(
            key=speaking.key, begin=speaking.turn, pieces=pieces if text_streaming else None
        )
        return SpeechStream(speaking, self._driver.over(turns))

    def prewarm(self, *, model: str | None = None, text_streaming: bool = False) -> None:
        """Open a connection for the next call of `stream` that takes the WebSocket. Bills nothing.

        It saves that call the handshake. The service drops idle connections, so it is used within
        four minutes or opened anew.

        Args:
            model: A model's or a route's name, as for `stream`.
            text_streaming: Whether that call will stream its text.

        Raises:
            NotConfigured: No Speech resource is set.
            CallFailed: There is no connection, or it was refused.
        """
        version = 2 if text_streaming else 1
        self._driver.run(warmed(self._core, self._pool(), model=model, version=version))

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


class AsyncVoice(AsyncConversations):
    """See `Voice`. Safe to share between tasks."""

    def __init__(self, core: Core, driver: AsyncDriver, pool: Callable[[], AsyncPool]) -> None:
        super().__init__(core, driver)
        self._pool = pool

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
        text: str | Iterable[str] | AsyncIterable[str],
        *,
        voice: str | None = None,
        model: str | None = None,
        format: str = "pcm",  # noqa: A002 - what it is called everywhere
        style: str | None = None,
        style_degree: float | None = None,
        rate: float | str | None = None,
        pitch: float | str | None = None,
        language: str | None = None,
        boundaries: bool = False,
        visemes: bool = False,
        text_streaming: bool = False,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncSpeechStream:
        """See `Voice.stream`; opened with `async with`."""
        say = Say(
            text=cast("str", text),
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
        live = Live(boundaries=boundaries, visemes=visemes, text_streaming=text_streaming)
        written = live.written(text)
        if written is None and not live.needs_socket:
            return AsyncSpeechStream(open_speech(self._core, say, verb="stream"), self._driver)
        pieces = None if written is None else AsyncPieces(written)
        speaking = open_live(self._core, say, live, pieces=pieces)
        turns = self._pool().turns(
            key=speaking.key, begin=speaking.turn, pieces=pieces if text_streaming else None
        )
        return AsyncSpeechStream(speaking, self._driver.over(turns))

    async def prewarm(self, *, model: str | None = None, text_streaming: bool = False) -> None:
        """See `Voice.prewarm`."""
        version = 2 if text_streaming else 1
        await self._driver.run(warmed(self._core, self._pool(), model=model, version=version))

    async def voices(
        self, *, locale: str | None = None, model: str | None = None
    ) -> tuple[ListedVoice, ...]:
        """See `Voice.voices`."""
        return await self._driver.run(list_voices(self._core, locale=locale, model=model))
