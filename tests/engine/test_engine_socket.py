"""WebSockets against a server of the websockets library: the other side is not ours."""

import asyncio
import base64
import contextlib
import hashlib
import http
import socket
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from mai_sdk.engine.framing import Framing
from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket, Dialler, WebSocket
from mai_sdk.engine.steps import Limits, Request, SocketClosed, TransportFailed
from mai_sdk.errors import AnswerTooLarge

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LIMITS = Limits(5.0, 5.0, 5.0)


def handle(line):
    path = line.request.path
    try:
        if path == "/echo":
            for message in line:
                line.send(message)
        elif path == "/parts":
            line.send(["a", "bc", "d"])
            line.send([b"1", b"23"])
        elif path == "/bye":
            line.close(4429, "Too much")
        elif path == "/later":
            line.recv()
            line.close(1000)
        elif path == "/gone":
            line.socket.close()
        elif path == "/ping":
            line.send(str(line.ping().wait(5)))
        elif path == "/large":
            line.send(b"x" * 2000)
        elif path == "/headers":
            line.send(repr(sorted(line.request.headers.raw_items())))
        line.recv()
    except (ConnectionClosed, OSError):
        return


def check(line, request):
    if request.path == "/refused":
        return line.respond(http.HTTPStatus.FORBIDDEN, "No.\n")
    if request.path == "/moved":
        answer = line.respond(http.HTTPStatus.TEMPORARY_REDIRECT, "")
        answer.headers["Location"] = "/echo"
        return answer
    return None


@pytest.fixture(scope="module")
def port():
    with serve(handle, "127.0.0.1", 0, process_request=check) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


class Side:
    """A dialler of one of the two worlds, driven from a sync test."""

    def __init__(self, *, is_async):
        self.loop = asyncio.new_event_loop() if is_async else None
        self.dialler = AsyncDialler() if is_async else Dialler()

    def run(self, outcome):
        return self.loop.run_until_complete(outcome) if self.loop else outcome

    def dial(self, port, path, **options):
        request = Request(
            "GET", f"http://127.0.0.1:{port}{path}", [("accept", "*/*"), ("x-a", "b")]
        )
        return self.run(self.dialler.dial(request, LIMITS, **options))

    def receive(self, socket, within=5.0):
        return self.run(socket.receive(within=within))

    def send(self, socket, *messages):
        self.run(socket.send(*messages))

    def close(self, socket=None):
        one = socket or self.dialler
        self.run(one.aclose() if self.loop else one.close())
        if socket is None and self.loop:
            self.loop.close()


@pytest.fixture(params=["sync", "async"])
def side(request):
    made = Side(is_async=request.param == "async")
    yield made
    made.close()


def test_messages_go_out_in_one_write_and_come_back_as_they_were(side, port):
    line = side.dial(port, "/echo")
    side.send(line, "grüß dich", b"\x00\xff", "")
    assert [side.receive(line) for _ in range(3)] == ["grüß dich", b"\x00\xff", ""]
    side.close(line)
    side.close(line)


def test_a_message_in_parts_is_one_message(side, port):
    line = side.dial(port, "/parts")
    assert [side.receive(line), side.receive(line)] == ["abcd", b"123"]
    side.close(line)


def test_a_close_keeps_its_code_and_reason_and_stays(side, port):
    line = side.dial(port, "/bye")
    for _ in range(2):
        with pytest.raises(SocketClosed) as caught:
            side.receive(line)
        assert (caught.value.code, caught.value.reason) == (4429, "Too much")
    assert not line.is_open
    with pytest.raises(SocketClosed):
        side.send(line, "more")
    side.close(line)


def test_a_line_that_breaks_is_a_close_without_a_code(side, port):
    line = side.dial(port, "/gone")
    with pytest.raises(SocketClosed) as caught:
        side.receive(line)
    assert caught.value.code == 1006
    side.close(line)


def test_a_ping_is_answered_while_a_message_is_waited_for(side, port):
    line = side.dial(port, "/ping")
    assert side.receive(line) == "True"
    side.close(line)


