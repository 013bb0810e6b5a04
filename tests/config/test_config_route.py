from __future__ import annotations

import pytest

from mai_sdk.config import load_config
from mai_sdk.errors import InvalidRequest, NotConfigured

A = "https://a.services.ai.azure.com"
VLLM = "http://localhost:8000"
THINKING = {
    "surfaces": ("foundry", "openai-v1"),
    "catalog_name": "MAI-Thinking-1",
    "default_deployment": {"foundry": "MAI-Thinking-1", "openai-v1": "MAI-Thinking-1"},
}
DS = {
    "surfaces": ("vllm", "azure-inference"),
    "catalog_name": "MAI-DS-R1",
    "default_deployment": {"azure-inference": "MAI-DS-R1"},
}


def config(*, foundry=True, vllm=True, **arguments):
    if foundry:
        arguments |= {"foundry_endpoint": A, "foundry_api_key": "k"}
    if vllm:
        arguments |= {"vllm_base_url": VLLM}
    return load_config(environ={}, **arguments)


def way(route):
    return route.surface, route.deployment, route.model


def test_a_model_of_the_catalog_takes_the_first_of_its_surfaces_that_is_configured():
    assert way(config().route("mai-thinking-1", modality="reasoning", **THINKING)) == (
        "foundry",
        "MAI-Thinking-1",
        "MAI-Thinking-1",
    )
    no_name = ("vllm", None, "MAI-DS-R1")
    assert way(config().route("microsoft/MAI-DS-R1", modality="reasoning", **DS)) == no_name
    on_azure = ("azure-inference", "MAI-DS-R1", "MAI-DS-R1")
    assert way(config(vllm=False).route("MAI-DS-R1", modality="reasoning", **DS)) == on_azure


def test_a_named_route_wins_and_the_first_to_that_model_comes_second():
    routes = {
        "MAI-Thinking-1": {"surface": "vllm", "deployment": "by-name"},
        "one": {"surface": "foundry", "deployment": "by-model", "model": "mai-ds-r1"},
        "two": {"surface": "foundry", "deployment": "later", "model": "MAI-DS-R1"},
    }
    made = config(routes=routes)
    assert made.route("MAI-Thinking-1", modality="reasoning", **THINKING).deployment == "by-name"
    assert made.route("MAI-DS-R1", modality="reasoning", **DS).deployment == "by-model"
    assert made.route("two", modality="reasoning").deployment == "later"


def test_an_unknown_name_is_a_deployment_whose_model_stays_unknown():
    assert way(config().route("mine", modality="reasoning")) == ("foundry", "mine", None)
    assert way(config(foundry=False).route("mine", modality="code")) == ("vllm", "mine", None)
    assert config().route("mine", modality="reasoning").credential.reveal() == "k"


def test_without_a_model_the_only_named_route_for_the_work_is_taken():
    routes = {
        "pictures": {"surface": "foundry", "deployment": "p", "modality": "image"},
        "speech": {"surface": "speech", "deployment": "s"},
        "tuned": {"surface": "vllm", "deployment": "lora", "model": "MAI-DS-R1"},
    }
    made = config(routes=routes)
    assert made.route(modality="reasoning").name == "tuned"
    assert made.route(modality="image").name == "pictures"
    assert made.default_model("reasoning") == "MAI-DS-R1"
    assert made.default_model("image") is None


def test_without_a_model_and_with_several_routes_the_default_model_is_taken():
    routes = {
        "a": {"surface": "vllm", "deployment": "a"},
        "b": {"surface": "foundry", "deployment": "b", "model": "MAI-Code-1-Flash"},
    }
    made = config(routes=routes)
    assert way(made.route(modality="reasoning")) == (
        "foundry",
        "MAI-Thinking-1",
        "MAI-Thinking-1",
    )
    assert made.route(modality="code").name == "b"
    assert made.default_model("code") == "MAI-Code-1-Flash"


def test_without_a_model_and_with_only_vllm_its_base_model_answers_and_stays_unknown():
    made = config(foundry=False)
    assert way(made.route(modality="reasoning")) == ("vllm", None, None)
    assert made.default_model("reasoning") is None
    assert config().default_model("reasoning") == "MAI-Thinking-1"


def test_voices_of_a_region_come_from_the_host_that_speaks():
    made = load_config(speech_region="eastus", speech_api_key="k", environ={})
    speak = made.route("MAI-Voice-2", modality="voice", surfaces=("speech",))
    assert speak.endpoint == "https://eastus.tts.speech.microsoft.com"
    hear = made.route("MAI-Transcribe-2", modality="transcribe", surfaces=("speech",))
    assert hear.endpoint == "https://eastus.api.cognitive.microsoft.com"


def test_an_empty_name_is_refused():
    with pytest.raises(InvalidRequest, match="empty name"):
        config().route(" ", modality="code")


def test_nothing_configured_lists_what_is_missing_for_that_model_and_every_way_to_set_it():
    empty = load_config(environ={})
    with pytest.raises(NotConfigured) as caught:
        empty.route("MAI-Thinking-1", modality="reasoning", **THINKING)
    said = str(caught.value)
    assert caught.value.missing == ("foundry_endpoint", "foundry_api_key")
    assert said.startswith("MAI-Thinking-1 is not configured.")
    for part in (
        "keyword foundry_endpoint=",
        "environment MAI_FOUNDRY_ENDPOINT",
        'mai.toml: foundry_endpoint = "https://<resource>.services.ai.azure.com"',
        "keyword foundry_api_key=",
        "environment MAI_FOUNDRY_API_KEY",
        'mai.toml: foundry_api_key_env = "MAI_FOUNDRY_API_KEY"',
        "credential=",
        "with Emulator() as emulator: client = emulator.client()",
    ):
        assert part in said
    assert "vllm" not in said


@pytest.mark.parametrize(
    ("known", "arguments", "missing", "also"),
    [
        (DS, {}, ("vllm_base_url",), "Or instead: foundry_endpoint and foundry_api_key"),
        (THINKING, {"foundry_endpoint": A}, ("foundry_api_key",), "credential="),
        ({}, {}, ("foundry_endpoint", "foundry_api_key"), "Or instead: vllm_base_url"),
        ({"surfaces": ("speech",)}, {}, ("speech_endpoint", "speech_api_key"), "speech_region="),
        ({"surfaces": ("speech",)}, {}, ("speech_endpoint", "speech_api_key"), "foundry_endpoint"),
        (
            {"surfaces": ("speech", "voice-live")},
            {"voice_live_endpoint": A},
            ("voice_live_api_key",),
            "Or instead: speech_endpoint and speech_api_key",
        ),
    ],
)
def test_what_is_half_set_up_is_asked_for_first_and_other_ways_are_named(
    known, arguments, missing, also
):
    with pytest.raises(NotConfigured) as caught:
        load_config(environ={}, **arguments).route("m", modality="reasoning", **known)
    assert caught.value.missing == missing
    assert also in str(caught.value)


def test_without_a_model_the_error_names_the_default_model():
    with pytest.raises(NotConfigured, match=r"^MAI-Code-1-Flash is not configured"):
        load_config(environ={}).route(modality="code")
    assert load_config(environ={}).default_model("code") == "MAI-Code-1-Flash"


def test_an_error_of_an_unusable_route_is_the_same_each_time():
    made = config(routes={"x": {"surface": "speech", "endpoint": "https://s.example.com"}})
    for _ in range(2):
        with pytest.raises(NotConfigured, match="has no key"):
            made.route("x", modality="voice")
