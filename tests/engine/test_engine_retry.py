import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.engine.retry import RetryPolicy, RetryQuota, certainty_of_status


@pytest.mark.parametrize(
    ("status", "certainty"),
    [
        (200, None),
        (400, None),
        (401, None),
        (403, None),
        (404, None),
        (408, "unknown"),
        (409, None),
        (422, None),
        (424, None),
        (429, "rejected"),
        (500, "unknown"),
        (501, None),
        (502, "unknown"),
        (503, "rejected"),
        (504, "unknown"),
        (520, "unknown"),
        (529, "unknown"),
        (530, None),
    ],
)
def test_a_status_tells_whether_work_may_have_run(status, certainty):
    assert certainty_of_status(status) == certainty


def wait(policy, certainty="rejected", **given_):
    story = {"attempt": 1, "unknown_so_far": 0, "retry_after": None, "remaining": None} | given_
    return policy.wait_before_retry(certainty, **story)


def test_the_policy_gives_up_after_max_retries():
    policy = RetryPolicy(max_retries=2)
    assert wait(policy, attempt=2) is not None
    assert wait(policy, attempt=3) is None
    assert wait(RetryPolicy(max_retries=0), attempt=1) is None


def test_work_that_may_have_run_is_repeated_at_most_once():
    policy = RetryPolicy(max_retries=5)
    assert wait(policy, "unknown", attempt=1, unknown_so_far=1) is not None
    assert wait(policy, "unknown", attempt=2, unknown_so_far=2) is None


def test_no_unknown_outcome_is_repeated_where_the_caller_forbids_it():
    assert wait(RetryPolicy(max_unknown_retries=0), "unknown", unknown_so_far=1) is None


def test_a_rejected_call_after_an_unknown_one_may_still_be_repeated():
    assert wait(RetryPolicy(), "rejected", attempt=2, unknown_so_far=1) is not None


@pytest.mark.parametrize("asked", [0.0, 0.25, 1.0, 59.9, 60.0])
def test_the_wait_a_service_asks_for_is_kept_exactly(asked):
    assert wait(RetryPolicy(), retry_after=asked) == asked


@pytest.mark.parametrize("asked", [60.1, 86400.0])
def test_a_wait_beyond_the_cap_fails_at_once(asked):
    assert wait(RetryPolicy(), retry_after=asked) is None


def test_a_wait_that_would_pass_the_deadline_fails_at_once():
    assert wait(RetryPolicy(), retry_after=5.0, remaining=4.0) is None
    assert wait(RetryPolicy(), retry_after=5.0, remaining=6.0) == 5.0
    assert wait(RetryPolicy(), remaining=0.0) is None


@given(st.integers(1, 30), st.integers())
def test_backoff_is_never_negative_and_never_above_its_cap(attempt, seed):
    random.seed(seed)
    policy = RetryPolicy(max_retries=100, base_seconds=0.5, cap_seconds=8.0)
    delay = wait(policy, attempt=attempt)
    assert delay is not None
    assert 0 <= delay <= min(8.0, 0.5 * 2 ** (attempt - 1))


def test_backoff_is_spread_over_its_whole_range():
    random.seed(1)
    delays = [wait(RetryPolicy(), attempt=2) for _ in range(2000)]
    for low in (0.0, 0.25, 0.5, 0.75):
        share = sum(low <= delay < low + 0.25 for delay in delays) / len(delays)
        assert 0.2 < share < 0.3


def test_the_quota_stops_retries_when_everything_fails():
    quota = RetryQuota()
    retries = sum(quota.take("unknown") for _ in range(1000))
    assert retries == 500 // 14
    assert not quota.take("unknown")
    assert quota.left == 500 - retries * 14


def test_throttling_costs_less_than_failure():
    quota = RetryQuota(capacity=10)
    assert quota.take("rejected")
    assert not quota.take("unknown")
    assert quota.take("rejected")
    assert not quota.take("rejected")


def test_success_fills_the_quota_up_but_never_over():
    quota = RetryQuota(capacity=20)
    quota.take("unknown")
    for _ in range(100):
        quota.give_back()
    assert quota.left == 20


def test_forgetting_to_count_the_failure_itself_is_refused():
    with pytest.raises(ValueError, match="counts this failure"):
        wait(RetryPolicy(), "unknown", unknown_so_far=0)
