"""Official clients on our routes: every way a call can end leaves its row."""

import asyncio
import gc
import json
import subprocess
import sys
import time
from types import SimpleNamespace

import openai
import pytest

from mai_sdk.emulator import EMULATOR_KEY, EMULATOR_TOKEN
from mai_sdk.engine.steps import Limits
from mai_sdk.errors import ConfigurationError, InvalidRequest, LedgerError, UnsupportedFeature
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.resources.errand import Errand
from mai_sdk.resources.openai_transport import library_of
from mai_sdk.resources.relay import Asked, Relay

ASK = [{"role": "user", "content": "Why is the sky blue?"}]
LONG = "This is a sentence of some words. " * 40
BROKEN = (openai.APIError, library_of(openai.DefaultHttpxClient).HTTPError)
"""What the official client raises where the line breaks; older ones let their library's through."""
SURFACES = ("foundry", "openai-v1", "vllm", "azure-inference")


@pytest.fixture(params=SURFACES)
def surface(request):
    return request.param


@pytest.fixture(params=[None, "pyreqwest"], ids=["usual", "fast"])
def transport(request):
    return request.param


def routed(emulator, surface, **settings):
    """A client with a route "mine" over that surface."""
    served = "microsoft/MAI-DS-R1" if surface == "vllm" else "MAI-Thinking-1"
    route = {"surface": surface, "deployment": served, "model": "MAI-Thinking-1", **settings}
    if surface == "vllm":
        route["model"] = "MAI-DS-R1"
    return emulator.client(routes={"mine": route})


def rows(client):
    return list(client.costs.entries())


def sent(emulator):
    return json.loads(emulator.journal[-1].body)


def only(client):
    (row,) = rows(client)
    return row


def stream(official, **fields):
    return official.chat.completions.create(model="mine", messages=ASK, stream=True, **fields)


def test_a_call_leaves_what_the_service_says_it_used(emulator, surface):
    with routed(emulator, surface) as client:
        with client.openai("mine") as official:
            answer = official.chat.completions.create(model="gpt-4o", messages=ASK)
        row = only(client)
    assert answer.choices[0].message.content
    assert row.state == "settled_exact"
    assert row.usage.input_tokens == answer.usage.prompt_tokens
    assert row.usage.output_tokens == answer.usage.completion_tokens
    assert row.cost.amount is not None or surface == "vllm"
    assert (row.status, row.error, row.operation.verb) == (200, None, "openai.chat.completions")


def test_a_stream_is_exact_and_shows_no_chunk_that_was_not_asked_for(emulator, surface, transport):
    served = routed(emulator, surface)
    with served as client, client.openai("mine") as official:
        chunks = list(stream(official))
        row = only(client)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert row.state == "settled_exact"
    if surface in ("openai-v1", "vllm"):
        assert all(chunk.usage is None for chunk in chunks)
        assert sent(emulator)["stream_options"] == {"include_usage": True}
    else:
        assert "stream_options" not in sent(emulator)


def test_usage_that_was_asked_for_is_shown(emulator):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        *_, last = stream(official, stream_options={"include_usage": True})
        row = only(client)
    assert last.usage.completion_tokens == row.usage.output_tokens


def test_usage_that_was_refused_is_estimated(emulator):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        list(stream(official, stream_options={"include_usage": False}))
        assert only(client).state == "settled_estimated"


@pytest.mark.parametrize("streams", [False, True])
def test_responses_are_metered(emulator, streams):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        made = official.responses.create(model="x", input="Why is the sky blue?", stream=streams)
        if streams:
            *_, last = made
            made = last.response
        row = only(client)
    assert row.state == "settled_exact"
    assert row.usage.output_tokens == made.usage.output_tokens
    assert row.operation.verb == "openai.responses"


def test_the_deployment_of_the_route_is_what_is_asked(emulator):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        official.chat.completions.create(model="gpt-4o", messages=ASK)
    assert sent(emulator)["model"] == "MAI-Thinking-1"


def test_a_retry_is_a_second_attempt_of_one_call(emulator):
    emulator.fault("rate_limit", retry_after_ms=1, retry_after=None)
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        official.chat.completions.create(model="x", messages=ASK)
        first, second = rows(client)
    assert first.operation.call_id == second.operation.call_id
    assert [first.number, second.number] == [1, 2]
    assert [first.state, second.state] == ["released", "settled_exact"]
    assert (first.status, first.error) == (429, "RateLimited")


