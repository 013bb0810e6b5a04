import pytest
from hypothesis import HealthCheck, settings

import postgres_server as real_postgres
from mai_sdk.emulator import Emulator

# How long an example takes tells of the machine, which others may share, and not of the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


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


@pytest.fixture(scope="session")
def postgres_server():
    """A real Postgres, started for the first test that asks for it."""
    reason = real_postgres.why_not()
    if reason is not None:
        pytest.skip(reason)
    server = real_postgres.PostgresServer()
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_server):
    """The server with no ledger in it, and no session but those of this test."""
    postgres_server.clear()
    return postgres_server
