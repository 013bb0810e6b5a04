import asyncio
import gc
import socket
import threading
import time

import httpx2
import pytest

from mai_sdk.emulator import EMULATOR_KEY, Emulator, serve

PATH = "/mai/v1/chat/completions"
ASK = {"model": "MAI-Code-1-Flash", "messages": [{"role": "user", "content": "Sort a list"}]}
KEY = {"api-key": EMULATOR_KEY}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com", ""])  # noqa: S104
def test_only_loopback_is_listened_on(host):
    with pytest.raises(ValueError, match="this machine only"):
        Emulator(host=host)
    with pytest.raises(ValueError, match="this machine only"):
        serve(host, 0)


def test_the_listening_socket_is_bound_to_loopback(emulator):
    assert emulator.host == "127.0.0.1"
    with socket.create_connection((emulator.host, emulator.port)) as line:
        assert line.getpeername()[0] == "127.0.0.1"


def test_it_is_ready_within_a_fifth_of_a_second_and_leaves_nothing_behind():
    before = threading.active_count()
    started = time.perf_counter()
    emulator = Emulator().start()
    ready = time.perf_counter() - started
    url = emulator.url
    assert httpx2.get(url + "/health").status_code == 200
    emulator.stop()
    assert ready < 0.2
    assert threading.active_count() == before
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url + "/health")
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    gc.collect()  # an unclosed socket would be a warning, and so an error


def test_a_connection_that_is_just_being_taken_in_is_not_lost_at_the_end():
    for _ in range(20):
        with Emulator() as emulator:
            socket.create_connection((emulator.host, emulator.port)).close()
    gc.collect()


def test_it_can_be_started_again_but_not_twice():
    emulator = Emulator()
    for _ in range(2):
        with emulator:
            assert httpx2.get(emulator.url + "/version").json() == {"version": "0.32.0"}
            with pytest.raises(RuntimeError, match="already"):
                emulator.start()


def test_a_taken_port_is_said_to_be_taken(emulator):
    with pytest.raises(OSError, match="in use"):
        Emulator(port=emulator.port).start()


def test_stopping_ends_a_stalled_request():
    with Emulator() as emulator, httpx2.Client(base_url=emulator.url, headers=KEY) as client:
        emulator.fault("stall", after=1)
        with client.stream("POST", PATH, json={**ASK, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(lines)
            emulator.stop()
            with pytest.raises(httpx2.TransportError):
                list(lines)


def test_it_works_in_an_async_with():
    async def ask():
        async with Emulator() as emulator, httpx2.AsyncClient(headers=KEY) as client:
            return await client.post(emulator.url + PATH, json=ASK)

    assert asyncio.run(ask()).status_code == 200


def test_the_app_runs_in_process_without_a_server():
    emulator = Emulator()

    async def ask(**options):
        transport = httpx2.ASGITransport(app=emulator.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://emulator", headers=KEY
        ) as client:
            return await client.post(PATH, json={**ASK, **options})

    assert asyncio.run(ask()).json()["choices"]
    assert asyncio.run(ask(stream=True)).text.endswith("data: [DONE]\n\n")
    emulator.fault("reset")
    with pytest.raises(RuntimeError, match="own server"):
        asyncio.run(ask())


def test_the_journal_tells_what_was_asked_without_the_key(emulator, http):
    http.post(PATH, json=ASK, headers={"authorization": "Bearer s3cret", "x-mine": "1"})
    (entry,) = emulator.journal.wait(1)
    assert (entry.method, entry.path, entry.status) == ("POST", PATH, 200)
    assert entry.json == ASK
    assert entry.headers["x-mine"] == "1"
    assert entry.headers["api-key"] == entry.headers["authorization"] == "***"
    assert entry.finished
    assert not entry.disconnected
    assert entry.bytes_sent > 100
    assert EMULATOR_KEY not in repr(entry)
    assert emulator.journal[0] is entry
    with pytest.raises(TimeoutError, match="1 of 2"):
        emulator.journal.wait(2, timeout=0.01)


def test_a_client_that_leaves_is_noted(emulator, http):
    emulator.fault("stall", after=2)
    with http.stream("POST", PATH, json={**ASK, "stream": True}) as answer:
        next(answer.iter_lines())
    (entry,) = emulator.journal.wait(1)
    assert entry.disconnected
    assert entry.fault == "stall; after=2"


def test_reset_begins_anew(emulator, http):
    first = http.post(PATH, json=ASK).json()
    emulator.reply("never", times=None)
    emulator.fault("status", times=None)
    emulator.reset()
    assert len(emulator.journal) == 0
    again = http.post(PATH, json=ASK).json()
    assert {**again, "created": 0} == {**first, "created": 0}


def test_the_pace_is_kept():
    with Emulator(tokens_per_second=500, first_token_seconds=0.05) as emulator:
        started = time.perf_counter()
        answer = httpx2.post(emulator.url + PATH, json={**ASK, "stream": True}, headers=KEY)
        took = time.perf_counter() - started
        events = answer.text.count("data: ")
        assert took >= 0.05 + (events - 1) / 500
        started = time.perf_counter()
        body = httpx2.post(emulator.url + PATH, json=ASK, headers=KEY).json()
        assert time.perf_counter() - started >= 0.05 + body["usage"]["completion_tokens"] / 500


def test_whole_calls_are_answered_fast(emulator):
    body = httpx2.Request("POST", emulator.url + PATH, json=ASK).content
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\napi-key: {EMULATOR_KEY}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    raw, calls = head.encode() + body, 200
    with socket.create_connection((emulator.host, emulator.port)) as line:
        file = line.makefile("rb")
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            line.sendall(raw)
            length = 0
            while (header := file.readline()) != b"\r\n":
                if header.startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            file.read(length)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        file.close()
    print(f"{calls / cpu:.0f} calls per second of CPU, client included")
    # Wide bounds, for a loaded machine: they show a fivefold slowdown, or Nagle's 40 ms a call.
    assert cpu / calls < 0.003
    assert wall / calls < 0.02


def test_its_clients_lead_to_it(emulator):
    client = emulator.client()
    reply = client.reasoning.create("Why is the sky blue?", model="MAI-Thinking-1")
    assert "Why is the sky blue" in reply.text
    client.close()