def test_the_retry_of_a_stream_that_was_refused_is_a_second_attempt(emulator):
    emulator.fault("rate_limit", retry_after_ms=1, retry_after=None)
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        list(stream(official))
        assert [row.state for row in rows(client)] == ["released", "settled_exact"]


def test_two_calls_are_two_operations(emulator):
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        for _ in range(2):
            official.chat.completions.create(model="x", messages=ASK)
        assert len({row.operation.call_id for row in rows(client)}) == 2


def test_a_refusal_is_the_official_error_and_costs_nothing(emulator):
    emulator.fault("status", code=400)
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with pytest.raises(openai.BadRequestError):
            official.chat.completions.create(model="x", messages=ASK)
        row = only(client)
    assert (row.state, row.status, row.error) == ("released", 400, "RequestRejected")


@pytest.mark.parametrize("fault", ["truncate", "close", "reset"])
def test_a_stream_that_is_cut_raises_and_costs_at_least_what_came(emulator, transport, fault):
    emulator.reply(LONG)
    emulator.fault(fault, after=5)
    with emulator.client(transport=transport) as client:
        with client.openai("MAI-Thinking-1") as official, pytest.raises(BROKEN):
            list(stream(official))
        row = only(client)
    assert row.state == "settled_estimated"
    assert row.usage.basis == "lower_bound"
    assert row.cost.status == "lower_bound"
    assert row.error in ("StreamTruncated", "ConnectionFailed")


def test_an_error_within_a_stream_is_the_official_error(emulator):
    emulator.fault("error_event", after=2)
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with pytest.raises(openai.APIError):
            list(stream(official))
        row = only(client)
    assert row.usage.basis == "lower_bound"
    assert row.error is not None


def test_the_safety_system_ends_a_stream_as_it_does_for_the_official_client(emulator):
    emulator.fault("content_filter", where="output")
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        *_, last = (c for c in stream(official) if c.choices)
        row = only(client)
    assert last.choices[0].finish_reason == "content_filter"
    assert (row.state, row.error) == ("settled_exact", "ContentFiltered")


def break_off(official):
    for _ in stream(official):
        break


def close(official):
    with stream(official) as chunks:
        next(chunks)


def raise_within(official):
    with pytest.raises(ZeroDivisionError), stream(official) as chunks:
        for _ in chunks:
            raise ZeroDivisionError


def forget(official):
    next(stream(official))


def never_read(official):
    stream(official)


def close_the_client(official):
    chunks = stream(official)
    next(chunks)
    return chunks


@pytest.mark.parametrize(
    "leave", [break_off, close, raise_within, forget, never_read, close_the_client]
)
def test_a_stream_that_is_left_is_settled_with_what_came(emulator, transport, leave):
    emulator.reply(LONG)
    client = emulator.client(transport=transport)
    official = client.openai("MAI-Thinking-1")
    kept = leave(official)
    gc.collect()
    if kept is not None:
        assert only(client).state == "sent"
    client.close()
    row = only(client)
    assert (row.state, row.error) == ("settled_estimated", "Abandoned")
    assert row.cost.status == "lower_bound"
    official.close()


def test_a_stream_still_open_when_the_process_ends_is_settled(emulator, tmp_path):
    emulator.reply(LONG)
    file = tmp_path / "costs.db"
    script = f"""
from mai_sdk import MAI
settings = dict(foundry_endpoint={emulator.url!r}, foundry_api_key={EMULATOR_KEY!r})
client = MAI(ledger={str(file)!r}, **settings)
chunks = client.openai("MAI-Thinking-1").chat.completions.create(
    model="x", messages=[{{"role": "user", "content": "Hi"}}], stream=True)
next(chunks)
"""
    dies = sys.version_info[:3] == (3, 13, 0)  # in openai's generator, with openai alone, too
    subprocess.run([sys.executable, "-c", script], check=not dies, timeout=60)
    with emulator.client(ledger=str(file)) as client:
        assert only(client).state == "settled_estimated"


def asynchronously(coroutine):
    return asyncio.run(coroutine)


async def astream(official, **fields):
    return await official.chat.completions.create(model="x", messages=ASK, stream=True, **fields)


