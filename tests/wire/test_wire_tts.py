"""Audio out of bytes cut anywhere, and what the errors of the service mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.errors import (
    AuthenticationFailed,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    StreamTruncated,
    UnreadableAnswer,
)
from mai_sdk.wire.tts import (
    AudioReader,
    read_tts_failure,
    read_voices,
    speech_path,
    voices_path,
)
from mai_sdk.wire.voice import locale_of, model_of, voice_name

ENVOY = b"upstream connect error or disconnect/reset before headers. reset reason: protocol error"


@given(st.lists(st.binary(max_size=9)), st.sampled_from([1, 2]))
def test_however_the_bytes_are_cut_only_whole_samples_come_and_none_is_lost(chunks, frame):
    reader = AudioReader(frame_bytes=frame)
    pieces = [piece for chunk in chunks for piece in reader.feed(chunk)]
    sent = b"".join(chunks)
    whole = sent[: len(sent) - len(sent) % frame]
    assert all(piece and len(piece) % frame == 0 for piece in pieces)
    assert b"".join(pieces) == reader.audio == whole
    assert reader.size == len(whole)
    if len(whole) != len(sent):
        with pytest.raises(StreamTruncated):
            reader.close()
    elif not sent:
        with pytest.raises(UnreadableAnswer):
            reader.close()
    else:
        reader.close()


def test_half_a_sample_at_the_end_is_a_break_and_no_audio_is_no_answer():
    reader = AudioReader(frame_bytes=2)
    reader.feed(b"\1\2\3")
    with pytest.raises(StreamTruncated, match="inside a sample"):
        reader.close()
    assert reader.audio == b"\1\2"
    with pytest.raises(UnreadableAnswer, match="without any audio"):
        AudioReader(frame_bytes=2).close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, b"", RequestRejected, "a style or an output format"),
        (400, b'{"error":{"code":"x","message":"Bad text."}}', RequestRejected, "Bad text"),
        (401, b"", AuthenticationFailed, "Check the key"),
        (415, b"", RequestRejected, "415"),
        (429, b"", RateLimited, "429"),
        (502, ENVOY, RequestRejected, "a voice it"),
        (502, b"Bad Gateway", ServiceUnavailable, "502"),
        (503, b"", ServiceUnavailable, "503"),
    ],
)
def test_an_answer_without_audio_is_the_error_it_means(status, body, kind, said):
    error = read_tts_failure(status=status, headers={"x-request-id": "r"}, body=body)
    assert type(error) is kind
    assert said in error.message
    assert (error.status, error.request_id) == (status, "r")


@pytest.mark.parametrize(
    ("endpoint", "prefix"),
    [
        ("https://eastus.tts.speech.microsoft.com", ""),
        ("https://acme.cognitiveservices.azure.com", "/tts"),
        ("http://127.0.0.1:8000", "/tts"),
    ],
)
def test_a_region_and_a_resource_have_different_paths(endpoint, prefix):
    assert speech_path(endpoint) == f"{prefix}/cognitiveservices/v1"
    assert voices_path(endpoint) == f"{prefix}/cognitiveservices/voices/list"


def test_a_voice_is_put_together_and_taken_apart():
    assert voice_name("en-US-Harper", model="MAI-Voice-2") == "en-US-Harper:MAI-Voice-2"
    assert voice_name("en-US-Iris:MAI-Voice-1", model="MAI-Voice-2") == "en-US-Iris:MAI-Voice-1"
    assert voice_name("en-US-Harper", model=None) == "en-US-Harper"
    assert model_of("en-US-Iris:MAI-Voice-1") == "MAI-Voice-1"
    assert model_of("en-US-JennyNeural") is None
    assert locale_of("zh-CN-liaoning-XiaobeiNeural") == "zh-CN-liaoning"
    assert locale_of("Harper") == "en-US"


def test_a_list_of_voices_is_read_and_anything_else_is_not():
    row = {"ShortName": "en-US-Harper:MAI-Voice-2", "New": 1}
    assert read_voices(b'[{"ShortName":"en-US-Harper:MAI-Voice-2","New":1},3]', {}) == [row]
    for body in (b"<html>", b"{}", b"[]", b"\xff"):
        with pytest.raises(UnreadableAnswer, match="no list of voices"):
            read_voices(body, {})
