"""The manual page is the help."""

import sys
from pathlib import Path

import pytest

from mai_sdk.cli.help import manual

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="the argparse of Python 3.13 lays subcommands out anew"
)
def test_the_page_is_what_the_help_says():
    assert PAGE.read_text(encoding="utf-8") == manual(), (
        "The help has changed: run `python -m mai_sdk.cli.help > docs/cli.md`."
    )


def test_the_help_fits_80_columns_whatever_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert [line for line in manual().splitlines() if len(line) > 80] == []


def test_every_command_has_its_section():
    text = manual()
    commands = (
        "demo",
        "reason",
        "code",
        "image",
        "speak",
        "talk",
        "models",
        "costs",
        "doctor",
        "emulator",
    )
    for name in commands:
        assert f"## `mai {name}`" in text