def test_the_async_client_is_metered(emulator, transport):
    async def go():
        async with emulator.async_client(transport=transport) as client:
            async with client.openai_async("MAI-Thinking-1") as official:
                answer = await official.chat.completions.create(model="x", messages=ASK)
                chunks = [chunk async for chunk in await astream(official)]
            return answer, chunks, rows(client)

    answer, chunks, (whole, streamed) = asynchronously(go())
    assert whole.usage.output_tokens == answer.usage.completion_tokens
    assert chunks
    assert [whole.state, streamed.state] == ["settled_exact", "settled_exact"]


async def abreak_off(official):
    async for _ in await astream(official):
        break


async def aclose(official):
    async with await astream(official) as chunks:
        await anext(chunks)


async def aforget(official):
    await anext(await astream(official))


@pytest.mark.parametrize("leave", [abreak_off, aclose, aforget])
def test_an_async_stream_that_is_left_is_settled_with_what_came(emulator, transport, leave):
    async def go():
        emulator.reply(LONG)
        async with emulator.async_client(transport=transport) as client:
            async with client.openai_async("MAI-Thinking-1") as official:
                await leave(official)
                gc.collect()
                await asyncio.sleep(0)
            return client

    row = only(asynchronously(go()))
    assert (row.state, row.error) == ("settled_estimated", "Abandoned")


def test_a_cancelled_stream_is_settled_with_what_came(emulator, transport):
    async def go():
        emulator.reply(LONG)
        emulator.fault("stall", after=4)
        async with emulator.async_client(transport=transport) as client:
            async with client.openai_async("MAI-Thinking-1") as official:
                got = asyncio.Event()

                async def read():
                    async for _ in await astream(official):
                        got.set()

                task = asyncio.create_task(read())
                await got.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            return client

    row = only(asynchronously(go()))
    assert (row.state, row.error) == ("settled_estimated", "CancelledError")


def test_a_cancelled_call_may_have_run_and_is_unknown(emulator):
    async def go():
        emulator.fault("stall")
        async with emulator.async_client() as client:
            async with client.openai_async("MAI-Thinking-1") as official:
                asked = official.chat.completions.create(model="x", messages=ASK)
                task = asyncio.create_task(asked)
                async with asyncio.timeout(10):
                    while not rows(client):  # noqa: ASYNC110 - a ledger tells nobody
                        await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            return client

    row = only(asynchronously(go()))
    assert (row.state, row.cost.amount) == ("unknown", None)


def test_a_time_limit_is_the_official_error_and_the_attempt_unknown(emulator):
    emulator.fault("stall")
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with pytest.raises(openai.APITimeoutError):
            official.with_options(timeout=0.05, max_retries=0).chat.completions.create(
                model="x", messages=ASK
            )
        row = only(client)
    assert (row.state, row.error) == ("unknown", "TimedOut")


def test_each_client_offers_both_worlds(emulator):
    async def go():
        with emulator.client() as client:
            async with client.openai_async("MAI-Thinking-1") as official:
                await official.chat.completions.create(model="x", messages=ASK)
            assert only(client).state == "settled_exact"
        async with emulator.async_client() as client:
            with client.openai("MAI-Thinking-1") as official:
                official.chat.completions.create(model="x", messages=ASK)
            assert only(client).state == "settled_exact"

    asynchronously(go())


def test_they_are_official_clients(emulator):
    with emulator.client() as client:
        official = client.openai("MAI-Thinking-1")
        assert isinstance(official, openai.OpenAI)
        assert isinstance(client.openai_async("MAI-Thinking-1"), openai.AsyncOpenAI)
        assert str(official.base_url) == f"{emulator.url}/mai/v1/"
        assert EMULATOR_KEY not in repr(vars(official))


def test_tags_go_into_the_rows(emulator):
    with emulator.client(tags={"team": "search"}) as client:
        official = client.openai("MAI-Thinking-1", tags={"app": "old"})
        official.chat.completions.create(model="x", messages=ASK)
        assert only(client).operation.tags == {"team": "search", "app": "old"}


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:9/mai/v1", "https://evil.example/v1"])
def test_the_key_goes_to_no_other_host(emulator, elsewhere):
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with pytest.raises(InvalidRequest, match="bound to"):
            official.with_options(base_url=elsewhere).chat.completions.create(
                model="x", messages=ASK
            )
        assert rows(client) == []


def test_a_redirect_is_not_followed(emulator):
    emulator.fault("redirect")
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with pytest.raises(openai.APIStatusError):
            official.chat.completions.create(model="x", messages=ASK)
        assert only(client).state == "released"
    assert len(emulator.journal) == 1


