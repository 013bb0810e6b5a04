"""`mai talk` at a microphone and a loudspeaker: a module of sounddevice's shape takes its place."""

import asyncio
import io
import signal
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import pytest

from mai_sdk.cli.sound_device import DeviceEnd, _Loudspeaker
from mai_sdk.cli.talk_sound import Playing, Recording
from mai_sdk.wire.session_events import AudioChunk
from mai_sdk.wire.wav import read_wav

ANSWER = "From nine to six."


class PortAudioError(Exception):
    pass


class FakeSound(ModuleType):
    """One microphone that hears `said`, then silence; one loudspeaker that keeps what it plays."""

    PortAudioError = PortAudioError

    def __init__(self, said=b""):
        super().__init__("sounddevice")
        self.said = said
        self.played = bytearray()
        self.streams = []
        self.refused = {}
        self.rates = {"input": None, "output": None}
        self.breaks_after = None
        self.hiccups = 0
        self.starts_not = None
        sound = self

        class Stream:
            def __init__(self, **options):
                if self.name in sound.refused:
                    raise PortAudioError(sound.refused[self.name])
                self.options = options
                self.is_running = False
                sound.streams.append(self)

            def __enter__(self):
                if self.name == sound.starts_not:
                    raise PortAudioError("Device unavailable")
                self.is_running = True
                self.thread = threading.Thread(target=self.run)
                self.thread.start()
                return self

            def __exit__(self, *_):
                self.is_running = False
                self.thread.join()

            def run(self):
                for number in range(3000):
                    if not self.is_running or self.step(number) is False:
                        break
                    time.sleep(0.002)  # ten times as fast as it sounds
                self.options["finished_callback"]()

        class RawInputStream(Stream):
            name = "input"

            def step(self, number):
                if number == sound.breaks_after:
                    return False
                frames = self.options["blocksize"]
                size = frames * 2
                pcm = sound.said[number * size : (number + 1) * size]
                late = number < sound.hiccups
                status = SimpleNamespace(input_overflow=late)
                data = memoryview(pcm.ljust(size, b"\0"))
                return self.options["callback"](data, frames, SimpleNamespace(), status)

        class RawOutputStream(Stream):
            name = "output"

            def step(self, number):
                frames = self.options["blocksize"]
                data = bytearray(frames * 2)
                now = number * 0.02
                clock = SimpleNamespace(currentTime=now, outputBufferDacTime=now + 0.03)
                status = SimpleNamespace(output_underflow=number < sound.hiccups)
                self.options["callback"](memoryview(data), frames, clock, status)
                sound.played += data
                return

        self.RawInputStream, self.RawOutputStream = RawInputStream, RawOutputStream

    def _check(self, kind, samplerate):
        if kind in self.refused:
            raise PortAudioError(self.refused[kind])
        if self.rates[kind] not in (None, samplerate):
            raise PortAudioError("Invalid sample rate")

    def check_input_settings(self, *, samplerate, channels, dtype):
        assert (channels, dtype) == (1, "int16")
        self._check("input", samplerate)

    def check_output_settings(self, *, samplerate, channels, dtype):
        assert (channels, dtype) == (1, "int16")
        self._check("output", samplerate)

    def query_devices(self, *, kind):
        if self.rates[kind] is None:
            raise PortAudioError("Error querying device -1")
        return {"default_samplerate": float(self.rates[kind])}


@pytest.fixture
def configured(emulator, monkeypatch):
    monkeypatch.setenv("MAI_FOUNDRY_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", emulator.key)
    return emulator


@pytest.fixture
def sound(configured, monkeypatch):
    said = bytes(9600) + configured.spoken("When are you open?")
    fake = FakeSound(said)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_a_question_into_the_microphone_is_answered_out_of_the_loudspeaker(
    mai, configured, sound, tmp_path
):
    configured.reply(ANSWER)
    code, out, err = mai("talk", "--turns", "1", "--out", "heard.wav")
    assert code == 0
    assert out == f"you: When are you open?\nagent: {ANSWER}\nheard.wav\n"
    spoken = configured.spoken(ANSWER)
    assert spoken in bytes(sound.played)
    assert read_wav((tmp_path / "heard.wav").read_bytes()).samples == spoken
    assert err.startswith("[listening]\n")
    assert "[1 turn, " in err
    assert "broke off" not in err
    assert all(not stream.is_running for stream in sound.streams)


def test_the_agents_own_voice_is_taken_out_by_the_service(sound):
    end = DeviceEnd(push_to_talk=False, cancels_echo=True)
    asked = end.options["settings"].model_dump(exclude_unset=True)
    assert asked["input_audio_echo_cancellation"] is not None
    assert asked["input_audio_noise_reduction"] is not None
    assert DeviceEnd(push_to_talk=False, cancels_echo=False).options == {}


