"""Which key may go where: the table of the rule."""

from __future__ import annotations

import pytest

from mai_sdk.config import Secret, load_config
from mai_sdk.errors import InvalidCredential, InvalidEndpoint, NotConfigured

A = "https://a.services.ai.azure.com"
B = "https://b.services.ai.azure.com"
A_OPENAI = "https://a.openai.azure.com"
B_OPENAI = "https://b.openai.azure.com"


class Token:
    def get_token(self, *scopes, **options):
        raise AssertionError("loading asks for no token")


def foundry(environ=None, **arguments):
    """The endpoint and the key's text (or "token", or None) that the foundry surface gets."""
    made = load_config(environ=environ or {}, **arguments).connections["foundry"]
    key = made.credential
    if isinstance(key, Secret):
        return made.endpoint, key.reveal()
    return made.endpoint, "token" if isinstance(key, Token) else None


RULE = [
    # arguments, environment, endpoint, key
    ({"foundry_endpoint": A, "foundry_api_key": "k"}, {}, A, "k"),
    ({}, {"MAI_FOUNDRY_ENDPOINT": A, "MAI_FOUNDRY_API_KEY": "k"}, A, "k"),
    ({}, {"AZURE_OPENAI_ENDPOINT": A_OPENAI, "AZURE_OPENAI_API_KEY": "k"}, A, "k"),
    ({}, {"AZURE_AI_ENDPOINT": A, "AZURE_AI_API_KEY": "k"}, A, "k"),
    ({}, {"AZURE_INFERENCE_ENDPOINT": A + "/models", "AZURE_INFERENCE_CREDENTIAL": "k"}, A, "k"),
    # arguments win over variables, ours over borrowed ones
    (
        {"foundry_endpoint": A, "foundry_api_key": "k"},
        {"MAI_FOUNDRY_ENDPOINT": B, "MAI_FOUNDRY_API_KEY": "b"},
        A,
        "k",
    ),
    (
        {},
        {
            "MAI_FOUNDRY_ENDPOINT": A,
            "MAI_FOUNDRY_API_KEY": "k",
            "AZURE_OPENAI_ENDPOINT": B_OPENAI,
            "AZURE_OPENAI_API_KEY": "b",
        },
        A,
        "k",
    ),
    # a key beside another address stays there
    ({"foundry_endpoint": A}, {"MAI_FOUNDRY_ENDPOINT": B, "MAI_FOUNDRY_API_KEY": "b"}, A, None),
    (
        {"foundry_endpoint": A},
        {"AZURE_OPENAI_ENDPOINT": B_OPENAI, "AZURE_OPENAI_API_KEY": "b"},
        A,
        None,
    ),
    (
        {},
        {"AZURE_AI_ENDPOINT": A, "AZURE_OPENAI_ENDPOINT": B_OPENAI, "AZURE_OPENAI_API_KEY": "b"},
        A,
        None,
    ),
    # ... unless that is the same resource under another host
    (
        {"foundry_endpoint": A},
        {"AZURE_OPENAI_ENDPOINT": A_OPENAI, "AZURE_OPENAI_API_KEY": "k"},
        A,
        "k",
    ),
    # a key of ours without an address may go to the address that was chosen
    ({"foundry_endpoint": A}, {"MAI_FOUNDRY_API_KEY": "k"}, A, "k"),
    ({"foundry_api_key": "k"}, {"MAI_FOUNDRY_ENDPOINT": A, "MAI_FOUNDRY_API_KEY": "b"}, A, "k"),
    (
        {"foundry_api_key": "k"},
        {"AZURE_OPENAI_ENDPOINT": A_OPENAI, "AZURE_OPENAI_API_KEY": "b"},
        A,
        "k",
    ),
    # a borrowed key without an address only where nothing is in doubt
    ({"foundry_endpoint": A}, {"AZURE_OPENAI_API_KEY": "k"}, A, "k"),
    ({}, {"AZURE_AI_PROJECT_ENDPOINT": A + "/api/projects/p", "AZURE_AI_API_KEY": "k"}, A, "k"),
    (
        {"foundry_endpoint": A},
        {"AZURE_OPENAI_API_KEY": "k", "AZURE_AI_API_KEY": "other"},
        A,
        None,
    ),
    (
        {"foundry_endpoint": A},
        {"AZURE_OPENAI_API_KEY": "k", "AZURE_AI_ENDPOINT": B},
        A,
        None,
    ),
    # an Entra credential: behind a key given beside it, before any found key
    ({"foundry_endpoint": A, "credential": Token()}, {}, A, "token"),
    ({"foundry_endpoint": A, "credential": Token()}, {"MAI_FOUNDRY_API_KEY": "k"}, A, "token"),
    ({"foundry_endpoint": A, "foundry_api_key": "k", "credential": Token()}, {}, A, "k"),
    # blank is not set
    ({}, {"MAI_FOUNDRY_ENDPOINT": "", "AZURE_OPENAI_ENDPOINT": A_OPENAI}, A, None),
    (
        {"foundry_endpoint": A},
        {"MAI_FOUNDRY_API_KEY": " ", "AZURE_OPENAI_API_KEY": "", "AZURE_AI_API_KEY": "k"},
        A,
        "k",
    ),
    ({}, {"MAI_FOUNDRY_API_KEY": "k"}, None, None),
]


