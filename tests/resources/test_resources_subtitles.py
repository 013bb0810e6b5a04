"""Subtitles: read back by small parsers of their own, whatever the segments were."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.subtitles import make_cues, to_srt, to_vtt
from mai_sdk.resources.transcript import Segment, Word

TIME = r"(\d{2,}):([0-5]\d):([0-5]\d)[,.](\d{3})"


def milliseconds(found):
    hours, minutes, seconds, rest = map(int, found)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def read_cues(text, mark):
    """Return (start, end, lines) of every cue, as a player reads them."""
    cues = []
    for block in filter(None, text.strip("\n").split("\n\n")):
        lines = block.split("\n")
        if lines == ["WEBVTT"]:
            continue
        if mark == ",":
            assert lines.pop(0) == str(len(cues) + 1)
        found = re.fullmatch(f"{TIME} --> {TIME}".replace("[,.]", re.escape(mark)), lines[0])
        assert found, lines[0]
        times = found.groups()
        cues.append((milliseconds(times[:4]), milliseconds(times[4:]), lines[1:]))
    return cues


def srt(*segments, **how):
    return to_srt(make_cues(segments, **how))


words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Z"), blacklist_characters="\ufeff"),
    min_size=1,
    max_size=60,
)
segments = st.lists(
    st.builds(
        lambda said, offset, duration, speaker: Segment(
            text=" ".join(said), offset_ms=offset, duration_ms=duration, speaker=speaker
        ),
        st.lists(words, min_size=1, max_size=30),
        st.integers(0, 400_000_000) | st.none(),
        st.integers(0, 60_000) | st.none(),
        st.sampled_from([None, "1", "2.1"]),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(segments)
def test_cues_never_overlap_are_in_order_and_hold_every_character(given_segments):
    names = {"1": "Speaker 1", "2.1": "Speaker 2.1"}
    try:
        cues = make_cues(given_segments, names=names)
    except InvalidRequest:
        assert all(segment.offset_ms is None for segment in given_segments)
        return
    for text, mark in (to_srt(cues), ","), (to_vtt(cues), "."):
        read = read_cues(text, mark)
        assert len(read) == len(cues)
        until = 0
        for start, end, lines in read:
            assert until <= start < end
            until = end
            assert 1 <= len(lines) <= 3
            assert all(line.strip() for line in lines)
    shown = sorted("".join(cue.text.split()) for cue in cues)
    said = sorted("".join(segment.text.split()) for segment in given_segments)
    assert sorted("".join(shown)) == sorted("".join(said))


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=20), min_size=1, max_size=80))
def test_lines_of_words_are_at_most_two_and_42_wide(said):
    segment = Segment(text=" ".join(said), offset_ms=0, duration_ms=60_000)
    cues = read_cues(srt(segment), ",")
    assert all(len(lines) <= 2 for _, _, lines in cues)
    assert all(len(line) <= 42 for _, _, lines in cues for line in lines)
    assert " ".join(line for _, _, lines in cues for line in lines).split() == said


def test_a_long_segment_is_cut_at_its_words_own_times():
    said = [f"word{number}" for number in range(40)]
    segment = Segment(
        text=" ".join(said),
        offset_ms=1000,
        duration_ms=40_000,
        words=tuple(
            Word(text=word, offset_ms=1000 * (number + 1), duration_ms=500)
            for number, word in enumerate(said)
        ),
    )
    cues = read_cues(srt(segment), ",")
    assert cues[0][:2] == (1000, 7500)
    assert all(start % 1000 == 0 and end % 1000 == 500 for start, end, _ in cues)
    assert all(end - start <= 7000 for start, end, _ in cues)


def test_without_words_its_time_is_shared_out():
    segment = Segment(text="a" * 40 + " " + "b" * 19 + " " + "c" * 39, offset_ms=0, duration_ms=100)
    cues = read_cues(srt(segment), ",")
    assert [(start, end) for start, end, _ in cues] == [(0, 60), (61, 100)]


def test_the_hour_is_carried():
    segment = Segment(text="Late.", offset_ms=3_600_000 * 100 + 59 * 60_000 + 59_999, duration_ms=1)
    assert "100:59:59,999 --> 101:00:00,000" in srt(segment)


def test_what_the_format_would_take_for_its_own_is_escaped():
    segment = Segment(text="a --> b & <i>\n\n7", offset_ms=0, duration_ms=1000, speaker="1")
    made = make_cues([segment], names={"1": "A & B"})
    assert "a -> b & <i> 7" in to_srt(made)
    assert "<v A &amp; B>a --&gt; b &amp; &lt;i&gt; 7" in to_vtt(made)


def test_a_speaker_is_named():
    said = Segment(text="Yes.", offset_ms=0, duration_ms=10, speaker="2.1")
    assert "Speaker 2.1: Yes." in srt(said, names={"2.1": "Speaker 2.1"})


def test_segments_that_overlap_end_where_the_next_begins():
    first = Segment(text="One.", offset_ms=0, duration_ms=5000)
    second = Segment(text="Two.", offset_ms=3000, duration_ms=1000)
    assert [cue[:2] for cue in read_cues(srt(first, second), ",")] == [(0, 3000), (3000, 4000)]


def test_a_segment_without_a_time_stands_between_its_neighbours():
    first = Segment(text="One.", offset_ms=0, duration_ms=1000)
    lost = Segment(text="Lost.")
    last = Segment(text="Two.", offset_ms=2000, duration_ms=1000)
    cues = read_cues(srt(first, lost, last), ",")
    assert [lines for _, _, lines in cues] == [["One."], ["Lost."], ["Two."]]
    assert 1000 <= cues[1][0] < cues[1][1] <= 2000


def test_no_times_at_all_are_no_subtitles_and_it_says_what_to_ask_for():
    with pytest.raises(InvalidRequest, match='timestamps="segment"'):
        make_cues([Segment(text="One."), Segment(text="Two.")], duration_ms=1000)


def test_one_segment_of_known_audio_needs_no_time():
    assert "00:00:00,000 --> 00:00:02,000" in srt(Segment(text="All."), duration_ms=2000)


def test_silence_is_an_empty_file():
    assert srt(Segment(text=" ")) == ""
    assert to_vtt([]) == "WEBVTT\n"


def test_languages_without_spaces_are_cut_to_their_width():
    cues = read_cues(srt(Segment(text="語" * 100, offset_ms=0, duration_ms=30_000)), ",")
    assert all(len(line) <= 21 for _, _, lines in cues for line in lines)
    assert "".join(line for _, _, lines in cues for line in lines) == "語" * 100


def test_what_the_service_calls_a_speaker_cannot_break_out_of_a_cue():
    name = "1>\n\n00:00:01.000 --> 00:00:02.000\nNever said"
    said = Segment(text="Hello.", offset_ms=0, duration_ms=500, speaker=name)
    cues = make_cues([said], names={name: name})
    assert len(read_cues(to_vtt(cues), ".")) == 1
    assert len(read_cues(to_srt(cues), ",")) == 1
