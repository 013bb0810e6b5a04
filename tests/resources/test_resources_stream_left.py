"""Streams that are read on after their block was left: nobody takes a part for the whole."""

import asyncio
import threading

import pytest

from mai_sdk.emulator.mouth import Mouth
from mai_sdk.errors import InvalidRequest, StreamTruncated

SENTENCES = "This is a sentence of some words. " * 400


def reply(client):
    return client.reasoning.stream("Why is the sky blue?", model="MAI-Thinking-1")


def audio(client):
    return client.voice.stream(SENTENCES)


def turns(client):
    return client.voice.stream(SENTENCES, boundaries=True)


pytestmark = pytest.mark.usefixtures("tones")


@pytest.fixture
def tones(emulator, monkeypatch):
    """Hours of speech in no time."""
    monkeypatch.setattr(emulator._world, "mouth", Mouth(real=False))


@pytest.fixture(params=[reply, audio, turns])
def opened(request):
    return request.param


@pytest.fixture(params=[None, "pyreqwest"], ids=["usual", "fast"])
def transport(request):
    return request.param


@pytest.fixture
def stalled(emulator, opened):
    """The answer begins and then keeps silent, so that whoever reads it waits."""
    emulator.fault("socket_stall" if opened is turns else "stall", after=3)


def read_on(items):
    for _ in items:
        pass


def test_a_kept_iterator_says_that_more_was_to_come(emulator, opened, transport):
    with emulator.client(transport=transport) as client:
        with opened(client) as stream:
            items = iter(stream)
            next(items)
        with pytest.raises(
            StreamTruncated, match="closed before the answer was complete"
        ) as caught:
            read_on(items)
        assert caught.value.partial is not None
        (entry,) = client.costs.entries()
        assert (entry.state, entry.error) == ("settled_estimated", "Abandoned")


def test_a_kept_async_iterator_says_so_too(emulator, opened, transport):
    async def run():
        async with emulator.async_client(transport=transport) as client:
            async with opened(client) as stream:
                items = aiter(stream)
                await anext(items)
            with pytest.raises(StreamTruncated, match="closed before") as caught:
                async for _ in items:
                    pass
            assert caught.value.receipt.attempts
            (entry,) = client.costs.entries()
            assert (entry.state, entry.error) == ("settled_estimated", "Abandoned")

    asyncio.run(run())


@pytest.mark.usefixtures("stalled")
def test_the_block_can_be_left_while_another_task_reads(emulator, opened, transport):
    async def read(stream, began):
        async for _ in stream:
            began.set()

    async def run():
        async with emulator.async_client(transport=transport) as client:
            began = asyncio.Event()
            async with opened(client) as stream:
                task = asyncio.create_task(read(stream, began))
                await began.wait()
            with pytest.raises(StreamTruncated):
                await asyncio.wait_for(task, 10)
            (entry,) = client.costs.entries()
            assert (entry.state, entry.error) == ("settled_estimated", "Abandoned")

    asyncio.run(run())


@pytest.mark.parametrize("opened", [turns])
@pytest.mark.usefixtures("stalled")
def test_a_thread_that_waits_at_a_socket_is_woken_when_its_block_is_left(
    emulator, opened, transport
):
    raised = []
    began = threading.Event()

    def read(stream):
        try:
            for _ in stream:
                began.set()
        except StreamTruncated as error:
            raised.append(error)

    with emulator.client(transport=transport) as client:
        with opened(client) as stream:
            thread = threading.Thread(target=read, args=[stream], daemon=True)
            thread.start()
            assert began.wait(10)
        thread.join(10)
        assert not thread.is_alive()
        assert len(raised) == 1
        (entry,) = client.costs.entries()
        assert (entry.state, entry.error) == ("settled_estimated", "Abandoned")


def test_an_iterator_not_begun_yet_gives_nothing_once_the_block_was_left(emulator, opened):
    with emulator.client() as client:
        with opened(client) as stream:
            items = iter(stream)
        with pytest.raises(InvalidRequest, match="inside its `with` block"):
            next(items)


@pytest.mark.parametrize("opened", [audio, turns])
def test_the_first_of_several_requests_is_never_the_whole_speech(emulator, opened):
    with emulator.client() as client:
        with opened(client) as stream:
            for _ in stream:
                if len(list(client.costs.entries())) == 2:
                    break
        with pytest.raises(InvalidRequest, match="complete only when"):
            _ = stream.speech


@pytest.mark.parametrize("opened", [audio, turns])
def test_no_further_request_is_made_once_the_block_was_left(emulator, opened, monkeypatch):
    with emulator.client() as client:
        with opened(client) as stream:
            reading = stream._reading
            end = reading.end

            def left_at_the_end():
                last = end()
                reading.left()
                return last

            monkeypatch.setattr(reading, "end", left_at_the_end)
            with pytest.raises(StreamTruncated):
                read_on(stream)
        assert len(list(client.costs.entries())) == 1
