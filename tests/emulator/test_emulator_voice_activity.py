"""Speech found in real audio, whatever pieces it comes in."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.emulator.live_audio import InputAudio, decoded
from mai_sdk.emulator.mouth import Mouth
from mai_sdk.emulator.sound import encode
from mai_sdk.emulator.voice_activity import Edge, VoiceActivity, loudest_silence
from mai_sdk.wire.formats import audio_format

RATE = 16_000


def silence(ms):
    return bytes(RATE * ms // 1000 * 2)


def tone(ms, level=8_000):
    return array(
        "h", [level if n // 20 % 2 else -level for n in range(RATE * ms // 1000)]
    ).tobytes()


def edges(pcm, *, size=640, **given):
    activity = VoiceActivity(sample_rate=RATE, **given)
    return [e for at in range(0, len(pcm), size) for e in activity.feed(pcm[at : at + size])]


def test_a_start_has_the_padding_before_it_and_an_end_the_silence_after_it():
    pcm = silence(1_000) + tone(600) + silence(1_000)
    assert edges(pcm) == [Edge("started", 700), Edge("stopped", 2_100)]
    assert edges(pcm, prefix_ms=0, silence_ms=200) == [
        Edge("started", 1_000), Edge("stopped", 1_800),
    ]  # fmt: skip


def test_what_is_too_short_or_too_quiet_is_no_speech():
    assert not edges(silence(500) + tone(100) + silence(500))
    assert edges(silence(500) + tone(100) + silence(500), speech_ms=80)
    assert not edges(silence(500) + tone(900, level=200) + silence(500))
    assert edges(silence(500) + tone(900, level=200), threshold=0.2)


def test_a_pause_between_words_does_not_end_speech():
    pcm = tone(300) + silence(400) + tone(300) + silence(600)
    assert [edge.kind for edge in edges(pcm)] == ["started", "stopped"]
    assert len(edges(pcm, silence_ms=300)) == 4


def test_padding_reaches_neither_before_all_audio_nor_into_the_turn_before():
    pcm = tone(300) + silence(500) + tone(300) + silence(600)
    assert [edge.at_ms for edge in edges(pcm)] == [0, 800, 800, 1_600]


def test_time_goes_on_from_where_it_was_told_to_begin():
    assert edges(silence(500) + tone(300), from_ms=10_000)[0] == Edge("started", 10_200)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=60))
def test_pieces_of_any_size_give_the_same(sizes):
    pcm = silence(300) + tone(400) + silence(700) + tone(250) + silence(600)
    activity, found, at = VoiceActivity(sample_rate=RATE), [], 0
    for size in [*sizes, len(pcm)]:
        found += activity.feed(pcm[at : at + size])
        at += size
    assert found == edges(pcm)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
@pytest.mark.parametrize("real", [False, None])
def test_what_the_mouth_says_is_speech(rate, real):
    said = Mouth(7, real=real).speak("What is the weather like in Oslo?", sample_rate=rate)
    activity = VoiceActivity(sample_rate=rate, prefix_ms=0)
    found = activity.feed(said.pcm + bytes(rate * 2))
    assert [edge.kind for edge in found] == ["started", "stopped"]
    assert abs(found[1].at_ms - 500 - said.seconds * 1000) < 450


def test_the_threshold_goes_from_sixty_to_twenty_decibels_below_the_loudest():
    assert [loudest_silence(t) for t in (0, 0.5, 1)] == [32, 327, 3_276]


def test_input_audio_is_taken_by_time_and_forgotten_in_order():
    audio = InputAudio(RATE)
    audio.pcm += silence(1_000) + tone(500)
    assert audio.end_ms == 1_500
    assert audio.take(900, 1_200) == silence(100) + tone(200)
    assert (audio.base_ms, audio.length_ms) == (1_200, 300)
    audio.keep_last(100)
    assert (audio.base_ms, audio.length_ms) == (1_400, 100)
    audio.clear()
    assert (audio.end_ms, audio.length_ms) == (1_500, 0)


@pytest.mark.parametrize(("coding", "law"), [("g711_ulaw", "mulaw"), ("g711_alaw", "alaw")])
def test_telephone_audio_is_read_as_it_was_written(coding, law):
    samples = array("h", range(-32_000, 32_000, 77)).tobytes()
    there = encode(samples, audio_format(f"raw-8khz-8bit-mono-{law}"))
    back = decoded(there, coding)
    assert encode(back, audio_format(f"raw-8khz-8bit-mono-{law}")) == there
    for was, now in zip(array("h", samples), array("h", back), strict=True):
        assert abs(was - now) <= max(abs(was) / 16, 16)
