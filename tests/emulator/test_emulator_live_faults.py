"""What goes wrong with live connections, and how the journal shows that nothing was lost."""

import json
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus

from emulator.live import HEARING, REALTIME, open_line, piece, silence
from mai_sdk.emulator import FAULTS, Emulator, LiveFlags

ANSWER = "One two three four five six seven eight nine ten."


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7, live=LiveFlags(delta_ms=20)) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    served.reply(ANSWER, times=None)
    yield served
    served.release()


@pytest.fixture
def fault(emulator):
    def script(name, **parameters):
        emulator.fault(name, **parameters)

    return script


def end_of(line):
    """Read to the end; return the close code, 1006 for none."""
    try:
        while True:
            line.get(timeout=3)
    except ConnectionClosed as error:
        return 1006 if error.rcvd is None else error.rcvd.code


def deltas(line):
    return [event["delta"] for event in line.events if event["type"] == "response.audio.delta"]


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1008, 1011, 1012, 1013, 4000, 4429])
def test_it_closes_with_every_code_in_the_midst_of_an_answer(emulator, fault, code):
    fault("socket_close", code=code, after=5)
    with open_line(emulator) as line:
        line.send("response.create")
        assert end_of(line) == code
        assert 0 < len(deltas(line)) <= 5


@pytest.mark.parametrize(
    ("name", "code"),
    [("socket_close", 1011), ("socket_reset", 1006), ("socket_finish", 1006)],
)
@pytest.mark.parametrize(
    "where",
    [{}, {"after": 3}, {"received": 4}, {"after_ms": 50}, {"at": "response.content_part.added"}],
    ids=str,
)
def test_a_connection_ends_where_it_was_told_to(emulator, fault, name, code, where):
    fault(name, **where)
    with open_line(emulator) as line:
        try:
            for _ in range(3):
                line.socket.send(json.dumps(piece(silence(20))))
            line.send("response.create")
        except ConnectionClosed:
            assert not where
        assert end_of(line) == code
    kinds = line.kinds()
    assert ("session.created" in kinds) == bool(where)
    if "at" in where:
        assert kinds[-1] == "conversation.item.created"


def test_a_half_open_connection_answers_nothing_not_even_a_ping(emulator, fault):
    fault("socket_half_open", received=2)
    with open_line(emulator) as line:
        line.until("session.created")
        assert line.socket.ping().wait(2)
        line.send("response.create")
        line.until("response.done")
        for _ in range(100):
            line.socket.send(json.dumps(piece(silence(20))))
        assert not line.socket.ping().wait(0.2)
        with pytest.raises(TimeoutError):
            line.get(timeout=0.1)
        emulator.release()
        assert end_of(line) == 1006
    assert len(emulator.journal[0].audio_pieces) <= 1


def test_a_half_open_connection_can_come_back_to_life(emulator, fault):
    fault("socket_half_open", received=2, seconds=0.2)
    with open_line(emulator) as line:
        line.until("session.created")
        began = time.monotonic()
        line.update()
        line.update()
        assert time.monotonic() - began > 0.15


def test_an_answer_can_be_slow(emulator, fault):
    fault("socket_slow", seconds=0.002)
    with open_line(emulator) as line:
        line.send("response.create")
        began = time.monotonic()
        line.until("response.done")
        assert time.monotonic() - began > len(deltas(line)) * 0.002


def whole(emulator):
    with open_line(emulator) as line:
        line.send("response.create")
        line.until("response.done")
        return line


def test_events_that_nobody_knows_come_in_between(emulator, fault):
    plain = whole(emulator)
    fault("socket_noise", after=3)
    noisy = whole(emulator)
    new = {event.get("type") for event in noisy.events} - {e["type"] for e in plain.events}
    assert None in new
    assert len(noisy.events) == len(plain.events) + 4


def test_events_are_lost_repeated_and_out_of_order(emulator, fault):
    plain = [event["delta"] for event in whole(emulator).events if "delta" in event]
    for name, expected in [
        ("socket_lose", [*plain[:4], *plain[6:]]),
        ("socket_repeat", [*plain[:4], plain[4], plain[4], plain[5], plain[5], *plain[6:]]),
        ("socket_swap", [*plain[:4], plain[5], plain[4], plain[7], plain[6], *plain[8:]]),
    ]:
        fault(name, after=4, frames=2)
        got = [event["delta"] for event in whole(emulator).events if "delta" in event]
        assert got == expected, name


