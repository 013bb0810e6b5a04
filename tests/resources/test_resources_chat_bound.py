"""What a chat request can use at most."""

from __future__ import annotations

from typing import Any

import pytest

from mai_sdk.catalog import Catalog
from mai_sdk.resources.chat_bound import most_used

THINKING = Catalog.load().get("MAI-Thinking-1")


def most(body: dict[str, Any], *, model: Any = None) -> tuple[int | None, int | None]:
    usage = most_used(body, body_bytes=500, model=model)
    assert usage.basis == "estimated"
    return usage.input_tokens, usage.output_tokens


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}], "max_tokens": 10}


def test_a_token_is_at_least_a_byte_of_the_body() -> None:
    assert most({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 10}) == (500, 10)
    assert most(said({"type": "text", "text": "hi"})) == (500, 10)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_the_answer_is_as_long_as_the_body_allows_whatever_it_calls_it(name: str) -> None:
    assert most({name: 7, "messages": []}) == (500, 7)


def test_each_choice_may_be_the_longest_answer() -> None:
    assert most({"max_tokens": 7, "n": 3}) == (500, 21)


def test_without_a_limit_of_its_own_the_answer_has_the_models() -> None:
    assert THINKING is not None
    assert most({}, model=THINKING) == (500, THINKING.limit("output_tokens"))
    assert most({}) == (500, None)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
    ],
)
def test_a_picture_may_be_more_tokens_than_bytes(part: dict[str, Any]) -> None:
    assert most(said(part)) == (10_500, 10)
    assert most(said(part, part)) == (20_500, 10)
    assert most({"input": [{"role": "user", "content": [part]}], "n": 1})[0] == 10_500


@pytest.mark.parametrize(
    "body",
    [
        said({"type": "file", "file": {"file_id": "f-1"}}),
        said({"type": "input_audio", "input_audio": {"id": "a-1"}}),
        {"previous_response_id": "r-1", "max_output_tokens": 10},
        {"conversation": "c-1", "max_output_tokens": 10},
        {"prompt": {"id": "p-1"}, "max_output_tokens": 10},
        {"input": [{"type": "item_reference", "id": "i-1"}], "max_output_tokens": 10},
        {
            "input": [{"type": "function_call_output", "output": [{"type": "input_file"}]}],
            "messages": [{"role": "user", "content": "hi"}],
            "max_output_tokens": 10,
        },
    ],
)
def test_what_the_body_does_not_hold_is_bounded_by_the_models_context_only(
    body: dict[str, Any],
) -> None:
    assert THINKING is not None
    assert most(body) == (None, 10)
    assert most(body, model=THINKING) == (THINKING.limit("context_tokens"), 10)


def test_tools_of_the_service_may_have_it_read_any_number_of_times() -> None:
    assert THINKING is not None
    body = {"tools": [{"type": "web_search"}], "max_output_tokens": 10}
    assert most(body, model=THINKING) == (None, 10)


def test_each_prompt_has_its_answers() -> None:
    assert most({"prompt": "hi", "max_tokens": 7}) == (500, 7)
    assert most({"prompt": ["hi", "ho"], "max_tokens": 7, "n": 3}) == (500, 42)
    assert most({"prompt": [[1, 2], [3]], "max_tokens": 7, "best_of": 4, "n": 2}) == (500, 56)
    assert most({"prompt": [1, 2, 3], "max_tokens": 7}) == (500, 7)


def test_sound_that_is_sent_along_is_bounded_by_its_bytes() -> None:
    assert most(said({"type": "input_audio", "input_audio": {"data": "AAAA"}})) == (500, 10)


def test_tools_of_the_caller_are_in_the_body() -> None:
    assert most({"tools": [{"type": "function"}], "max_tokens": 10}) == (500, 10)
