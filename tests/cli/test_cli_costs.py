"""`mai costs`: what a ledger file says."""

import csv
import io
import json
from pathlib import Path

import pytest

from mai_sdk.client import MAI
from mai_sdk.metering.money import write_money


@pytest.fixture
def kept(emulator):
    """A ledger with two calls of different tags and models."""
    for model, team in (("MAI-Thinking-1", "search"), ("MAI-Code-1-Flash", "ads")):
        with MAI(
            foundry_endpoint=emulator.url,
            foundry_api_key=emulator.key,
            ledger="mai.db",
            tags={"team": team},
        ) as client:
            client.reasoning.create("Why?", model=model)
    return "mai.db"


def test_without_a_ledger_it_says_how_to_keep_one(mai):
    code, out, err = mai("costs")
    assert (code, out) == (3, "")
    assert "MAI_LEDGER" in err
    assert "memory" in err


@pytest.mark.parametrize("place", ["none.db", "sqlite:///none.db"])
def test_looking_into_a_ledger_never_makes_one(mai, place):
    code, _, err = mai("costs", "--ledger", place)
    assert code == 3
    assert "no ledger at none.db" in err
    assert not Path("none.db").exists()


def test_a_file_that_is_no_ledger_is_a_sentence(mai):
    Path("notes.txt").write_text("not a database, only text " * 50)
    code, _, err = mai("costs", "--ledger", "notes.txt")
    assert code == 3
    assert "Traceback" not in err


def test_the_table_has_a_row_a_model_and_a_total(mai, kept):
    code, out, _ = mai("costs", "--ledger", kept)
    assert code == 0
    assert "MAI-Thinking-1" in out
    assert "MAI-Code-1-Flash" in out
    assert "total" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_ledger_of_the_settings_is_the_default(mai, kept, monkeypatch):
    monkeypatch.setenv("MAI_LEDGER", kept)
    assert "MAI-Thinking-1" in mai("costs")[1]


def test_rows_can_be_chosen_by_tag_and_grouped_by_several_keys(mai, kept):
    code, out, _ = mai(
        "costs", "--ledger", kept, "--by", "day, tag:team", "--tag", "team=ads", "--json"
    )
    report = json.loads(out)
    assert code == 0
    assert report["by"] == ["day", "tag:team"]
    assert [row["keys"]["tag:team"] for row in report["rows"]] == ["ads"]
    assert isinstance(report["totals"][0]["cost"]["amount"], str)


def test_csv_has_one_line_a_row(mai, kept):
    _, out, _ = mai("costs", "--ledger", kept, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["model"] for row in rows} == {"MAI-Thinking-1", "MAI-Code-1-Flash"}


@pytest.mark.parametrize("when", [["--since", "2999-01-01"], ["--until", "2001-01-01T10:00"]])
def test_a_time_without_calls_says_that_nothing_is_recorded(mai, kept, when):
    code, out, _ = mai("costs", "--ledger", kept, *when)
    assert code == 0
    assert out == "Nothing is recorded in mai.db for what was asked.\n"


def test_a_span_counts_back_from_now(mai, kept):
    assert "total" in mai("costs", "--ledger", kept, "--since", "1h")[1]


def test_an_unknown_key_is_wrong_usage(mai, kept):
    code, _, err = mai("costs", "--ledger", kept, "--by", "colour")
    assert code == 2
    assert "colour" in err


BUDGETS = """
budget = [
  { limit = "5.00", per = "day" },
  { limit = "0.000000001", scope = "model", on_limit = "warn" },
]
"""


def test_budgets_show_what_is_left_of_each(mai, emulator):
    Path("mai.toml").write_text(BUDGETS + 'ledger = "mai.db"\n')
    with MAI(foundry_endpoint=emulator.url, foundry_api_key=emulator.key) as client:
        cost = client.reasoning.create("Why?", model="MAI-Thinking-1").cost
    code, out, err = mai("costs", "--budgets")
    assert (code, err) == (0, "")
    head, day, model = out.splitlines()
    assert head.split() == ["left", "of", "spent", "held", "period", "calls"]
    spent = write_money(cost.amount)
    assert day.split()[:4] == [write_money(5 - cost.amount), "$5.00", spent, "$0.00"]
    assert day.endswith("all")
    assert model.endswith("model MAI-Thinking-1 (warns)")
    assert model.split()[0] == "$0.00"
    assert max(map(len, out.splitlines())) <= 80
    shown = json.loads(mai("costs", "--budgets", "--json")[1])
    assert [row["spent"] for row in shown] == [f"{cost.amount:f}"] * 2


def test_without_a_budget_it_says_how_to_set_one(mai, kept):
    code, out, err = mai("costs", "--budgets", "--ledger", kept)
    assert (code, out) == (3, "")
    assert "budget = {" in err


def test_a_call_that_does_not_fit_has_an_exit_code_of_its_own(mai, emulator, monkeypatch):
    monkeypatch.setenv("KEY", emulator.key)
    Path("mai.toml").write_text(
        f'budget = {{ limit = "0.000000001" }}\nfoundry_endpoint = "{emulator.url}"\n'
        'foundry_api_key_env = "KEY"\n'
    )
    code, _, err = mai("reason", "Why?", "--model", "MAI-Thinking-1")
    assert code == 5
    assert "was not sent" in err


OVERLAY = """
[[prices]]
model = "MAI-Thinking-1"
meter = "output_tokens"
price = "80"
unit = "1M tokens"
"""


def test_a_correction_is_applied_to_what_was_recorded(mai, kept, monkeypatch):
    Path("prices.toml").write_text(OVERLAY)
    monkeypatch.setenv("MAI_PRICES", "prices.toml")
    code, out, err = mai("costs", "--ledger", kept, "--reprice")
    assert (code, err) == (0, "")
    head, row, text = out.splitlines()
    assert head.split() == ["model", "attempts", "before", "after"]
    assert row.split()[:2] == ["MAI-Thinking-1", "1"]
    assert text == "1 of 2 attempts changed."
    assert "priced again" in mai("costs", "--ledger", kept)[1]
    done = json.loads(mai("costs", "--ledger", kept, "--reprice", "MAI-Code-1-Flash", "--json")[1])
    assert (done["attempts"], done["changed"]) == (1, 0)
