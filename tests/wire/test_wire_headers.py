import pytest

from mai_sdk.wire.headers import request_id, retry_after

NOW = 1795341600.0  # Sun, 22 Nov 2026 10:00:00 GMT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5.0), ("0", 0.0), ("1.5", 1.5), (" 7 ", 7.0), (".5", 0.5), ("3.", 3.0),
        ("5, 9", 9.0), ("120", 120.0), ("99999999", 99999999.0),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("Mon, 22 Nov 2026 10:00:30 GMT", 30.0),  # wrong weekday
        ("Sunday, 22-Nov-26 10:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 10:00:30 +0000", 30.0),
        ("Sun, 22 Nov 2026 11:00:30 +0100", 30.0),
        ("Fri, 01 Jan 1971 00:00:00 GMT", 0.0),
        ("inf", None), ("-inf", None), ("nan", None), ("-5", None), ("+5", None), ("", None),
        (" ", None), ("1e3", None), ("1_000", None), ("0x10", None), ("\uff19", None),
        ("soon", None),
        ("Sun, 22 Nov 100000 10:00:30 GMT", None),
        ("5 seconds", None), ("5,soon", None), (",", None),
        ("9" * 40, None), ("Sun, 99 Nov 2026 10:00:30 GMT", None), ("\x00", None),
    ],
)  # fmt: skip
def test_a_hint_is_seconds_or_a_date_and_nothing_else(value: str, expected: float | None):
    assert retry_after({"retry-after": value}, now=NOW) == expected


def test_the_longest_valid_hint_wins():
    headers = {"retry-after": "2", "retry-after-ms": "2500", "x-ms-retry-after-ms": "100"}
    assert retry_after(headers, now=NOW) == 2.5
    assert retry_after({**headers, "retry-after": "9"}, now=NOW) == 9.0
    assert retry_after({**headers, "retry-after-ms": "nan"}, now=NOW) == 2.0
    assert retry_after({}, now=NOW) is None


def test_without_a_clock_a_date_is_measured_from_the_answers_own():
    later = {"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}
    assert retry_after(later) is None
    assert retry_after({**later, "date": "Sun, 22 Nov 2026 10:00:10 GMT"}) == 20.0
    assert retry_after({**later, "date": "never"}) is None


def test_the_request_id_is_the_first_that_is_there():
    every = {"x-request-id": "c", "x-ms-request-id": "b", "apim-request-id": "a"}
    assert request_id(every) == "a"
    assert request_id({**every, "apim-request-id": ""}) == "b"
    assert request_id({"x-request-id": "c"}) == "c"
    assert request_id({}) is None
