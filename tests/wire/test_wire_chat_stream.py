import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk import errors
from mai_sdk.wire.chat import ChatReader
from mai_sdk.wire.events import Finished, ReasoningDelta, TextDelta, ToolCall, Unrecognised
from mai_sdk.wire.sse import encode

DONE = encode("[DONE]")
BLOB = {"encrypted_content": "blob", "content": None, "summary": None}


def event(chunk: Any, name: str | None = None) -> bytes:
    return encode(json.dumps(chunk), event=name)


def chunk(delta: dict | None = None, finish: str | None = None, index: int = 0, **more) -> bytes:
    choice = {"delta": delta or {}, "index": index, "finish_reason": finish}
    return event({"id": "x", "model": "m", "choices": [choice], **more})


def foundry(content: str | None, **more: Any) -> dict:
    delta = {"content": content, "role": "assistant", "tool_calls": None, "reasoning": None}
    return {**delta, "annotations": None, **more}


def call(name: str | None = None, arguments: str | None = None, **more: Any) -> dict:
    function = {"name": name, "arguments": arguments}
    return {**more, "function": {k: v for k, v in function.items() if v is not None}}


def read(*parts: bytes, surface: str = "foundry", **more: Any) -> tuple[list, ChatReader]:
    reader = ChatReader(surface=surface, **more)
    events = reader.feed(b"".join(parts))
    return [*events, *reader.close()], reader


def test_a_foundry_stream_is_text_then_the_end_then_usage_and_the_blob():
    usage = {"prompt_tokens": 19, "completion_tokens": 76, "total_tokens": 95,
             "prompt_tokens_details": {"cached_tokens": 2}}  # fmt: skip
    events, reader = read(
        chunk(foundry("1\n"), usage=None, system_fingerprint=""),
        chunk(foundry("2"), usage=None),
        chunk(foundry(None, reasoning=BLOB), "stop", usage=usage),
        DONE,
    )
    assert events == [TextDelta("1\n"), TextDelta("2"), Finished("stop")]
    assert reader.is_complete
    assert reader.is_over
    (choice,) = reader.answer.choices
    assert (choice.text, choice.reasoning, choice.finish_reason) == ("1\n2", None, "stop")
    assert choice.message == {"role": "assistant", "content": "1\n2", "reasoning": BLOB}
    assert reader.usage == {"input_tokens": 19, "cached_input_tokens": 2, "output_tokens": 76}
    assert reader.answer.usage == reader.usage
    assert (reader.answer.id, reader.answer.model) == ("x", "m")


WHOLE = [call("f", '{"a":1}', id="c1", type="function"), call("g", "{}", id="c2", type="function")]
BY_INDEX = [
    call("f", "", index=0, id="c1", type="function"), call(None, '{"a"', index=0),
    call("g", "{", index=1, id="c2", type="function"), call(None, ":1}", index=0),
    call(None, "}", index=1),
]  # fmt: skip
BY_ID = [
    call("f", '{"a"', id="c1", type="function"), call("g", "{", id="c2", type="function"),
    call(None, ":1}", id="c1"), call(None, "}", id="c2"),
]  # fmt: skip
BY_NOTHING = [
    call("f", '{"a"', id="c1", type="function"), call(None, ":1}"),
    call("g", "{}", id="c2", type="function"),
]  # fmt: skip
INDEX_ZERO = [
    call("f", '{"a":1}', index=0, id="c1", type="function"),
    call("g", "{}", index=0, id="c2", type="function"),
]  # fmt: skip
AS_OBJECTS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": {}}},
]


