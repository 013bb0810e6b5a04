import copy

import pytest

from mai_sdk import errors
from mai_sdk.wire.chat import (
    ChatRequest,
    chat_body,
    chat_path,
    default_query,
    native_schema,
    read_chat,
)
from mai_sdk.wire.events import ToolCall

SURFACES = ["foundry", "openai-v1", "azure-inference", "vllm"]
USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FULL = ChatRequest(
    messages=[USER], deployment="d", tools=[TOOL], tool_choice="auto", schema=SCHEMA,
    max_output_tokens=9, temperature=0.5, stream=True,
)  # fmt: skip


@pytest.mark.parametrize("surface", SURFACES)
def test_a_plain_question_sends_nothing_but_itself(surface):
    body = chat_body(ChatRequest(messages=[USER], deployment="d"), surface=surface)
    assert body == {"model": "d", "messages": [USER]}
    assert chat_body(ChatRequest(messages=[USER]), surface=surface) == {"messages": [USER]}


def test_each_surface_gets_the_fields_it_is_documented_to_take():
    common = {
        "model": "d", "messages": [USER], "temperature": 0.5, "tools": [TOOL],
        "tool_choice": "auto", "stream": True,
    }  # fmt: skip
    shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    native = {
        "max_completion_tokens": 9,
        "response_format": shape,
        "stream_options": {"include_usage": True},
    }
    assert chat_body(FULL, surface="foundry") == {**common, "max_completion_tokens": 9}
    assert chat_body(FULL, surface="openai-v1") == {**common, **native}
    assert chat_body(FULL, surface="vllm") == {**common, **native}
    assert chat_body(FULL, surface="azure-inference") == {**common, "max_tokens": 9}


def test_reasoning_display_goes_to_foundry_and_is_refused_elsewhere():
    request = ChatRequest(messages=[USER], reasoning_display="encrypted")
    assert chat_body(request, surface="foundry")["reasoning_display"] == "encrypted"
    for surface in SURFACES[1:]:
        with pytest.raises(errors.UnsupportedFeature, match="foundry"):
            chat_body(request, surface=surface)


def test_extra_body_comes_last_and_wins():
    request = ChatRequest(
        messages=[USER], temperature=0.5, extra_body={"temperature": 1, "top_p": 0.9, "seed": None}
    )
    body = chat_body(request, surface="foundry")
    assert body == {"messages": [USER], "temperature": 1, "top_p": 0.9, "seed": None}


def test_an_assistant_message_goes_back_unchanged_but_for_responses_items():
    message = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning": {"encrypted_content": "blob", "content": None, "summary": None},
    }
    before = copy.deepcopy(message)
    body = chat_body(ChatRequest(messages=[USER, message]), surface="foundry")
    assert body["messages"][1] is message
    assert message == before
    mixed = {"role": "assistant", "content": "a", "output": [{"type": "message"}]}
    body = chat_body(ChatRequest(messages=[mixed]), surface="foundry")
    assert body["messages"] == [{"role": "assistant", "content": "a"}]


def test_paths_queries_and_schemas_belong_to_the_surface():
    assert [chat_path(surface) for surface in SURFACES] == [
        "/mai/v1/chat/completions",
        "/openai/v1/chat/completions",
        "/models/chat/completions",
        "/v1/chat/completions",
    ]
    assert default_query("azure-inference") == {"api-version": "2024-05-01-preview"}
    assert default_query("foundry") == {}
    assert [native_schema(surface) for surface in SURFACES] == [False, True, False, True]


def whole(message: dict, finish: str | None = "stop", **more: object) -> dict:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "model": "m", "choices": [choice], **more}


