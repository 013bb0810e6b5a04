"""WAV headers against the standard library's reader, and files that lie about their length."""

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.wav import A_LAW, MU_LAW, PCM, Wav, read_wav, wav_header


@given(
    frames=st.integers(0, 300),
    rate=st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]),
    channels=st.integers(1, 3),
    bits=st.sampled_from([8, 16, 24, 32]),
)
def test_the_standard_library_reads_what_is_written(frames, rate, channels, bits):
    samples = bytes(frames * channels * bits // 8)
    data = wav_header(len(samples), sample_rate=rate, channels=channels, bits=bits) + samples
    with wave.open(io.BytesIO(data)) as read:
        assert (read.getframerate(), read.getnchannels()) == (rate, channels)
        assert read.getsampwidth() * 8 == bits
        assert read.readframes(frames + 1) == samples
    assert read_wav(data) == Wav(sample_rate=rate, channels=channels, bits=bits, samples=samples)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 5000])
def test_a_streamed_file_is_as_long_as_what_came(stated):
    data = wav_header(stated & 0xFFFFFFF0, sample_rate=8000) + b"\x01\x02" * 80
    data = data[:40] + stated.to_bytes(4, "little") + data[44:]
    assert read_wav(data).samples == b"\x01\x02" * 80
    assert read_wav(data).seconds == 0.01


def test_a_frame_cut_in_two_is_left_out():
    assert read_wav(wav_header(5, sample_rate=8000) + b"12345").samples == b"1234"


def test_other_chunks_are_passed_over():
    header = wav_header(4, sample_rate=8000)
    data = header[:36] + b"LIST" + (3).to_bytes(4, "little") + b"abc\0" + header[36:] + b"1234"
    assert read_wav(data).samples == b"1234"


def test_the_extensible_form_says_its_true_encoding():
    guid = MU_LAW.to_bytes(2, "little") + bytes(14)
    kind = (0xFFFE).to_bytes(2, "little") + wav_header(0, sample_rate=8000, bits=8)[22:36]
    kind += (22).to_bytes(2, "little") + bytes(6) + guid
    data = b"RIFF\0\0\0\0WAVEfmt " + len(kind).to_bytes(4, "little") + kind
    read = read_wav(data + b"data" + (4).to_bytes(4, "little") + b"1234")
    assert (read.encoding, read.bits, read.seconds) == (MU_LAW, 8, 4 / 8000)
    assert {PCM, A_LAW, MU_LAW} == {1, 6, 7}


@given(st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: b"RIFF....WAVE" + tail))
def test_what_is_no_wav_file_is_refused_and_never_anything_else(data):
    try:
        read = read_wav(data)
    except ValueError as error:
        assert str(error).startswith("it")
    else:
        assert read.seconds >= 0


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3\x04", b"RIFF....WAVEdata\x01\0\0\0x"])
def test_no_samples_are_no_wav_file(data):
    with pytest.raises(ValueError, match=r"^it "):
        read_wav(data)
