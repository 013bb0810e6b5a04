"""What the doctor concludes from what was seen, without a connection."""

import pytest

from mai_sdk.cli.checks import deployment_check, key_check, listed_names
from mai_sdk.cli.examine import Certificate, Trouble, examine
from mai_sdk.config import Route, Secret

AZURE = Route(
    surface="foundry",
    endpoint="https://acme.services.ai.azure.com",
    deployment="mine",
    credential=Secret("k", name="MAI_FOUNDRY_API_KEY"),
)
LISTING = b'{"object":"list","data":[{"id":"gpt-base"}]}'


class Fake:
    """Eyes that see what they are told; a text is trouble."""

    def __init__(self, **seen):
        self.seen = {
            "proxy": None,
            "resolve": ["20.0.0.1"],
            "connect": 0.01,
            "certificate": Certificate("DigiCert", "2027-03-01"),
            "get": (200, LISTING),
            **seen,
        }
        self.asked = []

    def __getattr__(self, name):
        def look(*where):
            self.asked.append((name, *where[:2]))
            found = self.seen[name]
            if isinstance(found, str) and name != "proxy":
                raise Trouble(found)
            return found

        return look


def run(route=AZURE, **seen):
    return {check.name: check for check in examine(route, Fake(**seen))}


@pytest.mark.parametrize("step", ["resolve", "connect", "certificate", "get"])
def test_after_the_first_trouble_nothing_more_is_tried(step):
    eyes = Fake(**{step: "it broke"})
    checks = list(examine(AZURE, eyes))
    assert checks[-1].outcome == "failed"
    assert "it broke" in checks[-1].found
    assert checks[-1].advice
    assert [check.outcome for check in checks[:-1]] == ["ok"] * (len(checks) - 1)
    assert eyes.asked[-1][0] == step


def test_plain_http_has_no_certificate_to_check():
    route = Route(surface="vllm", endpoint="http://127.0.0.1:8000")
    assert "certificate" not in run(route)


def test_behind_a_proxy_it_is_the_proxy_that_is_looked_for():
    eyes = Fake(proxy="http://proxy.local:3128")
    checks = [check.name for check in examine(AZURE, eyes)]
    assert checks[:3] == ["proxy", "address", "connection"]
    assert "certificate" not in checks
    assert ("connect", "proxy.local", 3128) in eyes.asked


def test_azure_lists_base_models_so_a_deployment_that_is_not_listed_is_no_failure():
    check = run()["deployment"]
    assert check.outcome == "unsure"
    assert "--call" in check.advice


def test_a_surface_without_a_free_request_is_said_to_be_unsure():
    route = Route(surface="speech", endpoint="https://eastus.api.cognitive.microsoft.com")
    assert run(route)["key"].outcome == "unsure"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "failed"), (403, "failed"), (307, "failed"), (500, "failed"), (404, "unsure")],
)
def test_the_status_of_the_listing_says_what_is_known_of_the_key(status, outcome):
    check = key_check(AZURE, status, b"")
    assert check.outcome == outcome
    assert check.advice


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"", b"[]", b'{"data": 3}'])
def test_an_answer_that_is_no_listing_is_not_this_service(body):
    assert listed_names(body) is None
    assert key_check(AZURE, 200, body).outcome == "failed"


def test_an_empty_vllm_server_is_a_failure():
    route = Route(surface="vllm", endpoint="http://127.0.0.1:8000")
    assert deployment_check(route, []).outcome == "failed"
    many = deployment_check(route, [f"m{number}" for number in range(9)])
    assert many.outcome == "ok"
    assert many.found.endswith("and 3 more")


def test_a_gateway_lists_what_may_be_sent_so_a_missing_name_is_a_failure():
    route = Route(surface="openai-v1", endpoint="https://gateway.acme.com", deployment="mine")
    assert deployment_check(route, ["mine"]).outcome == "ok"
    assert deployment_check(route, ["other"]).outcome == "failed"
