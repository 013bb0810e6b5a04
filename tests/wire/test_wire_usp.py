import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.usp import Malformed, Message, decode, encode, timestamp

NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{0,20}\Z").filter(lambda n: n.lower() != "path")
VALUES = st.from_regex(r"\A([!-~]([ -~]{0,30}[!-~])?)?\Z")


@given(
    path=st.from_regex(r"\A[a-z][a-z.]{0,20}\Z"),
    body=st.one_of(st.text(), st.binary()),
    headers=st.dictionaries(NAMES, VALUES, max_size=5),
)
def test_what_is_written_is_read_back(path, body, headers):
    read = decode(encode(Message(path, body, headers)))
    assert (read.path, read.body) == (path, body)
    lower = {}
    for name, value in headers.items():
        lower[name.lower()] = value
    assert read.headers == lower


@given(frame=st.one_of(st.text(), st.binary()))
def test_anything_is_a_message_or_malformed(frame):
    try:
        message = decode(frame)
    except Malformed:
        return
    assert message.path
    _ = message.json, message.request_id, message.stream_id


def test_both_clients_ways_to_write_a_header_are_read():
    for line in ("Path:turn.end", "path: turn.end", "PATH : turn.end "):
        assert decode(f"{line}\r\nX-RequestId: AB\r\n\r\n{{}}").path == "turn.end"


def test_the_body_begins_at_the_first_blank_line():
    assert decode("Path:ssml\r\n\r\na\r\n\r\nb").body == "a\r\n\r\nb"


def test_a_recorded_binary_frame_is_read():
    head = (
        b"X-Timestamp:2026-11-22T09:31:34.279Z\r\nPath:audio\r\nContent-Type:audio/x-wav\r\n"
        b"X-RequestId:16469c6727604472ba51ca7af658879f\r\nX-StreamId:1\r\n"
    )
    message = decode(len(head).to_bytes(2, "big") + head + b"RIFF")
    assert (message.path, message.stream_id, message.body) == ("audio", "1", b"RIFF")
    assert message.request_id == "16469c6727604472ba51ca7af658879f"


def test_a_frame_is_written_as_the_official_client_writes_it():
    frame = encode(
        Message("ssml", "<speak/>", {"Content-Type": "application/ssml+xml", "X-RequestId": "ab"}),
        at="2026-11-22T09:20:53.152Z",
    )
    assert frame == (
        "X-Timestamp:2026-11-22T09:20:53.152Z\r\nPath:ssml\r\n"
        "Content-Type:application/ssml+xml\r\nX-RequestId:ab\r\n\r\n<speak/>"
    )


@pytest.mark.parametrize("value", ["a\r\nPath:x", " a", "a\n"])
def test_a_header_that_could_not_be_read_back_is_not_written(value):
    with pytest.raises(Malformed):
        encode(Message("ssml", "", {"X-RequestId": value}))


def test_headers_beyond_what_a_signed_length_can_say_are_not_written():
    with pytest.raises(Malformed):
        encode(Message("audio", b"", {"X": "a" * 40_000}))


def test_a_time_is_said_in_utc_to_the_millisecond():
    assert timestamp(1_795_339_253.152) == "2026-11-22T09:20:53.152Z"
