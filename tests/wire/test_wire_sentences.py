"""Long texts, cut where a reader would breathe, and never inside a character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.sentences import split_text, spoken_seconds, whole_sentences


def split(text, seconds=4.0, size=65_536):
    return split_text(text, max_seconds=seconds, max_bytes=size)


def test_a_short_text_is_one_piece():
    assert split("Hello there.") == ["Hello there."]


def test_it_is_cut_after_sentences():
    pieces = split(
        "The first sentence is here. The second one follows! Is there a third? Yes.", 3.0
    )
    assert pieces == [
        "The first sentence is here. ",
        "The second one follows! ",
        "Is there a third? Yes.",
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("We met Dr. Smith at noon and talked of many things", "Dr. Smith"),
        ("We met Mrs. Jones at noon and talked of many things", "Mrs. Jones"),
        ("It costs 3.14 dollars at the store around the corner", "3.14 dollars"),
        ("A tale by J. R. R. Tolkien about a ring and a wizard", "J. R. R. Tolkien"),
        ("Bring fruit, e.g. apples, to the table by the window", "e.g. apples"),
        ("We saw it at 5 p.m. yesterday in the old town square", "p.m. yesterday"),
        ("Sie las z.B. Romane und andere Werke in der Bahn vor", "z.B. Romane"),
    ],
)
def test_a_full_stop_that_ends_no_sentence_is_no_place_to_cut(text, kept):
    assert kept in split(text, seconds=spoken_seconds(text) * 0.8)[0]


def test_chinese_is_cut_after_its_own_marks():
    text = "今天天气很好。我们去公园吧！你想来吗？好的。"
    assert split(text, seconds=2.6) == ["今天天气很好。", "我们去公园吧！", "你想来吗？好的。"]


def test_without_sentences_it_is_cut_between_clauses_and_then_between_words():
    clauses = split("one two three, four five six, seven eight nine, ten eleven twelve", 2.7)
    assert all(piece.rstrip().endswith((",", "twelve")) for piece in clauses)
    words = split("word " * 100)
    assert all(piece.endswith("word ") for piece in words)


def test_without_spaces_it_is_cut_between_characters_as_a_reader_sees_them():
    family = "👩‍👩‍👧‍👦"
    for unit in (family, "e\u0301\u0323", "🇳🇴", "👍🏽", "각", "\ud83d\ude00"):
        for piece in split(unit * 60):
            assert piece.startswith(unit), ascii(piece)
            assert piece.endswith(unit), ascii(piece)


def test_marks_alone_are_no_piece():
    assert split("word " * 10 + "... !!! ???" * 30)[-1].startswith("word")


def test_bytes_are_a_limit_too_and_count_as_escaped():
    pieces = split("a & b < c. " * 100, seconds=1e9, size=200)
    escaped = [piece.replace("&", "&amp;").replace("<", "&lt;") for piece in pieces]
    assert max(len(piece.encode()) for piece in escaped) <= 200
    assert len(pieces) < 12


def test_a_character_larger_than_the_limit_still_gets_through():
    zalgo = "a" + "\u0301" * 2000
    assert "".join(split(zalgo)) == zalgo


def test_a_long_text_takes_no_long_time():
    text = "This is a sentence of some words. " * 3000
    pieces = split(text, seconds=400.0)
    assert "".join(pieces) == text
    assert 18 < len(pieces) < 26


@given(st.text(alphabet=st.characters(exclude_categories=())), st.floats(0.1, 5.0))
def test_joined_the_pieces_are_the_text(text, seconds):
    pieces = split(text, seconds)
    assert "".join(pieces) == text
    assert all(pieces)


@given(st.text(alphabet="ab .,!?é漢。\u0301\u200d🎉🇳🇴\n", min_size=1), st.floats(1.0, 5.0))
def test_no_accent_is_cut_from_its_letter(text, seconds):
    for piece in split(text, seconds)[1:]:
        first = piece[0]
        too_long = spoken_seconds(text) > 40
        assert too_long or unicodedata.category(first) not in ("Mn", "Me")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", ""),
        ("Hello", ""),
        ("Hello.", ""),
        ("Hello. ", "Hello. "),
        ("Hello. I am", "Hello. "),
        ("One! Two? Thr", "One! Two? "),
        ("It costs 3.14 or e.g. ", ""),
        ("Ask Dr. Who", ""),
        ("漢字。続き", "漢字。"),
        ("One line\nand", "One line\n"),
        ("One. \u0301", ""),
    ],
)
def test_only_sentences_that_are_surely_whole_are_taken_from_text_being_written(text, whole):
    assert text[: whole_sentences(text)] == whole


@pytest.mark.parametrize("word", ["word ", "word, ", "สวัสดี", "e\u0301"])
def test_text_without_an_end_is_taken_in_pieces_of_about_a_minute(word):
    rest, pieces = "", []
    for _ in range(1000):
        rest += word
        cut = whole_sentences(rest)
        if cut:
            pieces.append(rest[:cut])
            rest = rest[cut:]
    assert "".join(pieces) + rest == word * 1000
    assert max(map(len, [*pieces, rest])) <= 810
    if word.isascii():
        assert all(piece.endswith(word) for piece in pieces)
    assert not any(unicodedata.combining(piece[0]) for piece in [*pieces, rest] if piece)