@pytest.mark.parametrize("entries", [WHOLE, BY_INDEX, BY_ID, BY_NOTHING, INDEX_ZERO, AS_OBJECTS])
@pytest.mark.parametrize("together", [True, False])
def test_tool_calls_are_given_once_and_whole_however_they_come(entries, together):
    deltas = [entries] if together else [[entry] for entry in entries]
    parts = [chunk(foundry(None, tool_calls=some)) for some in deltas]
    events, reader = read(*parts, chunk({}, "stop"), DONE)
    calls = [ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "{}")]
    assert events == [*calls, Finished("tool_calls")]
    (choice,) = reader.answer.choices
    assert choice.tool_calls == calls
    assert choice.message["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


def test_choices_interleave_without_mixing():
    events, reader = read(
        chunk({"content": "a"}, index=0), chunk({"content": "b"}, index=1),
        chunk({"content": "A"}, "stop", index=0), chunk({"content": "B"}, "length", index=1), DONE,
    )  # fmt: skip
    assert events == [
        TextDelta("a", 0), TextDelta("b", 1), TextDelta("A", 0), Finished("stop", 0),
        TextDelta("B", 1), Finished("length", 1),
    ]  # fmt: skip
    assert [c.text for c in reader.answer.choices] == ["aA", "bB"]


def test_one_unfinished_choice_of_two_is_a_truncated_stream():
    parts = chunk({"content": "a"}, "stop", index=0), chunk({"content": "b"}, index=1), DONE
    with pytest.raises(errors.StreamTruncated):
        read(*parts)


def test_usage_is_the_last_one_and_never_a_sum():
    parts = [
        chunk({"content": "a"}, usage={"prompt_tokens": 3, "completion_tokens": n}) for n in (1, 2)
    ]
    last = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    _, reader = read(*parts, chunk({}, "stop"), last, DONE)
    assert reader.usage == {"input_tokens": 3, "output_tokens": 4}
    _, reader = read(*parts, chunk({}, "stop"), DONE)
    assert reader.usage == {"input_tokens": 3, "output_tokens": 2}
    assert read(chunk({}, "stop"), DONE)[1].usage is None


def test_azures_first_chunk_and_filter_results_are_no_events_but_kept():
    first = {"choices": [], "created": 0, "id": "", "model": "", "prompt_filter_results": [{}]}
    safe = {"hate": {"filtered": False}}
    choice = {"delta": {"content": "a"}, "index": 0, "finish_reason": "stop",
              "content_filter_results": safe}  # fmt: skip
    body = {"id": "x", "model": "m", "choices": [choice], "obfuscation": "zz"}
    events, reader = read(event(first), event(body), DONE, surface="openai-v1")
    assert events == [TextDelta("a"), Finished("stop")]
    assert reader.answer.raw == [first, body]
    assert (reader.answer.id, reader.answer.model) == ("x", "m")


def test_unknown_chunks_and_fields_are_kept_and_never_fatal():
    strange = {"object": "something.new", "value": 1}
    choice = {"index": 0, "delta": {"content": "a", "mood": "blue"}, "finish_reason": "stop",
              "logprobs": {"content": [1]}}  # fmt: skip
    body = {"choices": [choice, 7]}
    events, reader = read(event(strange), event(body), DONE)
    assert events == [
        Unrecognised(strange), TextDelta("a"), Finished("stop"), Unrecognised(body)
    ]  # fmt: skip
    assert reader.answer.choices[0].message["mood"] == "blue"
    assert reader.answer.raw[0] == strange
    assert body in reader.answer.raw


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_in_a_field_of_their_own_come_before_trimmed_text(field):
    events, reader = read(
        chunk({"role": "assistant", "content": ""}),
        chunk({field: "t"}), chunk({"content": "\n", field: "u\n"}), chunk({"content": "\n"}),
        chunk({"content": "a <think> b </think>"}, "stop"), DONE, surface="vllm",
    )  # fmt: skip
    assert events == [
        ReasoningDelta("t"), ReasoningDelta("u\n"), TextDelta("a <think> b </think>"),
        Finished("stop"),
    ]  # fmt: skip
    (choice,) = reader.answer.choices
    assert (choice.reasoning, choice.text) == ("tu\n", "a <think> b </think>")
    assert choice.message[field] == "tu\n"
    assert choice.message["content"] == "\n\na <think> b </think>"


def test_thoughts_said_under_both_names_are_given_once():
    both = {"reasoning": "t", "reasoning_content": "t"}
    events, reader = read(chunk(both), chunk({"content": "a"}, "stop"), DONE, surface="vllm")
    assert events == [ReasoningDelta("t"), TextDelta("a"), Finished("stop")]
    assert reader.answer.choices[0].reasoning == "t"


def tagged(text: str, size: int, surface: str) -> tuple[list, ChatReader]:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return read(*[chunk({"content": p}) for p in pieces], chunk({}, "stop"), DONE, surface=surface)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("surface", ["vllm", "azure-inference", "openai-v1"])
def test_think_tags_are_found_across_chunk_borders(size, surface):
    events, reader = tagged("<think>\nI <think.\n</think>\n\nYes </b>", size, surface)
    thoughts = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    assert (thoughts, text) == ("\nI <think.\n", "Yes </b>")
    (choice,) = reader.answer.choices
    assert (choice.reasoning, choice.text) == (thoughts, text)


def test_foundry_content_about_tags_is_left_alone():
    events, reader = tagged("<think>x</think> is a tag", 3, "foundry")
    assert all(not isinstance(e, ReasoningDelta) for e in events)
    assert reader.answer.choices[0].text == "<think>x</think> is a tag"


@pytest.mark.parametrize("size", range(1, 12))
def test_a_lone_closing_tag_makes_what_came_before_reasoning_in_the_answer(size):
    events, reader = tagged("I add.\n</think>\n\nSeven.", size, "vllm")
    (choice,) = reader.answer.choices
    assert (choice.reasoning, choice.text) == ("I add.\n", "Seven.")
    given_out = "".join(e.text for e in events if isinstance(e, TextDelta | ReasoningDelta))
    assert given_out == "I add.\nSeven."
    assert choice.message["content"] == "I add.\n</think>\n\nSeven."


def test_what_might_have_been_a_tag_is_not_lost_at_the_end():
    for text in ("<thin", "a </thi", " ", "<think>t</th"):
        events, _ = tagged(text, 2, "vllm")
        given_out = "".join(e.text for e in events if not isinstance(e, Finished))
        assert given_out == text.removeprefix("<think>")


ERRORS = [
    (event({"error": {"type": "SafetyBlockedError", "message": "stopped"}}),
     errors.ContentFiltered),
    (event({"error": {"message": "EngineCore", "type": "InternalServerError", "code": 500}}),
     errors.ServiceUnavailable),
    (event({"error": {"code": "429", "message": "slow down"}}), errors.RateLimited),
    (event({"message": "x", "code": "429"}, "error"), errors.RateLimited),
    (event({"message": "x", "code": "429"}), errors.RateLimited),
    (event({"object": "error", "message": "x", "type": "y", "code": 400}), errors.RequestRejected),
    (event({"error": "overloaded"}), errors.ServiceUnavailable),
    (encode("upstream went away", event="error"), errors.ServiceUnavailable),
    (encode("", event="error"), errors.ServiceUnavailable),
    (encode("{"), errors.UnreadableAnswer),
    (encode("not json"), errors.UnreadableAnswer),
    (encode('{"a": NaN}'), errors.UnreadableAnswer),
    (encode("Infinity"), errors.UnreadableAnswer),
    (encode("[1]"), errors.UnreadableAnswer),
    (encode('"x"'), errors.UnreadableAnswer),
    (encode('{"a":' * 5000), errors.UnreadableAnswer),
    (encode('{"a": "\\ud800"}'), errors.UnreadableAnswer),
    (b"data: \xff\n\n", errors.UnreadableAnswer),
    (b"data: " + b"x" * 2000, errors.AnswerTooLarge),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "kind"), ERRORS)
