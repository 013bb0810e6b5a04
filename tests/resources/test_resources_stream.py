"""Streams, however they end: whole, cut, stopped, stalled, abandoned, cancelled, forgotten."""

import asyncio
import gc
import json
import threading
import time
import types

import pytest
from pydantic import BaseModel

from mai_sdk import MAI, AsyncMAI, Finished, ReasoningDelta, TextDelta, Timeouts, ToolCall
from mai_sdk.config import Route, Secret
from mai_sdk.errors import (
    AnswerTooLarge,
    CallFailed,
    ConnectionFailed,
    ContentFiltered,
    InvalidRequest,
    RateLimited,
    ServiceUnavailable,
    StreamTruncated,
    TimedOut,
    UnreadableAnswer,
)


class City(BaseModel):
    name: str
    population: int


class Told:
    """What came of one stream."""

    def __init__(self):
        self.events, self.error, self.reply, self.entries = [], None, None, []

    @property
    def text(self):
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def state(self):
        (entry,) = self.entries
        return entry.state


@pytest.fixture(params=["sync", "async", "sync fast", "async fast"])
def stream(request, emulator):
    """`stream(prompt, **arguments)` reads one stream to its end, in both worlds and transports."""
    world, _, fast = request.param.partition(" ")
    transport = "pyreqwest" if fast else None

    def read_sync(told, modality, prompt, settings, arguments):
        with emulator.client(transport=transport, **settings) as client:
            try:
                with getattr(client, modality).stream(prompt, **arguments) as events:
                    for event in events:
                        told.events.append(event)
                    told.reply = events.reply
            except CallFailed as error:
                told.error = error
            told.entries = list(client.costs.entries())

    async def read_async(told, modality, prompt, settings, arguments):
        async with emulator.async_client(transport=transport, **settings) as client:
            try:
                async with getattr(client, modality).stream(prompt, **arguments) as events:
                    async for event in events:
                        told.events.append(event)
                    told.reply = events.reply
            except CallFailed as error:
                told.error = error
            told.entries = list(client.costs.entries())

    def read(prompt="Why is the sky blue?", *, modality="reasoning", client=None, **arguments):
        told = Told()
        if world == "sync":
            read_sync(told, modality, prompt, client or {}, arguments)
        else:
            asyncio.run(read_async(told, modality, prompt, client or {}, arguments))
        return told

    read.fast_sync = request.param == "sync fast"
    return read


def test_the_events_add_up_to_the_reply(stream):
    told = stream()
    assert told.text == told.reply.text
    assert told.events[-1] == Finished("stop")
    assert told.reply.cost.status == "exact"
    assert told.reply.timing.first_content is not None
    assert told.state == "settled_exact"


def test_a_stream_says_the_same_as_a_whole_call(stream, emulator):
    told = stream(model="MAI-DS-R1")
    with emulator.client() as client:
        whole = client.reasoning.create("Why is the sky blue?", model="MAI-DS-R1")
    assert (told.reply.text, told.reply.reasoning) == (whole.text, whole.reasoning)
    assert told.reply.usage.output_tokens == whole.usage.output_tokens


def test_thoughts_come_as_events_of_their_own(stream):
    told = stream(model="MAI-DS-R1")
    thoughts = "".join(e.text for e in told.events if isinstance(e, ReasoningDelta))
    assert thoughts == told.reply.reasoning


def test_a_tool_call_comes_whole(stream):
    def weather(city: str) -> str:
        return city

    told = stream("weather in Oslo?", tools=[weather])
    (call,) = [event for event in told.events if isinstance(event, ToolCall)]
    assert "city" in call.parse()
    assert told.reply.finish_reason == "tool_calls"


def test_a_structured_answer_is_parsed_at_the_end_where_the_surface_takes_a_schema(
    stream, emulator
):
    route = Route(
        surface="openai-v1",
        endpoint=emulator.url,
        deployment="MAI-Thinking-1",
        model="MAI-Thinking-1",
        credential=Secret(emulator.key),
    )
    told = stream("A city", model="v1", response_format=City, client={"routes": {"v1": route}})
    assert isinstance(told.reply.parsed, City)


