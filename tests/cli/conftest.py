import os
import sys

import pytest

from mai_sdk.cli import main


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def configured(emulator, monkeypatch):
    """The emulator's address and key, where a user would put them."""
    monkeypatch.setenv("MAI_FOUNDRY_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", emulator.key)
    monkeypatch.setenv("MAI_VLLM_BASE_URL", emulator.url)
    return emulator


@pytest.fixture
def mai(capsys):
    """Run a command in this process; gives back its exit code, stdout and stderr."""

    def run(*words):
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def command():
    """The command as a process would be started, and its environment."""
    return [sys.executable, "-m", "mai_sdk"], dict(os.environ)
