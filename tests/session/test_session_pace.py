"""Whether a line lives, and when the next connection may be tried: over clock readings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.errors import InvalidRequest
from mai_sdk.session.endings import after_close, after_refusal
from mai_sdk.session.endurance import Endurance
from mai_sdk.session.pace import ConnectionPace, Pulse, pause_before


def beats(pulse, *, start, seconds, heard_every=None):
    """Beat twice a second; return when the line was found dead, and how many pings were due."""
    pings, heard = 0, start
    for step in range(1, int(seconds * 2) + 1):
        now = start + step / 2
        if heard_every is not None and now - heard >= heard_every:
            heard = now
            pulse.heard()
        pings += pulse.beat(now)
        if pulse.is_dead:
            return now - start, pings
    return None, pings


def test_a_line_on_which_nothing_comes_is_dead_within_ten_seconds():
    died, pings = beats(Pulse(limit=8, now=100.0), start=100.0, seconds=30)
    assert died <= 10
    assert pings >= 3


def test_a_service_that_only_answers_pings_is_alive():
    assert beats(Pulse(limit=8, now=0.0), start=0.0, seconds=60, heard_every=2.0)[0] is None


@pytest.mark.parametrize("blocked", [5.0, 60.0])
def test_a_program_that_was_busy_has_missed_nothing(blocked):
    pulse = Pulse(limit=8, now=0.0)
    beats(pulse, start=0.0, seconds=3)
    pulse.beat(3 + blocked)
    assert not pulse.is_dead
    pulse.heard()
    assert beats(pulse, start=3 + blocked, seconds=5)[0] is None


def test_a_caller_who_takes_no_events_has_missed_nothing():
    pulse = Pulse(limit=8, now=0.0)
    for step in range(100):
        pulse.beat(step / 2, listening=False)
    assert not pulse.is_dead


@given(st.lists(st.floats(0, 5), max_size=200), st.integers(1, 40))
def test_never_more_connections_a_minute_than_allowed(pauses, limit):
    pace, now, begun = ConnectionPace(), 0.0, []
    for pause in pauses:
        now += pause
        now += pace.wait(now, limit=limit)
        pace.begin(now)
        begun.append(now)
        assert sum(each > now - 59.999 for each in begun) <= limit


def test_the_first_try_is_at_once_and_the_next_ones_wait_longer():
    assert [pause_before(n, chance=1.0) for n in range(1, 8)] == [0, 1, 2, 4, 8, 8, 8]
    assert pause_before(5, chance=0.25) == 2


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3008])
def test_a_close_that_another_connection_can_mend(code):
    assert after_close(code) == "resume"


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1009, 1010, 3003, 4400, 4403, 4404])
def test_a_close_that_would_come_again(code):
    assert after_close(code) == "fail"


@pytest.mark.parametrize("code", [1008, 3000, 4401])
def test_a_close_that_asks_for_another_token(code):
    assert after_close(code) == "reauthenticate"


@pytest.mark.parametrize("code", [4408, 4429, 4500, 4503, 4999, 4242])
def test_a_close_of_azures_own(code):
    assert after_close(code) == "resume"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "fail"),
        (401, "reauthenticate"),
        (403, "fail"),
        (404, "fail"),
        (307, "fail"),
        (429, "resume"),
        (500, "resume"),
        (503, "resume"),
        (408, "resume"),
    ],
)
def test_a_handshake_that_is_refused(status, remedy):
    assert after_refusal(status) == remedy


@pytest.mark.parametrize(
    "figure",
    [{"silence_seconds": 0}, {"silence_seconds": -1}, {"reconnect_seconds": float("nan")},
     {"drain_seconds": -1}, {"connections_per_minute": 0}],
    ids=str,
)  # fmt: skip
def test_figures_no_session_could_work_with_are_refused(figure):
    with pytest.raises(InvalidRequest, match=next(iter(figure))):
        Endurance(**figure)