@pytest.mark.parametrize("fault", ["bom", "split", "merge", "gzip", "duplicate_done", "after_done"])
def test_the_way_the_bytes_come_changes_nothing(stream, emulator, fault):
    plain = stream()
    emulator.fault(fault)
    told = stream()
    assert told.error is None
    assert told.text == plain.text
    assert told.state == "settled_exact"


@pytest.mark.parametrize("kind", ["cr", "crlf"])
def test_the_way_lines_end_changes_nothing(stream, emulator, kind):
    plain = stream()
    emulator.fault("newline", kind=kind)
    assert stream().events == plain.events


def test_what_a_newer_service_may_add_is_kept_and_not_fatal(stream, emulator):
    plain = stream()
    emulator.fault("extra_event")
    told = stream()
    assert told.error is None
    assert told.text == plain.text


@pytest.mark.parametrize(
    ("fault", "parameters", "error"),
    [
        ("truncate", {"after": 3}, StreamTruncated),
        ("truncate", {"byte": 700}, StreamTruncated),
        ("reset", {"after": 3}, ConnectionFailed),
        ("close", {"after": 3}, ConnectionFailed),
        ("close", {"byte": 900}, ConnectionFailed),
        ("error_event", {"shape": "openai"}, ServiceUnavailable),
        ("error_event", {"shape": "bare"}, ServiceUnavailable),
        ("error_event", {"shape": "string"}, ServiceUnavailable),
        ("error_event", {"shape": "vllm"}, ServiceUnavailable),
        ("safety_blocked", {}, ContentFiltered),
        ("safety_blocked", {"named": True}, ContentFiltered),
        ("rate_limit_in_stream", {}, RateLimited),
        ("content_filter", {"where": "output"}, ContentFiltered),
        ("bad_json", {"after": 2}, UnreadableAnswer),
        ("bad_utf8", {"after": 2}, UnreadableAnswer),
        ("huge_line", {"after": 2}, AnswerTooLarge),
        ("huge_event", {"after": 2}, AnswerTooLarge),
    ],
)
def test_a_stream_that_breaks_raises_with_what_came_and_what_it_cost(
    stream, emulator, fault, parameters, error
):
    emulator.fault(fault, **parameters)
    told = stream()
    assert type(told.error) is error
    assert told.text
    assert told.error.partial.text == told.text
    assert told.error.receipt.call_id == told.entries[0].operation.call_id
    assert told.error.receipt.cost.amount > 0
    assert told.error.partial.cost == told.error.receipt.cost
    assert told.state in ("settled_estimated", "settled_exact")
    if told.state == "settled_estimated":
        assert told.error.receipt.cost.status == "lower_bound"
    assert len(emulator.journal) == 1, "nothing is retried once content has come"


def test_a_break_before_the_head_is_retried(stream, emulator):
    emulator.fault("reset", times=1)
    told = stream()
    assert told.reply.attempts == 2
    assert [entry.state for entry in told.entries] == ["unknown", "settled_exact"]


def test_a_login_page_in_place_of_a_stream_is_an_error(stream, emulator):
    emulator.fault("html_200")
    assert isinstance(stream().error, UnreadableAnswer)


def test_a_stall_is_noticed(stream, emulator):
    emulator.fault("stall", after=2, seconds=20)
    limit = 0.3
    began = time.monotonic()
    told = stream(timeout=Timeouts(first_byte=limit, between_chunks=limit))
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "between_chunks"
    assert told.text
    assert time.monotonic() - began < 10
    assert told.state == "settled_estimated"


def test_keep_alives_are_not_content(stream, emulator):
    emulator.fault("keepalive_only", after=2, seconds=20, interval=0.05)
    began = time.monotonic()
    told = stream(timeout=Timeouts(between_chunks=0.4))
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "between_chunks"
    assert time.monotonic() - began < 10


