"""Where in the user's audio the service says that something is."""

import math

import pytest

from mai_sdk.session.hearing import Hearing


@pytest.mark.parametrize(
    ("ms", "offset"),
    [(0, 0), (20, 480), (99.99, 2400), (100, 2400), (100.01, 2400), (1.2e308, 2400),
     (math.inf, 2400), (-1, 0), (-math.inf, 0), (math.nan, 0)],
)  # fmt: skip
def test_a_place_is_within_the_audio_whatever_the_service_says(ms, offset):
    hearing = Hearing(24_000, 10.0)
    hearing.give(bytes(4800), now=1.0)
    assert hearing.position(ms) == offset
