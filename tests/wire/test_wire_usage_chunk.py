from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.usage_chunk import UsageChunkHider

BEFORE = b'data: {"choices":[{"delta":{"content":"Hi"}}],"usage":null}\n\n'
USAGE = b'data: {"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
FILTER = b'data: {"choices":[],"prompt_filter_results":[]}\n\n'
DONE = b"data: [DONE]\n\n"


def through(data: bytes, *cuts: int) -> bytes:
    hider = UsageChunkHider()
    places = [0, *sorted(cuts), len(data)]
    shown = b"".join(hider.feed(data[begin:end]) for begin, end in pairwise(places))
    return shown + hider.close()


@given(st.lists(st.integers(0, 250)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_only_the_chunk_with_usage_and_no_choice_is_hidden_wherever_the_bytes_are_cut(cuts, end):
    whole = (BEFORE + FILTER + USAGE + DONE).replace(b"\n", end)
    shown = through(whole, *cuts)
    assert shown.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n\n\n", b"\n\n") == (
        BEFORE + FILTER + DONE
    )


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_all_other_bytes_pass_as_they_came(data, cuts):
    assert through(data, *cuts) == data


def test_a_whole_event_is_not_held_back():
    assert UsageChunkHider().feed(BEFORE) == BEFORE


def test_a_chunk_that_has_usage_and_a_choice_is_shown():
    chunk = b'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":3}}\n\n'
    assert through(chunk) == chunk


def test_text_that_only_speaks_of_usage_is_shown():
    chunk = b'data: {"choices":[{"delta":{"content":"\\"usage\\" of \\"choices\\""}}]}\n\n'
    assert through(chunk) == chunk
