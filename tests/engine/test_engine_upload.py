"""A body that is read while it is sent: its length is told, each try begins at the beginning."""

import asyncio
import hashlib
import threading

import pytest

from mai_sdk.emulator.server import LoopbackServer
from mai_sdk.engine.steps import Limits, Request
from mai_sdk.engine.transport import async_transport, sync_transport
from mai_sdk.engine.upload import Upload

PIECES = [bytes([number]) * 70_000 for number in range(9)]
LIMITS = Limits(5, 5, 5)


@pytest.fixture
def server():
    """A server that answers with the length it was told and the hash of what came."""

    async def app(scope, receive, send):
        digest, more = hashlib.sha256(), True
        while more:
            message = await receive()
            digest.update(message.get("body", b""))
            more = message.get("more_body", False)
        headers = dict(scope["headers"])
        told = headers.get(b"content-length", b"none") + b" " + digest.hexdigest().encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": told})

    server = LoopbackServer(app, host="127.0.0.1", port=0)
    server.start()
    yield "http://{}:{}/".format(*server.address)
    server.stop()


def expected():
    whole = b"".join(PIECES)
    return f"{len(whole)} {hashlib.sha256(whole).hexdigest()}".encode()


def upload():
    return Upload(sum(map(len, PIECES)), lambda: iter(PIECES))


@pytest.mark.parametrize("name", ["httpx2", "pyreqwest"])
def test_every_try_sends_the_whole_body_with_its_length(server, name):
    transport = sync_transport(name)
    request = Request("POST", server, [], upload())
    try:
        for _ in range(2):
            response = transport.send(request, LIMITS)
            assert response.read(within=None) == expected()
            response.close()
    finally:
        transport.close()


@pytest.mark.parametrize("name", ["httpx2", "pyreqwest"])
def test_every_try_sends_the_whole_body_with_its_length_async(server, name):
    async def run():
        transport = async_transport(name)
        request = Request("POST", server, [], upload())
        try:
            for _ in range(2):
                response = await transport.send(request, LIMITS)
                assert await response.read(within=None) == expected()
                await response.aclose()
        finally:
            await transport.aclose()

    asyncio.run(run())


def test_the_event_loop_does_not_wait_for_the_disk(server):
    threads = set()

    def pieces():
        for piece in PIECES:
            threads.add(threading.current_thread())
            yield piece

    async def run():
        transport = async_transport("httpx2")
        body = Upload(sum(map(len, PIECES)), pieces)
        response = await transport.send(Request("POST", server, [], body), LIMITS)
        await response.aclose()
        await transport.aclose()

    asyncio.run(run())
    assert threads
    assert threading.main_thread() not in threads