FOUNDRY_CALL = whole(
    {
        "role": "assistant", "content": None, "refusal": None,
        "reasoning": {"encrypted_content": "blob", "content": None, "summary": None},
        "tool_calls": [{"id": "call_1", "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}],
    },
    usage={"prompt_tokens": 87, "completion_tokens": 41, "total_tokens": 128,
           "prompt_tokens_details": {"cached_tokens": 0}},
)  # fmt: skip


def test_a_tool_call_of_mai_thinking_ends_as_tool_calls_though_it_says_stop():
    before = copy.deepcopy(FOUNDRY_CALL)
    answer = read_chat(FOUNDRY_CALL, surface="foundry")
    (choice,) = answer.choices
    assert choice.tool_calls == [ToolCall("call_1", "get_weather", '{"city":"Oslo"}')]
    assert choice.tool_calls[0].parse() == {"city": "Oslo"}
    assert (choice.text, choice.reasoning, choice.finish_reason) == ("", None, "tool_calls")
    assert choice.message == before["choices"][0]["message"]
    assert answer.usage == {"input_tokens": 87, "cached_input_tokens": 0, "output_tokens": 41}
    assert (answer.id, answer.model, answer.raw) == ("x", "m", before)
    assert "blob" not in repr(answer)


@pytest.mark.parametrize(
    ("message", "surface", "reasoning", "text"),
    [
        ({"content": "a"}, "foundry", None, "a"),
        ({"content": None}, "foundry", None, ""),
        ({"content": "<think>t</think>a"}, "foundry", None, "<think>t</think>a"),
        ({"content": "<think>t</think>\n\na"}, "azure-inference", "t", "a"),
        ({"content": "<think>t</think>\n\na"}, "openai-v1", "t", "a"),
        ({"content": "t\n</think>\n\na"}, "vllm", "t\n", "a"),
        ({"content": "t\n</think>\n\na"}, "openai-v1", None, "t\n</think>\n\na"),
        ({"content": "a", "reasoning_content": "t"}, "openai-v1", "t", "a"),
        ({"content": "\n\na", "reasoning": "t\n"}, "vllm", "t\n", "a"),
        ({"content": "a </think> b", "reasoning": "t"}, "vllm", "t", "a </think> b"),
        ({"content": "a", "reasoning": "t", "reasoning_content": "t"}, "vllm", "t", "a"),
        ({"content": "a", "reasoning": {"content": "t"}}, "foundry", "t", "a"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
         "openai-v1", None, "ab"),
        ({"content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}]},
         "openai-v1", "t", "a"),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, "a", 7]},
         "openai-v1", "t", "a"),
        ({"content": 7, "tool_calls": "x", "refusal": 7}, "openai-v1", None, ""),
    ],
)  # fmt: skip
def test_thoughts_are_found_wherever_the_route_puts_them(message, surface, reasoning, text):
    (choice,) = read_chat(whole(message), surface=surface).choices
    assert (choice.reasoning, choice.text) == (reasoning, text)
    assert choice.message is message


def test_a_refusal_is_kept_apart_from_text():
    (choice,) = read_chat(whole({"content": None, "refusal": "no"}), surface="openai-v1").choices
    assert (choice.text, choice.refusal) == ("", "no")


def test_a_filtered_answer_raises_and_carries_what_came_and_its_usage():
    raw = whole({"content": "half"}, "content_filter", usage={"completion_tokens": 3})
    with pytest.raises(errors.ContentFiltered) as caught:
        read_chat(raw, surface="openai-v1")
    assert caught.value.partial.choices[0].text == "half"
    assert caught.value.partial.usage == {"output_tokens": 3}
    assert caught.value.status == 200


@pytest.mark.parametrize(
    "raw",
    [None, [], "x", 7, {}, {"choices": []}, {"choices": "x"}, {"choices": [7]},
     {"choices": [{"message": None}]}, {"object": "list", "data": []}],
)  # fmt: skip
def test_what_is_no_chat_completion_is_unreadable(raw):
    with pytest.raises(errors.UnreadableAnswer):
        read_chat(raw, surface="foundry")


def test_an_error_object_with_status_200_is_that_error():
    with pytest.raises(errors.RateLimited):
        read_chat({"error": {"code": 429, "message": "x"}}, surface="foundry")


def test_arguments_sent_as_an_object_become_json_text():
    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}
    (choice,) = read_chat(whole({"tool_calls": [call, {"id": "d"}, 7]}), surface="vllm").choices
    assert choice.tool_calls == [ToolCall("c", "f", '{"a":1}')]
