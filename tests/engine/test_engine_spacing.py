"""Requests a minute, spread evenly."""

from mai_sdk.engine.spacing import Spacing


def test_the_first_begins_at_once_and_the_others_in_even_steps():
    spacing = Spacing()
    waits = [spacing.book(now=100.0, requests_per_minute=2) for _ in range(4)]
    assert waits == [0, 30, 60, 90]


def test_time_that_has_passed_is_not_waited_for_again_nor_saved_up():
    spacing = Spacing()
    assert spacing.book(now=0.0, requests_per_minute=6) == 0
    assert spacing.book(now=4.0, requests_per_minute=6) == 6
    assert spacing.book(now=100.0, requests_per_minute=6) == 0
    assert spacing.book(now=100.0, requests_per_minute=6) == 10
