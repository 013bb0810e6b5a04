"""The command itself: help, exit codes, pipes, and what stays unloaded."""

import subprocess
import sys

import pytest

from mai_sdk import __version__, errors
from mai_sdk.cli.exits import EXIT_CODES, code_of
from mai_sdk.cli.parser import MODULES


def test_the_version_is_the_packages(mai):
    assert mai("--version") == (0, f"mai {__version__}\n", "")


def test_without_a_command_the_help_is_shown_and_the_code_is_that_of_wrong_usage(mai):
    code, out, err = mai()
    assert code == 2
    assert "commands:" in out
    assert err == ""


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_help_with_examples(mai, name):
    code, out, _ = mai(name, "--help")
    assert code == 0
    assert f"usage: mai {name}" in out
    assert "examples:" in out


@pytest.mark.parametrize(
    "words",
    [
        ["draw"],
        ["reason", "hi", "--temperature", "warm"],
        ["reason", "hi", "--timeout", "0"],
        ["reason", "hi", "--max-output-tokens", "-3"],
        ["reason", "hi", "--tag", "team"],
        ["costs", "--since", "yesterday"],
        ["costs", "--by", ","],
        ["costs", "--json", "--csv"],
        ["models", "--modality", "smell"],
    ],
)
def test_a_command_line_that_means_nothing_gives_code_2_and_a_sentence(mai, words):
    code, out, err = mai(*words)
    assert code == 2
    assert out == ""
    assert "error:" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidRequest("x"), 2),
        (errors.UnsupportedFeature("x"), 2),
        (errors.NotConfigured("x"), 3),
        (errors.InvalidCredential("x"), 3),
        (errors.LedgerError("x"), 3),
        (errors.RateLimited("x"), 4),
        (errors.AuthenticationFailed("x"), 1),
        (errors.TimedOut("x", phase="total"), 1),
        (errors.BudgetExceeded("x"), 5),
    ],
)
def test_an_error_has_one_exit_code_and_the_table_explains_it(error, code):
    assert code_of(error) == code
    assert code in EXIT_CODES


def test_with_nothing_configured_one_error_says_what_to_set_and_what_works_at_once(mai):
    code, out, err = mai("reason", "hi")
    assert code == 3
    assert out == ""
    for name in ("MAI_FOUNDRY_ENDPOINT", "MAI_FOUNDRY_API_KEY", "vllm_base_url", "--emulator"):
        assert name in err


PROBE = """
import sys
from mai_sdk.cli import main
main(["--help"])
print(sorted({"httpx2", "pydantic", "uvicorn", "asyncio", "sqlite3"} & set(sys.modules)))
"""


def test_help_loads_nothing_that_takes_time():
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("which", ["--json", "MAI-Base-1"])
def test_a_reader_who_leaves_gets_no_traceback(command, which):
    words, environ = command
    process = subprocess.Popen(
        [*words, "models", which],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), err) == (141, b"")
