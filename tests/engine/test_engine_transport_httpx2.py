"""What httpcore2 does not do by itself: whole exchanges in time, and forks."""

import multiprocessing
import socket
import threading
import time

import pytest

from mai_sdk.engine.steps import Limits, Request, TransportFailed
from mai_sdk.engine.transport_httpx2 import Httpx2Transport

REQUEST = [("accept", "application/json")]


@pytest.fixture
def dripping():
    """A server that writes its head one byte at a time."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve():
        connection, _ = listener.accept()
        connection.recv(65536)
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok":
            if ended.is_set():
                break
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    ended.set()
    thread.join(5)
    listener.close()


def test_a_head_that_drips_in_ends_with_the_total_limit(dripping):
    transport = Httpx2Transport()
    began = time.monotonic()
    with pytest.raises(TransportFailed):
        transport.send(Request("GET", dripping, REQUEST), Limits(5, 5, 5, total=0.3))
    assert time.monotonic() - began < 1.5
    transport.close()


def ask(client, names, wrong):
    for name in names:
        text = client.reasoning.create(f"Say {name}").text
        if name not in text:
            wrong.append((name, text))


def in_child(client, queue):
    wrong = []
    ask(client, [f"child{number}" for number in range(10)], wrong)
    queue.put(wrong)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_and_its_parent_read_only_their_own_answers(emulator):
    with emulator.client() as client:
        client.reasoning.create("Open a connection")
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=in_child, args=(client, queue))
        child.start()
        wrong = []
        ask(client, [f"parent{number}" for number in range(10)], wrong)
        assert queue.get(timeout=20) == []
        child.join(10)
        assert wrong == []
