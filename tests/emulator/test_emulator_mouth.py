"""The emulator's mouth, with a voice (espeak-ng) and without one (tones)."""

import math
import threading
import time
from itertools import pairwise

import pytest

from mai_sdk.emulator.mouth import Mouth, tokens_of
from mai_sdk.emulator.pcm import from_bytes, resampled, to_bytes

TEXT = "Hello there, Dr. Smith! This costs $25.50 today, naïve 🎉 <b> & co."
RATES = (8000, 16_000, 22_050, 24_000, 44_100, 48_000)


@pytest.fixture(params=[False, True], ids=["tones", "espeak"])
def mouth(request):
    return Mouth(7, real=request.param)


def test_the_same_text_sounds_the_same_whatever_was_said_before(mouth):
    once = mouth.speak(TEXT, voice="en-US-Harper:MAI-Voice-2")
    for voice in ("de-DE-Klaus", "zh-CN-Bo", "xx-Nobody", None):
        mouth.speak("Something else.", voice=voice)
    assert mouth.speak(TEXT, voice="en-US-Harper") == once
    assert Mouth(7, real=mouth.is_real).speak(TEXT, voice="en-US-Harper") == once


@pytest.mark.parametrize("sample_rate", RATES)
def test_speech_is_heard_and_never_clipped_at_any_rate(mouth, sample_rate):
    spoken = mouth.speak(TEXT, sample_rate=sample_rate)
    samples = from_bytes(spoken.pcm)
    loudness = math.sqrt(sum(s * s for s in samples) / len(samples))
    assert 4 < spoken.seconds < 12
    assert 1000 < loudness < 10_000
    assert max(map(abs, samples)) < 32_000


def test_every_word_has_its_place_in_the_text_and_in_time(mouth):
    spoken = mouth.speak(TEXT)
    assert [(word.text_offset, word.text) for word in spoken.words] == tokens_of(TEXT)
    ends = [word.offset_ms + word.duration_ms for word in spoken.words]
    assert [word.offset_ms for word in spoken.words][1:] == pytest.approx(ends[:-1], abs=0.01)
    assert ends[-1] == pytest.approx(spoken.seconds * 1000, abs=0.01)


def test_a_faster_rate_is_a_shorter_utterance(mouth):
    assert mouth.speak(TEXT, rate=2.0).seconds < 0.7 * mouth.speak(TEXT).seconds


@pytest.mark.parametrize("text", ["", "   ", "... !", "\x00\ud800"])
def test_nothing_to_say_is_silence_of_no_length(mouth, text):
    assert mouth.speak(text).pcm == b""


def test_what_would_come_after_the_longest_time_is_not_said(mouth):
    cut = mouth.speak(TEXT * 20, max_seconds=5.0)
    assert cut.seconds == 5.0
    assert cut.words[-1].offset_ms <= 5000
    assert len(cut.words) < 30


def test_ten_seconds_are_spoken_in_far_less_than_one(mouth):
    mouth.speak("warm")
    began = time.process_time()
    spoken = mouth.speak("The quick brown fox jumps over the lazy dog. " * 3)
    assert spoken.seconds > 8
    assert time.process_time() - began < 0.5


def test_threads_do_not_mix_their_words():
    mouth = Mouth(0, real=True)
    texts = [f"This is text number {number}." for number in range(8)]
    alone = [mouth.speak(text) for text in texts]
    together = {}
    threads = [
        threading.Thread(target=lambda text=text: together.update({text: mouth.speak(text)}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[text] for text in texts] == alone


def test_chinese_is_spoken_character_by_character():
    words = Mouth(0).speak("你好，世界。", voice="zh-CN-Bo").words
    assert [word.text for word in words] == ["你", "好", "，", "世", "界", "。"]


def test_a_tone_keeps_its_pitch_at_another_rate():
    tone = to_bytes(from_bytes(b"".join(
        round(8000 * math.sin(2 * math.pi * 440 * n / 22_050)).to_bytes(2, "little", signed=True)
        for n in range(22_050)
    )))  # fmt: skip
    for rate in RATES:
        samples = from_bytes(resampled(tone, 22_050, rate))
        crossings = sum(a < 0 <= b for a, b in pairwise(samples))
        assert crossings == pytest.approx(440, abs=2)
        assert len(samples) == pytest.approx(rate, abs=1)


def test_a_real_voice_cannot_be_had_without_the_extra(monkeypatch):
    monkeypatch.setattr("mai_sdk.emulator.espeak.is_installed", lambda: False)
    with pytest.raises(RuntimeError, match=r"mai-sdk\[speech\]"):
        Mouth(real=True)
    assert not Mouth().is_real
