"""`mai emulator`: serves until Ctrl-C, and says how to use it."""

import re
import signal
import socket
import subprocess

import httpx2
import pytest

from mai_sdk.cli import emulator as served
from mai_sdk.emulator import EMULATOR_KEY, FAULTS


class Interrupted:
    """Stands for the Event that is waited on, so that no test serves for ever."""

    def wait(self):
        raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def interrupted_at_once(monkeypatch):
    monkeypatch.setattr(served, "Event", Interrupted)


def test_it_serves_until_ctrl_c_and_prints_lines_to_paste(command):
    words, environ = command
    process = subprocess.Popen(
        [*words, "emulator", "--port", "0", "--seed", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        text=True,
    )
    lines = []
    while "Ctrl-C stops it.\n" not in lines:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    settings = dict(re.findall(r"(MAI_\w+)=(\S+)", "".join(lines)))
    assert settings["MAI_FOUNDRY_API_KEY"] == EMULATOR_KEY
    url = settings["MAI_VLLM_BASE_URL"]
    assert url.startswith("http://127.0.0.1:")
    answer = httpx2.get(f"{url}/v1/models", trust_env=False)
    assert answer.json()["data"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "\nStopped after 1 requests.\n", "")


def test_a_port_that_is_taken_is_a_sentence(mai):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = mai("emulator", "--port", taken.getsockname()[1])
    assert code == 3
    assert "--port" in err


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_that_is_none_is_wrong_usage(mai, port):
    assert mai("emulator", "--port", port)[0] == 2


@pytest.mark.parametrize(
    "order", ["earthquake", "rate_limit; volume=11", "rate_limit; times=-1", "stall; times=often"]
)
def test_a_fault_that_is_none_is_wrong_usage(mai, order):
    code, _, err = mai("emulator", "--fault", order)
    assert code == 2
    assert "--fault" in err


def test_the_faults_are_listed_with_what_they_do(mai):
    code, out, _ = mai("emulator", "--list-faults")
    flat = " ".join(out.split())
    assert code == 0
    for name, fault in FAULTS.items():
        assert f"\n{name}" in f"\n{out}"
        assert " ".join(fault.about.split()) in flat


def test_a_fault_befalls_as_many_requests_as_it_says(monkeypatch, mai):
    from mai_sdk.client import MAI
    from mai_sdk.errors import RateLimited

    seen = []

    class Instead:
        """Stands for the Event that is waited on: makes requests instead of waiting."""

        def wait(self):
            (emulator,) = started
            with MAI(
                foundry_endpoint=emulator.url, foundry_api_key="own-key", max_retries=0
            ) as client:
                for _ in range(3):
                    try:
                        seen.append(client.reasoning.create("hi").finish_reason)
                    except RateLimited as error:
                        seen.append(error.retry_after)
            raise KeyboardInterrupt

    started = []
    welcome = served._welcome
    monkeypatch.setattr(served, "_welcome", lambda e: started.append(e) or welcome(e))
    monkeypatch.setattr(served, "Event", Instead)
    code, out, _ = mai(
        "emulator", "--port", 0, "--key", "own-key", "--fault", "rate_limit; times=2; retry_after=7"
    )
    assert code == 0
    assert seen == [7, 7, "stop"]
    assert "Stopped after 3 requests." in out
