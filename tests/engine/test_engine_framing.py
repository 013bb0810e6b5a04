"""WebSocket frames beside websockets' own class: the same bytes mean the same, however cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol

from mai_sdk.engine.framing import Framing
from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import AnswerTooLarge

MOST = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, MOST])


def framing():
    return Framing(max_message_bytes=MOST)


def raw(opcode, data, *, fin=True):
    return Frame(opcode, data, fin=fin).serialize(mask=False)


@st.composite
def messages(draw):
    size = draw(SIZES)
    return draw(st.sampled_from(["x" * size, "é" * (size // 2), bytes(size), b"\xff" * size]))


@st.composite
def pieces(draw):
    """What a server may send: (bytes, messages, pongs)."""
    kind = draw(st.sampled_from(["whole", "whole", "whole", "parts", "ping", "pong"]))
    small = draw(st.binary(max_size=125))
    if kind == "ping":
        return raw(Opcode.PING, small), [], []
    if kind == "pong":
        return raw(Opcode.PONG, small), [], [small]
    message = draw(messages())
    data = message.encode() if isinstance(message, str) else message
    opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
    if kind == "whole":
        return raw(opcode, data), [message], []
    cut = draw(st.integers(0, len(data)))
    between = raw(Opcode.PONG, small) if draw(st.booleans()) else b""
    parts = raw(opcode, data[:cut], fin=False) + between + raw(Opcode.CONT, data[cut:])
    return parts, [message], [small] if between else []


@st.composite
def cuts(draw, data):
    """The same bytes in pieces: cut anywhere, and often within a head."""
    near = st.integers(0, min(len(data), 12))
    places = draw(st.lists(st.one_of(near, st.integers(0, len(data))), max_size=6))
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


@given(st.data())
def test_what_a_server_sends_is_read_however_it_is_cut(data):
    sent = data.draw(st.lists(pieces(), max_size=6))
    ours = framing()
    got, owed = [], b""
    for piece in data.draw(cuts(b"".join(each for each, _, _ in sent))):
        got += ours.feed(piece)
        owed += ours.outgoing()
    assert got == [one for _, said, _ in sent for one in said]
    assert list(ours.pongs) == [one for _, _, pongs in sent for one in pongs]
    other = Protocol(SERVER, state=OPEN)
    other.receive_data(owed)
    pinged = [each for each, said, pongs in sent if each[0] == 0x89]
    assert [raw(Opcode.PING, bytes(e.data)) for e in other.events_received()] == pinged
    assert ours.feed(raw(Opcode.TEXT, b"still at a boundary")) == ["still at a boundary"]


@given(st.lists(pieces(), max_size=2), st.binary(min_size=1, max_size=40), st.data())
def test_any_bytes_end_it_as_the_protocol_says(sent, noise, data):
    """Whatever comes after good frames: what is refused, what closes it, and with which code."""
    whole = b"".join(each for each, _, _ in sent) + noise
    reference = Protocol(CLIENT, state=OPEN, max_size=MOST)
    reference.receive_data(whole)
    refused = reference.parser_exc is not None and reference.close_rcvd is None
    ours = framing()
    try:
        for piece in data.draw(cuts(whole)):
            ours.feed(piece)
    except (AnswerTooLarge, TransportFailed) as error:
        assert refused or "UTF-8" in str(error)
        return
    assert not refused
    assert (ours.closed and ours.closed.code) == (
        reference.close_rcvd and reference.close_rcvd.code
    )


@given(st.lists(messages(), max_size=4))
def test_what_is_packed_a_server_reads(said):
    other = Protocol(SERVER, state=OPEN)
    other.receive_data(framing().pack(tuple(said)))
    assert other.parser_exc is None
    got = [(frame.opcode, bytes(frame.data)) for frame in other.events_received()]
    assert got == [
        (Opcode.TEXT, one.encode()) if isinstance(one, str) else (Opcode.BINARY, one)
        for one in said
    ]


def test_no_two_messages_have_the_same_mask():
    ours = framing()
    masks = [ours.pack((b"",))[2:6] for _ in range(2000)]
    assert len(set(masks)) > 1990
    assert {len(mask) for mask in masks} == {4}


def test_nothing_is_packed_once_it_is_closed():
    ours = framing()
    ours.feed(raw(Opcode.CLOSE, b"\x03\xe8bye"))
    with pytest.raises(SocketClosed) as caught:
        ours.pack(("late",))
    assert (caught.value.code, caught.value.reason) == (1000, "bye")


def test_nothing_is_packed_after_our_own_goodbye_but_what_comes_is_still_read():
    ours = framing()
    ours.goodbye(1000, "")
    with pytest.raises(SocketClosed):
        ours.pack(("late",))
    assert ours.feed(raw(Opcode.TEXT, b"on its way")) == ["on its way"]
    ours.feed(raw(Opcode.CLOSE, b"\x03\xe8"))
    assert ours.closed.code == 1000


@pytest.mark.parametrize("cut", [b"", b"\x81", b"\x81\x7e\x01", b"\x81\x05abc"])
def test_an_end_within_a_frame_is_a_close_without_a_code(cut):
    ours = framing()
    assert ours.feed(raw(Opcode.TEXT, b"whole") + cut) == ["whole"]
    assert ours.feed(b"") == []
    assert ours.closed.code == 1006


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x7f\x7f",
        b"\x81\xfe",
        raw(Opcode.CONT, b"of nothing"),
        raw(Opcode.TEXT, b"begun", fin=False) + raw(Opcode.TEXT, b"whole"),
        raw(Opcode.TEXT, b"begun", fin=False) + raw(Opcode.BINARY, b"begun", fin=False),
    ],
)
def test_what_no_server_may_send_is_refused_at_once(wrong):
    with pytest.raises(TransportFailed, match="no WebSocket"):
        framing().feed(raw(Opcode.TEXT, b"good") + wrong)


@pytest.mark.parametrize("first", [0xC1, 0x91, 0x09], ids=hex)
def test_what_is_inside_of_a_frame_no_server_may_send_is_never_a_message(first):
    inner = raw(Opcode.TEXT, b"HELLO")
    ours = framing()
    assert ours.feed(bytes([first, len(inner) + 3]) + b"abc") == []
    with pytest.raises(TransportFailed, match="no WebSocket"):
        ours.feed(inner)


@pytest.mark.parametrize("size", [MOST + 1, 2**63, 2**64 - 1])
def test_a_message_that_will_be_too_long_is_refused_by_its_head(size):
    with pytest.raises(AnswerTooLarge):
        framing().feed(b"\x81\x7f" + size.to_bytes(8, "big"))
