"""Every fault, seen by a plain socket or by httpx2."""

import gzip
import json
import re
import socket
import time
import zlib
from pathlib import Path

import httpx2
import pytest

from mai_sdk.emulator import EMULATOR_KEY, FAULT_HEADER, FAULTS, Emulator

PATH = "/mai/v1/chat/completions"
ASK = {"model": "MAI-Code-1-Flash", "messages": [{"role": "user", "content": "Sort a list"}]}
STREAM = {**ASK, "stream": True}


@pytest.fixture(scope="module")
def served():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def ask(served):
    """Sends one request that meets a fault; returns the answer."""
    served.reset()
    headers = {"api-key": EMULATOR_KEY}
    with httpx2.Client(base_url=served.url, headers=headers, timeout=10) as client:

        def send(fault, *, sent=STREAM, path=PATH, **parameters):
            served.fault(fault, **parameters)
            return client.post(path, json=sent)

        yield send


def raw(emulator, fault, *, body=STREAM, **parameters):
    """Return all bytes a socket gets, and how the line ended: "fin", "reset" or "silence"."""
    emulator.reset()
    emulator.fault(fault, **parameters)
    content = json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\napi-key: {EMULATOR_KEY}\r\nconnection: close\r\n"
    head += f"content-length: {len(content)}\r\n\r\n"
    got = b""
    with socket.create_connection((emulator.host, emulator.port), timeout=0.5) as line:
        line.sendall(head.encode() + content)
        try:
            while data := line.recv(65536):
                got += data
        except ConnectionResetError:
            return got, "reset"
        except TimeoutError:
            return got, "silence"
    return got, "fin"


def events(text):
    return [line[6:] for line in text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize("code", [400, 403, 408, 500, 502, 503, 529])
@pytest.mark.parametrize("body", [ASK, STREAM])
def test_status_answers_with_any_status(ask, code, body):
    answer = ask("status", sent=body, code=code, retry_after=3)
    assert answer.status_code == code
    assert answer.headers["retry-after"] == "3"
    assert answer.json()["error"]["code"] == str(code)


def test_status_has_other_bodies(ask):
    assert ask("status", code=502, body="html").headers["content-type"] == "text/html"
    empty = ask("status", code=500, body="empty", retry_after_ms=20)
    assert empty.content == b""
    assert empty.headers["retry-after-ms"] == "20"


def test_rate_limit_is_azure_s(ask):
    answer = ask("rate_limit", retry_after=2)
    assert answer.status_code == 429
    assert "retry after 2 seconds" in answer.json()["error"]["message"]
    assert "retry-after" not in ask("rate_limit", retry_after=None).headers


def test_reset_before_the_headers(served):
    assert raw(served, "reset") == (b"", "reset")


def test_reset_after_events_and_at_a_byte(served):
    got, end = raw(served, "reset", after=2)
    assert end == "reset"
    assert len(events(got.decode())) == 2
    got, end = raw(served, "reset", body=ASK, byte=30)
    assert end == "reset"
    assert len(got.partition(b"\r\n\r\n")[2]) == 30


def test_close_ends_the_line_in_the_middle_of_a_chunk(served):
    got, end = raw(served, "close", after=1)
    assert end == "fin"
    last = got.split(b"\r\n")
    assert int(last[-2], 16) > len(last[-1]) > 0  # the chunk says it is longer than it is
    got, end = raw(served, "close", body=ASK)
    head, _, body = got.partition(b"\r\n\r\n")
    size = re.search(rb"content-length: (\d+)", head)[1]
    assert end == "fin"
    assert 0 < len(body) < int(size)


def test_truncate_ends_cleanly_without_done(served, ask):
    got, end = raw(served, "truncate", after=3)
    assert end == "fin"
    assert got.endswith(b"0\r\n\r\n")
    text = ask("truncate", after=3).text
    assert len(events(text)) == 3
    assert "[DONE]" not in text
    assert len(ask("truncate", byte=77).content) == 77


def test_stall_is_silent_until_released(served):
    assert raw(served, "stall") == (b"", "silence")
    got, end = raw(served, "stall", after=1)
    assert end == "silence"
    assert len(events(got.decode())) == 1
    got, end = raw(served, "stall", after=1, seconds=0.05)
    assert end == "fin"
    assert b"[DONE]" in got


def test_slow_writes_so_many_bytes_a_second(ask):
    started = time.perf_counter()
    answer = ask("slow", sent=ASK, bytes_per_second=4000)
    assert time.perf_counter() - started > 0.8 * len(answer.content) / 4000


def test_keepalive_only_says_nothing(served):
    got, end = raw(served, "keepalive_only", interval=0.01, seconds=0.1)
    assert end == "fin"
    assert got.count(b": keep-alive\n\n") == 10
    got, end = raw(served, "keepalive_only", after=1, interval=0.2, seconds=0.4)
    assert len(events(got.split(b": keep-alive")[0].decode())) == 1


def test_the_200s_that_are_none(ask):
    page = ask("html_200")
    assert (page.status_code, page.text[:15]) == (200, "<!DOCTYPE html>")
    empty = ask("empty_200")
    assert (empty.status_code, empty.content) == (200, b"")
    assert empty.headers["content-length"] == "0"
    wrong = ask("wrong_content_type", sent=ASK, value="text/plain")
    assert wrong.headers["content-type"] == "text/plain"
    assert wrong.json()["choices"]


@pytest.mark.parametrize("body", [ASK, STREAM])
def test_bad_json_and_bad_utf8_cannot_be_read(ask, body):
    broken = ask("bad_json", sent=body)
    texts = events(broken.text)[1:2] if body is STREAM else [broken.text]
    with pytest.raises(ValueError, match=r"\w"):
        json.loads(texts[0])
    with pytest.raises(UnicodeDecodeError):
        ask("bad_utf8", sent=body).content.decode("utf-8")


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("openai", lambda e: e["error"]["type"] == "server_error"),
        ("bare", lambda e: set(e) == {"message", "code"}),
        ("string", lambda e: isinstance(e["error"], str)),
        ("vllm", lambda e: e["error"]["code"] == 500),
    ],
)
def test_error_events_have_four_shapes(ask, shape, found):
    text = ask("error_event", shape=shape, after=1).text
    said = events(text)
    assert found(json.loads(said[1]))
    assert (said[-1] == "[DONE]") == (shape == "vllm")
    assert ("event: error\n" in text) == (shape == "bare")