def test_the_total_limit_ends_a_stream_that_never_stops(stream, emulator):
    emulator.fault("slow", bytes_per_second=2000)
    told = stream(timeout=Timeouts(total=0.5))
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "total"


def test_no_first_byte_is_a_limit_of_its_own(stream, emulator):
    emulator.fault("stall", seconds=20, times=2)
    told = stream(timeout=Timeouts(first_byte=0.3, between_chunks=0.3), client={"max_retries": 0})
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "first_byte"
    assert told.state == "unknown"


def leave(emulator, how):
    """Leave a stream after its second event in some way; return the ledger's rows."""
    with emulator.client() as client:
        how(client)
        gc.collect()
        return list(client.costs.entries())


def by_break(client):
    with client.reasoning.stream("Why is the sky blue?") as events:
        for number, _ in enumerate(events):
            if number == 2:
                break


def by_exception(client):
    with pytest.raises(KeyError), client.reasoning.stream("Why is the sky blue?") as events:
        for number, _ in enumerate(events):
            if number == 2:
                raise KeyError


def by_never_reading(client):
    with client.reasoning.stream("Why is the sky blue?"):
        pass


def by_forgetting(client):
    events = client.reasoning.stream("Why is the sky blue?").__enter__()
    next(iter(events))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("how", [by_break, by_exception, by_never_reading, by_forgetting])
def test_a_stream_left_early_is_settled_at_least_at_what_came(emulator, how):
    (entry,) = leave(emulator, how)
    assert entry.state == "settled_estimated"
    assert entry.cost.status == "lower_bound"
    assert entry.cost.amount > 0
    assert entry.usage.input_tokens > 0
    assert entry.error in ("Abandoned", "KeyError")


def test_closing_the_client_settles_the_streams_still_open(emulator):
    client = emulator.client()
    stream = client.reasoning.stream("Why is the sky blue?").__enter__()
    iterator = iter(stream)
    next(iterator)
    client.close()
    (entry,) = client.costs.entries()
    assert entry.state == "settled_estimated"
    assert entry.error == "Abandoned"


def test_a_connection_left_early_is_not_used_again_and_one_read_to_its_end_is(emulator):
    with emulator.client() as client:
        for _ in range(3):
            with client.reasoning.stream("Why?") as events:
                events.read()
        ports = {dict(entry.headers).get("host") for entry in emulator.journal}
        assert len(ports) == 1
        pool = client._driver._transport._pools[emulator.url]
        assert len(pool.connections) == 1
        by_break(client)
        assert len(pool.connections) == 0


def test_no_connection_is_left_open_by_fifty_cancelled_streams(emulator):
    async def one(client):
        async with client.reasoning.stream("Why is the sky blue?") as events:
            async for _ in events:
                await asyncio.sleep(30)

    async def main():
        async with emulator.async_client() as client:
            tasks = [asyncio.create_task(one(client)) for _ in range(50)]
            while len(emulator.journal) < 50:  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(result) for result in results} == {asyncio.CancelledError}
            (pools,) = client._driver._transport._loops.values()
            connections = [c for pool in pools.values() for c in pool.connections]
            reply = await client.reasoning.create("Still there?")
            return connections, reply, list(client.costs.entries())

    connections, reply, entries = asyncio.run(main())
    assert connections == []
    assert reply.text
    assert len(entries) == 51
    assert all(entry.settled_at is not None for entry in entries)


@pytest.mark.parametrize("stop_after", range(0, 40, 3))
def test_a_call_cancelled_at_any_await_leaves_at_most_one_settled_row(emulator, stop_after):
    async def read(client):
        async with client.reasoning.stream("Why is the sky blue?") as events:
            async for _ in events:
                pass

    async def main():
        async with emulator.async_client() as client:
            task = asyncio.create_task(at_its_own_pace(read(client), stop_after))
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            return ended, list(client.costs.entries())

    ended, entries = asyncio.run(main())
    assert ended is None or isinstance(ended, asyncio.CancelledError)
    assert len(entries) <= 1
    for entry in entries:
        assert entry.state in ("unknown", "settled_estimated", "settled_exact")


