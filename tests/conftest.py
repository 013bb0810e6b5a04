import pytest

from mai_sdk.emulator import Emulator


@pytest.fixture(scope="session")
def shared_emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator):
    """One server for all tests; each finds it with no scripts, no faults and an empty journal."""
    shared_emulator.reset()
    yield shared_emulator
    shared_emulator.reset()


@pytest.fixture(autouse=True)
def no_settings_from_this_machine(monkeypatch, tmp_path):
    """A developer's own endpoints, keys and mai.toml must not reach a test."""
    from mai_sdk.config import SETTINGS

    for setting in SETTINGS.values():
        for name in setting.environment:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
