"""Whole calls through the emulator: sync and async must tell the same story."""

import asyncio
import gc
import logging
import pickle

import pytest
from pydantic import BaseModel

from mai_sdk import MAI, AsyncMAI, Tool, tool_result
from mai_sdk.config import Route, Secret
from mai_sdk.emulator import EMULATOR_TOKEN
from mai_sdk.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ContentFiltered,
    DeploymentNotFound,
    InsecureEndpoint,
    InvalidCredential,
    InvalidRequest,
    MAIError,
    NotConfigured,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    StructuredOutputFailed,
    UnreadableAnswer,
    UnsupportedFeature,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


class City(BaseModel):
    name: str
    population: int


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


def openai_route(emulator, **fields):
    return {
        "v1": Route(
            surface="openai-v1",
            endpoint=emulator.url,
            deployment="MAI-Thinking-1",
            model="MAI-Thinking-1",
            credential=Secret(emulator.key),
            **fields,
        )
    }


@pytest.fixture(params=["sync", "async"])
def create(request, emulator):
    """`create(prompt, **arguments)` on a fresh client, in both worlds; `create.client` after."""

    def call(prompt, *, client=None, modality="reasoning", **arguments):
        settings = client or {}
        if request.param == "sync":
            with emulator.client(**settings) as sync:
                call.client = sync
                return getattr(sync, modality).create(prompt, **arguments)

        async def main():
            async with emulator.async_client(**settings) as client_:
                call.client = client_
                return await getattr(client_, modality).create(prompt, **arguments)

        return asyncio.run(main())

    return call


def states(call):
    return [entry.state for entry in call.client.costs.entries()]


def test_a_reply_says_what_it_is_and_what_it_took(create):
    reply = create("Why is the sky blue?", model="MAI-Thinking-1", tags={"team": "a"})
    assert reply.text
    assert reply.finish_reason == "stop"
    assert reply.usage.basis == "reported"
    assert reply.cost.status == "exact"
    assert reply.cost.amount == sum(line.amount for line in reply.cost.lines)
    assert (reply.model, reply.deployment) == ("MAI-Thinking-1", "MAI-Thinking-1")
    assert reply.attempts == 1
    assert reply.request_id
    assert 0 < reply.timing.first_byte <= reply.timing.total
    assert reply.raw["object"] == "chat.completion"
    (entry,) = create.client.costs.entries()
    assert entry.operation.tags == {"team": "a"}
    assert entry.operation.call_id == reply.call_id
    assert entry.cost == reply.cost


def test_the_same_prompt_asks_the_same_of_the_service_in_both_worlds(emulator):
    with emulator.client() as client:
        client.reasoning.create("Why?", max_output_tokens=50, temperature=0.5)

    async def main():
        async with emulator.async_client() as client:
            await client.reasoning.create("Why?", max_output_tokens=50, temperature=0.5)

    asyncio.run(main())
    one, two = emulator.journal
    assert one.body == two.body
    assert one.path == two.path
    assert set(one.headers) == set(two.headers)


def test_only_documented_fields_are_sent(create, emulator):
    create("Why?", instructions="Be brief")
    (entry,) = emulator.journal
    assert set(entry.json) == {"model", "messages"}
    assert entry.json["messages"][0] == {"role": "system", "content": "Be brief"}


def test_extra_fields_and_headers_go_out_as_they_are(create, emulator):
    create("Why?", extra_body={"temperature": 0.1}, extra_headers={"x-trace": "7"})
    (entry,) = emulator.journal
    assert entry.json["temperature"] == 0.1
    assert dict(entry.headers)["x-trace"] == "7"


def test_a_conversation_carries_sealed_reasoning_back_unchanged(create, emulator):
    first = create("Why?", model="MAI-Thinking-1", reasoning_display="encrypted")
    blob = first.message["reasoning"]["encrypted_content"]
    assert blob
    assert blob not in repr(first)
    question = {"role": "user", "content": "Go on"}
    create([{"role": "user", "content": "Why?"}, first, question], model="MAI-Thinking-1")
    sent = emulator.journal[-1].json["messages"]
    assert sent[1]["reasoning"]["encrypted_content"] == blob


