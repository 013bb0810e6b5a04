"""The user's end of `mai talk` at a microphone and a loudspeaker, through `sounddevice`.

PortAudio calls back on a thread of its own, which may not wait: the microphone's pieces are handed
to the loop, and the loudspeaker is given what is there, or silence. What counts as heard is what
has left the loudspeaker by its own clock, not what was handed over.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.audio.pcm import level_db, ms_in
from mai_sdk.cli.talk_sound import RATE, Playing, Recording
from mai_sdk.errors import ConfigurationError, MAIError
from mai_sdk.wire.live_options import EchoCancellation, LiveSettings, NoiseReduction

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.cli.talk_ends import Shown
    from mai_sdk.resources.conversations import Call
    from mai_sdk.wire.session_events import AudioChunk

__all__ = ["DeviceEnd"]

_FRAMES_A_SECOND: Final = 50
_FILES: Final = "Or talk by files: --in question.wav --out answer.wav."


class DeviceEnd:
    """Speaks through the microphone and listens to the loudspeaker.

    Args:
        push_to_talk: Whether Enter begins and ends what the user says.
        cancels_echo: Whether the service is asked to take the agent's own voice out of the
            microphone's sound; else headphones do it.

    Raises:
        ConfigurationError: `sounddevice` is not installed, or there is no device it can use.
    """

    def __init__(self, *, push_to_talk: bool, cancels_echo: bool) -> None:
        self._sd = _sounddevice()
        self.sample_rate = _rate_of(self._sd, "input", "microphone")
        self.recording = Recording()
        self.recording.rate = _rate_of(self._sd, "output", "loudspeaker")
        self.options: dict[str, Any] = {"turn_detection": None} if push_to_talk else {}
        if cancels_echo:
            self.options["settings"] = LiveSettings(
                input_audio_echo_cancellation=EchoCancellation(),
                input_audio_noise_reduction=NoiseReduction(),
            )
        self._is_by_hand = push_to_talk
        self._is_open = not push_to_talk
        self._loudspeaker = _Loudspeaker(Playing(self.recording))
        self._overflows = 0
        self._is_ending = False

    async def speak(self, call: Call, shown: Shown) -> None:
        """Say what the microphone hears, until there were as many turns as wanted, or Ctrl-C.

        Raises:
            ConfigurationError: A device cannot be opened.
            MAIError: A device stopped.
        """
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[bytes | str] = asyncio.Queue()

        def put(piece: bytes | str) -> None:
            with suppress(RuntimeError):  # the loop is closed, and nobody listens any more
                loop.call_soon_threadsafe(heard.put_nowait, piece)

        with ExitStack() as streams:
            self._open(streams, put)
            shown.note("Enter to speak, Enter to end" if self._is_by_hand else "listening")
            while not (shown.progress.is_over and self._loudspeaker.is_done):
                piece = await heard.get()
                if isinstance(piece, bytes):
                    await self._say(call, piece, shown)
                elif piece == "enter":
                    await self._turn(call, shown)
                else:
                    raise MAIError(f"The {piece} stopped. Is it still connected?")
        lost = self._overflows + self._loudspeaker.underruns
        if lost:
            shown.note(f"{lost} times the sound broke off here, for want of time")

    def hear(self, chunk: AudioChunk) -> None:
        """Take a piece of the agent's voice."""
        self._loudspeaker.give(chunk)

    def answered(self) -> None:
        """Note that an answer is whole."""
        self._loudspeaker.finish()

    def stop(self) -> None:
        """Let no more be heard of it."""
        self._loudspeaker.stop()

    async def _say(self, call: Call, pcm: bytes, shown: Shown) -> None:
        if self._is_open:
            await call.send(pcm)
        shown.loud(level_db(pcm))
        played = self._loudspeaker.played()
        if played:
            await call.played(played)

    async def _turn(self, call: Call, shown: Shown) -> None:
        """Begin what the user says, which silences the agent; or end it."""
        self._is_open = not self._is_open
        if self._is_open:
            self.stop()
            await call.interrupt()
        elif not await call.commit():
            shown.note("nothing was said")

    def _open(self, streams: ExitStack, put: Callable[[bytes | str], None]) -> None:
        def microphone(data: Any, frames: int, time: Any, status: Any) -> None:
            del frames, time
            self._overflows += bool(status.input_overflow)
            put(bytes(data))

        ears, mouth = self._sd.RawInputStream, self._sd.RawOutputStream
        play, rate = self._loudspeaker.fill, self.recording.rate
        for kind, hertz, callback, name in (
            (ears, self.sample_rate, microphone, "microphone"),
            (mouth, rate, play, "loudspeaker"),
        ):
            try:
                streams.enter_context(
                    kind(
                        samplerate=hertz,
                        blocksize=hertz // _FRAMES_A_SECOND,
                        channels=1,
                        dtype="int16",
                        callback=callback,
                        finished_callback=partial(self._stopped, name, put),
                    )
                )
            except self._sd.PortAudioError as error:
                raise ConfigurationError(
                    f"The {name} cannot be opened: {error}. {_FILES}"
                ) from None
            streams.callback(self._end)
        if self._is_by_hand:
            Thread(target=_enters, args=(put,), daemon=True).start()

    def _stopped(self, name: str, put: Callable[[bytes | str], None]) -> None:
        if not self._is_ending:
            put(name)

    def _end(self) -> None:
        self._is_ending = True


