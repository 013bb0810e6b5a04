"""client.transcribe.session over the Speech service's WebSocket, against the emulator."""

import asyncio
import functools

import pytest

from mai_sdk.emulator import Emulator
from mai_sdk.engine.live import Endurance
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import MemoryLedger
from mai_sdk.wire.session_events import (
    UserTranscript,
)

QUICK = Endurance(silence_seconds=0.8, connections_per_minute=10_000)
RATE = 16_000
WORDS = ("Good morning.", "And good-by.")


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    return served


def run(test):
    @functools.wraps(test)
    def wrapped(*args, **named):
        async def whole():
            async with asyncio.timeout(20):
                await test(*args, **named)

        asyncio.run(whole())

    return wrapped


async def say(live, pcm, *, silence_ms=900, piece=640):
    """Give speech and silence a good deal faster than it was spoken."""
    pcm += bytes(silence_ms * 32)
    for at in range(0, len(pcm), piece):
        await live.send(pcm[at : at + piece])
        await asyncio.sleep(0)


async def rest(live):
    return [event async for event in live]


def told(events, kind):
    return [event for event in events if isinstance(event, kind)]


def texts(events):
    return [event.text for event in told(events, UserTranscript) if event.final and event.text]


def spoken(emulator, *words):
    return [emulator.spoken(text, sample_rate=RATE) for text in words]


def check_bill(live, ledger):
    rows = list(ledger.entries())
    assert len(rows) == len({row.call_id for row in rows})
    assert sum(row.usage.audio_seconds for row in rows if row.usage is not None) == (
        live.total.usage.audio_seconds
    )
    assert Cost.sum(each.cost for each in live.receipts).amount == live.total.cost.amount


@run
async def test_speech_is_written_down_phrase_by_phrase(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(surface="speech", language="en-US") as live:
            for each in spoken(emulator, *WORDS):
                await say(live, each)
        events = await rest(live)
    assert texts(events) == list(WORDS)
