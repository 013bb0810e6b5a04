"""Questions out of files, answers into them, and a loudspeaker that nobody hears."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.cli.talk_sound import Playing, Recording, VirtualSpeaker, question_of
from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.session_events import AudioChunk
from mai_sdk.wire.wav import read_wav, wav_header


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def chunk(pcm, *, response="r1", rate=24_000):
    return AudioChunk(pcm=pcm, sample_rate=rate, item_id="i", response_id=response)


def ms(count):
    """Return so many milliseconds of samples that differ."""
    return array("h", (n % 30_000 + 1 for n in range(24 * count))).tobytes()


def test_two_channels_become_one():
    sides = array("h", [100, 300, -100, -300, 32_767, 32_767]).tobytes()
    wav = wav_header(len(sides), sample_rate=48_000, channels=2) + sides
    assert question_of(wav, name="q") == (array("h", [200, -200, 32_767]).tobytes(), 48_000)


def test_a_file_that_states_no_length_is_read_to_its_end():
    wav = wav_header(0xFFFFFFFF, sample_rate=16_000) + ms(10)
    assert question_of(wav, name="q") == (ms(10), 16_000)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no", "is no WAV file"),
        (wav_header(0, sample_rate=8000), "there is no sound in q"),
        (wav_header(8, sample_rate=8000, bits=8) + bytes(8), "8-bit samples"),
        (wav_header(8, sample_rate=8000, encoding=3, bits=32) + bytes(8), "format 3"),
    ],
)
def test_what_cannot_be_said_is_refused(data, says):
    with pytest.raises(InvalidRequest, match=says):
        question_of(data, name="q")


def test_answers_stand_one_after_the_other_with_a_pause():
    recording = Recording()
    recording.add("a", ms(10))
    recording.add("a", ms(10))
    recording.add("b", ms(5))
    wav = read_wav(recording.wav())
    assert (wav.sample_rate, wav.channels, wav.bits) == (24_000, 1, 16)
    assert wav.samples == ms(10) + ms(10) + bytes(24_000) + ms(5)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.lists(st.integers(1, 60), max_size=30),
)
def test_what_is_played_is_what_was_given_in_order(given_ms, taken_ms):
    recording = Recording()
    playing = Playing(recording)
    whole = b"".join(map(ms, given_ms))
    for each in given_ms:
        playing.give(chunk(ms(each)))
    taken = b"".join(playing.take(each * 48) for each in taken_ms)
    assert whole.startswith(taken)
    assert len(taken) == min(sum(taken_ms) * 48, len(whole))
    assert recording.pcm == taken
    assert playing.held == len(whole) - len(taken)


def test_audio_of_another_rate_is_made_into_the_files():
    pytest.importorskip("soxr")
    recording = Recording()
    playing = Playing(recording)
    for _ in range(20):
        playing.give(chunk(ms(20), rate=48_000))
    playing.finish()
    assert playing.held == len(ms(20)) * 10
    playing.finish()
    assert playing.held == len(ms(20)) * 10


def test_a_loudspeaker_plays_as_long_as_it_sounds():
    clock = Clock()
    recording = Recording()
    speaker = VirtualSpeaker(Playing(recording), clock=clock)
    assert speaker.played() == 0
    speaker.give(chunk(ms(100)))
    assert speaker.played() == 0
    clock.now += 0.030
    assert speaker.played() == pytest.approx(30, abs=0.05)
    clock.now += 0.030
    assert speaker.played() == pytest.approx(30, abs=0.05)
    clock.now += 10
    assert speaker.played() == pytest.approx(40, abs=0.1)
    assert bytes(recording.pcm) == ms(100)
    clock.now += 10  # what comes now is not played in the silence before it
    speaker.give(chunk(ms(100)))
    assert speaker.played() == 0


def test_what_was_not_played_when_it_is_stopped_was_not_heard():
    clock = Clock()
    recording = Recording()
    speaker = VirtualSpeaker(Playing(recording), clock=clock)
    speaker.give(chunk(ms(100)))
    clock.now += 0.025
    heard = speaker.played()
    speaker.stop()
    clock.now += 1
    assert speaker.played() == 0
    assert speaker.rest() == 0
    assert len(recording.pcm) == pytest.approx(heard * 48, abs=2)


def test_played_at_once_it_is_heard_as_it_comes():
    speaker = VirtualSpeaker(Playing(Recording()), clock=Clock(), at_once=True)
    speaker.give(chunk(ms(100)))
    assert speaker.played() == 100