async def at_its_own_pace(coroutine, at):
    """A task takes only real coroutines."""
    return await cancelled_at(coroutine, at)


@types.coroutine
def cancelled_at(coroutine, at):
    """Drive a coroutine as its task would, and cancel that task at the n-th await."""
    awaits, error = 0, None
    while True:
        try:
            future = coroutine.send(None) if error is None else coroutine.throw(error)
        except StopIteration as end:
            return end.value
        if awaits == at:
            asyncio.current_task().cancel()
        awaits += 1
        try:
            yield future
        except BaseException as thrown:
            error = thrown
        else:
            error = None


# Every byte at which a stream can be cut, over a transport that never opens a socket.


class Canned:
    """A transport whose every answer is these pieces."""

    def __init__(self, pieces, content_type="text/event-stream"):
        self.pieces, self.kind = pieces, content_type

    def send(self, request, limits):
        canned = self

        class Answer:
            status = 200

            def __init__(self):
                self.headers = {"content-type": canned.kind, "x-request-id": "r"}
                self.pieces = iter(canned.pieces)

            def read(self, *, within):
                return next(self.pieces, None)

            def close(self):
                pass

        return Answer()

    def close(self):
        pass


def foundry_stream(*pieces):
    def event(delta, **rest):
        chunk = {"id": "mai", "object": "chat.completion.chunk", "model": "MAI-Thinking-1"}
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}
        chunk |= {"choices": [choice | rest.pop("choice", {})], "usage": None, **rest}
        return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"

    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 2},
    }
    body = b"".join(event({"content": piece}) for piece in pieces)
    body += event({"content": None}, choice={"finish_reason": "stop"}, usage=usage)
    return body + b"data: [DONE]\n\n"


SETTINGS = {"foundry_endpoint": "https://x.services.ai.azure.com", "foundry_api_key": "k"}


def test_every_cut_of_a_stream_raises_with_the_partial_reply_and_its_receipt():
    body = foundry_stream("Grüße, ", "wörld 🌍", "!")
    whole = "Grüße, wörld 🌍!"
    end = body.index(b"[DONE]") + len(b"[DONE]\n")  # the marker counts once its line has ended
    for cut in range(len(body)):
        client = MAI(**SETTINGS, transport=Canned([body[:cut]]))
        shown = ""
        try:
            with client.reasoning.stream("Why?") as events:
                for event in events:
                    if isinstance(event, TextDelta):
                        shown += event.text
        except StreamTruncated as error:
            assert error.partial.text == shown
            assert whole.startswith(shown)
            assert error.receipt.cost.amount > 0
            assert error.receipt.cost.status in ("lower_bound", "exact")
            (entry,) = client.costs.entries()
            assert entry.error == "StreamTruncated"
        else:
            assert cut > end, f"a cut at byte {cut} of {len(body)} went unnoticed"


def test_every_way_to_split_a_stream_gives_the_same_events():
    body = foundry_stream("Grüße, ", "wörld 🌍")
    expected = None
    for cut in range(1, len(body)):
        client = MAI(**SETTINGS, transport=Canned([body[:cut], body[cut:]]))
        with client.reasoning.stream("Why?") as events:
            told = list(events)
        expected = expected or told
        assert told == expected
        assert events.reply.cost.status == "exact"


# Use that is wrong.


def test_a_reply_is_there_only_when_the_stream_has_ended(emulator):
    with emulator.client() as client:
        stream = client.reasoning.stream("Why?")
        with pytest.raises(InvalidRequest, match="Open the stream first"):
            next(iter(stream))
        with pytest.raises(InvalidRequest, match="has been read"):
            _ = stream.reply
        with stream:
            assert stream.read() == stream.reply
        assert stream.call_id == stream.reply.call_id