def test_an_error_is_typed_comes_after_the_events_and_carries_them(bad, kind):
    reader = ChatReader(surface="foundry", max_line_bytes=1500 + 24_000 * (b'{"a"' in bad))
    assert reader.feed(chunk({"content": "half"}) + bad + DONE) == [TextDelta("half")]
    assert reader.is_over
    assert not reader.is_complete
    for again in (lambda: reader.feed(b"data: x\n\n"), reader.close):
        with pytest.raises(kind) as caught:
            again()
        assert type(caught.value) is kind
        assert caught.value.partial.choices[0].text == "half"
        assert isinstance(caught.value, errors.CallFailed)
    alone = ChatReader(surface="foundry", max_line_bytes=1500 + 24_000 * (b'{"a"' in bad))
    with pytest.raises(kind):
        alone.feed(bad)


@pytest.mark.parametrize("keep_alive", [b": ping\n\n", b"event: ping\n\n", b"data:\n\n", b"\n\n"])
def test_keep_alives_are_no_events(keep_alive):
    events, _ = read(keep_alive, chunk({"content": "a"}), keep_alive, chunk({}, "stop"), DONE)
    assert events == [TextDelta("a"), Finished("stop")]


def test_the_end_marker_alone_is_no_proof_of_success():
    for parts in ((DONE,), (chunk({"content": "a"}), DONE)):
        with pytest.raises(errors.StreamTruncated) as caught:
            read(*parts)
        assert caught.value.partial is not None