def test_a_tool_call_goes_there_and_back(create):
    question = {"role": "user", "content": "weather in Oslo?"}
    first = create([question], tools=[weather])
    assert first.finish_reason == "tool_calls"
    (call,) = first.tool_calls
    result = tool_result(call, Tool(weather).run(call))
    last = create([question, first, result], tools=[weather])
    assert "sunny in" in last.text
    assert last.tool_calls == ()


def test_visible_thoughts_are_kept_apart_from_the_answer(create):
    reply = create("What is 3 plus 4?", model="MAI-DS-R1")
    assert reply.reasoning
    assert "</think>" not in reply.text
    assert not reply.text.startswith("\n")
    assert reply.usage.reasoning_tokens is None, "vLLM's 0 is not a count"
    assert reply.cost.status == "unknown"
    assert "self-hosted" in reply.cost.reason


def test_a_model_of_ones_own_is_priced_from_the_overlay(create):
    rows = [
        {"model": "MAI-DS-R1", "surface": "vllm", "meter": meter, "price": "2", "unit": "1M tokens"}
        for meter in ("input_tokens", "output_tokens")
    ]
    reply = create("Why?", model="MAI-DS-R1", client={"prices": {"prices": rows}})
    total = reply.usage.input_tokens + reply.usage.output_tokens
    assert reply.cost.nanodollars == total * 2000


def test_the_responses_api_answers_the_same_question(create, emulator):
    reply = create("Why?", model="v1", client={"routes": openai_route(emulator, api="responses")})
    assert emulator.journal[-1].path == "/openai/v1/responses"
    assert reply.text
    assert reply.cost.status == "exact"


def test_the_model_inference_api_answers_with_thoughts_in_the_content(create, emulator):
    route = Route(
        surface="azure-inference",
        endpoint=emulator.url,
        deployment="MAI-DS-R1",
        model="MAI-DS-R1",
        credential=Secret(emulator.key),
    )
    reply = create("Why?", model="old", client={"routes": {"old": route}})
    assert reply.reasoning
    assert "<think>" not in reply.text


def test_an_answer_that_fits_its_class_is_parsed(create):
    reply = create("A city", response_format=City)
    assert isinstance(reply.parsed, City)
    assert reply.attempts == 1


def test_a_schema_is_sent_natively_where_the_surface_takes_it(create, emulator):
    reply = create(
        "A city", model="v1", response_format=City, client={"routes": openai_route(emulator)}
    )
    assert isinstance(reply.parsed, City)
    body = emulator.journal[-1].json
    assert body["response_format"]["json_schema"]["name"] == "City"
    assert len(body["messages"]) == 1


def test_an_answer_that_does_not_fit_is_asked_for_again_and_both_are_paid(create, emulator):
    emulator.reply("Oslo, I think")
    emulator.reply('{"name": "Oslo", "population": 700000}')
    reply = create("A city", response_format=City)
    assert reply.parsed == City(name="Oslo", population=700000)
    assert reply.attempts == 2
    assert states(create) == ["settled_exact", "settled_exact"]
    assert reply.cost.amount == sum(a.cost.amount for a in reply.receipt.attempts)
    assert [a.error for a in reply.receipt.attempts] == ["StructuredOutputFailed", None]
    again = emulator.journal[-1].json["messages"]
    assert again[-2]["content"] == "Oslo, I think"
    assert "does not fit" in again[-1]["content"]


def test_after_three_misfits_the_call_fails_with_everything_on_the_receipt(create, emulator):
    emulator.reply("nonsense", times=3)
    with pytest.raises(StructuredOutputFailed) as caught:
        create("A city", response_format=City)
    assert caught.value.attempts == 3
    assert caught.value.partial.text == "nonsense"
    assert caught.value.receipt.cost.status == "exact"


