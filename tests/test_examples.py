"""Every example runs as a reader would run it: its own process, no settings, warnings as errors."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mai_sdk.config import SETTINGS

EXAMPLES = Path(__file__).parent.parent / "examples"
SAYS = {
    "async_many": "24 answers",
    "cascade_local": "agent: There are eight",
    "code_review": "total.py:",
    "conversation_with_sealed_reasoning": "sealed characters",
    "cost_report": "summaries",
    "emulator_in_tests": "[100%]",
    "errors_and_retries": "404 DeploymentNotFound free",
    "image_generate": "MAI-Code-1.1-Flash says: There is a still lake among mountains at night",
    "image_many": "3 of 4 came: 1024x1024",
    "live_captions": "00:00:01.000 --> 00:00:01.540\nWelcome.",
    "phone_assistant": "looked up: On Friday from 9 to 18.",
    "routes_and_deployments": "thinker: think-prod is MAI-Thinking-1",
    "self_hosted_deepseek": "exact, vLLM /tokenize",
    "stream": "left early: >=",
    "structured": "Oslo, Norway: 724,290 people\nask 1:",
    "tools": "weather",
    "transcribe_long_recording": "3 pieces: One piece. One piece. One piece.",
    "transcribe_to_subtitles": "Speaker 1: Good afternoon.",
    "voice_speak": "morning.wav: ",
    "voice_stream": "broke off after",
    "whole_call": "1 attempt, $",
}
"""Some of what each prints."""
NEEDS_NO_ENDPOINT = {"errors_and_retries", "emulator_in_tests"}
UNSET = {variable for setting in SETTINGS.values() for variable in setting.environment}


def run(name, **settings):
    environ = {key: value for key, value in os.environ.items() if key not in UNSET}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**environ, **settings, "PYTHONUTF8": "1"},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def test_every_example_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_without_any_settings(name):
    assert SAYS[name] in run(name)


@pytest.mark.parametrize("name", ["whole_call", "async_many", "self_hosted_deepseek"])
def test_an_example_uses_the_endpoint_that_is_set(name, emulator):
    run(
        name,
        MAI_FOUNDRY_ENDPOINT=emulator.url,
        MAI_FOUNDRY_API_KEY=emulator.key,
        MAI_VLLM_BASE_URL=emulator.url,
    )
    assert len(emulator.journal) > 0


@pytest.mark.parametrize("name", SAYS)
def test_an_example_is_short_and_says_how_to_use_it_for_real(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) < 40
    assert name in NEEDS_NO_ENDPOINT or "_BASE_URL" in docstring or "_ENDPOINT" in docstring
