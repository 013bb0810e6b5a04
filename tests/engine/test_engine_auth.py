import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

from mai_sdk.config import Route, Secret
from mai_sdk.engine.auth import AsyncTokens, Tokens, auth_header
from mai_sdk.errors import ConfigurationError, InvalidCredential


class Credential:
    def __init__(self, *, lifetime=3600.0, text="token"):
        self.asked = []
        self.lifetime = lifetime
        self.text = text

    def get_token(self, *scopes):
        self.asked.append(scopes)
        time.sleep(0.01)
        return SimpleNamespace(
            token=f"{self.text}-{len(self.asked)}", expires_on=time.time() + self.lifetime
        )


class AsyncCredential(Credential):
    async def get_token(self, *scopes):
        self.asked.append(scopes)
        await asyncio.sleep(0.01)
        return SimpleNamespace(token=f"token-{len(self.asked)}", expires_on=time.time() + 3600)


def route(surface, credential):
    return Route(surface=surface, endpoint="https://x.example", credential=credential)


@pytest.mark.parametrize(
    ("surface", "header"),
    [
        ("foundry", ("api-key", "k")),
        ("azure-inference", ("api-key", "k")),
        ("openai-v1", ("authorization", "Bearer k")),
        ("vllm", ("authorization", "Bearer k")),
    ],
)
def test_each_surface_takes_the_key_in_its_own_header(surface, header):
    assert auth_header(route(surface, Secret("k")), token=None) == header


def test_a_token_always_goes_as_bearer():
    credential = Credential()
    assert auth_header(route("foundry", credential), token=Secret("t")) == (
        "authorization",
        "Bearer t",
    )


def test_a_route_without_credential_sends_none():
    assert auth_header(route("vllm", None), token=None) is None


def test_a_token_is_asked_for_once_and_kept():
    credential, tokens = Credential(), Tokens()
    assert tokens.get(credential, "s", rejected=None) == Secret("token-1")
    assert tokens.get(credential, "s", rejected=None) == Secret("token-1")
    assert credential.asked == [("s",)]


def test_a_token_for_another_scope_is_another_token():
    credential, tokens = Credential(), Tokens()
    assert tokens.get(credential, "a", rejected=None) != tokens.get(credential, "b", rejected=None)


def test_a_token_near_its_end_is_replaced():
    credential, tokens = Credential(lifetime=299), Tokens()
    tokens.get(credential, "s", rejected=None)
    assert tokens.get(credential, "s", rejected=None) == Secret("token-2")


def test_a_refused_token_is_replaced():
    credential, tokens = Credential(), Tokens()
    first = tokens.get(credential, "s", rejected=None)
    assert tokens.get(credential, "s", rejected=first) == Secret("token-2")


def test_a_hundred_threads_with_a_refused_token_ask_for_one_new_one():
    credential, tokens = Credential(), Tokens()
    first = tokens.get(credential, "s", rejected=None)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(tokens.get(credential, "s", rejected=first)))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {Secret("token-2")}
    assert len(credential.asked) == 2


@pytest.mark.parametrize("kind", [Credential, AsyncCredential])
def test_a_hundred_tasks_share_one_request_for_a_token(kind):
    credential, tokens = kind(), AsyncTokens()

    async def main():
        return await asyncio.gather(
            *(tokens.get(credential, "s", rejected=None) for _ in range(100))
        )

    assert set(asyncio.run(main())) == {Secret("token-1")}
    assert len(credential.asked) == 1


def test_async_tokens_serve_one_event_loop_after_another():
    credential, tokens = AsyncCredential(), AsyncTokens()
    for _ in range(3):
        assert asyncio.run(tokens.get(credential, "s", rejected=None)) == Secret("token-1")


def test_the_sync_client_says_that_it_cannot_use_an_async_credential():
    with pytest.raises(ConfigurationError, match=r"azure\.identity\.aio"):
        Tokens().get(AsyncCredential(), "s", rejected=None)


def test_a_token_that_could_break_a_header_is_refused_without_being_shown():
    with pytest.raises(InvalidCredential) as caught:
        Tokens().get(Credential(text="abc\nx"), "s", rejected=None)
    assert "abc" not in str(caught.value)