def test_an_answer_cut_at_the_limit_is_not_asked_for_again(create, emulator):
    emulator.reply('{"name": "Os', finish_reason="length")
    with pytest.raises(StructuredOutputFailed, match="output limit"):
        create("A city", response_format=City)
    assert len(emulator.journal) == 1


def test_a_filtered_answer_is_an_error_with_its_bill(create, emulator):
    emulator.fault("content_filter", where="output")
    with pytest.raises(ContentFiltered) as caught:
        create("Why?")
    assert caught.value.receipt.cost.status == "exact"
    assert caught.value.partial is not None
    assert caught.value.partial.cost.status == "exact"


def test_a_filtered_prompt_is_an_error(create, emulator):
    emulator.fault("content_filter", where="prompt", shape="mai")
    with pytest.raises(ContentFiltered):
        create("Why?")


def test_retries_are_visible(create, emulator):
    emulator.fault("rate_limit", retry_after=0, times=1)
    emulator.fault("status", code=503, retry_after=0, times=1)
    reply = create("Why?")
    assert reply.attempts == 3
    assert states(create) == ["released", "released", "settled_exact"]
    assert reply.cost.status == "exact"


def test_an_outcome_nobody_saw_makes_the_total_unknown(create, emulator):
    emulator.fault("reset")
    reply = create("Why?")
    assert states(create) == ["unknown", "settled_exact"]
    assert reply.cost.amount is None
    assert reply.cost.at_least > 0
    assert "cannot be more than" in reply.cost.reason


def test_missing_usage_is_estimated_and_says_so(create, emulator):
    emulator.fault("no_usage")
    reply = create("Why is the sky blue today?")
    assert reply.usage.basis == "estimated"
    assert reply.usage.output_tokens > 0
    assert reply.cost.status == "estimated"
    assert states(create) == ["settled_estimated"]


@pytest.mark.parametrize("fault", ["html_200", "empty_200", "bad_json", "bad_utf8"])
def test_what_is_no_answer_is_a_typed_error(create, emulator, fault):
    emulator.fault(fault)
    with pytest.raises(UnreadableAnswer) as caught:
        create("Why?")
    assert caught.value.status == 200
    assert states(create) == ["unknown"]


def test_a_bomb_is_not_unpacked(create, emulator):
    emulator.fault("gzip_bomb")
    with pytest.raises(UnreadableAnswer, match="larger than"):
        create("Why?")


@pytest.mark.parametrize("fault", ["gzip", "split", "wrong_content_type"])
def test_what_a_proxy_may_do_to_an_answer_changes_nothing(create, emulator, fault):
    plain = create("Why?").text
    emulator.fault(fault)
    assert create("Why?").text == plain


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_no_redirect_is_followed(create, emulator, code):
    emulator.fault("redirect", code=code)
    with pytest.raises(UnreadableAnswer, match="redirect"):
        create("Why?")
    assert len(emulator.journal) == 1


def test_an_html_error_page_is_a_typed_error_with_its_first_bytes(create, emulator):
    emulator.fault("status", code=502, body="html", times=2)
    with pytest.raises((ServiceUnavailable, UnreadableAnswer)) as caught:
        create("Why?")
    assert caught.value.status == 502
    assert "<" in caught.value.body


# Bad input: one clear typed error each, and nothing lost (the "Must show" 6).


def test_no_configuration_is_one_error_that_lists_what_is_missing():
    with MAI() as client, pytest.raises(NotConfigured) as caught:
        client.reasoning.create("Why?")
    for name in ("foundry_endpoint", "MAI_FOUNDRY_ENDPOINT", "foundry_api_key", "mai.toml"):
        assert name in str(caught.value)
    assert "Emulator" in str(caught.value)
    assert list(client.costs.entries()) == []


def test_a_wrong_key_is_refused_by_the_service_and_costs_nothing(create):
    with pytest.raises(AuthenticationFailed) as caught:
        create("Why?", client={"foundry_api_key": "wrong-key-0001"})
    assert caught.value.status == 401
    assert caught.value.receipt.cost.status == "free"
    assert "wrong-key-0001" not in repr(vars(caught.value))