def test_our_own_ping_disturbs_no_message(side, port):
    line = side.dial(port, "/echo")
    side.run(line.ping())
    side.send(line, "still here")
    assert side.receive(line) == "still here"
    side.close(line)


def test_silence_ends_with_its_limit_and_the_line_lives_on(side, port):
    line = side.dial(port, "/echo")
    with pytest.raises(TransportFailed) as caught:
        side.receive(line, within=0.05)
    assert caught.value.phase == "between_chunks"
    side.send(line, "late")
    assert side.receive(line) == "late"
    side.close(line)


def test_a_refusal_is_an_ordinary_answer(side, port):
    answer = side.dial(port, "/refused")
    assert not isinstance(answer, (WebSocket, AsyncWebSocket))
    assert answer.status == 403
    assert side.run(answer.read(within=None)) == b"No.\n"
    side.close(answer)


def test_a_redirect_is_not_followed(side, port):
    answer = side.dial(port, "/moved")
    assert answer.status == 307
    side.close(answer)


def test_the_handshake_asks_for_the_subprotocol_and_no_compression(side, port):
    line = side.dial(port, "/headers", subprotocol="USP")
    said = side.receive(line).lower()
    assert "('sec-websocket-protocol', 'usp')" in said
    assert "('x-a', 'b')" in said
    assert "extensions" not in said
    assert "content-length" not in said
    side.close(line)


def test_what_is_no_websocket_server_is_told_apart(side, emulator):
    answer = side.dial(emulator.port, "/mai/v1/chat/completions")
    assert answer.status == 404
    side.close(answer)


def test_a_resting_line_that_was_closed_has_news(side, port):
    line = side.dial(port, "/later")
    assert not line.has_news
    side.send(line, "You may go.")
    for _ in range(500):
        if line.has_news:
            break
        side.run(asyncio.sleep(0.01)) if side.loop else threading.Event().wait(0.01)
    assert line.has_news
    side.close(line)


def test_what_is_said_is_in_no_log(side, port, caplog):
    caplog.set_level("DEBUG")
    line = side.dial(port, "/echo")
    side.send(line, "a secret of mine")
    side.receive(line)
    side.close(line)
    client = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.server")]
    assert "a secret of mine" not in "".join(client)


def test_a_message_beyond_the_cap_is_refused():
    framing = Framing(max_message_bytes=1000)
    with pytest.raises(AnswerTooLarge):
        framing.feed(b"\x82\x7e\x07\xd0" + b"x" * 2000)


def test_text_that_is_no_text_is_refused():
    with pytest.raises(TransportFailed, match="UTF-8"):
        Framing(max_message_bytes=1000).feed(b"\x81\x02\xff\xff")


def test_bytes_that_are_no_frames_are_refused():
    with pytest.raises(TransportFailed, match="no WebSocket"):
        Framing(max_message_bytes=1000).feed(b"\x7f\x7f\x7f\x7f")


def test_one_thread_may_send_while_another_receives(port):
    dialler = Dialler()
    line = dialler.dial(Request("GET", f"http://127.0.0.1:{port}/echo", []), LIMITS)
    got = []

    def receive():
        got.extend(line.receive(within=10) for _ in range(500))

    thread = threading.Thread(target=receive)
    thread.start()
    for number in range(500):
        line.send(str(number), b"x" * 50_000) if number % 2 else line.send(str(number))
    thread.join(10)
    assert [one for one in got if isinstance(one, str)][:200] == [str(n) for n in range(200)]
    dialler.close()


