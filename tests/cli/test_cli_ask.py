"""`mai reason` and `mai code`, in process and as a process that is interrupted."""

import io
import json
import signal
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from mai_sdk.metering.ledger import open_ledger


def test_the_answer_goes_to_stdout_and_the_rest_to_stderr(mai, configured):
    configured.reply("\n\nForty-two.", reasoning="Let me think.")
    code, out, err = mai("reason", "What is it?", "--model", "MAI-DS-R1")
    assert (code, out) == (0, "Forty-two.\n")
    assert err.startswith("| Let me think.\n")
    assert "MAI-DS-R1, vllm," in err
    assert "unknown" in err


def test_the_closing_line_has_usage_and_cost(mai, configured):
    configured.reply("Yes.", usage={"prompt_tokens": 1000, "completion_tokens": 500})
    code, out, err = mai("reason", "Is it?")
    assert (code, out) == (0, "Yes.\n")
    assert "1,000 in, 500 out" in err
    assert "$0.006" in err


@pytest.mark.parametrize("how", [[], ["--no-stream"]])
def test_thoughts_are_shown_unless_they_are_to_be_hidden(mai, configured, how):
    configured.reply("Forty-two.", reasoning="Let me think.", times=2)
    assert "| Let me think." in mai("reason", "What?", "--model", "MAI-DS-R1", *how)[2]
    code, out, err = mai("reason", "What?", "--model", "MAI-DS-R1", "--hide-reasoning", *how)
    assert (code, out) == (0, "Forty-two.\n")
    assert "Let me think" not in err


@pytest.mark.parametrize("verb", ["reason", "code"])
def test_streamed_and_whole_answers_are_the_same_text(mai, configured, verb):
    streamed = mai(verb, "Reverse a list")
    whole = mai(verb, "Reverse a list", "--no-stream")
    assert streamed[:2] == whole[:2]
    assert [entry.json.get("stream", False) for entry in configured.journal] == [True, False]


def test_a_dash_reads_the_prompt_from_stdin(mai, configured, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))
    assert mai("reason", "-")[0] == 0
    assert configured.journal[-1].json["messages"][-1]["content"] == "from a pipe"


def test_no_prompt_on_a_terminal_is_wrong_usage(mai, configured, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    code, _, err = mai("reason")
    assert code == 2
    assert "stdin" in err


def test_an_empty_prompt_is_refused_before_anything_is_sent(mai, configured):
    code, _, err = mai("reason", "  ")
    assert code == 2
    assert "empty" in err
    assert len(configured.journal) == 0


def test_every_option_reaches_the_request(mai, configured, tmp_path):
    image = tmp_path / "page.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    code, _, _ = mai(
        "code", "Build it", "--model", "MAI-Code-1.1-Flash", "--instructions", "Be brief.",
        "--image", image, "--max-output-tokens", 50, "--temperature", 0.5, "--timeout", 20,
    )  # fmt: skip
    assert code == 0
    sent = configured.journal[-1].json
    assert sent["model"] == "MAI-Code-1.1-Flash"
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent["messages"][1]["content"][1]["type"] == "image_url"
    assert sent["max_completion_tokens"] == 50
    assert sent["temperature"] == 0.5


def test_json_is_the_whole_reply_with_money_as_text(mai, configured):
    code, out, err = mai("reason", "Why?", "--json")
    reply = json.loads(out)
    assert (code, err) == (0, "")
    assert reply["text"]
    assert isinstance(reply["cost"]["amount"], str)
    assert Decimal(reply["cost"]["amount"]) > 0
    assert reply["receipt"]["attempts"][0]["state"] == "settled_exact"


def test_a_failed_call_is_one_sentence_with_its_cost_and_request_id(mai, configured):
    code, out, err = mai("reason", "Why?", "--model", "nope")
    assert (code, out) == (1, "")
    first, second = err.splitlines()
    assert first.startswith("mai: ")
    assert "404" in first
    assert "cost so far: free, 1 attempt, request " in second


def test_a_failed_call_in_json_is_an_object_too(mai, configured):
    code, out, err = mai("reason", "Why?", "--model", "nope", "--json")
    error = json.loads(out)["error"]
    assert code == 1
    assert (error["type"], error["status"]) == ("DeploymentNotFound", 404)
    assert error["receipt"]["cost"]["status"] == "free"
    assert err.startswith("mai: ")


def test_a_rate_limit_that_stays_has_its_own_code(mai, configured, monkeypatch):
    monkeypatch.setenv("MAI_MAX_RETRIES", "0")
    configured.fault("rate_limit", times=None)
    assert mai("reason", "Why?")[0] == 4


def test_a_stream_that_breaks_off_shows_what_came_and_fails(mai, configured):
    configured.reply("one two three four five six", model="MAI-Thinking-1")
    configured.fault("truncate", after=4)
    code, out, err = mai("reason", "Why?")
    assert code == 1
    assert out.startswith("one")
    assert out.endswith("\n")
    assert "cost so far: >= $" in err


def test_tags_are_kept_with_the_cost(mai, configured, monkeypatch):
    monkeypatch.setenv("MAI_LEDGER", "mai.db")
    assert mai("reason", "Why?", "--tag", "team=search", "--tag", "env=a=b")[0] == 0
    ledger = open_ledger("mai.db")
    (entry,) = ledger.entries()
    ledger.close()
    assert entry.operation.tags == {"team": "search", "env": "a=b"}


def test_the_built_in_emulator_needs_no_settings_and_keeps_out_of_the_users_own(mai, monkeypatch):
    monkeypatch.setenv("MAI_LEDGER", "mai.db")
    Path("mai.toml").write_text(
        '[routes.MAI-Thinking-1]\nsurface = "vllm"\nendpoint = "http://127.0.0.1:9"\n'
    )
    code, out, err = mai("reason", "Why?", "--emulator")
    assert code == 0
    assert out
    assert "MAI-Thinking-1, foundry" in err
    assert not Path("mai.db").exists()


def test_a_route_of_mai_toml_can_be_named(mai, configured):
    Path("elsewhere.toml").write_text(
        '[routes.fast]\nsurface = "openai-v1"\ndeployment = "MAI-Code-1.1-Flash"\n'
    )
    assert mai("code", "hi", "--model", "fast", "--config", "elsewhere.toml")[0] == 0
    assert configured.journal[-1].path == "/openai/v1/chat/completions"


def test_ctrl_c_closes_the_stream_and_prints_what_it_cost(configured, command):
    words, environ = command
    configured.fault("stall", after=12)
    process = subprocess.Popen(
        [*words, "reason", "Tell me a story"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    assert process.stdout.read(3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted after" in err
    assert b"cost so far: >= $0.0" in err
    assert b"Traceback" not in err


def test_a_reader_who_leaves_ends_the_call_and_it_is_settled(configured, command, tmp_path):
    words, environ = command
    configured.reply("word " * 20_000, model="MAI-Thinking-1")
    process = subprocess.Popen(
        [*words, "reason", "Tell me a story"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environ, "MAI_LEDGER": str(tmp_path / "mai.db")},
    )
    assert process.stdout.read(4) == b"word"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), err) == (141, b"")
    ledger = open_ledger(tmp_path / "mai.db")
    (entry,) = ledger.entries()
    ledger.close()
    assert entry.state == "settled_estimated"
    assert entry.cost.status == "lower_bound"