def test_an_account_of_another_service_is_not_named(emulator, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        official.chat.completions.create(model="x", messages=ASK)
    assert "org-1" not in str(emulator.journal[-1].headers)
    assert "sk-theirs" not in str(emulator.journal[-1].headers)


class Credential:
    def __init__(self, *tokens):
        self.tokens = list(tokens)

    def get_token(self, *scopes):
        return SimpleNamespace(token=self.tokens.pop(0), expires_on=time.time() + 3600)


def test_a_token_is_fresh_and_renewed_when_it_is_refused(emulator):
    credential = Credential("stale-token", EMULATOR_TOKEN)
    with emulator.client(foundry_api_key=None, credential=credential) as client:
        official = client.openai("MAI-Thinking-1")
        official.chat.completions.create(model="x", messages=ASK)
        list(stream(official))
        states = [(row.state, row.status) for row in rows(client)]
    assert states == [("released", 401), ("settled_exact", 200), ("settled_exact", 200)]
    assert credential.tokens == []


class FullLedger(MemoryLedger):
    def reserve(self, entry, **more):
        raise LedgerError("The disk is full.")


def test_what_cannot_be_reserved_is_not_sent(emulator):
    with emulator.client(ledger=FullLedger()) as client:
        official = client.openai()
        with pytest.raises(LedgerError):
            official.chat.completions.create(model="x", messages=ASK)
    assert len(emulator.journal) == 0


def test_what_only_looks_something_up_leaves_no_row(emulator):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        official.models.list()
        assert rows(client) == []


def test_a_paid_call_we_cannot_read_is_unknown_and_not_free(emulator):
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        with pytest.raises(openai.NotFoundError):
            official.embeddings.create(model="x", input="Hello")
        row = only(client)
    assert row.operation.verb == "openai"
    assert row.status == 404


def test_a_compressed_answer_is_read(emulator):
    emulator.fault("gzip", times=2)
    with routed(emulator, "openai-v1") as client, client.openai("mine") as official:
        official.chat.completions.create(model="x", messages=ASK)
        list(stream(official))
        assert [row.state for row in rows(client)] == ["settled_exact", "settled_exact"]


def test_a_raw_answer_that_is_not_read_is_unknown(emulator):
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with official.chat.completions.with_streaming_response.create(model="x", messages=ASK):
            pass
        row = only(client)
    assert (row.state, row.error) == ("unknown", "Abandoned")


def test_a_model_without_a_chat_interface_is_refused(emulator):
    with emulator.client() as client, pytest.raises(UnsupportedFeature, match=r"client\.voice"):
        client.openai("MAI-Voice-2")


def test_without_the_package_it_says_what_to_install(emulator, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.delitem(sys.modules, "mai_sdk.resources.openai_client", raising=False)
    missing = pytest.raises(ConfigurationError, match=r"mai-sdk\[openai\]")
    with emulator.client() as client, missing:
        client.openai("MAI-Thinking-1")


def test_threads_keep_their_calls_apart(emulator):
    from concurrent.futures import ThreadPoolExecutor

    emulator.fault("rate_limit", times=4, retry_after_ms=1, retry_after=None)
    with emulator.client() as client, client.openai("MAI-Thinking-1") as official:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: list(stream(official)), range(16)))
        found = rows(client)
    assert len({row.operation.call_id for row in found}) == 16
    assert len(found) == 20
    assert {row.state for row in found} == {"released", "settled_exact"}


def test_what_is_made_in_the_background_is_unknown_and_not_nearly_nothing(emulator):
    queued = {"id": "r1", "object": "response", "status": "queued", "output": [], "usage": None}
    with routed(emulator, "openai-v1") as client:
        relay = Relay(client._core, model="mine")
        asked = Asked(
            method="POST",
            url=f"{relay.base_url}/responses",
            headers={},
            body=json.dumps({"background": True, "input": "Why?"}).encode(),
            limits=Limits(connect=9, first_byte=9, between_reads=9),
        )
        made = relay.passage(asked, Errand(is_alone=True))
        assert made.call.upper_bound().output_tokens is not None
        made.tab.reserve(made.call.upper_bound)
        answer = made.answer(SimpleNamespace(status=200, headers={}))
        answer.take(json.dumps(queued).encode())
        answer.end()
        row = only(client)
    assert (row.state, row.cost.status) == ("unknown", "unknown")
