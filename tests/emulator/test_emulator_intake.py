"""Bodies as they come in: large ones on disk, half ones unanswered; and forms where they lie."""

import hashlib
import json
import socket
import subprocess
import sys

import httpx2
import pytest

from mai_sdk.emulator import intake
from mai_sdk.emulator.uploads import read_form
from mai_sdk.wire.multipart import Part, join_parts
from mai_sdk.wire.wav import wav_header

PATH = "/speechtotext/transcriptions:transcribe?api-version=2025-10-15"
MAI = b'{"enhancedMode": {"enabled": true, "model": "MAI-Transcribe-2"}}'


def test_a_large_body_is_answered_from_disk_and_journalled_by_its_hash(emulator, monkeypatch):
    monkeypatch.setattr(intake, "IN_MEMORY", 100_000)
    pcm = bytes(400_000)
    parts = [
        Part(name="definition", data=MAI),
        Part(
            name="audio",
            filename="a.wav",
            data=wav_header(len(pcm), sample_rate=16_000) + pcm,
        ),
    ]
    body = join_parts(parts, boundary="b")
    headers = {
        "ocp-apim-subscription-key": emulator.key,
        "content-type": "multipart/form-data; boundary=b",
    }
    with httpx2.Client(base_url=emulator.url, headers=headers) as client:
        answer = client.post(PATH, content=body)
    assert answer.json()["durationMilliseconds"] == 12_500
    entry = emulator.journal.wait(1)[0]
    assert (entry.body_bytes, entry.body) == (len(body), body[: 64 * 1024])
    assert entry.body_sha256 == hashlib.sha256(body).hexdigest()


def test_a_small_body_is_in_the_journal_as_it_was(emulator):
    with httpx2.Client(base_url=emulator.url) as client:
        client.post("/mai/v1/chat/completions", json={"a": 1})
    entry = emulator.journal.wait(1)[0]
    assert entry.json == {"a": 1}
    assert (entry.body_bytes, entry.body) == (len(entry.body), b'{"a":1}')


def test_a_large_json_body_is_still_read(emulator, monkeypatch):
    monkeypatch.setattr(intake, "IN_MEMORY", 1000)
    with emulator.client() as client:
        reply = client.reasoning.create("Why? " * 30_000)
    assert reply.text


def test_half_a_request_is_not_answered_and_meets_no_fault(emulator):
    emulator.fault("status", code=418)
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    with socket.create_connection((emulator.host, emulator.port)) as line:
        line.sendall(head.encode() + b"half")
    entry = emulator.journal.wait(1)[0]
    assert (entry.disconnected, entry.status, entry.fault) == (True, None, None)
    with httpx2.Client(base_url=emulator.url) as client:
        assert client.get("/health").status_code == 418


LARGE = """
import json, re, resource, sys
from pathlib import Path
from mai_sdk.emulator import Emulator

status = Path("/proc/self/status")

def peak():  # what getrusage says begins with the parent's peak, on Linux
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

with Emulator() as emulator:
    print(json.dumps([emulator.port, emulator.key]), flush=True)
    sys.stdin.readline()
    entry = emulator.journal[-1]
    print(json.dumps([peak(), entry.status, entry.body_bytes]), flush=True)
"""


def test_an_upload_of_120_mb_is_never_held_more_than_once():
    size = 120_000_000
    with subprocess.Popen(
        [sys.executable, "-c", LARGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        port, key = json.loads(process.stdout.readline())
        before = join_parts([Part(name="definition", data=MAI)], boundary="b")[: -len("--b--\r\n")]
        before += b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
        before += wav_header(size, sample_rate=48_000)
        after = b"\r\n--b--\r\n"
        head = (
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\nocp-apim-subscription-key: {key}\r\n"
            "content-type: multipart/form-data; boundary=b\r\nconnection: close\r\n"
            f"content-length: {len(before) + size + len(after)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(head.encode() + before)
            for _ in range(size // 1_000_000):
                line.sendall(bytes(1_000_000))
            line.sendall(after)
            said = b"".join(iter(lambda: line.recv(65536), b""))
        process.stdin.write("\n")
        process.stdin.flush()
        peak_kib, status, journalled = json.loads(process.stdout.readline())
        process.stdin.close()
    assert status == 200, said
    assert b'"durationMilliseconds":1250000' in said
    assert journalled == len(before) + size + len(after)
    # The file's pages count, too, once they are read where they lie.
    print(f"peak {peak_kib:,} KiB for {size:,} bytes")
    assert peak_kib < 70 * 1024 + 32 * 1024 + size / 1024


def test_parts_are_found_by_name_with_or_without_types():
    body = join_parts(
        [
            Part(name="audio", filename='a"b.wav', data=b"\r\n--b"),
            Part(name="definition", content_type="application/json", data=b"{}"),
        ],
        boundary="bound",
    )
    audio, definition = read_form(body, 'multipart/form-data; boundary="bound"')
    assert (audio.name, audio.filename, audio.content_type) == ("audio", "a%22b.wav", None)
    assert body[audio.start : audio.end] == b"\r\n--b"
    assert definition.content_type == "application/json"
    assert body[definition.start : definition.end] == b"{}"


FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"", "application/json", "not multipart"),
        (b"", "multipart/form-data", "not multipart"),
        (b"x", FORM, "not in the body"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', FORM, "cut off"),
        (b"--b\r\nX: y\r\n\r\nx\r\n--b--", FORM, "no name"),
    ],
)
def test_what_is_no_form_says_why(body, kind, says):
    with pytest.raises(ValueError, match=says):
        read_form(body, kind)
