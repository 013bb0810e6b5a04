"""A stream may be cut anywhere by the network; what it says must not depend on where."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mai_sdk import errors
from mai_sdk.wire.chat import ChatReader
from mai_sdk.wire.events import Event
from mai_sdk.wire.responses import ResponsesReader
from mai_sdk.wire.sse import encode
from mai_sdk.wire.stream import StreamReader

DATA = Path(__file__).parent.parent / "data" / "vllm"


def recorded(name: str) -> bytes:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))["response"]["text"].encode()


def made(*chunks: object) -> bytes:
    return b"".join(encode(json.dumps(c, ensure_ascii=False)) for c in chunks) + encode("[DONE]")


def choice(finish: str | None = None, **delta: object) -> dict:
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


TOOLS = made(
    choice(content="Ich prüfe 😀\n", tool_calls=None),
    choice(tool_calls=[{"id": "c1", "function": {"name": "f", "arguments": '{"ü":1}'}}]),
    choice(tool_calls=[{"id": "c2", "function": {"name": "g", "arguments": "{}"}}]),
    {**choice("stop", reasoning={"encrypted_content": "b"}), "usage": {"prompt_tokens": 1}},
)
TAGS = made(
    choice(content="<thi"), choice(content="nk>ü"), choice(content="</think>\n\nja"),
    choice("stop", content=""),
)  # fmt: skip
NOTES = b": note\n\nevent: ping\n\n" + TAGS.replace(b"\n\n", b"\n\n: keep-alive\n\nid: 1\n\n", 2)
# An event of two data lines is one event.
LINES = TAGS.replace(b'"choices"', b'\ndata: "choices"')

Make = Callable[[], StreamReader]


def on_foundry() -> StreamReader:
    return ChatReader(surface="foundry")


def on_vllm() -> StreamReader:
    return ChatReader(surface="vllm")


def on_responses() -> StreamReader:
    return ResponsesReader(surface="vllm")


STREAMS: dict[str, tuple[Make, bytes]] = {
    "foundry tools": (on_foundry, TOOLS),
    "tags in content": (on_vllm, TAGS),
    "keep-alives": (on_vllm, NOTES),
    "two data lines": (on_vllm, LINES),
    "vllm reasoning": (on_vllm, recorded("llama-r1/stream_interval4")),
    "vllm two choices": (on_vllm, recorded("llama-r1/stream_n2")),
    "vllm utf-8": (on_vllm, recorded("llama-r1/stream_utf8")[-2600:].split(b"\n\n", 1)[1]),
    "responses": (on_responses, recorded("llama-r1/responses_stream")[-5200:].split(b"\n\n", 1)[1]),
}
ENDINGS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
CASES = [
    pytest.param(make, mark + data.replace(b"\n", ending), id=f"{name} {kind}{' BOM' * bool(mark)}")
    for name, (make, data) in STREAMS.items()
    for kind, ending in ENDINGS.items()
    for mark in (b"", b"\xef\xbb\xbf")[: 2 if len(data) < 900 else 1]
]


def read(make: Make, *parts: bytes) -> tuple[list[Event], str]:
    reader = make()
    events = [event for part in parts for event in reader.feed(part)]
    return [*events, *reader.close()], repr(reader.answer)


@pytest.mark.parametrize(("make", "data"), CASES)
def test_every_cut_gives_identical_events(make: Make, data: bytes):
    expected = read(make, data)
    assert len(expected[0]) >= 3
    assert read(make, *(bytes([byte]) for byte in data)) == expected
    for cut in range(1, len(data)):
        assert read(make, data[:cut], data[cut:]) == expected, f"cut at {cut}"


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_truncated_stream_raises_with_what_came(name: str, ending: str):
    make, data = STREAMS[name]
    data = data.rstrip(b"\n") + b"\n\n"
    # The last line end is a line end from its first byte on, so "\r\n" may lose its "\n".
    shortest = len((data[:-1]).replace(b"\n", ENDINGS[ending])) + 1
    data = data.replace(b"\n", ENDINGS[ending])
    whole, _ = read(make, data[:shortest])
    assert whole == read(make, data)[0]
    for end in range(shortest):
        reader = make()
        events = reader.feed(data[:end])
        with pytest.raises(errors.StreamTruncated) as caught:
            reader.close()
        assert events == whole[: len(events)]
        assert caught.value.partial is not None
        assert not reader.is_complete
