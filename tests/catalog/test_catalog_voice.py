from mai_sdk.catalog import Catalog
from mai_sdk.catalog.voice import known_styles, known_voices

CATALOG = Catalog.load()


def test_there_are_as_many_voices_as_the_sources_say():
    assert len(CATALOG.voices(model="MAI-Voice-2.1")) == 97
    assert len(CATALOG.voices(model="mai-voice-2.1-flash")) == 97
    assert len(CATALOG.voices(model="MAI-Voice-2")) == 47
    assert len(CATALOG.voices(model="MAI-Voice-1")) == 6


def test_every_row_has_a_source_and_a_day_and_a_model_of_the_catalog():
    for voice in known_voices():
        assert len(voice.source) > 20
        assert voice.checked.year == 2026
        assert voice.name == f"{voice.locale}-{voice.speaker}"
        assert all(CATALOG.get(model).modality == "voice" for model in voice.models)


def test_a_locale_or_a_language_narrows_the_list():
    assert {voice.locale for voice in CATALOG.voices(locale="en")} == {
        "en-US", "en-GB", "en-AU", "en-IN",
    }  # fmt: skip
    assert {voice.locale for voice in CATALOG.voices(locale="en-us")} == {"en-US"}
    assert CATALOG.voices(locale="ja") == ()
    assert CATALOG.voices(model="MAI-Voice-99") == ()


def test_styles_are_those_of_the_model():
    assert "narrator" in known_styles("MAI-Voice-2.1")
    assert "narrator" not in known_styles("MAI-Voice-2")
    assert "excited" in known_styles("mai-voice-2")
    assert known_styles("MAI-Voice-1") == ()
    (klaus,) = CATALOG.voices(locale="de-DE", model="MAI-Voice-2")[:1]
    assert "whispering" in klaus.styles
