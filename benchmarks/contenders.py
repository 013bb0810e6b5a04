"""The contenders, each written as its own documentation writes it.

Imports stand inside the functions, and nothing is imported here: `start.py` times each import in a
bare interpreter. Every call returns how many characters of text it read, so that all do the same
work and a wrong answer is noticed, and when the first of them came, so that a stream which was
held back until it was whole is noticed too.
"""

from __future__ import annotations

from time import perf_counter

MODEL = "MAI-Thinking-1"
PROMPT = "Why is the sky blue?"
MESSAGES = [{"role": "user", "content": PROMPT}]
WHOLE = {"model": MODEL, "messages": MESSAGES}
STREAM = {**WHOLE, "stream": True}
HEADERS = {"api-key": "k"}
PATH = "/mai/v1/chat/completions"
SECONDS = 60.0


class Contender:
    """One way to make the calls. `sync` and `aio` take a base URL and return (whole, stream)."""

    def __init__(self, module, packages, sync, aio):
        self.module = module
        """What `import` is timed for."""
        self.packages = packages
        """What its version line names."""
        self.sync = sync
        self.aio = aio


def httpx2_sync(base):
    import json

    import httpx2

    # The limits openai sets; httpx2's own keep only 20 connections alive.
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
    client = httpx2.Client(limits=limits, timeout=SECONDS)
    url = base + PATH

    def whole():
        response = client.post(url, json=WHOLE, headers=HEADERS)
        return len(response.json()["choices"][0]["message"]["content"]), 0

    def stream():
        size = first = 0
        with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    size += len(json.loads(line[6:])["choices"][0]["delta"]["content"] or "")
                    first = first or perf_counter()
        return size, first

    return whole, stream


def httpx2_async(base):
    import json

    import httpx2

    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
    client = httpx2.AsyncClient(limits=limits, timeout=SECONDS)
    url = base + PATH

    async def whole():
        response = await client.post(url, json=WHOLE, headers=HEADERS)
        return len(response.json()["choices"][0]["message"]["content"]), 0

    async def stream():
        size = first = 0
        async with client.stream("POST", url, json=STREAM, headers=HEADERS) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    size += len(json.loads(line[6:])["choices"][0]["delta"]["content"] or "")
                    first = first or perf_counter()
        return size, first

    return whole, stream


def pyreqwest_sync(base):
    import json
    from datetime import timedelta

    from pyreqwest.client import SyncClientBuilder

    client = SyncClientBuilder().read_timeout(timedelta(seconds=SECONDS)).build()
    url = base + PATH

    def whole():
        response = client.post(url).headers(HEADERS).body_json(WHOLE).build().send()
        return len(response.json()["choices"][0]["message"]["content"]), 0

    def stream():
        size, first, rest = 0, 0, b""
        request = client.post(url).headers(HEADERS).body_json(STREAM)
        request = request.streamed_read_buffer_limit(0)  # the default waits for 64 KiB
        with request.build_streamed() as response:
            while (data := response.body_reader.read_chunk()) is not None:
                *lines, rest = (rest + bytes(data)).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        size += len(json.loads(line[6:])["choices"][0]["delta"]["content"] or "")
                        first = first or perf_counter()
        return size, first

    return whole, stream


def pyreqwest_async(base):
    import json
    from datetime import timedelta

    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().read_timeout(timedelta(seconds=SECONDS)).build()
    url = base + PATH

    async def whole():
        response = await client.post(url).headers(HEADERS).body_json(WHOLE).build().send()
        return len((await response.json())["choices"][0]["message"]["content"]), 0

    async def stream():
        size, first, rest = 0, 0, b""
        request = client.post(url).headers(HEADERS).body_json(STREAM)
        request = request.streamed_read_buffer_limit(0)
        async with request.build_streamed() as response:
            while (data := await response.body_reader.read_chunk()) is not None:
                *lines, rest = (rest + bytes(data)).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        size += len(json.loads(line[6:])["choices"][0]["delta"]["content"] or "")
                        first = first or perf_counter()
        return size, first

    return whole, stream


