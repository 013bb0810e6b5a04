import httpx2
import pytest

from mai_sdk.emulator import EMULATOR_KEY, Emulator


@pytest.fixture
def emulator():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture
def http(emulator):
    headers = {"api-key": EMULATOR_KEY}
    with httpx2.Client(base_url=emulator.url, headers=headers, timeout=10) as client:
        yield client
