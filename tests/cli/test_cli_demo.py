"""`mai demo`: everything runs, everything is priced, and it fits on the screen."""

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from mai_sdk.cli import main
from mai_sdk.wire.wav import read_wav


@pytest.fixture(scope="module")
def demo():
    """The demo once as text and once as JSON; under settings that must not reach it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAI_LEDGER", "/nonexistent/mai.db")
        patch.setenv("MAI_FOUNDRY_ENDPOINT", "https://acme.services.ai.azure.com")
        patch.setenv("MAI_FOUNDRY_API_KEY", "a-real-key")
        yield {name: _run(words, patch) for name, words in (("text", []), ("json", ["--json"]))}


def _run(words, patch):
    import io
    import sys

    out = io.StringIO()
    patch.setattr(sys, "stdout", out)
    code = main(["demo", *words])
    return code, out.getvalue()


@pytest.fixture
def text(demo):
    code, out = demo["text"]
    assert code == 0
    return out


@pytest.fixture
def data(demo):
    code, out = demo["json"]
    assert code == 0
    return json.loads(out)


def test_no_line_is_longer_than_80_columns(text):
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_it_is_plain_text_where_there_is_no_terminal(text):
    assert "\033" not in text


def test_every_call_is_priced(data):
    statuses = {call["call"]: call["cost"]["status"] for call in data["calls"]}
    assert "unknown" not in statuses.values()
    assert statuses["reasoning"] == "exact"
    assert statuses["failed"] == "free"
    assert statuses["left early"] == "lower_bound"
    assert statuses["vLLM, streamed"] == "estimated"


def test_the_calls_cover_every_surface_and_verb_it_speaks_of(data):
    calls = {call["call"]: call for call in data["calls"]}
    assert {call["surface"] for call in data["calls"]} == {"foundry", "openai-v1", "vllm", "speech"}
    assert {call["verb"] for call in data["calls"]} == {
        "create",
        "stream",
        "count_tokens",
        "synthesize",
    }
    assert calls["schema, checked"]["attempts"] == 2
    assert calls["429, retried"]["attempts"] == 2
    assert calls["failed"]["error"] == "DeploymentNotFound"


def test_the_total_is_the_sum_of_the_calls(data):
    parts = sum(Decimal(call["cost"]["amount"]) for call in data["calls"])
    assert Decimal(data["total"]["amount"]) == parts > 0
    assert data["total"]["status"] == "lower_bound"


def test_every_price_has_a_source_and_a_date_and_the_demos_own_says_so(data, text):
    assert all(price["source"] and price["checked"] for price in data["prices"])
    flat = " ".join(text.split())
    for price in data["prices"]:
        assert f"{price['source']}; read {price['checked']}" in flat
    own = {price["model"] for price in data["prices"] if "demo's own figure" in price["source"]}
    assert own == {"MAI-DS-R1"}


def test_what_is_not_exact_says_why(data, text):
    flat = " ".join(text.split())
    for call in data["calls"]:
        if call["cost"]["status"] in ("estimated", "lower_bound"):
            assert call["cost"]["reason"] in flat


def test_thoughts_errors_and_the_receipt_are_shown(text):
    assert "    | The user asks about" in text
    assert "11 tokens, exact (vLLM /tokenize)" in text
    assert "DeploymentNotFound: " in text
    assert "receipt: 1 attempt, free" in text
    assert "City(name='Oslo'" in text


def test_speech_is_saved_where_it_says(text):
    path = Path(re.search(r"in (\S+hello\.wav)", text)[1])
    assert read_wav(path.read_bytes()).seconds > 2
    shutil.rmtree(path.parent)
