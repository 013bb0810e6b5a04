"""Every way to end a stream leaves one settled row in a ledger file, its cost marked rightly.

What openai and litellm leave of the same streams is in docs/cost.md.
"""

import asyncio
import gc
import subprocess
import sys

import pytest

from mai_sdk.config import Timeouts
from mai_sdk.errors import StreamTruncated, TimedOut
from mai_sdk.metering.ledger import open_ledger

QUESTION = "Why is the sky blue?"
LEDGER = "ledger.db"
EXACT = ("settled_exact", "exact", None)


def lower_bound(error):
    return ("settled_estimated", "lower_bound", error)


def opened(client, **settings):
    return client.reasoning.stream(QUESTION, model="MAI-Thinking-1", **settings)


# --- ways, each sync and async --------------------------------------------------------------------


def finish(client):
    with opened(client) as events:
        for _ in events:
            pass


async def afinish(client):
    async with opened(client) as events:
        async for _ in events:
            pass


def leave_by_break(client):
    with opened(client) as events:
        for _ in events:
            break


async def aleave_by_break(client):
    async with opened(client) as events:
        async for _ in events:
            break


def raise_inside(client):
    with pytest.raises(KeyError), opened(client) as events:
        for _ in events:
            raise KeyError


async def araise_inside(client):
    with pytest.raises(KeyError):
        async with opened(client) as events:
            async for _ in events:
                raise KeyError


def interrupt(client):
    with pytest.raises(KeyboardInterrupt), opened(client) as events:
        for _ in events:
            raise KeyboardInterrupt


async def cancel(client):
    async def read():
        async with opened(client) as events:
            async for _ in events:
                began.set()
                await asyncio.Event().wait()

    began = asyncio.Event()
    task = asyncio.create_task(read())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def give_up_waiting(client):
    async def read():
        async with opened(client) as events:
            async for _ in events:
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(), 0.5)


def time_out(client):
    with (
        pytest.raises(TimedOut) as caught,
        opened(client, timeout=Timeouts(between_chunks=0.3)) as events,
    ):
        events.read()
    assert caught.value.receipt.attempts


async def atime_out(client):
    with pytest.raises(TimedOut) as caught:
        async with opened(client, timeout=Timeouts(between_chunks=0.3)) as events:
            await events.read()
    assert caught.value.receipt.attempts


def break_off(client):
    with pytest.raises(StreamTruncated), opened(client) as events:
        events.read()


async def abreak_off(client):
    with pytest.raises(StreamTruncated):
        async with opened(client) as events:
            await events.read()


def forget(client):
    events = opened(client).__enter__()
    next(iter(events))
    del events
    gc.collect()


async def aforget(client):
    events = await opened(client).__aenter__()
    await anext(aiter(events))
    del events
    gc.collect()


WAYS = [
    (finish, None, EXACT),
    (afinish, None, EXACT),
    (leave_by_break, None, lower_bound("Abandoned")),
    (aleave_by_break, None, lower_bound("Abandoned")),
    (raise_inside, None, lower_bound("Abandoned")),  # Python ends the iterator before the block
    (araise_inside, None, lower_bound("KeyError")),
    (interrupt, None, lower_bound("Abandoned")),
    (cancel, None, lower_bound("CancelledError")),
    (give_up_waiting, None, lower_bound("CancelledError")),
    (time_out, "stall", lower_bound("TimedOut")),
    (atime_out, "stall", lower_bound("TimedOut")),
    (break_off, "truncate", lower_bound("StreamTruncated")),
    (abreak_off, "truncate", lower_bound("StreamTruncated")),
    (forget, None, lower_bound("Abandoned")),
    (aforget, None, lower_bound("Abandoned")),
]


def rows():
    """Return what somebody else who opens the file finds."""
    ledger = open_ledger(LEDGER)
    found = list(ledger.entries())
    ledger.close()
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("way", "fault", "expected"), WAYS, ids=[way[0].__name__ for way in WAYS])
def test_a_stream_leaves_one_settled_row_however_it_ends(emulator, way, fault, expected):
    if fault:
        emulator.fault(fault, after=3)
    if asyncio.iscoroutinefunction(way):

        async def run():
            async with emulator.async_client(ledger=LEDGER) as client:
                await way(client)

        asyncio.run(run())
    else:
        with emulator.client(ledger=LEDGER) as client:
            way(client)
    (row,) = rows()
    assert (row.state, row.cost.status, row.error) == expected
    assert row.cost.amount > 0
    assert row.usage.input_tokens > 0


SYNC = """
import os, sys
from mai_sdk import MAI
client = MAI(foundry_endpoint=sys.argv[1], foundry_api_key="mai-emulator-key", ledger="ledger.db")
stream = client.reasoning.stream("Why is the sky blue?", model="MAI-Thinking-1").__enter__()
events = iter(stream)
next(events)
{end}
"""
ASYNC = """
import asyncio, os, sys
from mai_sdk import AsyncMAI
async def main():
    client = AsyncMAI(
        foundry_endpoint=sys.argv[1], foundry_api_key="mai-emulator-key", ledger="ledger.db"
    )
    stream = await client.reasoning.stream("Why?", model="MAI-Thinking-1").__aenter__()
    events = aiter(stream)
    await anext(events)
    {end}
asyncio.run(main())
"""
ENDS = [(SYNC, "pass"), (SYNC, "raise KeyError"), (ASYNC, "sys.exit(3)")]


@pytest.mark.parametrize(("script", "end"), ENDS, ids=["its end", "exception", "async exit"])
def test_the_end_of_the_process_settles_what_was_open(emulator, script, end):
    run_to_its_end(emulator, script.format(end=end))
    (row,) = rows()
    assert (row.state, row.cost.status) == ("settled_estimated", "lower_bound")
    assert row.cost.amount > 0


def test_a_process_that_could_not_settle_is_found_unknown_at_its_upper_bound(emulator):
    run_to_its_end(emulator, SYNC.format(end="os._exit(9)"))
    (row,) = rows()
    assert (row.state, row.cost.status, row.error) == ("unknown", "unknown", "ProcessDied")
    assert row.cost.amount is None
    assert row.upper_bound.amount > 0


def run_to_its_end(emulator, script):
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, emulator.url],
        capture_output=True,
        timeout=60,
        check=False,
    )
