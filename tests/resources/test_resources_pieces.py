"""Cuts lie in pauses, between whole frames, and leave nothing out."""

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.pieces import cut_up
from mai_sdk.resources.recording import open_recording
from mai_sdk.resources.silence import can_cut, quietest
from mai_sdk.wire.wav import WavHead, read_wav, wav_header

RATE = 8000


def head(**kind):
    told = {"encoding": 1, "sample_rate": RATE, "channels": 1, "bits": 16}
    return WavHead(**{**told, **kind}, start=0, stated_bytes=0)


def tone(seconds, *, loud=8000, rate=RATE):
    return array("h", (round(loud * math.sin(n / 3)) for n in range(round(seconds * rate))))


def speech(*parts):
    """Seconds of a tone, and of silence where they are negative."""
    made = array("h")
    for seconds in parts:
        made += tone(seconds) if seconds > 0 else array("h", bytes(round(-seconds * RATE) * 2))
    return made.tobytes()


def wav(samples, **kind):
    return wav_header(len(samples), sample_rate=RATE, **kind) + samples


def pieces_of(data, seconds):
    cuts, files = cut_up(open_recording(data), seconds=seconds)
    try:
        return cuts, [b"".join(cut.read()) for cut in cuts]
    finally:
        for file in files:
            file.close()


def test_a_cut_lies_in_the_pause():
    cuts, _ = pieces_of(wav(speech(9, -0.4, 5)), 10)
    assert len(cuts) == 2
    assert 9000 < cuts[1].offset_ms < 9400


def test_without_a_pause_the_pieces_are_as_long_as_they_may_be():
    cuts, _ = pieces_of(wav(bytes(RATE * 2 * 25)), 10)
    assert [cut.duration_ms for cut in cuts] == [9900, 9900, 5200]


@pytest.mark.parametrize(
    ("bits", "encoding"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3)], ids=str
)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_pause_is_found_in_every_kind_of_samples(bits, encoding, channels):
    loud = [9000 * math.sin(n / 3) for n in range(RATE)]
    values = [*loud, *[0.0] * (RATE // 2), *loud]
    data = bytearray()
    for value in values:
        if encoding == 3:
            one = array("f", [value / 32768]).tobytes()
        elif bits == 8:
            one = bytes([round(value / 256) + 128])
        else:
            one = (round(value) << (bits - 16)).to_bytes(bits // 8, "little", signed=True)
        quiet = bytes([128]) if bits == 8 else bytes(bits // 8)
        data += quiet * (channels - 1) + one  # speech on the last channel only
    kind = head(bits=bits, encoding=encoding, channels=channels)
    assert can_cut(kind)
    at = quietest(bytes(data), kind)
    assert at % kind.frame_bytes == 0
    assert 1.0 < at / kind.frame_bytes / RATE < 1.5


def test_samples_of_other_kinds_are_left_to_soundfile():
    assert not can_cut(head(encoding=7, bits=8))
    assert not can_cut(head(encoding=3, bits=64))
    assert not can_cut(head(bits=12))


def test_a_law_is_decoded_where_soundfile_is():
    pytest.importorskip("soundfile")
    data = wav(b"\xd5" * RATE * 3, bits=8, encoding=6)
    cuts, files = pieces_of(data, 1)
    assert len(cuts) >= 3
    assert read_wav(files[0]).encoding == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0.3, -0.1, -0.3, 1.2]), min_size=1, max_size=12),
    st.floats(1, 3),
    st.booleans(),
)
def test_the_pieces_together_are_the_samples_and_none_is_too_long(parts, seconds, streamed):
    samples = speech(*parts)
    data = wav_header(0 if streamed else len(samples), sample_rate=RATE) + samples
    cuts, files = pieces_of(data, seconds)
    read = [read_wav(file) for file in files]
    assert b"".join(each.samples for each in read) == samples
    assert all(0 < each.seconds <= seconds + 1e-9 for each in read)
    assert all(len(file) == cut.size for file, cut in zip(files, cuts, strict=True))
    offsets = [cut.offset_ms for cut in cuts]
    assert offsets == sorted(offsets)
    assert [c.offset_ms + c.duration_ms for c in cuts][:-1] == offsets[1:]


def test_what_is_no_audio_says_so():
    pytest.importorskip("soundfile")
    with pytest.raises(InvalidRequest, match="cannot be read as audio"):
        pieces_of(b"nothing of the kind", 10)
