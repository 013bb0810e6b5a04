import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.wire.usage import read_usage


def meters(i=None, c=None, o=None, r=None):
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
    return {n: v for n, v in zip(names, (i, c, o, r), strict=True) if v is not None} or None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # foundry, as documented
        (
            {"prompt_tokens": 19, "completion_tokens": 76, "total_tokens": 95,
             "prompt_tokens_details": {"cached_tokens": 2}},
            meters(19, 2, 76),
        ),
        # chat completions with everything
        (
            {"prompt_tokens": 19, "completion_tokens": 76,
             "prompt_tokens_details": {"cached_tokens": 0},
             "completion_tokens_details": {"reasoning_tokens": 60}},
            meters(19, 0, 76, 60),
        ),
        # Foundry's DeepSeek: details null, reasoning at the top
        (
            {"prompt_tokens": 5, "completion_tokens": 9, "prompt_tokens_details": None,
             "completion_tokens_details": None, "reasoning_tokens": 7},
            meters(5, None, 9, 7),
        ),
        # Responses
        (
            {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 3},
             "output_tokens": 25, "output_tokens_details": {"reasoning_tokens": 0}},
            meters(8, 3, 25, 0),
        ),
        # Voice Live
        (
            {"input_tokens": 20, "input_token_details": {"cached_tokens": 4, "audio_tokens": 16},
             "output_tokens": 9, "output_token_details": {"reasoning_tokens": 1}},
            meters(20, 4, 9, 1),
        ),
        # Anthropic counts what was cached beside the input
        (
            {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2,
             "output_tokens": 4},
            meters(17, 5, 4),
        ),
        ({"prompt_tokens": -1, "completion_tokens": float("nan")}, None),
        ({"prompt_tokens": "7", "completion_tokens": True}, None),
        ({"prompt_tokens": 7.5, "completion_tokens": 3}, meters(None, None, 3)),
        ({"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 9}}, meters(7)),
        ({"prompt_tokens": 7, "prompt_tokens_details": [1]}, meters(7)),
        ({}, None), (None, None), ([], None), ("7", None), (7, None),
    ],
)  # fmt: skip
def test_usage_is_read_in_every_dialect(raw, expected):
    assert read_usage(raw) == expected


def test_vllms_zero_reasoning_tokens_are_unknown_and_others_are_kept():
    raw = {"completion_tokens": 31, "completion_tokens_details": {"reasoning_tokens": 0}}
    assert read_usage(raw, surface="vllm") == meters(o=31)
    assert read_usage(raw, surface="foundry") == meters(o=31, r=0)
    raw["completion_tokens_details"] = {"reasoning_tokens": 6}
    assert read_usage(raw, surface="vllm") == meters(o=31, r=6)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["cached_tokens", "reasoning_tokens", "prompt_tokens", "input_tokens",
                         "completion_tokens", "prompt_tokens_details", "cache_read_input_tokens",
                         "completion_tokens_details", "output_tokens"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSONISH)
def test_no_usage_object_crashes_and_all_counts_are_whole(raw):
    usage = read_usage(raw)
    assert usage is None or all(type(count) is int and count >= 0 for count in usage.values())


def test_a_figure_beyond_any_price_and_ledger_is_left_out():
    raw = {"prompt_tokens": 10**400, "completion_tokens": 3}
    assert read_usage(raw) == {"output_tokens": 3}
