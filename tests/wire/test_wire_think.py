from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.wire.think import ThoughtSplitter, split_thoughts


@pytest.mark.parametrize(
    ("text", "lone", "expected"),
    [
        ("<think>a</think>\n\nb", False, ("a", "b")),
        (" \n<think>\na\n</think>b", False, ("\na\n", "b")),
        ("a\n</think>\n\nb", True, ("a\n", "b")),
        ("a\n</think>\n\nb", False, (None, "a\n</think>\n\nb")),
        ("use <think>a</think>", False, (None, "use <think>a</think>")),
        ("<think>never closed", False, ("never closed", "")),
        ("<think>a</thi", False, ("a</thi", "")),
        ("<think></think>\n\nb", False, (None, "b")),
        ("</think>b", True, (None, "b")),
        ("a</think>b</think>c", True, ("a", "b</think>c")),
        ("<thin", True, (None, "<thin")),
        (" " * 65 + "<think>a</think>b", False, (None, " " * 65 + "<think>a</think>b")),
        ("", True, (None, "")),
    ],
)
def test_thoughts_and_answer_are_told_apart(text, lone, expected):
    assert split_thoughts(text, lone=lone) == expected


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "<", "</", "think>", "a", " ", "\n", "<th", "/th"]),
        max_size=10,
    ),
    st.data(),
)
def test_cuts_inside_a_tag_change_nothing(words: list[str], data: st.DataObject):
    text = "".join(words)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=5))
    bounds = sorted({0, *cuts, len(text)})
    splitter = ThoughtSplitter(lone=False)
    pairs = [splitter.feed(text[a:b]) for a, b in pairwise(bounds)]
    pairs.append(splitter.close())
    thoughts, answer = ("".join(side) for side in zip(*pairs, strict=True))
    assert (thoughts or None, answer) == split_thoughts(text, lone=False)


@settings(max_examples=200, deadline=None)
@given(st.text("ab<>/think\n", max_size=20), st.text("ab\n", max_size=9), st.integers(1, 5))
def test_text_before_a_lone_tag_is_never_lost(before: str, after: str, size: int):
    text = f"{before}</think>{after}"
    splitter = ThoughtSplitter(lone=True)
    pieces = [splitter.feed(text[at : at + size]) for at in range(0, len(text), size)]
    joined = "".join(a + b for a, b in [*pieces, splitter.close()])
    thoughts, answer = split_thoughts(text, lone=True)
    assert joined == (thoughts or "") + answer
