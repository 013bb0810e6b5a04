import pytest

from mai_sdk.engine.proxy import proxy_for
from mai_sdk.engine.transport import async_transport, sync_transport
from mai_sdk.errors import ConfigurationError


def test_the_proxy_of_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy_for("https://x.services.ai.azure.com") == "http://proxy.example:3128"
    assert proxy_for("https://inside.example") is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:9"])
def test_what_stays_on_this_machine_never_goes_through_a_proxy(monkeypatch, url):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert proxy_for(url) is None


@pytest.mark.parametrize("choose", [sync_transport, async_transport])
def test_an_unknown_transport_is_refused_with_what_there_is(choose):
    with pytest.raises(ConfigurationError, match="'httpx2', 'pyreqwest'"):
        choose("curl")


@pytest.mark.parametrize("choose", [sync_transport, async_transport])
def test_a_transport_of_ones_own_is_taken_as_it_is(choose):
    mine = object()
    assert choose(mine) is mine


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"mai-sdk\[fast\]"):
        sync_transport("pyreqwest")