def test_a_key_that_is_repeated_by_the_service_is_not_shown(create, emulator):
    emulator.fault("key_echo")
    with pytest.raises(AuthenticationFailed) as caught:
        create("Why?")
    assert emulator.key not in str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize("key", ["abc\ndef", "abc\r", " abc", "schlüssel"])
def test_a_key_that_could_never_be_sent_is_refused_when_the_client_is_made(key):
    with pytest.raises(InvalidCredential) as caught:
        MAI(foundry_endpoint="https://x.services.ai.azure.com", foundry_api_key=key)
    assert "def" not in str(caught.value)


def test_http_to_a_public_host_is_refused_when_the_client_is_made():
    with pytest.raises(InsecureEndpoint, match="https"):
        MAI(foundry_endpoint="http://x.services.ai.azure.com", foundry_api_key="k")


def test_an_unknown_model_is_tried_as_a_deployment_and_its_absence_explained(create):
    with pytest.raises(DeploymentNotFound) as caught:
        create("Why?", model="MAI-Thinkin-1")
    assert "MAI-Thinking-1" in str(caught.value)
    assert states(create) == ["released"]


def test_a_retired_models_absence_is_explained_by_the_catalog(create, emulator):
    emulator.fault("status", code=404)
    with pytest.raises(MAIError, match="vLLM"):
        create(
            "Why?",
            model="old",
            client={
                "routes": {
                    "old": Route(
                        surface="openai-v1",
                        endpoint=emulator.url,
                        deployment="gone",
                        model="MAI-DS-R1",
                        credential=Secret(emulator.key),
                    )
                }
            },
        )


def test_a_deployment_whose_model_nobody_named_works_and_its_cost_is_unknown(create, emulator):
    route = {"surface": "foundry", "endpoint": emulator.url, "deployment": "MAI-Thinking-1"}
    routes = {"mine": Route(**route, credential=Secret(emulator.key))}
    reply = create("Why?", model="mine", client={"routes": routes})
    assert reply.text
    assert reply.cost.status == "unknown"
    assert "model=" in reply.cost.reason


@pytest.mark.parametrize("prompt", ["", " ", [], [{"role": "user"}], [42], None])
def test_bad_prompts_never_reach_the_network(create, emulator, prompt):
    with pytest.raises(InvalidRequest):
        create(prompt)
    assert list(emulator.journal) == []
    assert states(create) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_output_tokens": 0},
        {"max_output_tokens": True},
        {"temperature": 3},
        {"temperature": -0.1},
        {"response_format": object()},
        {"response_format": {"type": "object"}},
        {"tools": [{"type": "retrieval"}]},
        {"extra_body": {"x": object()}},
        {"images": [b"no image"]},
    ],
)
def test_bad_arguments_never_reach_the_network(create, emulator, arguments):
    with pytest.raises(InvalidRequest):
        create("Why?", **arguments)
    assert list(emulator.journal) == []
    assert states(create) == []


def test_reasoning_display_is_refused_where_the_service_would(create, emulator):
    with pytest.raises(UnsupportedFeature):
        create(
            "Why?",
            model="v1",
            reasoning_display="encrypted",
            client={"routes": openai_route(emulator)},
        )


def test_images_are_refused_for_a_model_that_cannot_see(create, emulator):
    with pytest.raises(UnsupportedFeature, match=r"MAI-Code-1\.1-Flash"):
        create("What is this?", model="MAI-Thinking-1", images=[PNG])
    assert list(emulator.journal) == []


def test_images_go_to_a_model_that_can_see(create, emulator):
    create("What is this?", model="MAI-Code-1.1-Flash", modality="code", images=[PNG])
    part = emulator.journal[-1].json["messages"][0]["content"][1]
    assert part["image_url"]["url"].startswith("data:image/png;base64,")


def test_a_schema_the_service_refuses_is_its_error(create, emulator):
    emulator.fault("status", code=400, message="Invalid schema for response_format")
    with pytest.raises(RequestRejected, match="Invalid schema"):
        create("x", model="v1", response_format=City, client={"routes": openai_route(emulator)})


