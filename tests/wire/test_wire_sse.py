from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk import errors
from mai_sdk.wire.sse import Frame, SSEDecoder, encode

NO_LINE_ENDS = "a\u2028b\u0085c\x0bd\x0ce\u2029f\x1cg"


def read(*parts: bytes, **caps: int) -> tuple[list[Frame], SSEDecoder]:
    decoder = SSEDecoder(**caps)
    return [frame for part in parts for frame in decoder.feed(part)], decoder


def frames(data: bytes) -> list[Frame]:
    return read(data)[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\n\n", [("a", None)]),
        (b"data:a\n\ndata:  b\n\n", [("a", None), (" b", None)]),
        (b"data: a\ndata: b\ndata\n\n", [("a\nb\n", None)]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("a", None), ("b", None), ("c", None)]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [("a", "error"), ("b", None)]),
        (b"event: ping\n\ndata: a\n\n", [("a", None)]),
        (b": keep-alive\n\nretry: 5\nid: 7\nfield: x\ndata: a\n\n", [("a", None)]),
        (b"id: 7\n\n: x\n\n", []),
        (b"data:\n\n", [("", None)]),
        (b"data: a\n\n\n\n\ndata: b\n\n", [("a", None), ("b", None)]),
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [("a", None)]),
        (f"data: {NO_LINE_ENDS}\n\n".encode(), [(NO_LINE_ENDS, None)]),
        (b"data: a\n", []),
        (b"data: a\n\ndata: b", [("a", None)]),
        (b" data: a\n\n", []),
        (b"data: a: b\n\n", [("a: b", None)]),
    ],
)
def test_the_grammar_is_the_standards(data: bytes, expected: list[Frame]):
    assert frames(data) == expected
    assert read(*(bytes([byte]) for byte in data))[0] == expected


PIECES = st.sampled_from([
    b"data: x\n\n", b"data: {}\n\n", b"data", b":", b" ", b"\n", b"\r", b"\r\n", b"a",
    b"event: e\n",
    b"\xef\xbb\xbf", "é😀\u2028".encode(), b": c\n", b"data: y\ndata: z\n\n", b"data: [DONE]\n\n",
    b"\xff",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=12), st.lists(st.integers(0, 90), max_size=4))
def test_cuts_never_change_what_is_read(pieces: list[bytes], cuts: list[int]):
    data = b"".join(pieces)
    bounds = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    parts = [data[a:b] for a, b in pairwise(bounds)]
    # byte by byte nothing is ever a whole plain event, so this is the exact state machine
    exact, exact_decoder = read(*(bytes([byte]) for byte in data))
    for some, decoder in (read(data), read(*parts)):
        assert some == exact
        assert type(decoder.error) is type(exact_decoder.error)
        assert decoder.close() == exact_decoder.close()


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_characters="\r", codec="utf-8")),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.sampled_from([None, "error", "response.created"]),
)
def test_what_is_encoded_is_read_back(text: str, newline: bytes, name: str | None):
    assert frames(encode(text, event=name, newline=newline)) == [(text, name)]


@pytest.mark.parametrize(
    "data", [b"data: \xff\n\n", b"data: \xc3\n\n", b"data: a\ndata: \xed\xa0\x80\n\n"]
)
def test_bytes_that_are_not_utf8_are_unreadable_and_lose_nothing_before(data: bytes):
    some, decoder = read(b"data: first\n\ndata: second\n\n" + data + b"data: later\n\n")
    assert some == [("first", None), ("second", None)]
    assert type(decoder.error) is errors.UnreadableAnswer
    assert decoder.feed(b"data: more\n\n") == []


def test_a_line_beyond_the_cap_is_refused_however_it_is_cut():
    line = b"data: " + b"x" * 100
    for parts in ([line], [line[:50], line[50:]], [bytes([byte]) for byte in line]):
        some, decoder = read(b"data: a\n\n", *parts, max_line_bytes=105)
        assert some == [("a", None)]
        assert type(decoder.error) is errors.AnswerTooLarge
    assert read(line + b"\n\n", max_line_bytes=106)[1].error is None


def test_an_event_beyond_the_cap_is_refused_even_if_its_lines_are_short():
    data = b"data: 12345\n" * 4
    assert type(read(data, max_event_bytes=22)[1].error) is errors.AnswerTooLarge
    some, decoder = read(data + b"\n", max_event_bytes=23)
    assert (some, decoder.error) == ([("12345\n12345\n12345\n12345", None)], None)


def test_many_events_in_one_read_may_be_larger_than_the_cap_together():
    assert len(frames(b"data: 12345\n\n" * 50)) == 50
    assert len(read(b"data: 12345\n\n" * 50, max_event_bytes=8, max_line_bytes=16)[0]) == 50


def test_the_end_inside_an_event_is_seen():
    assert read(b"data: a\n\n")[1].close() is False
    assert read(b"data: a\r\n\r")[1].close() is False
    assert read(b"data: a\n\n: note\n")[1].close() is False
    for cut in (b"\xef", b"data: a", b"data: a\n", b"data: a\r\n"):
        assert read(cut)[1].close() is True


def test_a_long_line_in_small_pieces_is_not_copied_again_and_again():
    decoder = SSEDecoder()
    decoder.feed(b"data: ")
    piece = b"x" * 64
    for _ in range(20_000):
        assert decoder.feed(piece) == []
    assert len(decoder._line) == 20_001
    assert [len(text) for text, _ in decoder.feed(b"\n\n")] == [64 * 20_000]
