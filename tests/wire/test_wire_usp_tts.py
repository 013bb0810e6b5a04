import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk import errors
from mai_sdk.wire.closes import failure_from_close
from mai_sdk.wire.events import Unrecognised
from mai_sdk.wire.speech_events import (
    AudioChunk,
    Bookmark,
    SentenceBoundary,
    SpeechEnd,
    Viseme,
    WordBoundary,
)
from mai_sdk.wire.usp import Message, config_body, decode, encode
from mai_sdk.wire.usp_tts import Context, Turn

FORMAT = "raw-24khz-16bit-mono-pcm"


def a_turn(*, text="Hello, Hello.", ssml="<speak/>", **context):
    given = {"output_format": FORMAT, "bytes_per_second": 48_000, **context}
    config = config_body(name="mai-sdk", version="1", platform="Linux")
    return Turn(Context(**given), text=text, ssml=ssml, config=config, clock=lambda: 0.0)


def said(turn, path, body="{}", **headers):
    return encode(Message(path, body, {"X-RequestId": turn.request_id, **headers}))


def response(stream_id="5"):
    return json.dumps(
        {"context": {"serviceTag": "t"}, "audio": {"type": "inline", "streamId": stream_id}}
    )


def metadata(*entries):
    return json.dumps({"Metadata": [{"Type": kind, "Data": data} for kind, data in entries]})


def paths(frames):
    return [decode(frame).path for frame in frames]


def test_the_first_turn_of_a_connection_says_who_calls_and_the_next_does_not():
    turn = a_turn()
    assert paths(turn.opening(first=True)) == ["speech.config", "synthesis.context", "ssml"]
    assert paths(turn.opening(first=False)) == ["synthesis.context", "ssml"]


def test_the_context_is_the_official_clients_key_for_key():
    frame = a_turn(output_format="raw-16khz-16bit-mono-pcm").opening(first=False)[0]
    assert decode(frame).body == (
        '{"synthesis":{"audio":{"outputFormat":"raw-16khz-16bit-mono-pcm","metadataOptions":'
        '{"visemeEnabled":false,"bookmarkEnabled":false,"wordBoundaryEnabled":false,'
        '"punctuationBoundaryEnabled":false,"sentenceBoundaryEnabled":false,"sessionEndEnabled":true}},'
        '"language":{"autoDetection":false}}}'
    )


def test_streamed_text_goes_out_unescaped_and_the_context_says_so():
    turn = a_turn(ssml=None, input={"voiceName": "en-US-Harper", "language": ""})
    assert (
        '"input":{"bidirectionalStreamingMode":true,"voiceName":"en-US-Harper"'
        in turn.opening(first=False)[0]
    )
    assert decode(turn.piece("Hello <b>&")).body == "Hello <b>&"
    assert decode(turn.end()).path == "text.end"


def test_a_whole_turn_is_audio_and_marks_and_an_end():
    turn = a_turn()
    events = []
    for frame in (
        said(turn, "turn.start"),
        said(turn, "response", response()),
        said(
            turn,
            "audio.metadata",
            metadata(
                (
                    "WordBoundary",
                    {
                        "Offset": 500_000,
                        "Duration": 2_000_000,
                        "text": {"Text": "Hello", "Length": 5, "BoundaryType": "WordBoundary"},
                    },
                ),
                (
                    "WordBoundary",
                    {
                        "Offset": 2_500_000,
                        "Duration": 1,
                        "text": {"Text": ",", "Length": 1, "BoundaryType": "PunctuationBoundary"},
                    },
                ),
                (
                    "WordBoundary",
                    {
                        "Offset": 3_000_000,
                        "Duration": 1,
                        "text": {"Text": "Hello", "Length": 5, "BoundaryType": "WordBoundary"},
                    },
                ),
                (
                    "SentenceBoundary",
                    {
                        "Offset": 500_000,
                        "Duration": 1,
                        "text": {
                            "Text": "Hello, Hello.",
                            "Length": 13,
                            "BoundaryType": "SentenceBoundary",
                        },
                    },
                ),
                ("Viseme", {"Offset": 500_000, "VisemeId": 4}),
                ("Bookmark", {"Offset": 500_000, "Bookmark": "here"}),
                ("TalkingAvatarSignal", {"Offset": 1}),
            ),
        ),
        said(turn, "audio", b"\1\0" * 2400, **{"X-StreamId": "5"}),
        said(turn, "audio", b"", **{"X-StreamId": "5"}),
        said(turn, "audio.metadata", metadata(("SessionEnd", {"Offset": 1_000_000}))),
        said(turn, "turn.end"),
    ):
        events += turn.feed(frame)
    words = [event for event in events if isinstance(event, WordBoundary)]
    assert [(w.text, w.offset_ms, w.text_offset, w.is_punctuation) for w in words] == [
        ("Hello", 50.0, 0, False),
        (",", 250.0, 5, True),
        ("Hello", 300.0, 7, False),
    ]
    kinds = [type(event) for event in events]
    assert kinds[3:] == [SentenceBoundary, Viseme, Bookmark, Unrecognised, AudioChunk, SpeechEnd]
    assert turn.is_over
    assert turn.audio_bytes == 4800