def test_a_server_that_is_not_there_is_a_connection_error(create):
    with pytest.raises(ConnectionFailed) as caught:
        create("Why?", client={"foundry_endpoint": "http://127.0.0.1:9", "max_retries": 0})
    assert "127.0.0.1:9" in str(caught.value)
    assert states(create) == ["released"]


def test_a_rate_limit_with_a_long_wait_fails_at_once(create, emulator):
    emulator.fault("rate_limit", retry_after=3600)
    with pytest.raises(RateLimited) as caught:
        create("Why?")
    assert caught.value.retry_after == 3600
    assert len(emulator.journal) == 1


class Credential:
    def __init__(self, token=EMULATOR_TOKEN):
        self.token = token

    def get_token(self, *scopes):
        class Token:
            token = self.token
            expires_on = 4e9

        return Token()


def test_an_entra_token_is_sent_as_bearer(create, emulator):
    create("Why?", client={"foundry_api_key": None, "credential": Credential()})
    assert "authorization" in dict(emulator.journal[-1].headers)


def test_a_credential_that_fails_is_a_typed_error(create):
    class Broken:
        def get_token(self, *scopes):
            raise RuntimeError("no login here")

    with pytest.raises(AuthenticationFailed, match="no login here"):
        create("Why?", client={"foundry_api_key": None, "credential": Broken()})
    assert states(create) == []


def test_neither_key_nor_prompt_shows_anywhere(create, emulator, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "a prompt that only the service may read"
    emulator.fault("status", code=400, message=f"You said: {secret}")
    with pytest.raises(RequestRejected) as caught:
        create(secret)
    error = caught.value
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert copy.receipt == error.receipt
    for shown in (str(error), repr(error), repr(vars(error)), repr(copy), caplog.text):
        assert secret not in shown
        assert emulator.key not in shown
    seen = error
    while seen is not None:
        assert emulator.key not in repr(seen)
        seen = seen.__cause__ or seen.__context__


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_client_is_used_on_one_event_loop_after_another(emulator):
    """The sockets of a loop that ended went with it: nobody is left who could close them."""
    client = emulator.async_client()

    async def ask():
        return (await client.reasoning.create("Why?")).text

    assert asyncio.run(ask()) == asyncio.run(ask())

    async def last():
        await client.aclose()

    asyncio.run(last())
    client = None
    gc.collect()


def test_many_tasks_share_one_client(emulator):
    async def main():
        async with emulator.async_client() as client:
            replies = await asyncio.gather(
                *(client.reasoning.create(f"Question {n}?") for n in range(40))
            )
            return replies, list(client.costs.entries())

    replies, entries = asyncio.run(main())
    assert len({reply.call_id for reply in replies}) == 40
    assert {entry.state for entry in entries} == {"settled_exact"}


def test_a_cancelled_call_leaves_its_row(emulator):
    emulator.fault("stall", seconds=30)

    async def main():
        async with emulator.async_client() as client:
            task = asyncio.create_task(client.reasoning.create("Why?"))
            while not len(emulator.journal):  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return [(entry.state, entry.error) for entry in client.costs.entries()]

    assert asyncio.run(main()) == [("unknown", "CancelledError")]


def test_async_client_type_is_what_the_emulator_gives(emulator):
    assert isinstance(emulator.async_client(), AsyncMAI)


def test_counting_is_exact_on_vllm_and_a_labelled_estimate_elsewhere(emulator):
    with emulator.client() as client:
        exact = client.reasoning.count_tokens("What is 3 plus 4?", model="MAI-DS-R1")
        guess = client.reasoning.count_tokens("What is 3 plus 4?", model="MAI-Thinking-1")
        reply = client.reasoning.create("What is 3 plus 4?", model="MAI-DS-R1")
    assert exact.basis == "exact"
    assert exact.tokens == reply.usage.input_tokens
    assert guess.basis == "estimated"
    assert emulator.journal[0].path == "/tokenize"