def openai_sync(base):
    from openai import OpenAI

    client = OpenAI(base_url=f"{base}/openai/v1", api_key="k")

    def whole():
        reply = client.chat.completions.create(model=MODEL, messages=MESSAGES)
        return len(reply.choices[0].message.content), 0

    def stream():
        size = first = 0
        for chunk in client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
            size += len(chunk.choices[0].delta.content or "")
            first = first or perf_counter()
        return size, first

    return whole, stream


def openai_async(base):
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{base}/openai/v1", api_key="k")

    async def whole():
        reply = await client.chat.completions.create(model=MODEL, messages=MESSAGES)
        return len(reply.choices[0].message.content), 0

    async def stream():
        size = first = 0
        async for chunk in await client.chat.completions.create(
            model=MODEL, messages=MESSAGES, stream=True
        ):
            size += len(chunk.choices[0].delta.content or "")
            first = first or perf_counter()
        return size, first

    return whole, stream


def litellm_sync(base):
    from litellm import completion

    how = {"model": f"openai/{MODEL}", "api_base": f"{base}/v1", "api_key": "k"}

    def whole():
        return len(completion(messages=MESSAGES, **how).choices[0].message.content), 0

    def stream():
        size = first = 0
        for chunk in completion(messages=MESSAGES, stream=True, **how):
            size += len(chunk.choices[0].delta.content or "")
            first = first or perf_counter()
        return size, first

    return whole, stream


def litellm_async(base):
    from litellm import acompletion

    how = {"model": f"openai/{MODEL}", "api_base": f"{base}/v1", "api_key": "k"}

    async def whole():
        return len((await acompletion(messages=MESSAGES, **how)).choices[0].message.content), 0

    async def stream():
        size = first = 0
        async for chunk in await acompletion(messages=MESSAGES, stream=True, **how):
            size += len(chunk.choices[0].delta.content or "")
            first = first or perf_counter()
        return size, first

    return whole, stream


def mai_sync(base, transport=None):
    from mai_sdk import MAI, TextDelta

    client = MAI(foundry_endpoint=base, foundry_api_key="k", transport=transport)

    def whole():
        reply = client.reasoning.create(PROMPT, model=MODEL)
        return len(reply.text) if reply.cost.amount else 0, 0  # without its price it is wrong

    def stream():
        size = first = 0
        with client.reasoning.stream(PROMPT, model=MODEL) as events:
            for event in events:
                if isinstance(event, TextDelta):
                    size += len(event.text)
                    first = first or perf_counter()
        return size if events.reply.cost.amount else 0, first

    return whole, stream


def mai_async(base, transport=None):
    from mai_sdk import AsyncMAI, TextDelta

    client = AsyncMAI(foundry_endpoint=base, foundry_api_key="k", transport=transport)

    async def whole():
        reply = await client.reasoning.create(PROMPT, model=MODEL)
        return len(reply.text) if reply.cost.amount else 0, 0

    async def stream():
        size = first = 0
        async with client.reasoning.stream(PROMPT, model=MODEL) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    size += len(event.text)
                    first = first or perf_counter()
        return size if events.reply.cost.amount else 0, first

    return whole, stream


def mai_fast_sync(base):
    return mai_sync(base, "pyreqwest")


def mai_fast_async(base):
    return mai_async(base, "pyreqwest")


CONTENDERS = {
    "raw httpx2": Contender("httpx2", ["httpx2", "httpcore2"], httpx2_sync, httpx2_async),
    "raw pyreqwest": Contender("pyreqwest.client", ["pyreqwest"], pyreqwest_sync, pyreqwest_async),
    "openai": Contender("openai", ["openai", "httpx2"], openai_sync, openai_async),
    "mai_sdk": Contender("mai_sdk", ["mai-sdk", "httpx2"], mai_sync, mai_async),
    "mai_sdk[fast]": Contender("mai_sdk", ["mai-sdk", "pyreqwest"], mai_fast_sync, mai_fast_async),
    "litellm": Contender(
        "litellm", ["litellm", "openai", "httpx", "aiohttp"], litellm_sync, litellm_async
    ),
}
