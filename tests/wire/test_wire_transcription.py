"""What is asked of a transcription, and how every form of its answer is read."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk import errors
from mai_sdk.wire.transcription import (
    Spoken,
    TranscriptionRequest,
    definition,
    form,
    read_failed,
    read_transcription,
)


def read(**said):
    return read_transcription(json.dumps(said).encode(), {})


def test_model_options_stand_inside_enhanced_mode_and_only_where_asked_for():
    asked = TranscriptionRequest(model="MAI-Transcribe-2", timestamps="word", style="clean")
    assert definition(asked) == {
        "enhancedMode": {
            "enabled": True,
            "model": "MAI-Transcribe-2",
            "modelOptions": {"timestamps": "word", "transcribeStyle": "clean"},
        }
    }
    plain = definition(TranscriptionRequest(model="MAI-Transcribe-1.5"))
    assert plain == {"enhancedMode": {"enabled": True, "model": "MAI-Transcribe-1.5"}}


def test_everything_else_stands_at_the_top():
    asked = TranscriptionRequest(
        locale="en-US", phrases=("Contoso",), diarize=True, max_speakers=3, audio_url="https://x/a"
    )
    assert definition(asked) == {
        "audioUrl": "https://x/a",
        "locales": ["en-US"],
        "diarization": {"enabled": True, "maxSpeakers": 3},
        "enhancedMode": {"enabled": True},
        "phraseList": {"phrases": ["Contoso"]},
    }


def test_raw_fields_win_and_objects_are_merged():
    extra = {"enhancedMode": {"task": "translate", "enabled": False}, "channels": [0, 1]}
    asked = TranscriptionRequest(model="m", timestamps="word", extra=extra)
    assert definition(asked) == {
        "enhancedMode": {
            "enabled": False,
            "model": "m",
            "modelOptions": {"timestamps": "word"},
            "task": "translate",
        },
        "channels": [0, 1],
    }


def test_the_form_is_that_of_the_official_client():
    before, after = form({"locales": ["de"]}, filename="a.wav", boundary="b")
    assert before == (
        b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    )
    assert after == (
        b'\r\n--b\r\nContent-Disposition: form-data; name="definition"\r\n\r\n'
        b'{"locales":["de"]}\r\n--b--\r\n'
    )
    alone, rest = form({}, filename=None, boundary="b")
    assert b"Content-Type: application/json" in alone
    assert rest == b""


def test_a_full_answer_is_read_field_by_field():
    answer = read(
        durationMilliseconds=5400,
        combinedPhrases=[{"text": "Good day. Yes?"}],
        phrases=[
            {
                "offsetMilliseconds": 40, "durationMilliseconds": 900, "text": "Good day.",
                "words": [{"text": "Good", "offsetMilliseconds": 40, "durationMilliseconds": 200}],
                "locale": "en-us", "confidence": 0, "speaker": 0, "channel": 1, "new": [1],
            },
            {"text": "Yes?", "confidence": 0.5},
        ],
        later="kept",
    )  # fmt: skip
    first, second = answer.phrases
    assert (answer.text, answer.duration_ms) == ("Good day. Yes?", 5400)
    assert (first.offset_ms, first.duration_ms, first.speaker, first.channel) == (40, 900, "0", 1)
    assert first.words == (Spoken("Good", 40, 200),)
    assert first.language == "en-us"
    assert first.confidence is None, "0 is what these models always say"
    assert (second.offset_ms, second.duration_ms, second.speaker) == (None, None, None)
    assert second.confidence == 0.5
    assert answer.raw["later"] == "kept"
    assert answer.raw["phrases"][0]["new"] == [1]


def test_no_phrases_are_silence_and_no_error():
    assert read(durationMilliseconds=900, combinedPhrases=[], phrases=[]).text == ""
    assert read(combinedPhrases=None, phrases=None, durationMilliseconds=None).text == ""


def test_the_text_is_put_together_where_it_is_not_combined():
    said = [{"text": "One."}, {"text": None}, {"text": "Two."}]
    assert read(phrases=said).text == "One. Two."
    channels = [{"channel": 0, "text": "Left."}, {"channel": 1, "text": "Right."}]
    assert read(combinedPhrases=channels).text == "Left.\nRight."


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = ("text", "offsetMilliseconds", "durationMilliseconds", "words", "locale", "speaker")
phrases = st.dictionaries(st.sampled_from(FIELDS), json_values)


@given(duration=json_values, combined=json_values, said=st.lists(phrases, max_size=3) | json_values)
def test_no_answer_of_any_shape_breaks_the_reading(duration, combined, said):
    body = {"durationMilliseconds": duration, "combinedPhrases": combined, "phrases": said}
    try:
        text = json.dumps(body, allow_nan=False)
    except ValueError:
        return
    answer = read_transcription(text.encode(), {})
    assert answer.duration_ms is None or answer.duration_ms >= 0
    assert all(phrase.offset_ms is None or phrase.offset_ms >= 0 for phrase in answer.phrases)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"{}", b'{"status": "ok"}'])
def test_what_is_no_answer_of_this_service_is_said_to_be_unreadable(body):
    with pytest.raises(errors.UnreadableAnswer):
        read_transcription(body, {"content-type": "text/html"})


def test_an_error_inside_a_200_is_an_error():
    with pytest.raises(errors.RateLimited):
        read(error={"code": "429", "message": "Too many."})


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": "InvalidArgument", "message": "The locale is odd."}}',
        b'{"code": "InvalidArgument", "message": "The locale is odd."}',
        b"The locale is odd.",
    ],
)
def test_an_error_is_read_in_all_three_forms(body):
    failure = read_failed(422, {"apim-request-id": "r"}, body)
    assert type(failure) is errors.RequestRejected
    assert "The locale is odd." in failure.message
    assert failure.request_id == "r"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRejected),
        (401, errors.AuthenticationFailed),
        (408, errors.ServiceUnavailable),
        (429, errors.RateLimited),
        (503, errors.ServiceUnavailable),
    ],
)
def test_a_status_decides_the_class(status, kind):
    assert type(read_failed(status, {}, b"no")) is kind


def test_times_that_are_no_whole_numbers_are_rounded_down():
    phrase = read(phrases=[{"text": "a", "offsetMilliseconds": 10.9}]).phrases[0]
    assert phrase.offset_ms == math.floor(10.9)


@pytest.mark.parametrize("duration", [0, -1, 10**40, 1e308, "10000", True, None])
def test_a_duration_that_no_audio_has_is_none_at_all(duration):
    assert read(durationMilliseconds=duration, phrases=[]).duration_ms is None
