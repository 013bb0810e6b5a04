"""What is built on the openai package is metered by changing the line that makes its client.

`make frameworks` installs these and runs this; elsewhere those that are not installed are skipped.
"""

import asyncio

import pytest

pytestmark = pytest.mark.filterwarnings("default")

QUESTION = "What is the capital of France?"
MODEL = "MAI-Thinking-1"


@pytest.fixture
def client(emulator):
    with emulator.client() as client:
        yield client


def rows(client):
    return [(row.state, row.operation.verb, row.operation.model) for row in client.costs.entries()]


PAID = ("settled_exact", "openai.chat.completions", MODEL)


def test_plain_openai(emulator, client):
    pytest.importorskip("openai")
    emulator.reply("Paris.")
    official = client.openai(MODEL)  # was: openai.OpenAI()
    answer = official.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": QUESTION}]
    )
    assert answer.choices[0].message.content == "Paris."
    assert rows(client) == [PAID]


def test_langchain(emulator, client):
    langchain = pytest.importorskip("langchain_openai")
    emulator.reply("Paris.", times=3)
    official = client.openai(MODEL)
    model = langchain.ChatOpenAI(  # was: ChatOpenAI(model="gpt-4o")
        model="gpt-4o", client=official.chat.completions, root_client=official, api_key="unused"
    )
    assert model.invoke(QUESTION).content == "Paris."
    assert "".join(chunk.content for chunk in model.stream(QUESTION)) == "Paris."
    for _ in model.stream(QUESTION):
        break
    whole, streamed, left = client.costs.entries()
    assert rows(client)[:2] == [PAID, PAID]
    assert whole.usage.output_tokens == streamed.usage.output_tokens
    assert left.state in ("settled_exact", "settled_estimated")


def test_langchain_awaited(emulator):
    langchain = pytest.importorskip("langchain_openai")
    emulator.reply("Paris.", times=2)

    async def go():
        async with emulator.async_client() as client:
            async with client.openai_async(MODEL) as official:
                model = langchain.ChatOpenAI(
                    model="gpt-4o",
                    async_client=official.chat.completions,
                    root_async_client=official,
                    api_key="unused",
                )
                said = (await model.ainvoke(QUESTION)).content
                pieces = [chunk.content async for chunk in model.astream(QUESTION)]
            return said, "".join(pieces), rows(client)

    assert asyncio.run(go()) == ("Paris.", "Paris.", [PAID, PAID])


def test_instructor(emulator, client):
    instructor = pytest.importorskip("instructor")
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    emulator.reply("no city at all")
    emulator.reply('```json\n{"name": "Paris"}\n```')
    asking = instructor.from_openai(  # was: instructor.from_openai(openai.OpenAI())
        client.openai(MODEL), mode=instructor.Mode.MD_JSON
    )
    city = asking.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": QUESTION}],
        response_model=City,
        max_retries=2,
    )
    assert city.name == "Paris"
    assert rows(client) == [PAID, PAID], "an answer that did not fit was paid for, too"


def test_pydantic_ai(emulator):
    pytest.importorskip("pydantic_ai")
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    emulator.reply("Paris.", times=2)

    async def go():
        async with emulator.async_client() as client:
            async with client.openai_async(MODEL) as official:
                provider = OpenAIProvider(openai_client=official)  # was: OpenAIProvider()
                agent = Agent(OpenAIChatModel("gpt-4o", provider=provider))
                said = (await agent.run(QUESTION)).output
                async with agent.run_stream(QUESTION) as streamed:
                    again = await streamed.get_output()
            return said, again, rows(client)

    assert asyncio.run(go()) == ("Paris.", "Paris.", [PAID, PAID])
