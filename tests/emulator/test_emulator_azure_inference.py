"""The azure-ai-inference client, unmodified, sync and async."""

import asyncio

import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mai_sdk.emulator import EMULATOR_KEY

ASK = [SystemMessage("Be brief."), UserMessage("What is the weather in Oslo?")]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = ChatCompletionsToolDefinition(
    function=FunctionDefinition(name="get_weather", parameters=PARAMETERS)
)


@pytest.fixture
def client(emulator):
    with ChatCompletionsClient(f"{emulator.url}/models", AzureKeyCredential(EMULATOR_KEY)) as made:
        yield made


def test_thoughts_sit_inside_the_content(client):
    reply = client.complete(messages=ASK, model="MAI-DS-R1", max_tokens=400)
    content = reply.choices[0].message.content
    thoughts, _, answer = content.removeprefix("<think>").partition("</think>")
    assert content.startswith("<think>")
    assert "Oslo" in thoughts
    assert "Oslo" in answer
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert client.get_model_info().model_provider_name == "Microsoft"


def test_a_stream_says_the_same_as_the_whole(client):
    whole = client.complete(messages=ASK, model="MAI-DS-R1").choices[0].message.content
    updates = list(client.complete(messages=ASK, model="MAI-DS-R1", stream=True))
    text = "".join(u.choices[0].delta.content or "" for u in updates if u.choices)
    assert text == whole
    assert updates[1].choices[0].delta.content == "<think>"
    assert updates[-1].usage.completion_tokens > 20


def test_a_tool_is_called_and_its_result_is_used(client):
    first = client.complete(messages=ASK, model="MAI-Code-1-Flash", tools=[TOOL])
    (call,) = first.choices[0].message.tool_calls
    assert call.function.arguments == '{"city":"Oslo"}'
    history = [*ASK, AssistantMessage(tool_calls=[call]), ToolMessage("rain", tool_call_id=call.id)]
    last = client.complete(messages=history, model="MAI-Code-1-Flash", tools=[TOOL])
    assert "rain" in last.choices[0].message.content
    streamed = client.complete(messages=ASK, model="MAI-Code-1-Flash", tools=[TOOL], stream=True)
    calls = [c for u in streamed for c in (u.choices[0].delta.tool_calls or []) if u.choices]
    assert calls[0].function.name == "get_weather"


def test_extra_parameters_need_the_pass_through_header(client, http):
    body = {"model": "MAI-DS-R1", "messages": [{"role": "user", "content": "x"}], "top_k": 3}
    path = "/models/chat/completions?api-version=2024-05-01-preview"
    assert http.post(path, json=body).status_code == 400
    reply = client.complete(messages=ASK, model="MAI-DS-R1", model_extras={"top_k": 3})
    assert reply.choices


def test_the_errors_are_the_client_s_own_classes(emulator, client, http):
    with pytest.raises(ResourceNotFoundError):
        client.complete(messages=ASK, model="nobody")
    with pytest.raises(HttpResponseError) as nameless:
        client.complete(messages=ASK)
    assert nameless.value.status_code == 400
    wrong = AzureKeyCredential("wrong")
    with (
        ChatCompletionsClient(f"{emulator.url}/models", wrong) as stranger,
        pytest.raises(HttpResponseError) as refused,
    ):
        stranger.complete(messages=ASK, model="MAI-DS-R1")
    assert refused.value.status_code == 401
    assert http.post("/models/chat/completions", json={}).status_code == 404  # no api-version


async def _ask(url):
    async with AsyncChatCompletionsClient(url, AzureKeyCredential(EMULATOR_KEY)) as client:
        whole = await client.complete(messages=ASK, model="MAI-DS-R1")
        text = ""
        async for update in await client.complete(messages=ASK, model="MAI-DS-R1", stream=True):
            if update.choices:
                text += update.choices[0].delta.content or ""
        tools = await client.complete(messages=ASK, model="MAI-DS-R1", tools=[TOOL])
    return whole.choices[0].message.content, text, tools.choices[0].message.tool_calls


def test_the_async_client_does_the_same(emulator):
    whole, streamed, calls = asyncio.run(_ask(f"{emulator.url}/models"))
    assert whole == streamed
    assert calls[0].function.name == "get_weather"
