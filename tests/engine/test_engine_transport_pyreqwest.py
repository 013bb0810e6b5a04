"""What reqwest does not do by itself: let the process end, and an answer be closed while read."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.transport_pyreqwest import AsyncPyreqwestResponse

ENDS = """
import asyncio, sys
from mai_sdk import AsyncMAI

async def main():
    async with AsyncMAI(
        foundry_endpoint=sys.argv[1], foundry_api_key=sys.argv[2], transport="pyreqwest"
    ) as client:
        print((await client.reasoning.create("Why?", model="MAI-Thinking-1")).cost.status)

asyncio.run(main())
"""


def test_a_process_that_ends_right_after_its_answer_ends_well(emulator):
    def run(_):
        arguments = [sys.executable, "-c", ENDS, emulator.url, emulator.key]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(4) as several:
        assert set(several.map(run, range(24))) == {(0, "exact\n", "")}


class Library:
    """An answer whose next piece never comes, and which cannot be closed while it is waited for."""

    status = 200

    def __init__(self):
        self.busy = asyncio.Lock()
        self.reading = asyncio.Event()
        self.body_reader = SimpleNamespace(read_chunk=self.read_chunk)

    async def read_chunk(self):
        async with self.busy:
            self.reading.set()
            await asyncio.Event().wait()

    async def __aexit__(self, *_):
        async with self.busy:
            pass


async def being_read(within):
    library = Library()
    response = AsyncPyreqwestResponse(library, library)
    reader = asyncio.create_task(response.read(within=within))
    await library.reading.wait()
    return response, reader


@pytest.mark.parametrize("within", [None, 60])
def test_an_answer_is_closed_while_another_task_waits_for_its_next_piece(within):
    async def run():
        response, reader = await being_read(within)
        await asyncio.wait_for(response.aclose(), 10)
        with pytest.raises(TransportFailed, match="closed while it was read"):
            await reader
        assert reader.cancelling() == 0

    asyncio.run(run())


def test_a_reader_that_is_cancelled_while_its_answer_is_closed_stays_cancelled():
    async def run():
        response, reader = await being_read(None)
        reader.cancel()
        await response.aclose()
        with pytest.raises(asyncio.CancelledError):
            await reader

    asyncio.run(run())


def test_a_cancellation_that_the_library_answers_with_a_piece_is_one_all_the_same():
    async def read_chunk():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return b"late"

    async def go():
        answer = SimpleNamespace(
            status=200, body_reader=SimpleNamespace(read_chunk=read_chunk), get_header=None
        )
        response = AsyncPyreqwestResponse(object(), answer)
        task = asyncio.create_task(response.read(within=None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