class _Loudspeaker:
    """What PortAudio takes from its thread, and the loop gives and asks from its own."""

    def __init__(self, playing: Playing) -> None:
        self.underruns = 0
        """How often the device ran dry because this machine was too busy."""
        self._playing = playing
        self._lock = Lock()
        self._sounding: deque[tuple[float, int]] = deque()
        self._out = 0

    @property
    def is_done(self) -> bool:
        """Whether all that was given was played."""
        with self._lock:
            return not (self._playing.held or self._sounding)

    def fill(self, data: Any, frames: int, time: Any, status: Any) -> None:
        """Give the device what it is to play next."""
        with self._lock:
            self.underruns += bool(status.output_underflow)
            now = time.currentTime  # 0 where the device does not say
            while self._sounding and (not now or self._sounding[0][0] <= now):
                self._out += self._sounding.popleft()[1]
            pcm = self._playing.take(len(data))
            data[: len(pcm)] = pcm
            data[len(pcm) :] = bytes(len(data) - len(pcm))
            if pcm:
                sounded = time.outputBufferDacTime + frames / self._playing.rate
                self._sounding.append((sounded, len(pcm)))

    def give(self, chunk: AudioChunk) -> None:
        """Let this be played after what waits."""
        with self._lock:
            self._playing.give(chunk)

    def finish(self) -> None:
        """Note that an answer has come to its end."""
        with self._lock:
            self._playing.finish()

    def played(self) -> float:
        """Return how many more milliseconds have left it since it was asked last."""
        with self._lock:
            out, self._out = self._out, 0
        return ms_in(out, sample_rate=self._playing.rate)

    def stop(self) -> None:
        """Play no more of what waits; what the device has already is forgotten, too."""
        with self._lock:
            self._playing.drop()
            self._sounding.clear()


def _sounddevice() -> Any:
    try:
        return import_module("sounddevice")
    except ImportError:
        raise ConfigurationError(
            'Microphone and loudspeaker need the extra: pip install "mai-sdk[audio]". ' + _FILES
        ) from None
    except OSError:  # PortAudio comes with it for Windows and macOS only
        raise ConfigurationError(
            "Microphone and loudspeaker need PortAudio, which is not installed: on Debian and "
            f"Ubuntu, apt install libportaudio2. {_FILES}"
        ) from None


def _rate_of(sd: Any, kind: str, name: str) -> int:
    """Return a rate the device takes: the session's own, or else the device's."""
    check = sd.check_input_settings if kind == "input" else sd.check_output_settings
    try:
        try:
            check(samplerate=RATE, channels=1, dtype="int16")
        except (sd.PortAudioError, ValueError):
            rate = int(sd.query_devices(kind=kind)["default_samplerate"])
            check(samplerate=rate, channels=1, dtype="int16")
            return rate
    except (sd.PortAudioError, ValueError) as error:
        raise ConfigurationError(f"There is no {name} to be used: {error}. {_FILES}") from None
    return RATE


def _enters(put: Callable[[bytes | str], None]) -> None:
    """Tell of every line that comes on stdin."""
    for _ in sys.stdin:
        put("enter")
