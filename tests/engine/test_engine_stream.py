"""Connections over asyncio's transports, against servers of asyncio on loopback, TLS included."""

import asyncio
import contextlib
import contextvars
import functools
import socket
import ssl
import struct
import sys

import httpcore2
import pytest

import certificates
from mai_sdk.engine.stream import AsyncioBackend

MUCH = bytes(range(256)) * 16384


def run(test):
    """Run an async test on a loop of its own, and not for ever."""

    @functools.wraps(test)
    def wrapped(*args, **named):
        async def whole():
            async with asyncio.timeout(20):
                await test(*args, **named)

        asyncio.run(whole())

    return wrapped


@contextlib.asynccontextmanager
async def served_by(serve, **options):
    """The port of a server that does `serve(reader, writer)`."""
    serving = []

    async def handle(reader, writer):
        serving.append(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(handle, "127.0.0.1", 0, **options) as server:
        yield server.sockets[0].getsockname()[1]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def connected(serve, **options):
    """A connection to such a server."""
    async with served_by(serve, **options) as port:
        stream = await AsyncioBackend().connect_tcp("127.0.0.1", port, timeout=5)
        try:
            yield stream
        finally:
            await stream.aclose()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def read(stream, size):
    whole = bytearray()
    while len(whole) < size:
        data = await stream.read(65536, timeout=5)
        assert data
        whole += data
    return whole


@run
async def test_bytes_go_and_come_back_in_pieces_of_at_most_what_is_asked():
    async with connected(echo) as stream:
        await stream.write(b"abcdef", timeout=5)
        whole = b""
        while len(whole) < 6:
            piece = await stream.read(4, timeout=5)
            assert 0 < len(piece) <= 4
            whole += piece
        assert whole == b"abcdef"


@run
async def test_the_other_side_waits_while_nobody_reads_and_nothing_is_lost():
    done = asyncio.Event()

    async def pour(reader, writer):
        for _ in range(4):
            writer.write(MUCH)
            await writer.drain()
        done.set()
        await reader.read()

    async with connected(pour) as stream:
        await asyncio.wait((asyncio.ensure_future(done.wait()),), timeout=0.3)
        assert not done.is_set()
        assert await read(stream, 4 * len(MUCH)) == 4 * MUCH


@run
async def test_a_read_that_is_late_or_cancelled_loses_nothing():
    go = asyncio.Event()

    async def later(reader, writer):
        await go.wait()
        await echo(reader, writer)

    async with connected(later) as stream:
        await stream.write(b"abc")
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(10, timeout=0.01)
        reading = asyncio.ensure_future(stream.read(10))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait((reading,))
        go.set()
        assert await stream.read(10, timeout=5) == b"abc"


@run
async def test_a_side_that_takes_nothing_is_noticed_when_the_limit_passes():
    async def stuck(reader, writer):
        writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with connected(stuck) as stream:
        with pytest.raises(httpcore2.WriteTimeout):
            for _ in range(20):
                await stream.write(MUCH, timeout=0.05)


@run
async def test_what_comes_is_handed_over_as_it_comes_until_no_more_is_wanted():
    async with connected(echo) as stream:
        await stream.write(b"first")
        await stream.read(1, timeout=5)
        got = []

        def take(data):
            assert asyncio.current_task() is None
            got.append(data)
            if len(got) < 3:
                assert stream.write_now(b"%d" % len(got))
            return len(got) < 3

        await stream.hand_over(take)
        assert not got  # what came before is for `read`
        assert await stream.read(10) == b"irst"
        assert stream.write_now(b"0")
        await stream.hand_over(take)
        assert got == [b"0", b"1", b"2"]
        await stream.write(b"after")
        assert await stream.read(10, timeout=5) == b"after"


@run
async def test_a_handing_over_ends_with_the_line_and_the_read_after_it_says_how():
    async def one(reader, writer):
        await reader.read(1)
        writer.write(b"last")
        await writer.drain()

    async with connected(one) as stream:
        got = []
        await stream.write(b"x")
        await stream.hand_over(lambda data: got.append(data) or True)
        assert got == [b"last"]
        await stream.hand_over(got.append)
        assert await stream.read(10, timeout=5) == b""


@run
async def test_what_taking_raises_is_raised_where_it_is_handed_over():
    async with connected(echo) as stream:
        await stream.write(b"x")
        with pytest.raises(ZeroDivisionError):
            await stream.hand_over(lambda data: 1 // 0)
        await stream.write(b"more")
        assert await stream.read(10, timeout=5) == b"more"


@run
async def test_a_handing_over_that_is_cancelled_loses_nothing():
    async with connected(echo) as stream:
        handing = asyncio.ensure_future(stream.hand_over(lambda data: True))
        await asyncio.sleep(0)
        handing.cancel()
        await asyncio.wait((handing,))
        await stream.write(b"abc")
        assert await stream.read(10, timeout=5) == b"abc"


@run
async def test_who_waits_for_it_lends_the_context_what_comes_is_taken_in():
    who = contextvars.ContextVar("who", default="the connection's")
    async with connected(echo) as stream:
        who.set("the caller's")
        await stream.write(b"x")
        seen = []
        await stream.hand_over(lambda data: seen.append(who.get()))
        assert seen == ["the caller's"]


@run
async def test_nothing_is_written_now_where_there_is_something_to_wait_for():
    async def stuck(reader, writer):
        writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with connected(stuck) as stream:
        assert not stream.write_now(MUCH)
        assert stream.write_now(b"little")
        with pytest.raises(httpcore2.WriteTimeout):
            for _ in range(20):
                await stream.write(MUCH, timeout=0.05)
        assert not stream.write_now(b"little")
    assert not stream.write_now(b"little")


@run
async def test_the_end_is_no_bytes_and_one_may_still_write_after_it():
    async def half(reader, writer):
        writer.write_eof()
        got.set_result(await reader.readexactly(9))

    got = asyncio.get_running_loop().create_future()
    async with connected(half) as stream:
        assert await stream.read(10, timeout=5) == b""
        assert stream.get_extra_info("is_readable")
        await stream.write(b"after all", timeout=5)
        assert await got == b"after all"


@run
async def test_a_reset_is_an_error_for_who_reads_and_who_writes():
    async def reset(reader, writer):
        await reader.read(1)
        line = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with connected(reset) as stream:
        await stream.write(b"x")
        with pytest.raises(httpcore2.ReadError):
            await stream.read(10, timeout=5)
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"x")


@run
async def test_a_port_that_nobody_serves_is_no_connection():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore2.ConnectError):
            await AsyncioBackend().connect_tcp("127.0.0.1", one.getsockname()[1], timeout=5)


