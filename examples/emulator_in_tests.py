"""The emulator under pytest: scripted replies and faults, and a look at what was asked.

Run it as it is, or with `pytest emulator_in_tests.py`. It needs no endpoint and never uses one.
"""
# ruff: noqa: S101 - tests assert

import pytest

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def summary(client: MAI, text: str) -> str:
    return client.reasoning.create(f"Summarise: {text}", max_output_tokens=200).text


@pytest.fixture
def emulator():
    with Emulator() as running:
        yield running


def test_the_summary_is_what_the_model_says(emulator):
    emulator.reply("Short.")
    with emulator.client() as client:
        assert summary(client, "a long text") == "Short."
    assert emulator.journal[-1].json["max_completion_tokens"] == 200


def test_a_busy_service_is_waited_for(emulator):
    emulator.fault("rate_limit", retry_after=0)
    with emulator.client() as client:
        assert summary(client, "a long text")


if __name__ == "__main__":
    raise SystemExit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
