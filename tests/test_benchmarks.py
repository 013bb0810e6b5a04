"""The benchmark scripts hold together, and their page keeps what it promises."""

import asyncio
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    import results

    yield results
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_every_script_imports_and_the_runner_explains_itself():
    script = "import contenders, hotspots, measure, results, run, server, start; run.arguments()"
    said = subprocess.run(
        [sys.executable, "-c", script, "--help"],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--only", "--rounds", "--no-litellm", "--profile"):
        assert option in said.stdout


def test_the_page_of_speech_judges_by_the_best_rounds(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import speech

    samples = {
        name: [{"first": 2.0, "cpu": 4.0}, {"first": 3.0, "cpu": 8.0}] for name in speech.NAMES
    }
    samples[speech.OFFICIAL] = [{"first": 4.0, "cpu": 2.0}]
    page = speech.page(samples, 2)
    assert "| mai_sdk | 2.00 | 2.50 | 4.00 | 6.00 |" in page
    assert "first audio, mai_sdk / Speech SDK: 0.50 of at most 1.00, met" in page
    assert "CPU per MB, mai_sdk / Speech SDK: 2.00 of at most 1.00, NOT MET" in page


def test_each_part_of_the_page_is_rewritten_without_the_other(results, tmp_path):
    page = tmp_path / "RESULTS.md"
    results.keep(page, "# Benchmarks: one\n")
    results.keep(page, "# Streamed speech\n\nfast\n")
    results.keep(page, "# Benchmarks: two\n")
    assert page.read_text() == "# Benchmarks: two\n\n# Streamed speech\n\nfast\n"
    results.keep(page, "# Streamed speech\n\nfaster\n")
    assert page.read_text() == "# Benchmarks: two\n\n# Streamed speech\n\nfaster\n"


def test_listing_the_contenders_imports_none_of_them():
    script = (
        "import sys, contenders\n"
        "heavy = {'httpx2', 'pyreqwest', 'openai', 'litellm', 'mai_sdk', 'json', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=BENCHMARKS, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_a_goal_is_judged_by_the_best_rounds_and_shows_the_median_too(results):
    goal = results.GOALS[0]
    samples = {
        ("whole sync", goal.who): [130.0, 120.0, 500.0],
        ("whole sync", goal.against): [100.0],
    }
    assert results.verdict(goal, samples, "whole sync") == "1.20 (1.30) met"
    samples["whole sync", goal.who] = [126.0]
    assert results.verdict(goal, samples, "whole sync") == "1.26 (1.26) NOT MET"
    assert results.verdict(goal, {}, "whole sync") == "not measured"


def test_of_calls_per_second_the_best_round_is_the_highest(results):
    samples = {("flight rate", "openai"): [400.0, 500.0], ("flight cpu", "openai"): [9.0, 8.0]}
    assert results.best(samples, "flight rate", "openai") == 500.0
    assert results.best(samples, "flight cpu", "openai") == 8.0


def test_the_terminal_tables_fit_80_columns(results):
    series = [name for table in results.TABLES for _, name in (table.left, table.right)]
    samples = {(name, who): [12345.6] for name in series for who in results.CONTENDERS}
    assert max(map(len, results.terminal(samples).splitlines())) <= 80


def test_the_kept_results_have_every_contender_every_table_and_every_goal(results):
    kept = (BENCHMARKS / "RESULTS.md").read_text(encoding="utf-8")
    for table in results.TABLES:
        assert f"## {table.title}" in kept
    for who in results.CONTENDERS:
        assert f"| {who} |" in kept, who
    for goal in results.GOALS:
        assert f"{goal.limit:.2f}x {goal.against}" in kept
    assert "not measured" not in kept
    assert "What these numbers do not prove" in kept


@pytest.mark.parametrize("name", ["mai_sdk", "mai_sdk, USP"])
def test_no_frame_is_lost_over_a_line_that_breaks(monkeypatch, name):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    continuity = importlib.import_module("continuity")
    monkeypatch.delitem(sys.modules, "continuity")
    measured = continuity.measure(name, frames=1200, disruptions=12, seed=3)
    row = asyncio.run(measured)
    assert (row["lost"], row["disordered"], row["gaps"], row["errors"]) == (0, 0, 0, 0)
    assert row["disruptions"] == row["reconnections"] == 12
