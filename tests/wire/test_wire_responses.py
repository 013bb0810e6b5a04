import json
from typing import Any

import pytest

from mai_sdk import errors
from mai_sdk.wire.chat import ChatRequest
from mai_sdk.wire.events import Finished, ReasoningDelta, TextDelta, ToolCall, Unrecognised
from mai_sdk.wire.responses import (
    ResponsesReader,
    read_responses,
    responses_body,
    responses_path,
)
from mai_sdk.wire.sse import encode

REASONING = {"id": "rs", "type": "reasoning", "summary": [], "encrypted_content": "blob"}
CALL = {"id": "fc", "type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}


def text_item(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "m", "type": "message", "role": "assistant", "content": [part]}


def whole(*items: dict, status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 8,
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    base = {"id": "r", "object": "response", "model": "m", "error": None, "usage": usage}
    return {**base, "status": status, "output": list(items), **more}


def event(kind: str, **fields: Any) -> bytes:
    return encode(json.dumps({"type": kind, **fields}), event=kind)


def delta(kind: str, text: str, at: int = 0) -> bytes:
    return event(f"response.{kind}.delta", delta=text, output_index=at)


def read(*parts: bytes) -> tuple[list, ResponsesReader]:
    reader = ResponsesReader()
    return [*reader.feed(b"".join(parts)), *reader.close()], reader


def test_a_conversation_becomes_instructions_and_items():
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    image = {"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}}
    request = ChatRequest(
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "and kind"}]},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "calling", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "7"},
            {"role": "user", "content": [{"type": "text", "text": "see"}, image,
                                         {"type": "input_file", "file_id": "x"}]},
        ],
        deployment="d", tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "f"}}, schema={"type": "object"},
        schema_name="n", schema_strict=True, max_output_tokens=9, temperature=0.5, stream=True,
        extra_body={"store": False},
    )  # fmt: skip
    assert responses_body(request) == {
        "model": "d",
        "instructions": "be brief\n\nand kind",
        "input": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "calling"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "7"},
            {"role": "user", "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:,x", "detail": "low"},
                {"type": "input_file", "file_id": "x"}]},
        ],
        "tools": [{"type": "function", "strict": False, **function}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {
            "type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}},
        "max_output_tokens": 9, "temperature": 0.5, "stream": True, "store": False,
    }  # fmt: skip


def test_a_plain_question_sends_nothing_but_itself():
    request = ChatRequest(messages=[{"role": "user", "content": "hi"}])
    assert responses_body(request) == {"input": [{"role": "user", "content": "hi"}]}
    assert responses_path("openai-v1") == "/openai/v1/responses"
    with pytest.raises(errors.UnsupportedFeature):
        responses_body(ChatRequest(messages=[], reasoning_display="encrypted"), surface="foundry")


def test_an_answers_items_go_back_as_they_came():
    answer = read_responses(whole(REASONING, CALL))
    request = ChatRequest(messages=[answer.choices[0].message])
    assert responses_body(request)["input"] == [REASONING, CALL]


def test_a_whole_answer_has_text_thoughts_calls_and_usage():
    thoughts = {**REASONING, "summary": [{"type": "summary_text", "text": "t"}]}
    answer = read_responses(whole(thoughts, text_item("\n\na"), CALL))
    (choice,) = answer.choices
    assert (choice.text, choice.reasoning) == ("a", "t")
    assert choice.tool_calls == [ToolCall("c1", "f", '{"a":1}')]
    assert choice.finish_reason == "tool_calls"
    assert answer.usage == {"input_tokens": 8, "output_tokens": 5, "reasoning_tokens": 2}
    assert (answer.id, answer.model) == ("r", "m")


def test_why_an_answer_ended_is_said_in_the_words_of_chat():
    cut = whole(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert read_responses(cut).choices[0].finish_reason == "length"
    assert read_responses(whole(text_item("a"))).choices[0].finish_reason == "stop"
    assert read_responses(whole(status="queued")).choices[0].finish_reason == "queued"
    stopped = whole(
        text_item("half"), status="incomplete", incomplete_details={"reason": "content_filter"}
    )
    with pytest.raises(errors.ContentFiltered) as caught:
        read_responses(stopped)
    assert caught.value.partial.choices[0].text == "half"


def test_failed_and_foreign_answers_are_typed_errors():
    failed = whole(status="failed", error={"code": "rate_limit_exceeded", "message": "x"})
    with pytest.raises(errors.RateLimited):
        read_responses(failed)
    with pytest.raises(errors.ServiceUnavailable):
        read_responses(whole(status="failed"))
    with pytest.raises(errors.RequestRejected):
        read_responses({"error": {"code": 400, "message": "x"}})
    for raw in (None, [], {}, {"choices": []}, {"output": None}):
        with pytest.raises(errors.UnreadableAnswer):
            read_responses(raw)


def test_a_refusal_is_kept_apart():
    item = {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}
    (choice,) = read_responses(whole(item)).choices
    assert (choice.text, choice.refusal) == ("", "no")


BEGIN = event("response.created", response={"id": "r", "model": "m", "output": []})


def test_a_stream_is_thoughts_text_calls_and_the_end():
    item = {**CALL, "arguments": ""}
    events, reader = read(
        BEGIN,
        delta("reasoning_text", "t\n"),
        event("response.output_item.done", item=REASONING, output_index=0),
        delta("output_text", "\n", 1), delta("output_text", "\na", 1),
        event("response.output_text.done", text="\n\na", output_index=1),
        event("response.output_item.done", item=text_item("\n\na"), output_index=1),
        event("response.output_item.added", item=item, output_index=2),
        event("response.function_call_arguments.delta", delta='{"a"', output_index=2),
        event("response.function_call_arguments.done", arguments='{"a":1}', output_index=2),
        event("response.output_item.done", item=CALL, output_index=2),
        event("response.something.new", value=1),
        event("response.completed", response=whole(REASONING, text_item("\n\na"), CALL)),
    )  # fmt: skip
    new = {"type": "response.something.new", "value": 1}
    assert events == [
        ReasoningDelta("t\n"), TextDelta("a"), ToolCall("c1", "f", '{"a":1}'), Unrecognised(new),
        Finished("tool_calls"),
    ]  # fmt: skip
    assert reader.is_complete
    assert reader.answer.choices[0].message["output"] == [REASONING, text_item("\n\na"), CALL]
    assert reader.usage == {"input_tokens": 8, "output_tokens": 5, "reasoning_tokens": 2}


def test_a_host_that_sends_only_the_end_still_gives_all_of_it():
    events, _ = read(event("response.completed", response=whole(text_item("a"), CALL)), b"\n")
    assert events == [TextDelta("a"), ToolCall("c1", "f", '{"a":1}'), Finished("tool_calls")]


def test_a_terminal_event_without_output_uses_the_items_that_were_done():
    events, reader = read(
        delta("reasoning_summary_text", "t"),
        event("response.output_item.done", item=text_item("late"), output_index=1),
        event("response.output_item.done", item=CALL, output_index=0),
        event("response.completed", response={"status": "completed"}),
        encode("[DONE]"),
    )
    assert events[-1] == Finished("tool_calls")
    assert reader.answer.choices[0].message["output"][:2] == [CALL, text_item("late")]


def test_a_stream_cut_short_raises_with_what_came():
    done = event("response.output_item.done", item=text_item("one "), output_index=0)
    reader = ResponsesReader()
    reader.feed(BEGIN + delta("output_text", "one ") + done + delta("output_text", "two", 1))
    with pytest.raises(errors.StreamTruncated) as caught:
        reader.close()
    partial = caught.value.partial
    assert (partial.choices[0].text, partial.id, partial.usage) == ("one two", "r", None)
    assert partial.choices[0].finish_reason is None


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (event("error", code="rate_limit_exceeded", message="x"), errors.RateLimited),
        (encode('{"type":"error","code":"500","message":"x"}'), errors.ServiceUnavailable),
        (event("response.failed", response={"status": "failed", "error": {"code": "server_error"}}),
         errors.ServiceUnavailable),
        (event("response.failed", response={"error": {"code": "content_filter"}}),
         errors.ContentFiltered),
        (encode("nonsense"), errors.UnreadableAnswer),
        (encode("[DONE]"), errors.StreamTruncated),
    ],
)  # fmt: skip
def test_errors_inside_the_stream_are_typed_and_carry_what_came(bad, kind):
    reader = ResponsesReader()
    assert reader.feed(BEGIN + delta("output_text", "half") + bad) == [TextDelta("half")]
    with pytest.raises(kind) as caught:
        reader.close()
    assert caught.value.partial.choices[0].text == "half"


def test_an_incomplete_stream_ends_by_its_reason_and_a_filtered_one_raises():
    def ends(reason: str) -> bytes:
        body = whole(text_item("a"), status="incomplete", incomplete_details={"reason": reason})
        return delta("output_text", "a") + event("response.incomplete", response=body)

    assert read(ends("max_output_tokens"))[0][-1] == Finished("length")
    reader = ResponsesReader()
    assert reader.feed(ends("content_filter"))[-1] == Finished("content_filter")
    with pytest.raises(errors.ContentFiltered):
        reader.close()