def test_a_finish_reason_without_the_end_marker_is_truncated_unless_the_route_says_otherwise():
    parts = chunk({"content": "a"}), chunk({}, "stop")
    with pytest.raises(errors.StreamTruncated, match="end marker") as caught:
        read(*parts)
    assert caught.value.partial.choices[0].text == "a"
    events, reader = read(*parts, done_marker=False)
    assert (events[-1], reader.is_complete) == (Finished("stop"), True)
    assert reader.is_over is False
    with pytest.raises(errors.StreamTruncated, match="inside an event"):
        read(*parts, b"data: {", done_marker=False)
    with pytest.raises(errors.StreamTruncated):
        read(parts[0], done_marker=False)


def test_an_empty_stream_is_truncated_and_bytes_after_the_end_are_ignored():
    with pytest.raises(errors.StreamTruncated):
        ChatReader(surface="vllm").close()
    reader = ChatReader(surface="foundry")
    assert reader.feed(chunk({"content": "a"}, "stop") + DONE + b"data: junk\n\n\xff")
    assert reader.feed(b"\xff\xff") == []
    assert reader.close() == []
    assert reader.answer.choices[0].text == "a"


def test_a_filtered_stream_says_finished_and_raises_at_the_end():
    reader = ChatReader(surface="openai-v1")
    parts = chunk({"content": "half"}), chunk({}, "content_filter"), DONE
    assert reader.feed(b"".join(parts)) == [TextDelta("half"), Finished("content_filter")]
    with pytest.raises(errors.ContentFiltered) as caught:
        reader.close()
    assert caught.value.partial.choices[0].text == "half"


def test_a_broken_tool_call_is_on_the_partial_answer_but_never_an_event():
    reader = ChatReader(surface="foundry")
    assert reader.feed(chunk({"tool_calls": [call("f", '{"a', index=0, id="c")]})) == []
    with pytest.raises(errors.StreamTruncated) as caught:
        reader.close()
    assert caught.value.partial.choices[0].tool_calls == [ToolCall("c", "f", '{"a')]


def test_legacy_completions_and_whole_messages_stream_too():
    text = event({"id": "x", "choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]})
    assert read(text, DONE, surface="vllm")[0] == [TextDelta("a"), Finished("stop")]
    message = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}
    assert read(event({"choices": [message]}), DONE)[0] == [TextDelta("a"), Finished("stop")]


def test_a_refusal_is_put_together_from_its_deltas():
    _, reader = read(chunk({"refusal": "I "}), chunk({"refusal": "won't"}, "stop"), DONE)
    assert reader.answer.choices[0].refusal == "I won't"


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("<think>/ab", max_size=8),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["choices", "delta", "content", "index", "finish_reason", "tool_calls",
                         "function", "arguments", "name", "id", "reasoning", "usage", "error",
                         "message", "code", "text", "type", "refusal", "reasoning_content"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSONISH, JSONISH, st.sampled_from(["foundry", "vllm"]))
def test_no_json_makes_the_reader_fail_untyped(value, delta, surface):
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    for body in (value, {"choices": value}, {"choices": [value]}, {"choices": [choice]}):
        reader = ChatReader(surface=surface)
        with contextlib.suppress(errors.CallFailed):
            reader.feed(event(body) + chunk({"content": "a"}, "stop") + DONE)
            reader.close()
        assert reader.answer.choices is not None