def test_audio_of_another_stream_or_turn_is_not_ours():
    turn = a_turn()
    turn.feed(said(turn, "response", response("5")))
    assert turn.feed(said(turn, "audio", b"\0\0", **{"X-StreamId": "6"})) == []
    assert turn.feed(encode(Message("audio", b"\0\0", {"X-RequestId": "f" * 32}))) == []
    assert turn.feed(encode(Message("turn.end", "{}", {"X-RequestId": "f" * 32}))) == []
    assert not turn.is_over


def test_ids_are_compared_without_case_and_headers_too():
    turn = a_turn()
    frame = f"PATH: turn.start\r\nx-requestid: {turn.request_id.upper()}\r\n\r\n{{}}"
    turn.feed(frame)
    assert turn.has_begun


def test_less_audio_than_the_service_says_it_sent_is_a_loss():
    turn = a_turn()
    turn.feed(said(turn, "audio", b"\0\0" * 2400))
    turn.feed(said(turn, "audio.metadata", metadata(("SessionEnd", {"Offset": 10_000_000}))))
    with pytest.raises(errors.StreamTruncated, match="1000 ms of audio, and 100 ms came"):
        turn.feed(said(turn, "turn.end"))


def test_a_turn_without_audio_is_no_success():
    turn = a_turn()
    with pytest.raises(errors.UnreadableAnswer, match="without any audio"):
        turn.feed(said(turn, "turn.end"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, errors.StreamTruncated),
        (1001, errors.StreamTruncated),
        (1005, errors.StreamTruncated),
        (1006, errors.ConnectionFailed),
        (1007, errors.RequestRejected),
        (1008, errors.ConnectionFailed),
        (1009, errors.RequestRejected),
        (1011, errors.ServiceUnavailable),
        (1012, errors.ServiceUnavailable),
        (4401, errors.AuthenticationFailed),
        (4429, errors.RateLimited),
        (4500, errors.ServiceUnavailable),
    ],
)
def test_every_close_before_the_end_is_an_error(code, kind):
    error = failure_from_close(code, "Some reason", before="turn.end")
    assert type(error) is kind
    assert error.code == str(code)
    assert code == 1006 or "Some reason" in error.message


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["Metadata", "Type", "Data", "Offset", "text", "Text", "audio", "streamId"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(data=st.data())
def test_messages_in_any_order_with_any_body_end_in_events_or_our_errors(data):
    turn = a_turn()
    for _ in range(data.draw(st.integers(0, 8))):
        path = data.draw(
            st.sampled_from(["turn.start", "response", "audio", "audio.metadata", "turn.end", "x"])
        )
        body = data.draw(
            st.one_of(
                st.text(max_size=5),
                st.binary(max_size=5),
                JSON.map(json.dumps),
                st.sampled_from(["WordBoundary", "Viseme", "SessionEnd", "Bookmark"]).flatmap(
                    lambda kind: JSON.map(
                        lambda value: json.dumps({"Metadata": [{"Type": kind, "Data": value}]})
                    )
                ),
            )
        )
        try:
            turn.feed(said(turn, path, body))
        except errors.CallFailed:
            break
        if turn.is_over:
            assert turn.audio_bytes or turn.session_end_ms
    assert isinstance(turn.closed(1000, ""), errors.CallFailed)


@given(frame=st.one_of(st.text(), st.binary()))
def test_any_frame_at_all_is_events_or_our_error(frame):
    with contextlib.suppress(errors.UnreadableAnswer):
        a_turn().feed(frame)
