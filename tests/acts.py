"""One call of every kind, in both worlds: what watches calls must notice each, once."""

import asyncio

from mai_sdk.wire.session_events import TurnDone
from mai_sdk.wire.wav import wav_header

CANARY = "canary sings at midnight"
"""In every prompt and text here; it must show up nowhere else."""

SILENCE = wav_header(32_000, sample_rate=16_000) + bytes(32_000)


def read(stream):
    with stream as opened:
        for _ in opened:
            pass


async def aread(stream):
    async with stream as opened:
        async for _ in opened:
            pass


def official(client):
    with client.openai("MAI-Thinking-1") as made:
        made.chat.completions.create(model="x", messages=[{"role": "user", "content": CANARY}])


async def aofficial(client):
    async with client.openai_async("MAI-Thinking-1") as made:
        asked = [{"role": "user", "content": CANARY}]
        async for _ in await made.chat.completions.create(model="x", messages=asked, stream=True):
            pass


SYNC = {
    "reasoning.create": lambda c: c.reasoning.create(CANARY),
    "reasoning.stream": lambda c: read(c.reasoning.stream(CANARY)),
    "reasoning.count_tokens": lambda c: c.reasoning.count_tokens(CANARY, model="MAI-DS-R1"),
    "code.create": lambda c: c.code.create(CANARY),
    "image.generate": lambda c: c.image.generate(CANARY, width=768, height=768, n=2),
    "image.ask": lambda c: c.image.ask(CANARY, images=[PICTURE], model="MAI-Code-1.1-Flash"),
    "transcribe.create": lambda c: c.transcribe.create(SILENCE),
    "voice.synthesize": lambda c: c.voice.synthesize(CANARY),
    "voice.stream": lambda c: read(c.voice.stream(CANARY)),
    "voice.stream with boundaries": lambda c: read(c.voice.stream(CANARY, boundaries=True)),
    "voice.voices": lambda c: c.voice.voices(),
    "openai": official,
}

ASYNC = {
    "reasoning.create": lambda c: c.reasoning.create(CANARY),
    "reasoning.stream": lambda c: aread(c.reasoning.stream(CANARY)),
    "code.stream": lambda c: aread(c.code.stream(CANARY)),
    "image.generate": lambda c: c.image.generate(CANARY, width=768, height=768, n=2),
    "transcribe.create": lambda c: c.transcribe.create(SILENCE),
    "voice.synthesize": lambda c: c.voice.synthesize(CANARY),
    "voice.stream": lambda c: aread(c.voice.stream(CANARY)),
    "voice.stream with boundaries": lambda c: aread(c.voice.stream(CANARY, boundaries=True)),
    "openai": aofficial,
}


async def talk(client):
    """One turn of a conversation."""
    async with client.voice.session(instructions=CANARY) as call:
        await call.send_text(CANARY)
        async for event in call:
            if isinstance(event, TurnDone):
                break


def run(coroutine):
    async def whole():
        async with asyncio.timeout(25):
            return await coroutine

    return asyncio.run(whole())


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
