"""The server every contender talks to: one process, loopback, three ways to answer.

A port per way, so no contender's request differs by a byte from one scenario to the next:

    whole     one JSON answer of about 700 bytes
    burst     1,000 events written at once, each in an HTTP chunk of its own, as a model server
              writes them: one TCP read of the client holds hundreds
    gathered  the same 1,000 events in HTTP chunks of 16 KiB cut anywhere, as a buffering proxy
              passes them on: one HTTP chunk holds about 60
    paced     300 events, 2 ms apart, each in a packet of its own

Prints the ports as one line of JSON and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

PATHS = {
    b"/mai/v1/chat/completions",
    b"/openai/v1/chat/completions",
    b"/v1/chat/completions",
    b"/chat/completions",
}
WAYS = ("whole", "burst", "gathered", "paced")
EVENTS = {"burst": 1000, "gathered": 1000, "paced": 300}
PACE_SECONDS = 0.002
PROXY_CHUNK = 16 * 1024

TEXT = "Air scatters short wavelengths of sunlight more than long ones, so the sky looks blue. " * 4
USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 76,
    "total_tokens": 95,
    "prompt_tokens_details": {"cached_tokens": 2},
}
ANSWER = {
    "id": "mai-api-4f0c2a7be1d94a5e",
    "object": "chat.completion",
    "created": 1785277080,
    "model": "MAI-Thinking-1",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": TEXT,
                "refusal": None,
                "tool_calls": None,
                "reasoning": None,
            },
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}


def head(*fields: str) -> bytes:
    """Return the head of a 200 with the headers that Azure's gateway is seen to add."""
    common = (
        "HTTP/1.1 200 OK",
        "date: Mon, 23 Nov 2026 08:00:00 GMT",
        "apim-request-id: 5f9d1c1e-7a34-4c5e-9b1d-2f6f0a3b7c11",
        "x-ms-region: East US 2",
        "strict-transport-security: max-age=31536000; includeSubDomains; preload",
    )
    return "\r\n".join((*common, *fields, "", "")).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(text: str | None, *, last: bool = False) -> bytes:
    said = {
        "id": "mai-api-x",
        "object": "chat.completion.chunk",
        "created": 1785277080,
        "model": "MAI-Thinking-1",
        "choices": [
            {
                "delta": {
                    "content": text,
                    "role": "assistant",
                    "tool_calls": None,
                    "reasoning": None,
                    "annotations": None,
                },
                "index": 0,
                "finish_reason": "stop" if last else None,
            }
        ],
        "system_fingerprint": "",
        "usage": USAGE if last else None,
    }
    return b"data: " + json.dumps(said, separators=(",", ":")).encode() + b"\n\n"


def events(way: str) -> list[bytes]:
    pieces = [event(f"word{i} ") for i in range(EVENTS[way])]
    return [*pieces, event(None, last=True) + b"data: [DONE]\n\n"]


def answers() -> dict[str, list[bytes]]:
    """Return what each way writes, write by write."""
    stream = head("content-type: text/event-stream; charset=utf-8", "transfer-encoding: chunked")
    body = json.dumps(ANSWER, separators=(",", ":")).encode()
    whole = head("content-type: application/json", f"content-length: {len(body)}") + body
    burst = stream + b"".join(map(chunk, events("burst"))) + chunk(b"")
    joined = b"".join(events("gathered"))
    cuts = range(0, len(joined), PROXY_CHUNK)
    gathered = stream + b"".join(chunk(joined[at : at + PROXY_CHUNK]) for at in cuts) + chunk(b"")
    *paced, last = map(chunk, events("paced"))
    return {
        "whole": [whole],
        "burst": [burst],
        "gathered": [gathered],
        "paced": [stream, *paced, last + chunk(b"")],
    }


class Connection(asyncio.Protocol):
    """One kept-alive HTTP/1.1 connection that gives the same answer to every request."""

    def __init__(self, writes: list[bytes]) -> None:
        self.writes = writes
        self.received = b""
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102 - asyncio's
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:  # noqa: D102 - asyncio's
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:  # noqa: D102 - asyncio's
        self.received += data
        while (end := self.received.find(b"\r\n\r\n") + 4) > 3:
            request = self.received[:end].lower()
            _, _, length = request.partition(b"content-length: ")
            end += int(length.split(b"\r\n", 1)[0] or 0)
            if len(self.received) < end:
                return
            self.received = self.received[end:]
            self.answer(request.split(b" ", 2)[1].partition(b"?")[0])

    def answer(self, path: bytes) -> None:
        """Write the answer, at once or piece by piece."""
        if path not in PATHS:
            self.transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        elif len(self.writes) == 1:
            self.transport.write(self.writes[0])
        else:
            self.task = asyncio.ensure_future(self.pace())

    async def pace(self) -> None:
        """Write one piece every 2 ms, counted from the first so that delays do not add up."""
        clock = asyncio.get_running_loop().time
        due = clock()
        for data in self.writes:
            self.transport.write(data)  # asyncio turns Nagle's algorithm off: one write, one packet
            due += PACE_SECONDS
            await asyncio.sleep(due - clock())


async def main() -> None:
    if sys.argv[1:] and sys.argv[1]:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    loop = asyncio.get_running_loop()
    written = answers()
    ports = {}
    for way in WAYS:
        server = await loop.create_server(lambda w=written[way]: Connection(w), "127.0.0.1", 0)
        ports[way] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