@pytest.mark.parametrize(("arguments", "environ", "endpoint", "key"), RULE)
def test_a_key_goes_only_to_the_resource_it_was_configured_for(arguments, environ, endpoint, key):
    assert foundry(environ, **arguments) == (endpoint, key)


def test_a_key_that_is_not_sent_is_named_in_the_error_with_its_own_address():
    config = load_config(
        foundry_endpoint=A,
        environ={"AZURE_OPENAI_ENDPOINT": B_OPENAI, "AZURE_OPENAI_API_KEY": "hush-hush"},
    )
    with pytest.raises(NotConfigured) as caught:
        config.route("d", modality="reasoning")
    said = str(caught.value)
    assert "AZURE_OPENAI_API_KEY is set, but it belongs to AZURE_OPENAI_ENDPOINT" in said
    assert "so it is not sent to a.services.ai.azure.com" in said
    assert "hush-hush" not in said
    assert caught.value.missing == ("foundry_api_key",)


def test_the_credential_of_azure_never_goes_to_a_vllm_server():
    config = load_config(
        vllm_base_url="https://gpu.example.com", credential=Token(), foundry_api_key="k", environ={}
    )
    assert config.connections["vllm"].credential is None


def test_the_foundry_resource_serves_speech_and_voice_live_with_its_key():
    made = load_config(foundry_endpoint=A_OPENAI, foundry_api_key="k", environ={}).connections
    assert made["speech"].endpoint == "https://a.cognitiveservices.azure.com"
    assert made["voice-live"].endpoint == A
    assert made["openai-v1"].endpoint == A_OPENAI
    assert made["speech"].credential.reveal() == made["voice-live"].credential.reveal() == "k"


def test_the_foundry_key_goes_to_a_speech_endpoint_only_if_it_is_the_same_resource():
    def key(speech_endpoint):
        made = load_config(
            foundry_endpoint=A, foundry_api_key="k", speech_endpoint=speech_endpoint, environ={}
        )
        return made.connections["speech"].credential

    assert key("https://a.cognitiveservices.azure.com").reveal() == "k"
    assert key("https://b.cognitiveservices.azure.com") is None
    assert key("https://eastus.api.cognitive.microsoft.com") is None


def test_a_speech_region_is_an_address_to_which_its_key_is_bound():
    environ = {"SPEECH_KEY": "k", "SPEECH_REGION": "East US"}
    made = load_config(environ=environ).connections["speech"]
    assert made.endpoint == "https://eastus.api.cognitive.microsoft.com"
    assert made.credential.reveal() == "k"
    other = load_config(environ=environ, speech_region="westus").connections["speech"]
    assert (other.endpoint, other.credential) == (
        "https://westus.api.cognitive.microsoft.com",
        None,
    )


@pytest.mark.parametrize("address", ["http://proxy.example.com", "my-resource", "https://"])
def test_a_wrong_address_of_another_program_is_no_error_until_it_is_needed(address):
    config = load_config(
        vllm_base_url="http://localhost:8000", environ={"AZURE_OPENAI_ENDPOINT": address}
    )
    assert config.route("m", modality="reasoning").surface == "vllm"
    with pytest.raises(NotConfigured, match="Note: AZURE_OPENAI_ENDPOINT"):
        config.route("m", modality="reasoning", surfaces=("foundry",))


def test_a_wrong_key_of_another_program_is_no_error_until_it_is_needed():
    environ = {"AZURE_OPENAI_ENDPOINT": A_OPENAI, "AZURE_OPENAI_API_KEY": "two\nlines"}
    config = load_config(environ=environ)
    with pytest.raises(NotConfigured, match="AZURE_OPENAI_API_KEY holds a line break") as caught:
        config.route("m", modality="reasoning", surfaces=("foundry",))
    assert "two" not in str(caught.value)


def test_a_wrong_address_of_ours_is_an_error_at_once_with_the_name_it_came_by():
    with pytest.raises(InvalidEndpoint, match=r"^MAI_FOUNDRY_ENDPOINT "):
        load_config(environ={"MAI_FOUNDRY_ENDPOINT": "my-resource"})
    with pytest.raises(InvalidEndpoint, match=r"^foundry_endpoint "):
        load_config(foundry_endpoint="", environ={})


@pytest.mark.parametrize("key", ["", "abc\n", "abc def", "cl\u00e9"])
def test_a_key_that_could_never_be_sent_is_an_error_at_once_that_does_not_repeat_it(key):
    with pytest.raises(InvalidCredential, match="foundry_api_key") as caught:
        load_config(foundry_endpoint=A, foundry_api_key=key, environ={})
    assert not key.strip() or key.strip() not in str(caught.value)
    if key.strip():
        with pytest.raises(InvalidCredential, match="MAI_FOUNDRY_API_KEY"):
            load_config(environ={"MAI_FOUNDRY_ENDPOINT": A, "MAI_FOUNDRY_API_KEY": key})
