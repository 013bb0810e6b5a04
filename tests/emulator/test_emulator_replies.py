import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.emulator import EMULATOR_KEY, Emulator
from mai_sdk.emulator.generation import generate
from mai_sdk.emulator.prompt import Prompt, Tool
from mai_sdk.emulator.replies import Call, Draft, compose
from mai_sdk.emulator.request import Request
from mai_sdk.emulator.tokens import count, split

ASK = ({"role": "user", "content": "Why is the sky over Oslo blue?"},)


def prompt(model="MAI-Thinking-1", **more):
    return Prompt(model=model, messages=ASK, **more)


def test_a_hundred_repeats_are_identical_but_for_ids_and_times():
    def run(seed):
        body = {"model": "MAI-Thinking-1", "messages": list(ASK)}
        raw = json.dumps(body).encode()
        emulator = Emulator(seed=seed)
        headers = {"api-key": EMULATOR_KEY}
        request = {"method": "POST", "path": "/mai/v1/chat/completions"}
        answers = []
        for _ in range(101):
            answer = emulator.app.answer(Request(**request, headers=headers, body=raw))
            said = json.loads(answer.body)
            said["created"] = 0
            answers.append(said)
        return answers

    first, again, other = run(7), run(7), run(8)
    assert first == again  # ids included, as the order is the same
    for answer in first[1:]:
        assert {**answer, "id": 0} == {**first[1], "id": 0}  # usage is cached from the second on
    assert other[0]["choices"] != first[0]["choices"]


def test_the_reply_speaks_of_the_question_and_thinks_first():
    draft = compose(prompt(), seed=1)
    assert "Why is the sky over Oslo blue" in draft.text
    assert "Oslo" in draft.reasoning


def test_code_models_write_code_that_parses_and_do_not_think():
    draft = compose(prompt("MAI-Code-1-Flash"), seed=1)
    code = draft.text.split("```python\n")[1].split("```")[0]
    ast.parse(code)
    assert draft.reasoning == ""


def test_the_tool_that_fits_the_question_is_called_with_its_names():
    text = {"type": "object", "properties": {"place": {"type": "string"}}}
    tools = (Tool("add", "Adds numbers", {}), Tool("sky_colour", "The colour of the sky", text))
    (call,) = compose(prompt(tools=tools), seed=1).calls
    assert call == Call("sky_colour", '{"place":"Oslo"}')
    (named,) = compose(prompt(tools=tools, tool_choice="add"), seed=1).calls
    assert named.name == "add"
    assert not compose(prompt(tools=tools, tool_choice="none"), seed=1).calls


def test_a_tool_s_result_is_answered_with():
    messages = (*ASK, {"role": "assistant", "tool_calls": []}, {"role": "tool", "content": "azure"})
    asked = Prompt(model="MAI-Thinking-1", messages=messages, tools=(Tool("f", "", {}),))
    draft = compose(asked, seed=1)
    assert not draft.calls
    assert "azure" in draft.text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_the_pieces_of_a_text_are_the_text(text):
    assert "".join(split(text)) == text
    assert count(text) == len(split(text))


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=40),
    reasoning=st.text(max_size=40),
    limit=st.integers(1, 40),
    line_breaks=st.booleans(),
)
def test_a_limit_is_kept_and_what_is_left_is_a_beginning(text, reasoning, limit, line_breaks):
    draft = Draft(text=text, reasoning=reasoning)
    whole = generate(draft, line_breaks=line_breaks)
    cut = generate(draft, limit=limit, line_breaks=line_breaks)
    assert cut.tokens == min(limit, whole.tokens)
    assert (cut.finish_reason == "length") == (whole.tokens > limit)
    assert "".join(whole.text).startswith("".join(cut.text))
    assert "".join(whole.reasoning).startswith("".join(cut.reasoning))


@pytest.mark.parametrize("line_breaks", [True, False])
def test_a_stop_string_ends_the_thoughts_only_where_the_server_reads_them(line_breaks):
    draft = Draft(text="It is 7. Sure.", reasoning="I find 7. Yes")
    made = generate(draft, stops=["7."], line_breaks=line_breaks)
    assert made.stop_reason == "7."
    assert made.closed is not line_breaks
    assert "".join(made.text) == ("" if line_breaks else "It is ")


def test_scripts_answer_in_order_for_their_model_and_as_often_as_told(emulator, http):
    path = "/mai/v1/chat/completions"
    emulator.reply("for code", model="MAI-Code-1-Flash")
    emulator.reply("first", when=lambda request: b"blue" in request.body)
    emulator.reply("always", times=None)
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4}

    def ask(model="MAI-Thinking-1"):
        body = {"model": model, "messages": list(ASK)}
        return http.post(path, json=body).json()

    assert [ask()["choices"][0]["message"]["content"] for _ in range(3)] == [
        "first", "always", "always",
    ]  # fmt: skip
    assert ask("MAI-Code-1-Flash")["choices"][0]["message"]["content"] == "for code"
    emulator.reset()
    calls = [{"name": "f", "arguments": {"a": 1}, "id": "call_7"}]
    emulator.reply(tool_calls=calls, usage=usage, finish_reason="content_filter")
    body = ask()
    (call,) = body["choices"][0]["message"]["tool_calls"]
    assert call == {
        "id": "call_7", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'},
    }  # fmt: skip
    assert body["choices"][0]["finish_reason"] == "content_filter"
    assert body["usage"]["total_tokens"] == 15
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] == 4
