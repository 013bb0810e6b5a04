from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import get_args

import pytest

from mai_sdk.catalog import Catalog
from mai_sdk.config import DEFAULT_MODELS, Modality, Surface
from mai_sdk.errors import ConfigurationError

ALL = Catalog.load()
FOUNDING = (
    "MAI-DS-R1",
    "MAI-DS-R1-FP8",
    "MAI-Thinking-1",
    "MAI-Code-1-Flash",
    "MAI-Image-2.5",
    "MAI-Image-2.5-Flash",
    "MAI-Transcribe-1.5",
    "MAI-Voice-2",
    "MAI-Voice-2-Flash",
)
SIBLINGS = (
    "MAI-Image-2",
    "MAI-Image-2e",
    "MAI-Image-2.5-Pro",
    "MAI-Image-2.6",
    "MAI-Image-2.6-Flash",
    "MAI-Image-2.7",
    "MAI-Image-2.7-Flash",
    "MAI-Transcribe-1",
    "MAI-Transcribe-2",
    "MAI-Transcribe-2-Streaming",
    "MAI-Voice-1",
    "MAI-Voice-2.1",
    "MAI-Voice-2.1-Flash",
    "MAI-Code-1.1-Flash",
    "MAI-Cyber-1-Flash",
    "MAI-Base-1",
    "MAI-1-preview",
)
ROW = {"source": "my notes", "checked": date(2026, 12, 1)}


def rows_of(model):
    lists = (model.statuses, model.limits, model.rates, model.capabilities, model.architecture)
    return [row for rows in lists for row in rows] + ([model.weights] if model.weights else [])


@pytest.mark.parametrize("name", FOUNDING + SIBLINGS)
def test_every_model_told_of_is_known_with_a_history(name):
    model = ALL.get(name)
    assert model is not None
    assert model.name == name
    assert model.statuses


def test_no_model_is_in_the_file_that_no_test_names():
    assert {model.name for model in ALL.models()} == {*FOUNDING, *SIBLINGS}


@pytest.mark.parametrize("model", ALL.models(), ids=lambda model: model.name)
def test_every_row_says_who_claims_it_and_when_it_was_checked(model):
    for row in rows_of(model):
        assert len(row.source) > 8, "a key of [sources] that does not exist reads like a short word"
        assert " " in row.source or "/" in row.source or "," in row.source
        assert date(2026, 11, 1) <= row.checked <= date(2027, 12, 31)
        assert not row.source.startswith("/")


@pytest.mark.parametrize("model", ALL.models(), ids=lambda model: model.name)
def test_surfaces_and_modalities_are_those_that_exist(model):
    assert model.modality in get_args(Modality)
    assert set(model.surfaces) <= set(get_args(Surface))
    assert set(model.deployments) == set(model.surfaces) - {"vllm"}


@pytest.mark.parametrize("model", ALL.models(), ids=lambda model: model.name)
def test_a_successor_exists_and_does_the_same_work_and_lines_of_succession_end(model):
    seen = [model.name]
    while model.successor is not None:
        successor = ALL.get(model.successor)
        assert successor is not None
        assert successor.modality == model.modality
        assert successor.name not in seen
        seen.append(successor.name)
        model = successor


def test_default_models_are_known_and_do_that_work():
    for modality, name in DEFAULT_MODELS.items():
        assert ALL.get(name).modality == modality


def test_names_are_found_in_any_case_by_alias_and_by_weights_repository():
    assert ALL.get("mai-thinking-1").name == "MAI-Thinking-1"
    assert ALL.get("mai-code-1-flash-picker").name == "MAI-Code-1-Flash"
    assert ALL.get("microsoft/MAI-DS-R1").name == "MAI-DS-R1"
    assert ALL.get("Microsoft/mai-ds-r1-fp8").name == "MAI-DS-R1-FP8"
    assert ALL.get("gpt-9") is None
    assert ALL.get("") is None


def test_no_two_models_share_a_name():
    names = [
        name.casefold()
        for model in ALL.models()
        for name in (model.name, *model.aliases, *([model.weights.repo] if model.weights else []))
    ]
    assert len(names) == len(set(names))


