import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mai_sdk.audio.ring import BufferFull, InputBuffer

CAPACITY = 64


class Buffer(RuleBasedStateMachine):
    """The buffer beside the simplest thing that could be right: one long string of samples."""

    def __init__(self):
        super().__init__()
        self.buffer = InputBuffer(capacity=CAPACITY)
        self.given = b""
        self.acknowledged = 0

    @rule(samples=st.integers(0, 40))
    def append(self, samples):
        before = len(self.given) // 2
        audio = b"".join((before + i).to_bytes(2, "little") for i in range(samples))
        if before - self.acknowledged + samples > CAPACITY:
            with pytest.raises(BufferFull) as caught:
                self.buffer.append(audio)
            assert (caught.value.held, caught.value.offered, caught.value.capacity) == (
                before - self.acknowledged, samples, CAPACITY,
            )  # fmt: skip
        else:
            assert self.buffer.append(audio) == before
            self.given += audio

    @rule(back=st.integers(-10, 80))
    def acknowledge(self, back):
        offset = len(self.given) // 2 - back
        if back < 0:
            with pytest.raises(ValueError, match="never given"):
                self.buffer.acknowledge(offset)
            return
        expected = max(offset - self.acknowledged, 0)
        assert self.buffer.acknowledge(offset) == expected
        self.acknowledged += expected

    @rule(ahead=st.integers(0, CAPACITY))
    def since(self, ahead):
        offset = self.acknowledged + ahead
        if offset > len(self.given) // 2:
            with pytest.raises(ValueError, match="not held"):
                self.buffer.since(offset)
            return
        at, audio = offset, b""
        for begins, piece in self.buffer.since(offset):
            assert begins == at
            assert piece
            at += len(piece) // 2
            audio += piece
        assert audio == self.given[2 * offset :]

    @invariant()
    def nothing_is_lost_and_acknowledgements_never_go_back(self):
        assert self.buffer.start == self.acknowledged
        assert self.buffer.end == len(self.given) // 2
        assert len(self.buffer) == self.buffer.end - self.buffer.start <= CAPACITY


TestBuffer = Buffer.TestCase
TestBuffer.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_it_holds_to_the_last_sample_and_not_one_more():
    buffer = InputBuffer(capacity=10)
    buffer.append(bytes(20))
    with pytest.raises(BufferFull, match="1 samples do not fit: 10 of 10 are held"):
        buffer.append(bytes(2))
    assert buffer.acknowledge(1) == 1
    buffer.append(bytes(2))
    assert (buffer.start, buffer.end, len(buffer)) == (1, 11, 10)


def test_what_is_acknowledged_takes_no_memory():
    buffer = InputBuffer(capacity=10)
    buffer.append(b"aabb")
    buffer.acknowledge(2)
    assert not buffer._pieces


def test_half_a_sample_is_refused_and_g711_has_none():
    with pytest.raises(ValueError, match="no whole samples"):
        InputBuffer(capacity=10).append(b"abc")
    ulaw = InputBuffer(capacity=10, sample_bytes=1)
    assert ulaw.append(b"abc") == 0
    assert ulaw.end == 3
    assert list(ulaw.since(1)) == [(1, b"bc")]


def test_what_is_acknowledged_is_gone():
    buffer = InputBuffer(capacity=10)
    buffer.append(b"aabb")
    buffer.acknowledge(1)
    with pytest.raises(ValueError, match="sample 0 is not held: the buffer has 1 to 2"):
        buffer.since(0)


def test_audio_added_while_it_is_sent_again_does_not_disturb():
    buffer = InputBuffer(capacity=10)
    buffer.append(b"aa")
    buffer.append(b"bb")
    sent = []
    for _, piece in buffer.since(0):
        buffer.append(b"cc")
        buffer.acknowledge(2)
        sent.append(piece)
    assert sent == [b"aa", b"bb"]


def test_the_caller_s_bytes_may_change_afterwards():
    buffer, mine = InputBuffer(capacity=10), bytearray(b"aabb")
    buffer.append(mine)
    mine[:] = b"xxxx"
    assert list(buffer.since(0)) == [(0, b"aabb")]


def test_an_hour_of_frames_is_held_and_acknowledged_in_a_moment():
    buffer = InputBuffer(capacity=24000 * 30)
    frame = bytes(960)
    for _ in range(20_000):
        offset = buffer.append(frame)
        buffer.acknowledge(max(offset - 24000, 0))
    assert buffer.end == 20_000 * 480
    assert b"".join(piece for _, piece in buffer.since(buffer.start)) == bytes(2 * len(buffer))
