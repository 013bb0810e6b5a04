"""`mai models`: the list, one model in full, and JSON."""

import json

from mai_sdk.catalog import Catalog


def test_the_list_has_every_model_and_fits_80_columns(mai):
    code, out, _ = mai("models")
    assert code == 0
    for model in Catalog.load().models():
        assert f"\n{model.name} " in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_list_can_be_cut_to_one_modality(mai):
    _, out, _ = mai("models", "--modality", "code")
    assert "MAI-Code-1-Flash" in out
    assert "MAI-Thinking-1" not in out


def test_prices_that_are_not_microsofts_own_are_marked(mai):
    _, out, _ = mai("models")
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("MAI-")}
    assert "$2.00 in, $8.00 out" in lines["MAI-Thinking-1"]
    assert "~" not in lines["MAI-Thinking-1"]
    assert "~$0.75 in" in lines["MAI-Code-1-Flash"]
    assert "~$1.75 in, $33.00 out" in lines["MAI-Image-2.5-Flash"]


def test_one_model_shows_every_claim_with_source_and_date(mai):
    code, out, _ = mai("models", "mai-ds-r1")
    flat = " ".join(out.split())
    model = Catalog.load().get("MAI-DS-R1")
    assert code == 0
    for row in (*model.statuses, *model.limits, *model.capabilities, model.weights):
        assert f"{row.source}; checked {row.checked}" in flat
    assert "$1.35 per 1M tokens" in flat
    assert "a claim, never used for a cost" in flat


def test_claims_that_disagree_stand_side_by_side_and_are_marked(mai):
    _, out, _ = mai("models", "MAI-DS-R1")
    assert "! context_tokens  163,840" in out
    assert "! context_tokens  65,536" in out
    assert "  image_input  no" in out
    assert "Sources disagree" in out
    _, agreed, _ = mai("models", "MAI-DS-R1-FP8")
    assert "Sources disagree" not in agreed


def test_an_unknown_model_is_answered_with_its_nearest_names(mai):
    code, out, err = mai("models", "MAI-Thinkng-1")
    assert (code, out) == (2, "")
    assert "MAI-Thinking-1" in err


def test_json_has_everything_of_one_or_of_all(mai):
    _, out, _ = mai("models", "MAI-Thinking-1", "--json")
    one = json.loads(out)
    assert one["status_today"]["source"]
    assert one["prices"][0]["amount"] == "2.00"
    _, out, _ = mai("models", "--json")
    assert len(json.loads(out)) == len(Catalog.load().models())


def test_the_users_own_models_and_prices_are_laid_over(mai, monkeypatch, tmp_path):
    (tmp_path / "prices.toml").write_text(
        '[[prices]]\nmodel = "MAI-Thinking-1"\nmeter = "output_tokens"\n'
        'price = "3.25"\nunit = "1M tokens"\nsource = "our contract"\n'
    )
    monkeypatch.setenv("MAI_PRICES", "prices.toml")
    _, out, _ = mai("models", "MAI-Thinking-1")
    assert "$3.25 per 1M tokens" in out
    assert "our contract" in out
