"""What is read aloud of an answer, while it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.aloud import Aloud, aloud
from mai_sdk.wire.sentences import first_clause


def pieces(*texts):
    reader = Aloud()
    found = [each for text in texts for each in reader.feed(text)]
    return found + reader.finish()


@given(st.lists(st.text(alphabet="ab .!?,\n`*#|[]()_-1", max_size=30), max_size=12))
def test_all_pieces_joined_are_the_text_however_it_came(texts):
    assert "".join(piece.written for piece in pieces(*texts)) == "".join(texts)


def test_a_sentence_is_said_once_it_is_whole():
    reader = Aloud()
    assert reader.feed("It rains") == []
    assert reader.feed(".") == []
    assert [piece.aloud for piece in reader.feed(" And")] == ["It rains."]
    assert [piece.aloud for piece in reader.feed(" more. Yes")] == ["And more."]
    assert [piece.aloud for piece in reader.finish()] == ["Yes"]


def test_the_first_words_need_not_wait_for_the_end_of_their_sentence():
    first, rest = pieces("If you look out of the window, you see", " rain, and more of it, too.")
    assert first.written == "If you look out of the window, "
    assert rest.aloud == "you see rain, and more of it, too."


@pytest.mark.parametrize("text", ["Well, that depends", "A clause that has no end at all here,"])
def test_a_clause_is_cut_neither_too_short_nor_before_it_is_over(text):
    assert first_clause(text) == 0


def test_code_is_not_read_out():
    text = "Do this:\n```python\nprint('x'). Yes.\n```\nDone."
    said = [piece.aloud for piece in pieces(*text)]
    assert [each for each in said if each] == ["Do this:", "Done."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Take a **coat** and _boots_.", "Take a coat and boots."),
        ("# Weather\n- rain\n* wind", "Weather\nrain\nwind"),
        ("See [the map](https://a.example/x?y=1) now", "See the map now"),
        ("At https://www.example.com/a/b?c today", "At example.com today"),
        ("Run `ls` twice", "Run ls twice"),
        ("2 * 3 is snake_case", "2 * 3 is snake_case"),
        ("| day | hours |\n|---|---|\n| Friday | 9 |", "day, hours\n\nFriday, 9"),
        ("---", ""),
        ("...", ""),
    ],
)
def test_markup_is_not_read_out(text, said):
    assert aloud(text) == said