def test_sound_that_broke_off_is_counted(mai, configured, sound):
    sound.hiccups = 2
    code, _, err = mai("talk", "--turns", "1")
    assert code == 0
    assert "[4 times the sound broke off here, for want of time]" in err


def test_ctrl_c_hangs_up_and_both_devices_are_let_go(mai, configured, sound, monkeypatch):
    put = asyncio.Queue.put_nowait
    count = []

    def pressing(queue, piece):
        count.append(piece)
        if len(count) == 20:
            signal.raise_signal(signal.SIGINT)
        put(queue, piece)

    monkeypatch.setattr(asyncio.Queue, "put_nowait", pressing)
    code, out, err = mai("talk")
    assert (code, out) == (130, "")
    assert "cost " in err
    assert err.endswith("mai: interrupted.\n")
    assert all(not stream.is_running for stream in sound.streams)


def test_enter_begins_and_ends_a_turn_with_push_to_talk(mai, configured, sound, monkeypatch):
    class Keys(io.StringIO):
        def __iter__(self):
            yield "\n"
            while len(sound.played) < 2 * len(sound.said):  # until all has been said
                time.sleep(0.005)
            yield "\n"

    monkeypatch.setattr(sys, "stdin", Keys())
    sound.said = bytes(4800) + sound.said
    configured.reply(ANSWER)
    code, out, err = mai("talk", "--push-to-talk", "--turns", "1")
    assert code == 0
    assert f"agent: {ANSWER}\n" in out
    assert "[Enter to speak, Enter to end]" in err


@pytest.mark.parametrize("kind", ["input", "output"])
def test_a_device_of_another_rate_is_resampled(mai, configured, sound, kind):
    pytest.importorskip("soxr")
    sound.rates[kind] = 48_000
    configured.reply(ANSWER)
    code, out, _ = mai("talk", "--turns", "1")
    assert code == 0
    assert f"agent: {ANSWER}\n" in out
    rates = {stream.name: stream.options["samplerate"] for stream in sound.streams}
    assert rates == {"input": 24_000, "output": 24_000, kind: 48_000}


@pytest.mark.parametrize(("kind", "name"), [("input", "microphone"), ("output", "loudspeaker")])
def test_without_a_device_nothing_is_sent_and_it_says_what_else_there_is(
    mai, configured, sound, kind, name
):
    sound.refused[kind] = "Error querying device -1"
    code, out, err = mai("talk")
    assert (code, out) == (3, "")
    assert f"There is no {name} to be used: Error querying device -1." in err
    assert "--in question.wav --out answer.wav" in err
    assert len(configured.journal) == 0


@pytest.mark.parametrize("when", ["opened", "started"])
def test_a_device_that_cannot_be_opened_ends_it(mai, configured, sound, monkeypatch, when):
    monkeypatch.setattr(sound, "check_output_settings", lambda **_: None)
    if when == "opened":
        sound.refused["output"] = "Device unavailable"
    else:
        sound.starts_not = "output"
    code, _, err = mai("talk")
    assert code == 3
    assert "The loudspeaker cannot be opened: Device unavailable." in err
    assert all(not stream.is_running for stream in sound.streams)


def test_a_device_that_stops_ends_it_and_says_so(mai, configured, sound):
    sound.breaks_after = 5
    code, _, err = mai("talk")
    assert code == 1
    assert "The microphone stopped. Is it still connected?" in err


def test_without_the_extra_or_its_library_it_says_what_to_install(mai, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, err = mai("talk")
    assert code == 3
    assert 'pip install "mai-sdk[audio]"' in err

    def missing(name):
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("mai_sdk.cli.sound_device.import_module", missing)
    code, _, err = mai("talk")
    assert code == 3
    assert "apt install libportaudio2" in err


def test_heard_is_what_left_the_loudspeaker_not_what_it_was_given():
    speaker = _Loudspeaker(Playing(Recording()))
    speaker.give(AudioChunk(pcm=b"\1\0" * 960, sample_rate=24_000, item_id="i", response_id="r"))

    def fill(now, latency=0.05):
        data = bytearray(960)
        clock = SimpleNamespace(currentTime=now, outputBufferDacTime=now and now + latency)
        speaker.fill(memoryview(data), 480, clock, SimpleNamespace(output_underflow=False))
        return bytes(data)

    assert fill(1.00) == b"\1\0" * 480
    assert fill(1.02) == b"\1\0" * 480
    assert (fill(1.04), speaker.played(), speaker.is_done) == (bytes(960), 0, False)
    fill(1.08)
    assert speaker.played() == 20
    speaker.stop()
    assert speaker.is_done
    speaker.give(AudioChunk(pcm=b"\1\0" * 480, sample_rate=24_000, item_id="i", response_id="r"))
    fill(0)  # a device that has no clock
    assert speaker.played() == 0
    fill(0)
    assert speaker.played() == 20
