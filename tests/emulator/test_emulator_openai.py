"""The openai client, unmodified, on every surface it can reach."""

import openai
import pytest
from pydantic import BaseModel

from mai_sdk.emulator import EMULATOR_KEY, EMULATOR_TOKEN, Emulator, VLLMFlags

ASK = [{"role": "user", "content": "What is the weather in Oslo?"}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"name": "get_weather", "description": "The weather of a city", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": TOOL}]


class Weather(BaseModel):
    city: str
    celsius: float
    sunny: bool


@pytest.fixture(scope="module")
def served():
    with Emulator(vllm=VLLMFlags(tool_parser=True)) as emulator:
        yield emulator


def settings(emulator, surface):
    if surface == "foundry":  # as Microsoft documents it
        key = {"api_key": "unused", "default_headers": {"api-key": EMULATOR_KEY}}
        return {"base_url": f"{emulator.url}/mai/v1", "max_retries": 0, **key}
    if surface == "foundry-entra":
        return {
            "base_url": f"{emulator.url}/mai/v1",
            "api_key": EMULATOR_TOKEN,
            "max_retries": 0,
        }
    path = "/openai/v1" if surface == "openai-v1" else "/v1"
    return {"base_url": emulator.url + path, "api_key": EMULATOR_KEY, "max_retries": 0}


MODELS = {
    "foundry": "MAI-Thinking-1",
    "foundry-entra": "MAI-Thinking-1",
    "openai-v1": "MAI-Thinking-1",
    "vllm": "microsoft/MAI-DS-R1",
}


@pytest.fixture(params=sorted(MODELS))
def surface(request):
    return request.param


@pytest.fixture
def client(served, surface):
    # With the documented header both it and a bearer token are sent; the header decides.
    with openai.OpenAI(**settings(served, surface)) as made:
        yield made


def test_a_whole_call_has_text_and_usage(client, surface):
    reply = client.chat.completions.create(model=MODELS[surface], messages=ASK)
    assert "Oslo" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.usage.completion_tokens > 20


def test_a_stream_joins_to_the_whole_text_and_ends(client, surface):
    model = MODELS[surface]
    whole = client.chat.completions.create(model=model, messages=ASK).choices[0].message.content
    options = {"include_usage": True}
    text, finish, usage = "", None, None
    for chunk in client.chat.completions.create(
        model=model, messages=ASK, stream=True, stream_options=options
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    assert text == whole
    assert finish == "stop"
    assert usage.completion_tokens > 20


def test_a_tool_is_called_and_its_result_is_used(client, surface):
    model = MODELS[surface]
    first = client.chat.completions.create(model=model, messages=ASK, tools=TOOLS)
    message = first.choices[0].message
    (call,) = message.tool_calls
    assert call.function.name == "get_weather"
    assert call.function.arguments == '{"city":"Oslo"}'
    # The MAI surface says "stop" also when it calls tools.
    says_stop = surface.startswith("foundry")
    assert first.choices[0].finish_reason == ("stop" if says_stop else "tool_calls")
    result = {"role": "tool", "tool_call_id": call.id, "content": "4 degrees and rain"}
    messages = [*ASK, message.model_dump(exclude_none=True), result]
    last = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    assert "4 degrees and rain" in last.choices[0].message.content
    assert not last.choices[0].message.tool_calls


def test_a_streamed_tool_call_comes_whole_or_in_indexed_fragments(client, surface):
    stream = client.chat.completions.create(
        model=MODELS[surface], messages=ASK, tools=TOOLS, stream=True
    )
    fragments = [
        call
        for chunk in stream
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
    ]
    assert fragments[0].id
    assert "".join(f.function.arguments or "" for f in fragments) == '{"city":"Oslo"}'
    if surface.startswith("foundry"):
        assert [f.index for f in fragments] == [None]
    else:
        assert {f.index for f in fragments} == {0}


@pytest.mark.parametrize("surface", ["openai-v1", "vllm"])
def test_structured_output_parses_into_the_class(served, surface):
    with openai.OpenAI(**settings(served, surface)) as client:
        reply = client.chat.completions.parse(
            model=MODELS[surface], messages=ASK, response_format=Weather
        )
    assert isinstance(reply.choices[0].message.parsed, Weather)


def test_the_accumulating_helper_reads_a_stream(served):
    with (
        openai.OpenAI(**settings(served, "openai-v1")) as client,
        client.chat.completions.stream(model="MAI-Code-1-Flash", messages=ASK, tools=[]) as stream,
    ):
        final = stream.get_final_completion()
    assert "```python" in final.choices[0].message.content


async def _async_round(served, surface):
    async with openai.AsyncOpenAI(**settings(served, surface)) as client:
        model = MODELS[surface]
        whole = await client.chat.completions.create(model=model, messages=ASK)
        text = ""
        async for chunk in await client.chat.completions.create(
            model=model, messages=ASK, stream=True
        ):
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
        tools = await client.chat.completions.create(model=model, messages=ASK, tools=TOOLS)
    return whole.choices[0].message.content, text, tools.choices[0].message.tool_calls


def test_the_async_client_does_the_same(served, surface):
    import asyncio

    whole, streamed, calls = asyncio.run(_async_round(served, surface))
    assert whole == streamed
    assert calls[0].function.name == "get_weather"


def test_responses_answer_whole_and_streamed(served):
    with openai.OpenAI(**settings(served, "openai-v1")) as client:
        whole = client.responses.create(model="MAI-Thinking-1", input="Why is the sky blue?")
        events = list(
            client.responses.create(
                model="MAI-Thinking-1", input="Why is the sky blue?", stream=True
            )
        )
    assert whole.status == "completed"
    assert whole.usage.output_tokens_details.reasoning_tokens > 0
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text
    assert [events[0].type, events[-1].type] == ["response.created", "response.completed"]
    assert events[-1].response.output_text == whole.output_text
    assert [e.sequence_number for e in events] == list(range(len(events)))


def test_responses_call_a_function_and_use_its_output(served):
    tool = {"type": "function", "strict": True, **TOOL}
    with openai.OpenAI(**settings(served, "openai-v1")) as client:
        first = client.responses.create(model="MAI-Code-1-Flash", input=ASK, tools=[tool])
        (call,) = [item for item in first.output if item.type == "function_call"]
        assert call.arguments == '{"city":"Oslo"}'
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "4 degrees"}
        history = [*ASK, *(item.model_dump(exclude_none=True) for item in first.output), output]
        last = client.responses.create(model="MAI-Code-1-Flash", input=history, tools=[tool])
        with client.responses.stream(model="MAI-Code-1-Flash", input=ASK, tools=[tool]) as stream:
            streamed = stream.get_final_response()
    assert "4 degrees" in last.output_text
    assert streamed.output[-1].arguments == call.arguments


def test_responses_parse_a_class_and_say_when_they_are_cut(served):
    with openai.OpenAI(**settings(served, "openai-v1")) as client:
        parsed = client.responses.parse(model="MAI-Code-1-Flash", input="Oslo", text_format=Weather)
        cut = client.responses.create(model="MAI-Code-1-Flash", input="Oslo", max_output_tokens=5)
    assert isinstance(parsed.output_parsed, Weather)
    assert cut.status == "incomplete"
    assert cut.incomplete_details.reason == "max_output_tokens"
    assert cut.usage.output_tokens == 5


def test_the_errors_are_the_client_s_own_classes(served):
    with openai.OpenAI(**settings(served, "openai-v1")) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="nobody", messages=ASK)
        assert missing.value.code == "DeploymentNotFound"
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(
                model="MAI-Thinking-1", messages=ASK, extra_body={"reasoning_display": "encrypted"}
            )
        assert refused.value.code == "unrecognized_request_argument"
        listed = [model.id for model in client.models.list()]
        assert client.models.retrieve("MAI-DS-R1").id in listed
    wrong = {**settings(served, "openai-v1"), "api_key": "sk-somebody-elses"}
    with openai.OpenAI(**wrong) as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="MAI-Thinking-1", messages=ASK)


def test_visible_thoughts_come_in_the_field_of_each_surface(served):
    for surface, model, field in (
        ("openai-v1", "MAI-DS-R1", "reasoning_content"),
        ("vllm", "microsoft/MAI-DS-R1", "reasoning"),
    ):
        with openai.OpenAI(**settings(served, surface)) as client:
            reply = client.chat.completions.create(model=model, messages=ASK)
        assert "Oslo" in reply.choices[0].message.model_extra[field]
