"""Tables, wrapping as text comes, colour, and text that cannot take a terminal over."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.cli.layout import Flow, clip, lay_out, span
from mai_sdk.cli.options import day
from mai_sdk.cli.terminal import columns, ink_for, safe

WORDS = st.lists(st.text("abcdef", min_size=1, max_size=12), min_size=1, max_size=40)


class Screen(io.StringIO):
    def isatty(self):
        return True


@settings(max_examples=60, deadline=None)
@given(WORDS, st.integers(1, 7), st.integers(20, 40))
def test_text_in_pieces_is_wrapped_as_the_whole_is(words, size, width):
    text = " ".join(words)
    flow = Flow(width=width, indent="  ")
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    written = "".join(flow.feed(piece) for piece in pieces) + flow.end()
    assert written.split() == words
    assert all(len(line) <= width for line in written.splitlines())
    assert all(line.startswith("  ") for line in written.splitlines())
    whole = Flow(width=width, indent="  ")
    assert whole.feed(text) + whole.end() == written


def test_line_breaks_and_the_indentation_of_code_are_kept():
    flow = Flow(width=40, indent="> ")
    text = "def f():\n    return 1\n\ndone"
    assert flow.feed(text) + flow.end() == "> def f():\n>     return 1\n\n> done"


def test_a_word_longer_than_a_line_is_still_written():
    flow = Flow(width=10)
    assert (flow.feed("x" * 25) + flow.end()).replace("\n", "") == "x" * 25


def test_columns_line_up():
    rows = [("name", "n"), ("a", "10"), ("bcdef", "2")]
    assert lay_out(rows, right=[1]) == ["name    n", "a      10", "bcdef   2"]


def test_a_text_is_clipped_to_one_line():
    assert clip("a\nb  c", 10) == "a b c"
    assert clip("abcdefghij", 5) == "abcd…"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "?"), (0.004, "4 ms"), (0.25, "0.25 s"), (12, "12.00 s")]
)
def test_a_time_is_written_for_a_reader(seconds, text):
    assert span(seconds) == text


def test_colour_is_for_terminals_and_yields_to_no_color():
    assert ink_for(Screen(), {}).paint("x", "bold") == "\033[1mx\033[0m"
    assert ink_for(Screen(), {"NO_COLOR": "1"}).paint("x", "bold") == "x"
    assert ink_for(Screen(), {"NO_COLOR": ""}).on
    assert ink_for(Screen(), {"TERM": "dumb"}).paint("x", "bold") == "x"
    assert ink_for(io.StringIO(), {}).paint("x", "bold") == "x"


def test_a_model_cannot_send_control_sequences_to_a_terminal():
    text = "a\033]0;title\007b\x9bc\td\n"
    assert safe(text, io.StringIO()) == text
    shown = safe(text, Screen())
    assert not {"\033", "\007", "\x9b"} & set(shown)
    assert shown.endswith("\td\n")


def test_the_width_is_the_terminals_up_to_a_limit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    assert columns() == 120
    monkeypatch.setenv("COLUMNS", "70")
    assert columns() == 70


def test_a_time_without_a_zone_is_utc():
    assert day("2026-11-01T08:00").isoformat() == "2026-11-01T08:00:00+00:00"
    assert day("2026-11-01T08:00+02:00").isoformat() == "2026-11-01T08:00:00+02:00"
    assert day("7d") < day("24h") < day("30m")
