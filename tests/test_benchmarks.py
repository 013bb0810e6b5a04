"""The benchmark scripts hold together, and their page keeps what it promises."""

import asyncio
import importlib
import select
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import results

    yield results
    for name, module in tuple(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").parent == BENCHMARKS:
            del sys.modules[name]


def test_every_script_imports_and_the_runner_explains_itself():
    script = (
        "import contenders, continuity, hotspots, live_server, measure, results, server, sessions,"
        "start, run; run.arguments()"
    )
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


def test_each_part_of_the_page_is_rewritten_without_the_others(results, tmp_path):
    page = tmp_path / "RESULTS.md"
    starts = ["# Benchmarks: one", "# Streamed speech", "# Voice sessions at once",
              "# Voice sessions over lines that break"]  # fmt: skip
    for start in (*reversed(starts), "# Benchmarks: two", starts[2] + "\n\n## Goals\n\nmet"):
        results.keep(page, start + "\n")
    told = "\n\n".join(["# Benchmarks: two", *starts[1:3], "## Goals", "met", starts[3]])
    assert page.read_text() == told + "\n"


def test_what_the_ledger_costs_is_measured_in_small(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import ledger

    monkeypatch.setattr(ledger, "together", lambda *_, **__: [[(3e-5, 2e-4, 2e-3)] * 5] * 2)
    page = ledger.measure(tmp_path, processes=2, calls=5, rate=50)
    assert "| SQLite, 2 processes | 30.00 | 30.00 | 30.00 | 200.00 | 2.00 | 2.00 | 2.00 |" in page
    assert "p99 of 2 processes: 2.00 of at most 10 ms, met" in page


def said_by(*command):
    """Return what a script printed about a run that went well."""
    run = subprocess.run(
        [sys.executable, *command],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run
    return run.stdout


@pytest.fixture(params=["file", "postgres"])
def place(request, tmp_path):
    """The address of a new ledger that outlives a process."""
    if request.param == "file":
        return str(tmp_path / "ledger.db")
    return request.getfixturevalue("postgres").address


def test_writers_killed_at_random_instants_lose_nothing(place):
    said = said_by("crashes.py", place, "--kills", "40", "--seed", "7", "--rows", "2000")
    assert "lost 0, duplicate 0, under_counted_nanos 0, forgotten 0" in said
    assert "integrity ok" in said


def test_processes_that_race_for_a_budget_use_it_up_and_no_more(place):
    said = said_by("budget_race.py", place, "--processes", "6", "--calls", "30", "--runs", "1")
    assert "overspent 0" in said
    assert "off_by 0" in said
    assert "killed 1" in said


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
def test_no_frame_is_lost_over_a_line_that_breaks(results, monkeypatch, name):
    continuity = importlib.import_module("continuity")
    measured = continuity.measure(name, frames=1200, disruptions=12, seed=3)
    row = asyncio.run(measured)
    assert set(row["kinds"]) == set(continuity.KINDS)
    assert (row["lost"], row["disordered"], row["gaps"], row["errors"]) == (0, 0, 0, 0)
    assert row["disruptions"] == row["reconnections"] == 12
    assert row["acknowledged twice"] == 0
    page = continuity.page([row, {**row, "client": "openai", "lost": 7}])
    assert f"lost, {name}: 0 of at most 0, met" in page
    assert "2 by half-open" in page or "1 by half-open" in page
    assert "| openai | 1,200 | 12 | 12 | 7 |" in page


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="the server is written for Linux")
def test_every_contender_talks_to_the_server_of_sessions(results):
    sessions = importlib.import_module("sessions")
    ways = {"up": 0.2, "down": 0.2, "both": 0.2}
    with ExitStack() as stack:
        names = list(sessions.CONTENDERS)
        bench = sessions.Bench(stack, names)
        samples = sessions.measure(bench, names, sessions=2, rounds=1, ways=ways)
    for name, (taken,) in samples.items():
        assert all(one.frames and one.cpu for one in taken.values()), name
        assert taken["up"].up["p50"] > 0
        assert taken["down"].down["p50"] > 0
    page = sessions.page(samples, dict.fromkeys(samples, 2), sessions=2, load="0.0")
    assert "CPU a frame, both, mai_sdk / azure-ai-voicelive: " in page


def test_the_page_of_sessions_judges_by_the_cheapest_round_and_the_least_late(results):
    page = importlib.import_module("sessions_page")

    def of(cpu, p99):
        late = {"p50": 1.0, "p99": p99, "max": 99.0}
        one = page.Stretch(sessions=200, up=late, down=late, frames=20_000, due=20_000, cpu=cpu)
        return dict.fromkeys(page.WAYS, one)

    samples = {page.BARE: [of(0.8, 1.0)], page.OFFICIAL: [of(2.0, 40.0), of(1.6, 50.0)],
               page.OURS: [of(1.2, 30.0), of(1.0, 8.0), of(1.1, 9.0)]}  # fmt: skip
    held = {page.BARE: 200, page.OFFICIAL: 150, page.OURS: 200}
    text = page.page(samples, held, sessions=200, load="0.1")
    assert "| mai_sdk | 1.0 | 8.0 | 99.0 | 1.0 | 8.0 | 99.0 | 9.0 | 200 |" in text
    assert "p99 of 200 sessions of mai_sdk: 8.0 of at most 20.0 ms, met" in text
    assert "CPU a frame, both, mai_sdk / azure-ai-voicelive: 0.62 of at most 1.00, met" in text
    assert "| azure-ai-voicelive | 80.0 | 90.0 |" in text
    assert "CPU a frame, both, mai_sdk / websockets + json: 1.25 of at most 1.25, met" in text
