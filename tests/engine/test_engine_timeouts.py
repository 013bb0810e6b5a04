from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.config import Timeouts
from mai_sdk.engine.timeouts import Pace, limits_for, longest, soonest

seconds = st.one_of(st.none(), st.floats(0, 1000))


def test_the_soonest_of_several_limits_ignores_unset_ones():
    assert soonest(None, 3.0, 2.0) == 2.0
    assert soonest(None, None) is None


def test_no_limit_is_the_longest_limit():
    assert longest(3.0, None) is None
    assert longest(3.0, 2.0) == 3.0


def test_what_is_left_of_the_call_bounds_every_phase():
    assert limits_for(Timeouts(), stream=True, remaining=5.0).total == 5.0


def test_a_whole_answer_has_the_first_byte_limit_between_its_reads():
    times = Timeouts(connect=1.0, first_byte=30.0, between_chunks=2.0, total=None)
    assert limits_for(times, stream=False, remaining=None).between_reads == 30.0
    assert limits_for(times, stream=True, remaining=None).between_reads == 2.0


def test_right_after_content_the_socket_keeps_the_limit_itself():
    pace = Pace(between_chunks=60.0, deadline=None, now=0.0)
    assert pace.start_waiting(0.0) is None


def test_after_a_keep_alive_only_the_rest_of_the_limit_is_waited():
    pace = Pace(between_chunks=60.0, deadline=None, now=0.0)
    pace.start_waiting(0.0)
    assert pace.start_waiting(45.0) == 15.0
    assert pace.overdue(59.9) is None
    assert pace.overdue(60.0) == "between_chunks"


def test_content_starts_the_limit_anew():
    pace = Pace(between_chunks=60.0, deadline=None, now=0.0)
    pace.start_waiting(0.0)
    pace.fresh = True
    assert pace.start_waiting(50.0) is None
    assert pace.overdue(109.0) is None
    assert pace.overdue(110.0) == "between_chunks"


def test_the_time_a_caller_takes_between_events_does_not_count():
    pace = Pace(between_chunks=1.0, deadline=None, now=0.0)
    pace.start_waiting(0.0)
    pace.fresh = True
    assert pace.start_waiting(500.0) is None
    assert pace.overdue(500.5) is None


def test_a_near_deadline_shortens_the_wait_and_is_named():
    pace = Pace(between_chunks=60.0, deadline=100.0, now=0.0)
    assert pace.start_waiting(70.0) == 30.0
    assert pace.overdue(100.0) == "total"


def test_without_limits_nothing_is_ever_overdue():
    pace = Pace(between_chunks=None, deadline=None, now=0.0)
    assert pace.start_waiting(0.0) is None
    assert pace.start_waiting(1e9) is None
    assert pace.overdue(1e12) is None


@given(seconds, seconds, st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=20))
def test_a_wait_never_reaches_past_the_nearest_limit(between, deadline, story):
    now, since = 0.0, 0.0
    pace = Pace(between_chunks=between, deadline=deadline, now=now)
    fresh = True
    for step, content in story:
        now += step
        if fresh:
            since = now
        left = pace.start_waiting(now)
        ends = soonest(deadline, None if between is None else since + between)
        allowed = left if left is not None else between
        if ends is not None:
            assert allowed is not None
            assert now + allowed <= max(ends, now) + 1e-6
        fresh = content
        if content:
            pace.fresh = True
