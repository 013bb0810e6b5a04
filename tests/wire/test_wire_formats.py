import pytest

from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.formats import SHORT_NAMES, audio_format


def told(name):
    kind = audio_format(name)
    return kind.wire_name, kind.container, kind.encoding, kind.sample_rate, kind.frame_bytes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wav", ("raw-24khz-16bit-mono-pcm", "wav", "pcm", 24_000, 2)),
        ("pcm-16khz", ("raw-16khz-16bit-mono-pcm", "raw", "pcm", 16_000, 2)),
        ("riff-22050hz-16bit-mono-pcm", ("raw-22050hz-16bit-mono-pcm", "wav", "pcm", 22_050, 2)),
        ("riff-8khz-8bit-mono-alaw", ("raw-8khz-8bit-mono-alaw", "wav", "alaw", 8000, 1)),
        ("mulaw", ("raw-8khz-8bit-mono-mulaw", "raw", "mulaw", 8000, 1)),
        ("MP3", ("audio-24khz-96kbitrate-mono-mp3", "mp3", "mp3", 24_000, 1)),
        ("opus", ("ogg-24khz-16bit-mono-opus", "ogg", "opus", 24_000, 1)),
        ("webm", ("webm-24khz-16bit-mono-opus", "webm", "opus", 24_000, 1)),
        (
            "webm-24khz-16bit-24kbps-mono-opus",
            ("webm-24khz-16bit-24kbps-mono-opus", "webm", "opus", 24_000, 1),
        ),
        (
            "raw-16khz-16bit-mono-truesilk",
            ("raw-16khz-16bit-mono-truesilk", "raw", "truesilk", 16_000, 1),
        ),
        ("g722-16khz-64kbps", ("g722-16khz-64kbps", "raw", "g722", 16_000, 1)),
        ("amr-wb-16000hz", ("amr-wb-16000hz", "amr", "amr", 16_000, 1)),
        ("some-future-format", ("some-future-format", "other", "format", None, 1)),
    ],
)
def test_a_name_says_what_comes(name, expected):
    assert told(name) == expected


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_every_short_name_is_a_format_with_a_rate(name):
    assert audio_format(name).sample_rate


@pytest.mark.parametrize("name", ["", "bogus", "mp4", "wav 16khz", "wav\r\nx: y", "-", "é-é"])
def test_what_can_be_no_format_is_refused_with_the_short_names(name):
    with pytest.raises(InvalidRequest, match="wav, pcm, mp3"):
        audio_format(name)


def test_seconds_follow_from_the_size_where_they_can():
    assert audio_format("wav").seconds(48_000) == 1.0
    assert audio_format("mulaw").seconds(8000) == 1.0
    assert audio_format("mp3").seconds(12_000) == 1.0
    assert audio_format("opus").seconds(12_000) is None
    assert audio_format("raw-16khz-16bit-mono-truesilk").seconds(100) is None


@pytest.mark.parametrize(
    ("name", "joinable"),
    [
        ("wav", True), ("mulaw", True), ("mp3", True), ("ogg", True), ("g722", True),
        ("webm", False), ("amr", False), ("audio-16khz-16bit-32kbps-mono-opus", False),
        ("raw-16khz-16bit-mono-truesilk", False),
    ],
)  # fmt: skip
def test_only_some_kinds_can_be_joined(name, joinable):
    assert audio_format(name).is_joinable is joinable


def test_a_name_with_absurd_numbers_says_nothing_of_what_comes():
    kind = audio_format(f"raw-{'9' * 5000}khz-{'9' * 5000}bit-mono-pcm")
    assert (kind.sample_rate, kind.bits, kind.seconds(100)) == (None, None, None)