def test_a_stream_is_read_only_once(emulator):
    with emulator.client() as client, client.reasoning.stream("Why?") as stream:
        stream.read()
        with pytest.raises(InvalidRequest, match="already"):
            next(iter(stream))


def test_a_stream_never_opened_costs_nothing(emulator):
    with emulator.client() as client:
        stream = client.reasoning.stream("Why?")
        del stream
        gc.collect()
        assert list(client.costs.entries()) == []
    assert len(emulator.journal) == 0


def test_threads_share_one_client(emulator):
    texts = []

    def work(client):
        with client.reasoning.stream("Why?") as stream:
            texts.append(stream.read().text)

    with emulator.client() as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(texts) == 16
    assert len(set(texts)) == 1


def test_the_async_client_is_refused_a_sync_with(emulator):
    client = emulator.async_client()
    assert isinstance(client, AsyncMAI)
    assert not hasattr(client.reasoning.stream("Why?"), "__enter__")


def test_opening_a_stream_twice_is_refused_because_it_would_be_paid_twice(emulator):
    with emulator.client() as client:
        stream = client.reasoning.stream("Why?")
        with stream:
            stream.read()
        with pytest.raises(InvalidRequest, match="opened already"), stream:
            pass
        assert len(list(client.costs.entries())) == 1


def test_reading_streams_starts_no_threads(emulator):
    emulator.fault("keepalive_only", after=2, seconds=0.3, interval=0.01)
    before = threading.active_count()
    with emulator.client() as client, client.reasoning.stream("Why?") as stream:
        most = max(threading.active_count() for _ in stream)
    assert most <= before + 1


def test_usage_from_before_the_end_is_not_taken_for_the_whole():
    body = foundry_stream("one ", "two ", "three ")
    early = body.replace(
        b'"usage": null', b'"usage": {"prompt_tokens": 9, "completion_tokens": 1}', 1
    )
    early = early.replace(
        b'"usage": {"prompt_tokens": 9, "completion_tokens": 5, '
        b'"prompt_tokens_details": {"cached_tokens": 2}}',
        b'"usage": null',
    )
    client = MAI(**SETTINGS, transport=Canned([early]))
    with client.reasoning.stream("Why?") as stream:
        reply = stream.read()
    assert reply.usage.basis == "estimated"
    (entry,) = client.costs.entries()
    assert entry.state == "settled_estimated"


def test_a_kept_iterator_of_a_stream_that_was_left_does_not_end_quietly(emulator):
    async def run():
        async with emulator.async_client() as client:
            async with client.reasoning.stream("Tell me a long story") as stream:
                events = aiter(stream)
                await anext(events)
            with pytest.raises(StreamTruncated, match="closed before the answer was complete"):
                await anext(events)

    asyncio.run(run())


def test_leaving_a_stream_that_another_task_reads_tells_that_task(emulator):
    async def run():
        emulator.fault("stall", after=3)
        async with emulator.async_client() as client:
            reading = asyncio.Event()

            async def read(stream):
                async for _ in stream:
                    reading.set()

            async with client.reasoning.stream("Tell me a long story") as stream:
                task = asyncio.ensure_future(read(stream))
                await reading.wait()
                await asyncio.sleep(0.05)
            with pytest.raises(StreamTruncated, match="closed before the answer was complete"):
                await asyncio.wait_for(task, 5)
            (entry,) = client.costs.entries()
            assert entry.state == "settled_estimated"

    asyncio.run(run())


def test_a_stream_read_to_its_end_still_ends_after_its_block(emulator):
    async def run():
        async with emulator.async_client() as client:
            async with client.reasoning.stream("Why?") as stream:
                events = aiter(stream)
                async for _ in events:
                    pass
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    asyncio.run(run())