@contextlib.contextmanager
def served_at_once(go_on):
    """A server that has its first frame in the same packet as its 101, and then does `go_on`."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            line, _ = server.accept()
            with line:
                asked = line.recv(65536).decode()
                key = asked.partition("sec-websocket-key: ")[2].partition("\r\n")[0]
                proof = hashlib.sha1((key + MAGIC).encode(), usedforsecurity=False).digest()
                head = (
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\n"
                    f"Sec-WebSocket-Accept: {base64.b64encode(proof).decode()}\r\n\r\n"
                )
                line.sendall(head.encode() + b"\x81\x02hi")
                go_on(line)

        thread = threading.Thread(target=answer)
        thread.start()
        yield Request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", [])
        thread.join(5)


def test_what_comes_with_the_handshakes_answer_is_not_lost():
    with served_at_once(lambda line: line.recv(65536)) as request:
        dialler = Dialler()
        line = dialler.dial(request, LIMITS)
        assert line.receive(within=5) == "hi"
        line.close()
        dialler.close()


def test_closing_wakes_a_thread_that_waits(port):
    dialler = Dialler()
    line = dialler.dial(Request("GET", f"http://127.0.0.1:{port}/echo", []), LIMITS)
    ended = []

    def wait():
        try:
            line.receive(within=30)
        except TransportFailed as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    line.close()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(ended[0], SocketClosed)
    dialler.close()


def test_a_cancelled_receive_loses_no_message(port):
    async def run():
        dialler = AsyncDialler()
        line = await dialler.dial(Request("GET", f"http://127.0.0.1:{port}/echo", []), LIMITS)
        waiting = asyncio.ensure_future(line.receive(within=None))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await line.send("one", "two")
        got = [await line.receive(within=5), await line.receive(within=5)]
        await line.aclose()
        await dialler.aclose()
        return got

    assert asyncio.run(run()) == ["one", "two"]


def listened(port, path, *, stop_after=None, number=12, first=()):
    """What `listen` gives of that path, and how it ends; it is begun again where it was stopped."""

    async def run():
        dialler = AsyncDialler()
        line = await dialler.dial(Request("GET", f"http://127.0.0.1:{port}{path}", []), LIMITS)
        got, rounds = [], 0

        def take(message):
            got.append(message)
            return stop_after is None or len(got) % stop_after != 0

        async with asyncio.timeout(10):
            await line.send(*first)
            try:
                while len(got) < number:
                    await line.listen(take)
                    rounds += 1
            except TransportFailed as error:
                got.append(error)
        await line.aclose()
        await dialler.aclose()
        return got, rounds

    return asyncio.run(run())


def test_every_message_is_heard_once_in_order_however_often_one_stops(port):
    said = [str(number) * number * 700 for number in range(12)]
    assert listened(port, "/echo", stop_after=1, first=said) == (said, 12)
    assert listened(port, "/echo", stop_after=4, first=said) == (said, 3)


def test_every_sign_of_life_is_told_and_every_answer_to_a_ping(port):
    async def run():
        dialler = AsyncDialler()
        line = await dialler.dial(Request("GET", f"http://127.0.0.1:{port}/echo", []), LIMITS)
        signs, pongs, got = [], [], []
        line.on_sign, line.on_pong = lambda: signs.append(1), pongs.append
        async with asyncio.timeout(10):
            await line.ping(b"there?")
            await line.send("hi")
            await line.listen(lambda message: got.append(message) or not pongs)
        await line.aclose()
        await dialler.aclose()
        assert (got, pongs) == (["hi"], [b"there?"])
        assert signs

    asyncio.run(run())


def test_who_listens_answers_pings(port):
    assert listened(port, "/ping", stop_after=1, number=1)[0][0] == "True"


def test_who_listens_hears_the_close(port):
    (closed,), _ = listened(port, "/bye")
    assert (closed.code, closed.reason) == (4429, "Too much")
    (gone,), _ = listened(port, "/gone")
    assert gone.code == 1006


def test_who_listens_is_told_what_came_with_the_handshakes_answer_and_what_is_no_frame():
    got, pongs = [], []

    def go_on(line):
        line.recv(100)
        line.sendall(b"\x89\x00")
        pongs.append(line.recv(100)[:2])
        line.sendall(b"\x81\x02ho\xff\xff")
        line.recv(100)

    async def run(request):
        dialler = AsyncDialler()
        line = await dialler.dial(request, LIMITS)
        await line.listen(got.append)
        await line.send("go on")
        with pytest.raises(TransportFailed, match="no WebSocket"):
            await line.listen(lambda message: got.append(message) or True)
        await line.aclose()
        await dialler.aclose()

    with served_at_once(go_on) as request:
        asyncio.run(run(request))
    assert got == ["hi"]
    assert pongs == [b"\x8a\x80"]