def test_safety_and_rate_limits_break_a_stream_off(ask):
    blocked = events(ask("safety_blocked", after=2).text)
    assert json.loads(blocked[2])["error"]["type"] == "SafetyBlockedError"
    assert blocked[3:] == ["[DONE]"]
    limited = events(ask("rate_limit_in_stream", after=0).text)
    assert len(limited) == 1
    assert json.loads(limited[0])["error"]["code"] == "429"


def test_content_filter_stops_prompt_and_output(ask):
    azure = ask("content_filter", sent=ASK)
    assert azure.status_code == 400
    assert azure.json()["error"]["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    mai = ask("content_filter", sent=ASK, shape="mai").json()["error"]
    assert mai["code"] == "content_safety_violation"
    whole = ask("content_filter", sent=ASK, where="output").json()
    assert whole["choices"][0]["finish_reason"] == "content_filter"
    last = events(ask("content_filter", where="output").text)[-2]
    assert json.loads(last)["choices"][0]["finish_reason"] == "content_filter"


def test_redirects_lead_elsewhere(ask):
    answer = ask("redirect", code=308, to="http://127.0.0.1:9/x")
    assert (answer.status_code, answer.headers["location"]) == (308, "http://127.0.0.1:9/x")
    assert ask("redirect").headers["location"].startswith("http://localhost:")


def test_gzip_can_be_read_at_once_after_every_event(served, ask):
    assert ask("gzip", sent=ASK).json()["choices"]
    served.fault("gzip")
    headers = {"api-key": EMULATOR_KEY}
    url = served.url + PATH
    with httpx2.stream("POST", url, json=STREAM, headers=headers) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        first = next(answer.iter_raw())
        assert zlib.decompressobj(wbits=31).decompress(first).startswith(b"data: {")


def test_a_gzip_bomb_is_small_on_the_line(served):
    for body in (ASK, STREAM):
        got, end = raw(served, "gzip_bomb", body=body, size=3_000_000)
        assert end == "fin"
        chunks, rest = [], got.partition(b"\r\n\r\n")[2]
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            chunks.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
        squeezed = b"".join(chunks)
        assert len(squeezed) < 10_000
        assert len(gzip.decompress(squeezed)) > 3_000_000


def test_huge_lines_and_events_are_as_long_as_told(ask):
    line = ask("huge_line", size=2_000_000, after=1).content
    assert len(max(line.split(b"\n"), key=len)) > 2_000_000
    event = ask("huge_event", size=2_000_000, after=1).content
    assert len(max(event.split(b"\n"), key=len)) < 2_000
    assert len(max(event.split(b"\n\n"), key=len)) > 1_900_000


def test_line_ends_and_marks_change_and_nothing_else(ask):
    plain = ask("merge").content
    assert ask("bom").content[3:].count(b"data: ") == plain.count(b"data: ")
    for kind, mark in (("crlf", b"\r\n"), ("cr", b"\r")):
        bent = ask("newline", kind=kind).content
        assert bent.count(mark) == plain.count(b"\n")
        assert (b"\n" in bent) == (kind == "crlf")
    assert ask("bom").content[:3] == b"\xef\xbb\xbf"


def test_split_writes_bytes_and_merge_writes_all(served):
    split, _ = raw(served, "split")
    merged, _ = raw(served, "merge")
    body = merged.partition(b"\r\n\r\n")[2]
    assert split.count(b"\r\n1\r\n") > 1000
    assert int(body.split(b"\r\n")[0], 16) > 1000


def test_extra_events_are_added_among_the_known(ask):
    text = ask("extra_event").text
    assert "event: mai.novel\n" in text
    assert ": a comment\n" in text
    assert "event: ping\n\n" in text
    assert json.loads(events(text)[0])["x_novel"]


def test_usage_can_be_left_out_everywhere(ask):
    assert "usage" not in ask("no_usage", sent=ASK).json()
    assert "usage" not in ask("no_usage").text
    responses = {"model": "MAI-DS-R1", "input": "x", "stream": True}
    assert '"usage"' not in ask("no_usage", sent=responses, path="/openai/v1/responses").text
    asked = {**STREAM, "model": "MAI-DS-R1", "stream_options": {"include_usage": True}}
    text = ask("no_usage", sent=asked, path="/openai/v1/chat/completions").text
    assert '"usage"' not in text
    assert json.loads(events(text)[-2])["choices"]  # the chunk that told only usage is gone


def test_done_can_be_doubled_and_followed(ask):
    assert events(ask("duplicate_done").text)[-2:] == ["[DONE]", "[DONE]"]
    after = ask("after_done", text="loose").text
    assert after.endswith("loose")
    assert events(after)[-1] != "[DONE]"


def test_token_expired_refuses_the_token(ask):
    answer = ask("token_expired")
    assert answer.status_code == 401
    assert "expired" in answer.json()["error"]["message"]


def test_key_echo_repeats_the_key(ask):
    answer = ask("key_echo")
    assert answer.status_code == 401
    assert EMULATOR_KEY in answer.text


def test_a_fault_waits_for_its_request(served, ask):
    headers = {"api-key": EMULATOR_KEY}
    served.fault("safety_blocked")  # befalls streams only
    served.fault("status", code=418, path="/openai/", times=2)
    with httpx2.Client(base_url=served.url, headers=headers) as client:
        assert client.post(PATH, json=ASK).status_code == 200
        assert "SafetyBlockedError" in client.post(PATH, json=STREAM).text
        assert "SafetyBlockedError" not in client.post(PATH, json=STREAM).text
        statuses = [
            client.post("/openai/v1/chat/completions", json=ASK).status_code for _ in range(3)
        ]
    assert statuses == [418, 418, 200]


def test_a_header_asks_for_a_fault_for_one_request(served):
    headers = {"api-key": EMULATOR_KEY}
    with httpx2.Client(base_url=served.url, headers=headers) as client:

        def send(fault, body=ASK):
            return client.post(PATH, json=body, headers={FAULT_HEADER: fault})

        answer = send("status; code=503; retry_after=0.5; body=html")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "0.5")
        assert client.post(PATH, json=ASK).status_code == 200
        assert send("nothing").json()["error"]["code"] == "unknown_fault"
        assert "has no parameter 'x'" in send("merge; x=1").json()["error"]["message"]
        assert "needs a streamed answer" in send("bom").json()["error"]["message"]
        assert "[DONE]" not in send("truncate; after=1", STREAM).text


