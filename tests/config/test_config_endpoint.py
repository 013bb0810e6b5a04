from __future__ import annotations

import string
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.config import Surface
from mai_sdk.config.endpoint import (
    is_loopback,
    normalise_endpoint,
    origin,
    region_of,
    regional_endpoint,
    resource_of,
)
from mai_sdk.errors import InsecureEndpoint, InvalidEndpoint

SERVICES = "https://r.services.ai.azure.com"
OPENAI = "https://r.openai.azure.com"
COGNITIVE = "https://r.cognitiveservices.azure.com"
REGIONAL = "https://eastus.api.cognitive.microsoft.com"

FORMS = [
    # what the Foundry portal and its samples show
    ("foundry", "https://r.services.ai.azure.com", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/", SERVICES),
    ("foundry", "  https://r.services.ai.azure.com \n", SERVICES),
    ("foundry", '"https://r.services.ai.azure.com"', SERVICES),
    ("foundry", "r.services.ai.azure.com", SERVICES),
    ("foundry", "HTTPS://R.Services.AI.Azure.com/", SERVICES),
    ("foundry", "https://r.services.ai.azure.com:443/", SERVICES + ":443"),
    ("foundry", "https://r.services.ai.azure.com/mai/v1", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/mai/v1/chat/completions", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/mai/v1/images/generations?x=1#y", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/openai/v1", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/openai/v1/", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/api/projects/p", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/api/projects/p/openai/v1", SERVICES),
    ("foundry", "https://r.services.ai.azure.com/models", SERVICES),
    ("foundry", "wss://r.services.ai.azure.com/mai/v1/realtime?intent=transcription", SERVICES),
    ("foundry", "https://r.openai.azure.com/openai/v1/", SERVICES),
    (
        "foundry",
        "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        SERVICES,
    ),
    ("foundry", "https://r.cognitiveservices.azure.com/", SERVICES),
    (
        "foundry",
        "https://westcentralus.api.cognitive.microsoft.com/",
        "https://westcentralus.api.cognitive.microsoft.com",
    ),
    # the same, for the other dialects of Azure
    ("openai-v1", "https://r.openai.azure.com/openai/v1/chat/completions", OPENAI),
    ("openai-v1", "https://r.services.ai.azure.com/api/projects/p/openai/v1", SERVICES),
    ("openai-v1", "https://r.cognitiveservices.azure.com/openai/v1", COGNITIVE),
    (
        "azure-inference",
        "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
        SERVICES,
    ),
    ("azure-inference", "https://r.openai.azure.com/", SERVICES),
    ("realtime", "https://r.cognitiveservices.azure.com", SERVICES),
    ("voice-live", "wss://r.cognitiveservices.azure.com/voice-live/realtime", COGNITIVE),
    ("voice-live", "https://r.openai.azure.com", SERVICES),
    ("speech", "https://r.services.ai.azure.com/api/projects/p", COGNITIVE),
    ("speech", "https://r.openai.azure.com/openai/v1", COGNITIVE),
    (
        "speech",
        "https://r.cognitiveservices.azure.com/speechtotext/transcriptions:transcribe?api-version=1",
        COGNITIVE,
    ),
    ("speech", "https://eastus.tts.speech.microsoft.com/cognitiveservices/v1", REGIONAL),
    ("speech", "wss://eastus.stt.speech.microsoft.com/speech/universal/v2", REGIONAL),
    ("speech", "https://eastus.api.cognitive.microsoft.com/sts/v1.0/issuetoken", REGIONAL),
    # gateways of one's own: the prefix stays, the API's path goes
    ("foundry", "https://gw.example.com/ai/openai/deployments/d", "https://gw.example.com/ai"),
    ("foundry", "https://gw.example.com/ai/mai/v1/", "https://gw.example.com/ai"),
    ("openai-v1", "https://gw.example.com:8443/openai/v1", "https://gw.example.com:8443"),
    ("azure-inference", "https://gw.example.com/a/models", "https://gw.example.com/a"),
    ("foundry", "https://gw.example.com/models-of-ours", "https://gw.example.com/models-of-ours"),
    ("speech", "https://gw.example.com/tts/cognitiveservices/v1", "https://gw.example.com"),
    ("foundry", "http://127.0.0.1:8080/mai/v1", "http://127.0.0.1:8080"),
    # vLLM
    ("vllm", "http://localhost:8000", "http://localhost:8000"),
    ("vllm", "http://localhost:8000/v1", "http://localhost:8000"),
    ("vllm", "http://localhost:8000/v1/", "http://localhost:8000"),
    ("vllm", "http://localhost:8000/v1/chat/completions", "http://localhost:8000"),
    ("vllm", "http://localhost:8000/health", "http://localhost:8000"),
    ("vllm", "localhost:8000", "http://localhost:8000"),
    ("vllm", "localhost", "http://localhost"),
    ("vllm", "127.0.0.9:8000/v1", "http://127.0.0.9:8000"),
    ("vllm", "http://[::1]:8000/v1", "http://[::1]:8000"),
    ("vllm", "[::1]:8000", "http://[::1]:8000"),
    ("vllm", "https://gpu.example.com/team/vllm/v1", "https://gpu.example.com/team/vllm"),
    ("vllm", "https://gpu.example.com/openai/v1/models", "https://gpu.example.com/openai"),
    ("vllm", "https://gpu.example.com/v1/pool/v1", "https://gpu.example.com/v1/pool"),
    ("vllm", "gpu.example.com/v1", "https://gpu.example.com"),
    ("vllm", "https://10.0.0.7:8443", "https://10.0.0.7:8443"),
    ("vllm", "vllm:8443", "https://vllm:8443"),
]

REFUSED = [
    ("", "is empty"),
    ("   ", "is empty"),
    ("myresource", "is only a name"),
    ("sk0123456789abcdef", "is only a name"),
    ("https://<resource>.services.ai.azure.com", "placeholder"),
    ("https://{resource}.services.ai.azure.com", "placeholder"),
    ("https://ai.azure.com/foundryProject/overview?wsid=x", "a page to read"),
    ("https://portal.azure.com/#@tenant/resource/x", "a page to read"),
    ("https://learn.microsoft.com/azure/foundry", "a page to read"),
    ("https://www.github.com/microsoft", "a page to read"),
    ("https://models.inference.ai.azure.com", "retired on 2026-07-30"),
    ("https://models.github.ai/inference", "retired on 2026-07-30"),
    ("https://user:pass@r.services.ai.azure.com", "user name or password"),
    ("https://token@r.services.ai.azure.com", "user name or password"),
    ("https://r.services\n.ai.azure.com", "line break"),
    ("https://r.services.ai azure.com", "a space"),
    ("https:\\\\r.services.ai.azure.com", "backslash"),
    ("ftp://r.services.ai.azure.com", "neither https"),
    ("file:///etc/hosts", "no usable host"),
    ("https://", "no usable host"),
    ("https:///mai/v1", "no usable host"),
    ("https://r..example.com", "no usable host"),
    ("https://r.example.com:99999", "port"),
    ("https://r.example.com:eighty", "port"),
    ("https://[::1", "is not a URL"),
    ("https://r\u00e9.example.com", "no usable host"),
]


@pytest.mark.parametrize(("surface", "pasted", "base"), FORMS)
def test_every_form_users_paste_becomes_the_base_and_stays_it(surface, pasted, base):
    assert normalise_endpoint(pasted, surface=surface, name="x") == base
    assert normalise_endpoint(base, surface=surface, name="x") == base


@pytest.mark.parametrize(("pasted", "why"), REFUSED)
def test_nonsense_is_refused_with_the_setting_the_reason_and_what_to_paste(pasted, why):
    with pytest.raises(InvalidEndpoint) as caught:
        normalise_endpoint(pasted, surface="foundry", name="foundry_endpoint")
    said = str(caught.value)
    assert said.startswith("foundry_endpoint ")
    assert why in said
    assert "https://<resource>.services.ai.azure.com" in said
    assert "pass" not in said.replace("password", "")
    assert "sk0123456789abcdef" not in said


@pytest.mark.parametrize(
    "pasted",
    [
        "http://r.services.ai.azure.com",
        "ws://r.services.ai.azure.com",
        "http://10.0.0.7:8000",
        "http://0.0.0.0:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://2130706433",
        "http://vllm:8000",
        "http://[::2]:8000",
    ],
)
def test_plain_http_is_for_this_machine_alone(pasted):
    with pytest.raises(InsecureEndpoint, match="vllm_base_url is plain http to"):
        normalise_endpoint(pasted, surface="vllm", name="vllm_base_url")


def test_what_loopback_is():
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.9.8.7", "::1"))
    assert not any(is_loopback(host) for host in ("localhost.", "::", "10.0.0.1", ""))


def test_a_region_is_taken_by_its_short_or_its_shown_name():
    assert regional_endpoint("East US", name="x") == REGIONAL
    assert region_of(REGIONAL) == "eastus"
    assert region_of(COGNITIVE) is None
    for wrong in ("", "https://eastus.api.cognitive.microsoft.com", "east/us"):
        with pytest.raises(InvalidEndpoint, match="speech_region is not the name of a region"):
            regional_endpoint(wrong, name="speech_region")


def test_an_origin_is_scheme_host_and_port_filled_in():
    assert origin("https://h.example/x") == ("https", "h.example", 443)
    assert origin("http://[::1]:81") == ("http", "::1", 81)
    assert origin("https://h.example") != origin("https://h.example:444")


def test_sibling_hosts_are_one_resource_and_lookalikes_are_not():
    assert resource_of(OPENAI) == resource_of(SERVICES) == resource_of(COGNITIVE)
    assert resource_of(SERVICES) != resource_of("https://q.services.ai.azure.com")
    assert resource_of(SERVICES) != resource_of("https://r.services.ai.azure.com.example.net")


SURFACES = st.sampled_from(get_args(Surface))
LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
HOSTS = st.lists(LABELS, min_size=2, max_size=4).map(lambda labels: ".".join(labels) + ".example")
SEGMENTS = st.sampled_from(
    ["openai", "v1", "mai", "models", "chat", "completions", "api", "projects", "p", "tts", "a", ""]
)
PATHS = st.lists(SEGMENTS, max_size=8).map(lambda parts: "/" + "/".join(parts))
PORTS = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))


@settings(max_examples=300, deadline=None)
@given(surface=SURFACES, host=HOSTS, port=PORTS, path=PATHS)
def test_an_unknown_host_is_kept_and_a_second_pass_changes_nothing(surface, host, port, path):
    base = normalise_endpoint(f"https://{host}{port}{path}", surface=surface, name="x")
    assert base.startswith(f"https://{host}{port}")
    assert origin(base).host == host
    assert not base.endswith("/")
    assert normalise_endpoint(base, surface=surface, name="x") == base


@settings(max_examples=300, deadline=None)
@given(surface=SURFACES, text=st.text(max_size=40) | st.text("htps:/@.[]%?#\\ 1ab\n", max_size=30))
def test_any_text_gives_a_base_or_one_typed_error(surface, text):
    try:
        base = normalise_endpoint(text, surface=surface, name="x")
    except (InvalidEndpoint, InsecureEndpoint):
        pass
    else:
        assert normalise_endpoint(base, surface=surface, name="x") == base
        assert base.startswith(("https://", "http://localhost", "http://127.", "http://[::1]"))