def test_models_can_be_listed_by_kind_of_work():
    assert {model.modality for model in ALL.models("voice")} == {"voice"}
    assert len(ALL.models()) == sum(len(ALL.models(m)) for m in get_args(Modality))


def test_close_names_are_suggested_closest_first_and_nonsense_suggests_nothing():
    assert ALL.suggest("MAI-Thinkng-1") == ["MAI-Thinking-1"]
    assert ALL.suggest("mai image 2.6")[0] == "MAI-Image-2.6"
    assert ALL.suggest("zzzzzz") == []


def test_the_packaged_catalog_is_read_once():
    assert Catalog.load() is Catalog.load()


def test_an_overlay_adds_a_model_and_leaves_the_rest():
    new = {
        "name": "MAI-Thinking-2",
        "modality": "reasoning",
        "surfaces": ["foundry"],
        "status": [{"stage": "preview", "on": date(2026, 12, 1), **ROW}],
    }
    catalog = Catalog.load(overlay={"model": [new]})
    assert catalog.get("mai-thinking-2").status(date(2026, 12, 2)).stage == "preview"
    assert catalog.get("mai-thinking-2").deployments == {"foundry": "MAI-Thinking-2"}
    assert catalog.get("MAI-DS-R1") == ALL.get("MAI-DS-R1")
    assert ALL.get("MAI-Thinking-2") is None


def test_an_overlay_row_replaces_all_packaged_rows_of_its_name_and_no_others():
    change = {
        "name": "mai-image-2.6",
        "note": "ours",
        "limits": [{"name": "max_pixels", "value": 4_000_000, **ROW}],
        "status": [{"stage": "retirement_scheduled", "on": date(2027, 1, 31), **ROW}],
    }
    model = Catalog.load(overlay={"model": [change]}).get("MAI-Image-2.6")
    assert model.name == "MAI-Image-2.6"
    assert [row.value for row in model.limits if row.name == "max_pixels"] == [4_000_000]
    assert model.limit("min_side") == 768
    assert model.status(date(2026, 12, 1)).stage == "preview"
    assert "its retirement is scheduled for 2027-01-31 (my notes)" in model.explain(
        date(2026, 12, 1)
    )
    assert model.note == "ours"


def test_an_overlay_file_may_keep_sources_and_the_day_at_its_top(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'checked = 2026-12-05\n[sources]\nhome = "our own measurement, 2026-12"\n'
        '[[model]]\nname = "MAI-DS-R1"\n'
        'capabilities = [{ name = "tools", value = "yes", source = "home" }]\n',
        encoding="utf-8",
    )
    model = Catalog.load(overlay=path).get("MAI-DS-R1")
    (row,) = [row for row in model.capabilities if row.name == "tools"]
    assert (row.source, row.checked) == ("our own measurement, 2026-12", date(2026, 12, 5))
    assert model.can("tools") is True


@pytest.mark.parametrize(
    "overlay",
    [
        {"model": [{"modality": "code"}]},
        {"model": ["MAI-X"]},
        {"model": [{"name": "MAI-X", "modality": "code"}]},
        {"model": [{"name": "MAI-DS-R1", "limits": [{"name": "x", "value": 1}]}]},
        {"model": [{"name": "MAI-DS-R1", "limits": [{"name": "x", "value": "many", **ROW}]}]},
        {"model": [{"name": "MAI-DS-R1", "colour": "red"}]},
        {"model": [{"name": "MAI-DS-R1", "limits": "none"}]},
        {"model": 3},
    ],
)
def test_a_malformed_overlay_is_one_clear_error(overlay):
    with pytest.raises(ConfigurationError, match=r"overlay"):
        Catalog.load(overlay=overlay)


def test_an_overlay_that_is_not_there_or_not_toml_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Catalog.load(overlay=tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[[model]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Catalog.load(overlay=str(broken))


def test_importing_the_catalog_reads_no_file():
    code = (
        "import sys, tomllib; tomllib.loads = None; import mai_sdk.catalog; "
        "assert 'mai_sdk.config' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