@pytest.fixture
def served(tmp_path):
    """TLS as a server has it, and as a client does that trusts it."""
    pem = certificates.write(tmp_path / "server.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=pem)


@run
async def test_all_of_it_is_encrypted_after_start_tls(served):
    server, client = served
    async with connected(echo, ssl=server) as bare:
        stream = await bare.start_tls(client, server_hostname="127.0.0.1", timeout=5)
        assert stream.get_extra_info("ssl_object").version().startswith("TLS")
        sending = asyncio.ensure_future(stream.write(MUCH, timeout=5))
        assert await read(stream, len(MUCH)) == MUCH
        await sending


@run
async def test_tls_goes_through_tls_to_a_proxy(served):
    server, client = served

    async def tunnel(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", port)

        async def carry(source, target):
            while data := await source.read(65536):
                target.write(data)

        carrying = asyncio.ensure_future(carry(there, writer))
        try:
            await carry(reader, back)
        finally:
            carrying.cancel()
            back.transport.abort()

    async with served_by(echo, ssl=server) as port, connected(tunnel, ssl=server) as bare:
        outer = await bare.start_tls(client, server_hostname="127.0.0.1", timeout=5)
        stream = await outer.start_tls(client, server_hostname="127.0.0.1", timeout=5)
        await stream.write(b"through both", timeout=5)
        assert await read(stream, 12) == b"through both"


@run
async def test_a_certificate_nobody_trusts_is_no_connection_and_says_why(served):
    server, _ = served
    async with connected(echo, ssl=server) as bare:
        with pytest.raises(httpcore2.ConnectError) as caught:
            await bare.start_tls(ssl.create_default_context(), "127.0.0.1", timeout=5)
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@run
async def test_a_handshake_that_never_comes_has_an_end(served):
    _, client = served

    async def silent(reader, writer):
        await reader.read()

    async with connected(silent) as bare:
        with pytest.raises(httpcore2.ConnectTimeout):
            await bare.start_tls(client, "127.0.0.1", timeout=0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows")
def test_uvloop_opens_connections_too(emulator):
    import uvloop

    async def main():
        async with emulator.async_client() as client:
            return await client.reasoning.create("Why?", model="MAI-Thinking-1")

    assert uvloop.run(main()).text
