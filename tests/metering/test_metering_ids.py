"""Ids sort by time and are valid UUIDs of version 7."""

from __future__ import annotations

import os
import threading
import time
import uuid

import pytest

import mai_sdk.metering.ids as module
from mai_sdk.metering.ids import uuid7


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(text := uuid7())
    after = time.time_ns() // 1_000_000
    assert str(parsed) == text
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert before <= parsed.int >> 80 <= after + 1


def test_ids_of_all_threads_are_different_and_each_thread_sees_them_rise() -> None:
    found: list[list[str]] = []

    def work() -> None:
        found.append([uuid7() for _ in range(5000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ids == sorted(ids) for ids in found)
    assert len({one for ids in found for one in ids}) == 20_000


def test_ids_rise_even_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(module.time, "time_ns", lambda: 0)
    later = [uuid7() for _ in range(100)]
    assert [first, *later] == sorted([first, *later])
    assert {uuid.UUID(one).version for one in later} == {7}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_draws_numbers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    while not module._noise:  # the tests before this may have used up what was in store
        uuid7()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, f"{len(module._noise)} {uuid7()}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    left, theirs = os.read(reading, 100).decode().split()
    os.close(reading)
    os.close(writing)
    assert left == "0"
    assert theirs[-18:] != uuid7()[-18:]
