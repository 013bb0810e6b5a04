"""client.transcribe: speech to text, from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.resources.dictations import AsyncLiveTranscription
from mai_sdk.resources.listening_ask import ListeningAsk
from mai_sdk.resources.transcribing import transcribe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.config import Timeouts
    from mai_sdk.engine.drive import AsyncDriver, Driver
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.listening_ask import Progress
    from mai_sdk.resources.recording import Audio
    from mai_sdk.resources.transcript import Transcript

__all__ = ["AsyncTranscribe", "Transcribe"]


class Transcribe:
    """Speech to text. Made by the client; safe to share between threads."""

    def __init__(self, core: Core, driver: Driver) -> None:
        self._core = core
        self._driver = driver

    def create(
        self,
        audio: Audio,
        *,
        model: str | None = None,
        locale: str | None = None,
        phrases: Iterable[str] | None = None,
        diarize: bool | None = None,
        max_speakers: int | None = None,
        timestamps: str | None = None,
        style: str | None = None,
        chunks: float | None = None,
        at_once: int = 4,
        progress: Progress | None = None,
        timeout: float | Timeouts | None = None,
        tags: Mapping[str, str] | None = None,
        extra_definition: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Transcript:
        """Have a recording heard to its end, and return what was said with what it cost.

        A file is read while it is sent and never held; every try sends it from its beginning. A
        failure that surely did no work is retried; one that may have is retried once, and both
        attempts stay on the receipt. Billed by the second, each request's last second whole.

        The service takes WAV, MP3 and FLAC; sources disagree on other formats, and on the most it
        takes (250 to 500 MB, 2 to 5 hours): what is over the catalog's limits is sent with a
        warning in the log, and the service decides.

        Args:
            audio: A path, the bytes, a file object opened for reading bytes, or an http(s) URL,
                which the service fetches and this client never does. A file object is read from
                where it stands; one that cannot be wound back, such as a pipe, is first copied to
                a temporary file. It is not closed.
            model: A model's name or a route's name; MAI-Transcribe-2 if omitted and no route says
                otherwise.
            locale: The one language spoken, such as "en-US": a very strong hint. Leave it out to
                have it found; MAI models change language within a recording by themselves.
            phrases: Names and terms that are likely to come up.
            diarize: Tell speakers apart. Recordings of about 15 minutes and more are known to fail
                then; see `chunks`.
            max_speakers: From 2 to 35; implies `diarize`.
            timestamps: "segment" or "word" for times; the service's own default, "none" for
                MAI-Transcribe-2, if omitted. MAI-Transcribe-1.5 refuses the field.
            style: "verbatim" (the service's default) or "clean", without ums. MAI-Transcribe-2.
            chunks: Cut longer recordings in pauses, into pieces that last no more than this many
                seconds, and put their transcripts together. Each piece is a call of its own, on
                the one receipt; a speaker's number holds within a piece only. PCM WAV; FLAC, MP3
                and OGG with the extra `[audio]`.
            at_once: How many pieces are sent side by side.
            progress: Called with the bytes of audio sent so far and all there are, from 0 again at
                every new try. It is called where the file is read: on an async client, and with
                `chunks`, in other threads. What it raises ends the call.
            timeout: Seconds for the whole call, or `Timeouts`; the answer comes at once, so it is
                `first_byte` that a long recording needs.
            tags: Kept with the receipt; reports can be split by them.
            extra_definition: Fields added to the request's `definition` as they are; they win over
                ours, and objects are merged.
            extra_headers: Headers added to the request. Never a key.

        Raises:
            NotConfigured: No route leads to the model; the text says what to set.
            InvalidRequest: The call is wrong as it stands, or the audio is missing, empty or no
                file; nothing was sent.
            UnsupportedFeature: The model is known not to do what was asked; nothing was sent.
            CallFailed: The service refused or failed, or no answer came; see `mai_sdk.errors`. Of
                several pieces, the first that failed, with the others' transcript on `partial`.
        """
        ask = ListeningAsk(
            audio=audio,
            model=model,
            locale=locale,
            phrases=phrases,
            diarize=diarize,
            max_speakers=max_speakers,
            timestamps=timestamps,
            style=style,
            chunks=chunks,
            at_once=at_once,
            progress=progress,
            timeout=timeout,
            tags=tags,
            extra_definition=extra_definition,
            extra_headers=extra_headers,
        )
        return self._driver.run(transcribe(self._core, ask))


class AsyncTranscribe(AsyncLiveTranscription):
    """See `Transcribe`. Safe to share between tasks."""

    def __init__(self, core: Core, driver: AsyncDriver) -> None:
        super().__init__(core, driver)

    async def create(
        self,
        audio: Audio,
        *,
        model: str | None = None,
        locale: str | None = None,
        phrases: Iterable[str] | None = None,
        diarize: bool | None = None,
        max_speakers: int | None = None,
        timestamps: str | None = None,
        style: str | None = None,
        chunks: float | None = None,
        at_once: int = 4,
        progress: Progress | None = None,
        timeout: float | Timeouts | None = None,  # noqa: ASYNC109 - the call's, retries included
        tags: Mapping[str, str] | None = None,
        extra_definition: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Transcript:
        """See `Transcribe.create`."""
        ask = ListeningAsk(
            audio=audio,
            model=model,
            locale=locale,
            phrases=phrases,
            diarize=diarize,
            max_speakers=max_speakers,
            timestamps=timestamps,
            style=style,
            chunks=chunks,
            at_once=at_once,
            progress=progress,
            timeout=timeout,
            tags=tags,
            extra_definition=extra_definition,
            extra_headers=extra_headers,
        )
        return await self._driver.run(transcribe(self._core, ask))
