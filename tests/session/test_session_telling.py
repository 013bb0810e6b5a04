"""What the brain is told of a conversation, and what it may believe it said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.session.history import Line
from mai_sdk.session.spoken import Spoken
from mai_sdk.session.telling import messages_of


def call(name, call_id):
    return Line("call", text="{}", call_id=call_id, name=name)


def result(call_id, text="done"):
    return Line("result", text=text, call_id=call_id)


def test_a_call_is_told_with_its_result_and_not_without():
    lines = [Line("user", text="Go."), Line("agent", "a", "Wait."), call("f", "1"), call("g", "2")]
    told = messages_of([*lines, Line("user", text="Hello?"), result("2")])
    assert [message["role"] for message in told] == ["user", "assistant", "tool", "user"]
    assert told[1]["content"] == "Wait."
    assert [each["id"] for each in told[1]["tool_calls"]] == ["2"]
    assert told[2] == {"role": "tool", "tool_call_id": "2", "content": "done"}
    assert messages_of([result("1")]) == []


def test_calls_of_two_answers_are_two_messages():
    told = messages_of([call("f", "1"), result("1"), call("g", "2"), result("2")])
    assert [message["role"] for message in told] == ["assistant", "tool", "assistant", "tool"]


def test_what_the_user_said_in_a_row_is_one_message():
    told = messages_of([Line("user", text="One."), Line("agent", "a", ""), Line("user", text="2.")])
    assert told == [{"role": "user", "content": "One.\n2."}]


def spoken(*pieces):
    """Pieces as (text, ms, whole)."""
    made = Spoken()
    for text, ms, whole in pieces:
        number = made.add(text, aloud="" if ms == 0 and whole else text)
        made.audio(number, ms)
        if whole:
            made.whole(number)
    return made


@pytest.mark.parametrize(
    ("ms", "heard"),
    [
        (0, ""),
        (400, "One"),
        (1000, "One two."),
        (1000 + 500, "One two. Three"),
        (2000, "One two. Three four.\n```x```\nFive"),
        (9999, "One two. Three four.\n```x```\nFive six."),
    ],
)
def test_what_was_heard_is_told_sentence_by_sentence(ms, heard):
    made = spoken(
        ("One two. ", 1000, True),
        ("Three four.\n", 900, True),
        ("```x```\n", 0, True),
        ("Five six.", 150, True),
    )
    assert made.heard(ms) == heard


def test_a_sentence_that_is_still_being_made_is_not_taken_for_heard():
    made = spoken(("One two. ", 1000, True), ("Three four five six seven eight.", 200, False))
    assert made.heard(1200) == "One two."
    assert spoken(("Never said.", 0, False)).heard(5000) == ""


def test_a_script_without_spaces_is_cut_between_its_characters():
    assert spoken(("今天下雨。", 1000, True)).heard(500) == "今天"
    assert spoken(("Umbrella.", 1000, True)).heard(500) == ""


@given(
    st.lists(st.tuples(st.text(max_size=12), st.integers(0, 900), st.booleans()), max_size=6),
    st.lists(st.integers(0, 4000), min_size=2, max_size=2),
)
def test_more_time_is_never_less_text_and_always_a_beginning(pieces, times):
    made = spoken(*pieces)
    less, more = (made.heard(ms) for ms in sorted(times))
    assert more.startswith(less)
    assert "".join(text for text, _, _ in pieces).startswith(more)