def test_an_unknown_fault_is_named_with_those_that_exist(served):
    with pytest.raises(ValueError, match="safety_blocked"):
        served.fault("earthquake")
    with pytest.raises(ValueError, match="It has: code, body"):
        served.fault("status", colour="red")
    with pytest.raises(ValueError, match="times is 0"):
        served.fault("status", times=0)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("error", {"error": {"code": "diarization_unavailable", "message": "Later."}}),
        ("top", {"code": "diarization_unavailable", "message": "Later."}),
        ("text", "Later."),
    ],
)
def test_a_speech_error_comes_in_every_form_that_was_seen(ask, shape, body):
    answer = ask("speech_error", shape=shape, message="Later.")
    assert answer.status_code == 503
    assert (answer.text if shape == "text" else answer.json()) == body


PICTURE = {"model": "MAI-Image-2.5", "prompt": "a lake"}
PICTURES = "/mai/v1/images/generations"


@pytest.mark.parametrize(("shape", "data"), [("empty", []), ("null", [{"b64_json": None}])])
def test_no_picture_leaves_all_but_the_picture(ask, shape, data):
    said = ask("no_picture", sent=PICTURE, path=PICTURES, shape=shape).json()
    assert said["data"] == data
    assert said["usage"]["num_output_tokens"] == 1024


