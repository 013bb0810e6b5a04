from __future__ import annotations

from datetime import date

import pytest

from mai_sdk.catalog import Capability, Catalog, Limit, Model, Status

ALL = Catalog.load()
TODAY = date(2026, 11, 22)
ROW = {"source": "a page", "checked": TODAY}


def model(*, statuses=(), limits=(), capabilities=(), **fields):
    return Model(
        name="MAI-X",
        modality="image",
        surfaces=("foundry",),
        statuses=tuple(Status(**ROW | row) for row in statuses),
        limits=tuple(Limit(name=name, value=value, **ROW) for name, value in limits),
        capabilities=tuple(Capability(name=name, value=said, **ROW) for name, said in capabilities),
        **fields,
    )


def test_the_status_is_the_step_that_began_last():
    thinking = ALL.get("MAI-Thinking-1")
    assert thinking.status(date(2026, 6, 1)) is None
    assert thinking.status(date(2026, 6, 2)).stage == "private_preview"
    assert thinking.status(date(2026, 8, 12)).stage == "preview"
    assert thinking.status(date(2026, 11, 3)).stage == "preview"
    assert thinking.status(date(2026, 11, 4)).stage == "retirement_scheduled"


def test_a_scheduled_retirement_whose_day_has_passed_is_not_a_retirement():
    assert not ALL.get("MAI-Image-2.5").is_retired(date(2027, 6, 1))
    assert ALL.get("MAI-Image-2").is_retired(date(2026, 8, 15))
    assert not ALL.get("MAI-Image-2").is_retired(date(2026, 8, 14))
    assert ALL.get("MAI-DS-R1").is_retired(TODAY)
    assert not ALL.get("MAI-DS-R1-FP8").is_retired(TODAY)


def test_steps_of_one_day_go_to_the_later_stage_and_then_to_the_source_seen_last():
    day = date(2026, 1, 1)
    made = model(
        statuses=[
            {"stage": "retired", "on": day},
            {"stage": "retired", "on": day, "seen": day, "source": "seen"},
            {"stage": "preview", "on": day, "seen": date(2026, 5, 1)},
        ]
    )
    assert made.status(day).source == "seen"


def test_today_is_the_day_asked_about_by_default():
    made = model(statuses=[{"stage": "preview", "on": date(2020, 1, 1)}])
    assert made.status().stage == "preview"
    assert not made.is_retired()
    assert made.explain().startswith("MAI-X is in public preview since 2020-01-01")


def test_claims_that_conflict_are_both_kept():
    pro = ALL.get("MAI-Image-2.5-Pro")
    ends = {row.on for row in pro.statuses if row.stage == "retirement_scheduled"}
    assert ends == {date(2026, 10, 1), date(2026, 10, 31)}
    pixels = [row.value for row in ALL.get("MAI-Image-2.6").limits if row.name == "max_pixels"]
    assert sorted(pixels) == [1_048_576, 2_359_296]
    vision = ALL.get("MAI-Code-1-Flash").capabilities
    assert {row.value for row in vision if row.name == "image_input"} == {"no", "claimed"}


def test_a_limit_is_the_most_tolerant_claim_and_none_where_there_is_no_claim():
    assert ALL.get("MAI-Image-2.6").limit("max_pixels") == 2_359_296
    assert ALL.get("MAI-DS-R1").limit("context_tokens") == 163_840
    assert ALL.get("MAI-Thinking-1").limit("audio_seconds") is None
    assert model(limits=[("min_side", 768), ("min_side", 512)]).limit("min_side") == 512


@pytest.mark.parametrize(
    ("said", "can"),
    [
        ([], None),
        (["yes"], True),
        (["no"], False),
        (["claimed"], None),
        (["no", "claimed"], False),
        (["yes", "claimed"], True),
        (["yes", "no"], None),
        (["no", "no"], False),
    ],
)
def test_a_plain_word_outweighs_a_claim_and_a_contradiction_is_unknown(said, can):
    assert model(capabilities=[("tools", value) for value in said]).can("tools") is can


def test_what_the_models_can_do():
    assert ALL.get("MAI-Thinking-1").can("tools") is True
    assert ALL.get("MAI-Thinking-1").can("encrypted_reasoning") is True
    assert ALL.get("MAI-Thinking-1").can("image_input") is False
    assert ALL.get("MAI-Thinking-1").can("tool_choice") is None
    assert ALL.get("MAI-Image-2.5").can("image_understanding") is False
    assert ALL.get("MAI-Code-1.1-Flash").can("image_input") is True
    assert ALL.get("MAI-Transcribe-1.5").can("timestamps") is False


def test_a_retired_model_with_open_weights_is_explained_with_vllm():
    said = ALL.get("MAI-DS-R1").explain(TODAY)
    assert said.startswith("MAI-DS-R1 was retired on Azure on 2026-02-27 (")
    assert "although it was still listed on 2026-03-25" in said
    assert said.endswith("its weights are open (microsoft/MAI-DS-R1, MIT): serve it with vLLM.")


def test_a_retired_model_is_explained_with_its_successor():
    said = ALL.get("MAI-Image-2").explain(TODAY)
    assert "was retired on Azure on 2026-08-15" in said
    assert said.endswith("its successor is MAI-Image-2.6.")


def test_a_scheduled_retirement_is_explained_with_every_day_claimed_and_the_successor():
    said = ALL.get("MAI-Image-2.5").explain(TODAY)
    assert "its retirement was scheduled for 2026-10-01" in said
    assert "still listed on 2026-10-05" in said
    assert said.endswith("its successor is MAI-Image-2.6.")
    pro = ALL.get("MAI-Image-2.5-Pro").explain(TODAY)
    assert "2026-10-31" in pro
    assert "2026-10-01" in pro


def test_a_retirement_that_lies_ahead_is_told():
    said = ALL.get("MAI-Thinking-1").explain(date(2026, 9, 1))
    assert said.startswith("MAI-Thinking-1 is in public preview since 2026-08-12")
    assert "its retirement is scheduled for 2026-11-04" in said


def test_a_private_preview_is_explained():
    said = ALL.get("MAI-Code-1-Flash").explain(TODAY)
    assert said.startswith("MAI-Code-1-Flash is in private preview since 2026-06-02")
    assert "/responses" in said
    assert "a newer one is MAI-Code-1.1-Flash" in said


def test_what_was_never_served_is_explained():
    said = ALL.get("MAI-Base-1").explain(TODAY)
    assert said.startswith("MAI-Base-1 was never served by a public API")


def test_an_end_without_successor_says_so():
    made = model(statuses=[{"stage": "retired", "on": date(2026, 1, 1)}])
    assert made.explain(TODAY).endswith("; no successor is known.")


@pytest.mark.parametrize("known", ALL.models(), ids=lambda model: model.name)
@pytest.mark.parametrize("on", [date(2024, 1, 1), TODAY, date(2028, 1, 1)])
def test_every_explanation_is_one_sentence_about_the_model(known, on):
    said = known.explain(on)
    assert known.name in said
    assert said.endswith(".")
    assert "None" not in said
    assert "\n" not in said
    assert "{" not in said


def test_a_model_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        ALL.get("MAI-DS-R1").name = "other"
