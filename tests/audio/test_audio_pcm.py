import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.audio.pcm import Framer, bytes_in, level_db, ms_in, rms, samples_of, silence
from sounds import noise, tone


def test_milliseconds_and_bytes_are_two_ways_to_say_how_long():
    assert bytes_in(20, sample_rate=24000) == 960
    assert ms_in(960, sample_rate=24000) == 20.0
    assert ms_in(160, sample_rate=8000, sample_bytes=1) == 20.0
    assert bytes_in(0.01, sample_rate=24000) == 0
    assert len(silence(100, sample_rate=16000)) == 3200


@given(st.integers(0, 10**6), st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]))
def test_whole_samples_survive_the_way_through_milliseconds(samples, rate):
    assert bytes_in(ms_in(samples * 2, sample_rate=rate), sample_rate=rate) == samples * 2


def test_a_level_is_measured_against_full_scale():
    assert rms(b"") == 0.0
    assert level_db(silence(20, sample_rate=16000)) == -math.inf
    assert rms(tone(100, volume=1.0)) == pytest.approx(math.sqrt(0.5), rel=0.001)
    assert level_db(tone(100, volume=0.1)) == pytest.approx(-23.01, abs=0.05)
    assert level_db(noise(500, volume=0.05)) == pytest.approx(-26.0, abs=0.2)


def test_samples_are_little_endian_whatever_the_machine():
    assert list(samples_of(b"\x01\x00\xff\xff\x00\x80")) == [1, -1, -32768]
    with pytest.raises(ValueError, match="not a multiple"):
        samples_of(b"\x01")


@given(st.lists(st.binary(max_size=40)), st.integers(1, 17))
def test_frames_are_the_bytes_in_order_and_what_is_left_waits(pieces, size):
    framer, frames = Framer(size), []
    for piece in pieces:
        frames += framer.feed(piece)
    whole = b"".join(pieces)
    assert all(len(frame) == size for frame in frames)
    assert framer.held == len(whole) % size
    assert b"".join(frames) + framer.take_rest() == whole
    assert framer.held == 0