def test_a_connection_can_be_left_after_an_answer(emulator, fault):
    fault("socket_leave", code=1001)
    with open_line(emulator) as line:
        line.send("response.create")
        assert end_of(line) == 1001
        assert line.kinds()[-1] == "response.done"


def test_silence_lasts_until_it_is_released(emulator, fault):
    fault("socket_stall", after=2)
    with open_line(emulator) as line:
        line.send("response.create")
        with pytest.raises(TimeoutError):
            while True:
                line.get(timeout=0.1)
        emulator.release()
        line.until("response.done")


def test_a_fault_told_of_later_befalls_the_next_answer(emulator, fault):
    with open_line(emulator) as line:
        line.send("response.create")
        line.until("response.done")
        fault("socket_reset", after=1)
        line.send("response.create")
        assert end_of(line) == 1006


def test_a_session_says_when_it_will_expire_and_does(emulator, fault):
    fault("session_expiry", seconds=0.3)
    with open_line(emulator) as line:
        session = line.until("session.created")["session"]
        assert abs(session["expires_at"] - time.time()) < 2
        assert line.until("error")["error"]["code"] == "session_expired"
        assert end_of(line) == 1001


def test_a_transcript_can_fail_and_the_answer_come_all_the_same(emulator, fault):
    fault("transcription_failed")
    with open_line(emulator) as line:
        line.update(**HEARING)
        for _ in range(2):
            line.say(emulator.spoken("Is anybody there?") + silence(700))
            assert line.until("response.done")["response"]["status"] == "completed"
    kinds = [kind for kind in line.kinds() if kind.split(".")[-1] in ("failed", "completed")]
    assert [kind.split(".")[-1] for kind in kinds] == ["failed", "completed"]


def test_a_response_can_fail_and_the_next_one_not(emulator, fault):
    with open_line(emulator) as line:
        fault("response_failed", code="rate_limit_exceeded")
        line.send("response.create")
        failed = line.until("response.done")["response"]
        assert (failed["status"], failed["usage"]) == ("failed", None)
        assert failed["status_details"]["error"]["code"] == "rate_limit_exceeded"
        line.send("response.create")
        assert line.until("response.done")["response"]["status"] == "completed"


def test_a_token_that_has_expired_is_refused_at_the_handshake(emulator):
    emulator.fault("token_expired")
    with pytest.raises(InvalidStatus) as caught, open_line(emulator):
        pass
    assert caught.value.response.status_code == 401
    with open_line(emulator) as line:
        line.until("session.created")


def test_the_journal_proves_what_arrived_over_many_disruptions(emulator, fault):
    """A client that resends everything from the first piece not known to have arrived."""
    pieces = [number.to_bytes(4, "little") * 80 for number in range(2_000)]
    kinds = [("socket_reset", {}), ("socket_finish", {}), ("socket_close", {"code": 1012})]
    for number in range(20):
        name, given = kinds[number % 3]
        fault(name, received=100, **given)
    at = 0
    while at < len(pieces):
        known = len(emulator.journal)
        try:
            with open_line(emulator) as line:
                line.until("session.created")
                for one in pieces[at:]:
                    line.socket.send(json.dumps(piece(one)))
                line.update()
        except (ConnectionClosed, ConnectionClosedOK, OSError):
            pass
        emulator.journal.wait(known + 1)
        at += len(emulator.journal[known].audio_pieces)
    got = [one for entry in emulator.journal for one in entry.audio_pieces]
    assert got == pieces
    assert len(emulator.journal) == 20 + 1


def test_live_transcription_meets_them_too(emulator, fault):
    fault("socket_close", code=1013, received=2)
    with open_line(emulator, REALTIME) as line:
        line.until("session.created")
        line.send("session.update", session={})
        line.until("error")
        line.send("session.update", session={})
        assert end_of(line) == 1013


def test_every_fault_of_sockets_befalls_live_sessions_here():
    here = Path(__file__).read_text()
    names = [name for name, fault in FAULTS.items() if fault.needs == "socket"]
    assert not [name for name in names if f'"{name}"' not in here]
