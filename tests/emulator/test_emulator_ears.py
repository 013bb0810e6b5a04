"""The ears hear exactly what the emulator spoke, whole or in pieces, and admit what they do not."""

import itertools
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.speech import noise, spoken
from mai_sdk.emulator import recogniser
from mai_sdk.emulator.ears import NOBODY_LISTENED, Ears
from mai_sdk.emulator.utterance import SpokenWord, Utterance
from mai_sdk.wire.wav import wav_header

TEXT = 'The quick brown fox said "no". Then the lazy dog slept, and the fox went home.'


@pytest.fixture
def ears():
    made = Ears()
    made.remember(spoken("Something else, the fox."))
    made.remember(spoken(TEXT))
    return made


@pytest.fixture
def nobody_listens(monkeypatch):
    monkeypatch.setattr(recogniser, "find_spec", lambda _: None)


def test_its_own_speech_is_heard_word_for_word(ears):
    heard = ears.hear(spoken(TEXT).pcm, 16_000)
    assert (heard.text, heard.how) == (TEXT, "remembered")
    assert [word.offset_ms for word in heard.words] == [300.0 * n for n in range(16)]
    assert heard.words[5].text == '"no".'
    assert all(heard.text.startswith(word.text, word.text_offset) for word in heard.words)


def test_silence_around_it_and_a_wav_header_do_not_matter(ears):
    pcm = bytes(32_000) + spoken(TEXT).pcm + bytes(10_000)
    heard = ears.hear(wav_header(len(pcm), sample_rate=16_000) + pcm, 8_000)
    assert heard.text == TEXT
    assert heard.words[0].offset_ms == 1000.0
    assert heard.duration_ms == len(pcm) / 32


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 77_000), max_size=5))
def test_pieces_cut_anywhere_have_all_the_words_between_them_and_none_twice(cuts):
    ears = Ears()
    ears.remember(spoken(TEXT))
    pcm = spoken(TEXT).pcm
    edges = [0, *sorted(2 * cut for cut in cuts), len(pcm)]
    pieces = [ears.hear(pcm[a:b], 16_000) for a, b in itertools.pairwise(edges)]
    words = [word.text for piece in pieces for word in piece.words]
    assert words == TEXT.split()
    for piece in pieces:
        assert all(
            0 <= word.offset_ms <= word.offset_ms + word.duration_ms <= piece.duration_ms + 0.001
            for word in piece.words
        )


def test_several_utterances_in_one_recording_are_heard_in_order(ears):
    pcm = spoken(TEXT).pcm + bytes(3200) + spoken("Something else, the fox.").pcm
    heard = ears.hear(pcm, 16_000)
    assert heard.text == f"{TEXT} Something else, the fox."
    assert heard.words[16].offset_ms == 16 * 300 + 100


def test_a_piece_that_begins_within_a_tone_is_not_taken_for_another_like_it():
    tones = b"".join(
        (bytes([number, 1, 255 - number, 254]) * 3000) for number in (1, 2, 1, 3, 1, 4)
    )
    words = tuple(
        SpokenWord(text=word, offset_ms=375 * n, duration_ms=375, text_offset=3 * n)
        for n, word in enumerate(["it", "is", "so", "an", "ox", "up"])
    )
    ears = Ears()
    text = "it is so an ox up"
    ears.remember(Utterance(text=text, pcm=tones, sample_rate=16_000, words=words))
    assert ears.hear(tones[28_000:], 16_000).text == "so an ox up"
    assert ears.hear(tones[52_000:], 16_000).text == "ox up"


def test_silence_says_nothing(ears):
    heard = ears.hear(bytes(32_000), 16_000)
    assert (heard.text, heard.words, heard.how) == ("", (), "silence")
    assert heard.duration_ms == 1000.0


@pytest.mark.usefixtures("nobody_listens")
def test_strange_audio_is_not_made_up(ears):
    heard = ears.hear(noise("strange", 64_000), 16_000)
    assert (heard.text, heard.how) == (NOBODY_LISTENED, "not_listened")
    assert heard.duration_ms == 2000.0


@pytest.mark.usefixtures("nobody_listens")
def test_speech_at_another_rate_is_other_samples(ears):
    assert ears.hear(spoken(TEXT).pcm, 8_000).how == "not_listened"


def test_an_odd_byte_at_the_end_is_left_out(ears):
    assert ears.hear(spoken(TEXT).pcm + b"\x01", 16_000).text == TEXT


def test_the_oldest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr("mai_sdk.emulator.ears._ROOM", len(spoken(TEXT).pcm) + 10)
    ears = Ears()
    ears.remember(spoken("one two"))
    ears.remember(spoken(TEXT))
    assert ears.hear(spoken(TEXT).pcm, 16_000).text == TEXT
    monkeypatch.setattr(recogniser, "find_spec", lambda _: None)
    assert ears.hear(spoken("one two").pcm, 16_000).how == "not_listened"


@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="the [speech] extra is not installed")
def test_a_recogniser_listens_where_one_is_installed(ears):
    heard = ears.hear(noise("strange", 2 * 22_050), 22_050)
    assert heard.how == "recognised"