@pytest.mark.parametrize(
    ("shape", "usage", "top"),
    [
        ("top_level", None, 1024),
        ("output_only", {"num_output_tokens": 1024}, None),
        ("output_image_tokens", {"num_output_tokens": 1024, "output_image_tokens": 1024}, None),
    ],
)
def test_image_usage_comes_in_every_form_that_was_seen(ask, shape, usage, top):
    said = ask("image_usage", sent=PICTURE, path=PICTURES, shape=shape).json()
    assert (said.get("usage"), said.get("num_output_tokens")) == (usage, top)


def test_a_fault_of_pictures_leaves_other_answers_as_they_are(ask):
    assert ask("no_picture", sent=ASK).json()["choices"]
    assert ask("image_usage", sent=ASK).json()["usage"]["prompt_tokens"]


@pytest.mark.parametrize("name", ["no_picture", "image_usage"])
def test_a_fault_of_pictures_says_which_shapes_it_has(served, name):
    headers = {"api-key": EMULATOR_KEY, FAULT_HEADER: f"{name}; shape=odd"}
    answer = httpx2.post(f"{served.url}{PICTURES}", json=PICTURE, headers=headers)
    assert "it can be" in answer.json()["error"]["message"]


def test_every_fault_is_described_and_is_seen_here():
    here = Path(__file__).read_text(encoding="utf-8")  # those of sockets: test_emulator_sockets.py
    names = [name for name, fault in FAULTS.items() if fault.needs != "socket"]
    assert [name for name in names if f'"{name}"' not in here] == []
    for fault in FAULTS.values():
        assert fault.about.endswith(".")
        assert fault.fidelity in ("exact", "emulated")
        assert not {"name", "times", "path", "model"} & set(fault.parameters)


def test_a_scripted_reply_outlives_a_fault_that_took_its_place(emulator):
    emulator.reply("the one and only")
    emulator.fault("rate_limit", retry_after=0)
    with emulator.client() as client:
        assert client.reasoning.create("Why?").text == "the one and only"
        assert client.reasoning.create("Why?").text != "the one and only"


def test_a_script_for_the_base_model_meets_vllm_requests_that_name_none(emulator):
    emulator.reply("from the base", model="MAI-DS-R1")
    with emulator.client() as client:
        assert client.reasoning.create("Why?", model="MAI-DS-R1").text == "from the base"


def test_a_client_that_leaves_a_burst_makes_no_noise(emulator, caplog):
    with emulator.client() as client:
        for _ in range(10):
            with client.reasoning.stream("Why is the sky blue?") as stream:
                next(iter(stream))
    assert "socket.send" not in caplog.text
