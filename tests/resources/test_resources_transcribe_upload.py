"""A 300 MB upload is read while it is sent: little memory, and the same bytes at every try.

Measured from outside: the client is a process of its own, whose peak is what the system says it
was; the server is another, which counts and hashes what comes.
"""

import json
import subprocess
import sys
import time

import pytest

from mai_sdk.wire.wav import wav_header

SIZE = 300_000_000
LIMIT_KIB = 32 * 1024

CLIENT = """
import asyncio, json, re, resource, sys
from pathlib import Path
from mai_sdk import MAI, AsyncMAI

world, transport, url, small, large = sys.argv[1:]
settings = dict(speech_endpoint=url, speech_api_key="k", transport=transport)
settings["config_file"] = "/dev/null"
status = Path("/proc/self/status")

def peak():  # what getrusage says begins with the parent's peak, on Linux
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def sync():
    with MAI(**settings) as client:
        client.transcribe.create(small)
        before = peak()
        return before, client.transcribe.create(large)

async def asynchronous():
    async with AsyncMAI(**settings) as client:
        await client.transcribe.create(small)
        before = peak()
        return before, await client.transcribe.create(large)

before, made = sync() if world == "sync" else asyncio.run(asynchronous())
print(json.dumps([before, peak(), made.attempts, made.text]))
"""

SERVER = """
import hashlib, json, socket, sys

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
buffer = memoryview(bytearray(1 << 20))
large = 0
while True:
    line, _ = listener.accept()
    with line:
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            data = line.recv(65536)
            if not data:
                break
            head += data
        if not head:
            continue
        head, _, body = head.partition(b"\\r\\n\\r\\n")
        told = next(h for h in head.lower().split(b"\\r\\n") if h.startswith(b"content-length:"))
        size, digest, got = int(told.split(b":")[1]), hashlib.sha256(body), len(body)
        while got < size and (read := line.recv_into(buffer)):
            digest.update(buffer[:read])
            got += read
        if size > 1_000_000:
            print(json.dumps([size, got, digest.hexdigest()]), flush=True)
            large += 1
        status = b"503 Busy" if size > 1_000_000 and large % 2 else b"200 OK"
        said = b'{"durationMilliseconds": 1000, "combinedPhrases": [{"text": "Heard."}]}'
        line.sendall(
            b"HTTP/1.1 %s\\r\\nretry-after: 0\\r\\ncontent-type: application/json\\r\\n"
            b"connection: close\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (status, len(said), said)
        )
"""


@pytest.fixture(scope="module")
def server():
    """A server process: its address, and what it prints of each large body."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}", process.stdout
        process.kill()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    small, large = folder / "small.wav", folder / "large.wav"
    small.write_bytes(wav_header(3200, sample_rate=16_000) + bytes(3200))
    with large.open("wb") as file:  # sparse: a hole takes no room on disk
        file.write(wav_header(SIZE - 44, sample_rate=48_000))
        file.truncate(SIZE)
    return small, large


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
@pytest.mark.parametrize("world", ["sync", "async"])
def test_300_mb_take_less_than_32_mb_of_memory_and_a_retry_sends_the_same(
    server, files, world, transport
):
    url, said = server
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, world, transport, url, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    before, after, attempts, text = json.loads(done.stdout)
    first, second = (json.loads(said.readline()) for _ in range(2))
    print(
        f"{world} over {transport}: 2 x {first[0]:,} bytes, peak {before:,} -> {after:,} KiB "
        f"(+{after - before:,}), {time.monotonic() - started:.1f} s"
    )
    assert (attempts, text) == (2, "Heard.")
    assert first == second
    assert first[0] == first[1] > SIZE
    assert after - before < LIMIT_KIB
