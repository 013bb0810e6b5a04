"""Recognition over USP: what is said is what the official client says, what comes is understood."""

import json

import pytest

from mai_sdk.wire.live_address import recognition_url
from mai_sdk.wire.usp import Message, decode
from mai_sdk.wire.usp_stt import (
    Hypothesis,
    Phrase,
    Recogniser,
    SpeechFound,
    SpeechOver,
    TurnEnded,
    TurnStarted,
    read_recognition,
    recognition_context,
)
from mai_sdk.wire.wav import read_wav_head, stream_header

CONTEXT = (
    '{"phraseDetection":{"mode":"CONVERSATION","language":"en-us"},"model":{"name":'
    '"mai-transcribe-2-streaming"},"audio":{"streams":{"1":null}}%s}'
)
"""As the native Speech SDK 1.53 sends it (recorded on a loopback server, 2026-11-22)."""
CONTINUED = (
    ',"continuation":{"previousServiceTag":"st","audio":{"streams":{"1":{"offset":"10000000"}}}}'
)
AT = 1_795_339_894.278
"""2026-11-22T09:31:34.278Z"""


def context(**options):
    return recognition_context(
        model="mai-transcribe-2-streaming", language="en-us", **options
    )  # fmt: skip


def said(path, **body):
    return read_recognition(Message(path, json.dumps(body), {}))


def test_the_context_is_the_official_clients_to_the_letter():
    asks = Recogniser("16469c6727604472ba51ca7af658879f")
    first = decode(asks.context(context(), service_tag=None, offset_ms=0, at=AT))
    assert first.body == CONTEXT % ""
    assert first.request_id == "16469c6727604472ba51ca7af658879f"
    assert first.headers["x-timestamp"] == "2026-11-22T09:31:34.278Z"
    second = decode(asks.context(context(), service_tag="st", offset_ms=1000, at=AT))
    assert second.body == CONTEXT % CONTINUED


def test_the_frames_are_the_official_clients_but_for_the_order_of_their_headers():
    asks = Recogniser("r" * 32)
    assert asks.commit("1", at=AT) == (
        "X-Timestamp:2026-11-22T09:31:34.278Z\r\nPath:audio.commit\r\n"
        f"X-RequestId:{'r' * 32}\r\nX-Client-Commit-Token:1\r\n\r\n"
    )
    head, audio, end = map(
        decode,
        (asks.head(sample_rate=16_000, at=AT), asks.audio(b"ab", at=AT), asks.audio(b"", at=AT)),
    )
    assert head.headers["content-type"] == "audio/x-wav"
    assert [each.body for each in (head, audio, end)] == [
        stream_header(sample_rate=16_000), b"ab", b"",
    ]  # fmt: skip
    assert {(each.path, each.stream_id, each.request_id) for each in (head, audio, end)} == {
        ("audio", "1", "r" * 32)
    }
    config = decode(asks.config("{}", at=AT))
    assert (config.path, config.body, config.request_id) == ("speech.config", "{}", None)


def test_a_header_without_lengths_says_what_the_samples_are():
    head = stream_header(sample_rate=24_000)
    assert len(head) == 44
    assert head[4:8] == head[40:] == bytes(4)
    assert read_wav_head(head).sample_rate == 24_000


def test_extra_is_laid_over_the_context_and_objects_are_merged():
    made = context(extra={"phraseDetection": {"mode": "DICTATION"}, "phraseOutput": {"a": 1}})
    assert made["phraseDetection"] == {"mode": "DICTATION", "language": "en-us"}
    assert made["phraseOutput"] == {"a": 1}
    assert context()["phraseDetection"]["mode"] == "CONVERSATION"


def test_every_message_of_a_turn_is_understood():
    assert said("turn.start", context={"serviceTag": "t"}) == TurnStarted(service_tag="t")
    assert said("speech.startDetected", Offset=1_000_000) == SpeechFound(offset_ms=100)
    assert said("speech.hypothesis", Text="a", Offset=0) == Hypothesis(
        text="a", offset_ms=0, locale=None
    )
    phrase = said(
        "speech.phrase", RecognitionStatus="Success", DisplayText="A.", Offset=10_000,
        Duration=20_000, clientAudioMetadata={"X-Client-Commit-Token": "7"},
    )  # fmt: skip
    assert phrase == Phrase(
        status="Success", text="A.", offset_ms=1, duration_ms=2, locale=None, commit_token="7"
    )
    assert (phrase.end_ms, phrase.is_end, phrase.is_failure) == (3, False, False)
    assert said("speech.endDetected", Offset=5) == SpeechOver(offset_ms=0.0005)
    assert said("turn.end") == TurnEnded()
    assert said("speech.novelty") is None


@pytest.mark.parametrize(
    ("status", "is_failure"),
    [("Success", False), ("NoMatch", False), ("InitialSilenceTimeout", False), ("", False),
     ("BabbleTimeout", False), ("Error", True), ("TooManyRequests", True), ("Novelty", True)],
)  # fmt: skip
def test_a_status_is_a_failure_unless_it_says_that_nothing_was_heard(status, is_failure):
    assert said("speech.phrase", RecognitionStatus=status).is_failure is is_failure
    assert not said("speech.phrase", RecognitionStatus=status, DisplayText="A.").is_failure


@pytest.mark.parametrize("offset", [None, "7", -1, True, [], {}])
def test_a_place_that_is_none_is_not_known(offset):
    assert said("speech.phrase", Offset=offset, Duration=offset).end_ms is None


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://centralus.stt.speech.microsoft.com",
         "https://centralus.stt.speech.microsoft.com/speech/universal/v2"),
        ("https://r.cognitiveservices.azure.com",
         "https://r.cognitiveservices.azure.com/stt/speech/universal/v2"),
    ],
)  # fmt: skip
def test_a_regions_host_has_it_at_the_root_and_others_below_stt(endpoint, url):
    assert recognition_url(endpoint) == url
    assert recognition_url(endpoint, query=[("a", "b c")]) == f"{url}?a=b%20c"
