import math
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.audio.pcm import ms_in, rms, samples_of
from mai_sdk.audio.resample import Resampler
from mai_sdk.errors import ConfigurationError, InvalidRequest
from sounds import noise, tone

RATES = [8000, 16000, 22050, 24000, 44100, 48000]


@pytest.mark.parametrize("source_rate", RATES)
@pytest.mark.parametrize("target_rate", [16000, 24000])
def test_a_tone_keeps_its_length_loudness_and_pitch(source_rate, target_rate):
    resampler = Resampler(source_rate=source_rate, target_rate=target_rate)
    sound = tone(500, sample_rate=source_rate, hertz=1000)
    made = resampler.feed(sound) + resampler.finish()
    assert ms_in(len(made), sample_rate=target_rate) == pytest.approx(500, abs=1)
    assert rms(made) == pytest.approx(rms(sound), rel=0.02)
    samples = samples_of(made)
    crossings = sum(a < 0 <= b for a, b in pairwise(samples))
    assert crossings == pytest.approx(500, abs=2)


def test_what_the_target_cannot_hold_is_taken_out_and_not_folded_back():
    resampler = Resampler(source_rate=48000, target_rate=16000)
    made = resampler.feed(tone(500, sample_rate=48000, hertz=12000)) + resampler.finish()
    inner = made[1600:-1600]
    assert 20 * math.log10(max(rms(inner), 1e-9)) < -60


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_pieces_of_any_length_give_the_same_samples_as_the_whole(cuts):
    sound = noise(300, sample_rate=48000)
    whole = Resampler(source_rate=48000, target_rate=24000)
    expected = whole.feed(sound) + whole.finish()
    resampler, made, at = Resampler(source_rate=48000, target_rate=24000), b"", 0
    for cut in cuts:
        made += resampler.feed(sound[at : at + cut])
        at += cut
    made += resampler.feed(sound[at:]) + resampler.finish()
    assert len(made) == len(expected)
    difference = [a - b for a, b in zip(samples_of(made), samples_of(expected), strict=True)]
    assert max(map(abs, difference)) <= 2  # dither


def test_equal_rates_need_nothing_and_change_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    resampler = Resampler(source_rate=24000, target_rate=24000)
    sound = noise(50, sample_rate=24000)
    assert resampler.feed(sound[:3]) + resampler.feed(sound[3:]) == sound
    assert resampler.feed(b"x") + resampler.finish() == b""


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(ConfigurationError, match=r'pip install "mai-sdk\[audio\]"'):
        Resampler(source_rate=48000, target_rate=24000)


def test_it_can_be_used_for_another_stream():
    resampler = Resampler(source_rate=8000, target_rate=16000)
    sound = tone(100, sample_rate=8000)
    first = resampler.feed(sound) + resampler.finish()
    second = resampler.feed(sound) + resampler.finish()
    assert len(first) == len(second) == 3200


@pytest.mark.parametrize("rate", [0, -1, 999, 10**6])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(InvalidRequest, match="samples a second"):
        Resampler(source_rate=rate, target_rate=16000)
