import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.audio.playback import Heard, PlaybackTracker

RATE = 24000
FRAME = 960  # 20 ms


def test_what_was_heard_is_what_was_played_and_not_what_arrived():
    tracker = PlaybackTracker(sample_rate=RATE)
    assert tracker.received("a", 48_000, response_id="r", content_index=2) == 0.0
    assert tracker.received("a", 48_000) == 1000.0
    tracker.played(250)
    tracker.played_bytes(FRAME)
    assert tracker.current() == tracker.heard("a") == Heard(
        item_id="a", content_index=2, response_id="r", heard_ms=270.0, received_ms=2000.0
    )  # fmt: skip
    assert tracker.unheard_ms == 1730.0


def test_playback_goes_on_with_the_next_item():
    tracker = PlaybackTracker(sample_rate=RATE)
    tracker.received("a", FRAME)
    tracker.received("b", FRAME)
    tracker.played(30)
    assert tracker.heard("a").heard_ms == 20.0
    assert tracker.heard("b").heard_ms == 10.0
    assert tracker.current().item_id == "b"
    tracker.played(1000)
    assert tracker.current() is None
    assert tracker.heard("b").heard_ms == 20.0


def test_a_report_beyond_all_that_arrived_is_no_start_on_what_comes_next():
    tracker = PlaybackTracker(sample_rate=RATE)
    tracker.received("a", FRAME)
    tracker.played(500)
    tracker.received("b", FRAME)
    assert tracker.heard("b").heard_ms == 0.0


def test_stopping_names_what_was_cut_short_and_later_audio_does_not_count():
    tracker = PlaybackTracker(sample_rate=RATE)
    tracker.received("done", FRAME)
    tracker.received("a", 10 * FRAME)
    tracker.received("b", FRAME)
    tracker.played(70)
    cut = tracker.stop()
    assert [(heard.item_id, heard.heard_ms) for heard in cut] == [("a", 50.0), ("b", 0.0)]
    assert all(heard.stopped for heard in cut)
    assert not tracker.heard("done").stopped
    tracker.received("a", FRAME)
    tracker.played(100)
    assert tracker.heard("a") == Heard(
        item_id="a", heard_ms=50.0, received_ms=220.0, stopped=True
    )  # fmt: skip
    assert tracker.stop() == ()
    tracker.received("next", FRAME)
    tracker.played(10)
    assert tracker.heard("next").heard_ms == 10.0


def test_what_was_heard_cannot_be_unheard():
    tracker = PlaybackTracker(sample_rate=RATE)
    with pytest.raises(ValueError, match="never less"):
        tracker.played(-1)
    with pytest.raises(ValueError, match="never fewer"):
        tracker.played_bytes(-2)


def test_an_item_nobody_knows_is_not_heard_and_can_be_forgotten():
    tracker = PlaybackTracker(sample_rate=RATE)
    assert tracker.heard("a") is None
    tracker.received("a", FRAME)
    tracker.forget("a")
    tracker.forget("a")
    assert tracker.heard("a") is None
    assert tracker.unheard_ms == 0.0


def test_parts_of_a_sample_add_up():
    tracker = PlaybackTracker(sample_rate=44_100)
    tracker.received("a", 44_100 * 2)
    for _ in range(1000):
        tracker.played(0.3)
    assert tracker.heard("a").heard_ms == pytest.approx(300, abs=0.05)


STEPS = st.lists(
    st.tuples(st.just("received"), st.sampled_from("abc"), st.sampled_from([0, 2, 960, 3998]))
    | st.tuples(st.just("played"), st.floats(0, 100))
    | st.tuples(st.just("played_bytes"), st.integers(0, 4000))
    | st.tuples(st.just("stop")),
    max_size=40,
)  # fmt: skip


@given(STEPS, st.sampled_from([8000, 16000, 24000, 44100]))
def test_heard_is_never_more_than_received_and_never_less_than_before(steps, rate):
    tracker, before = PlaybackTracker(sample_rate=rate), {}
    played_ms = 0.0
    for name, *arguments in steps:
        getattr(tracker, name)(*arguments)
        if name == "played":
            played_ms += arguments[0]
        elif name == "played_bytes":
            played_ms += arguments[0] / 2 * 1000 / rate
        for item in "abc":
            now = tracker.heard(item)
            if now is not None:
                assert before.get(item, 0.0) <= now.heard_ms <= now.received_ms
                before[item] = now.heard_ms
    assert sum(before.values()) <= played_ms + 1e-6


def test_in_a_thousand_interruptions_it_knows_to_a_frame_what_was_played():
    """A service sends faster than real time; a player plays frames and reports each one."""
    chance = random.Random(7)  # noqa: S311 - no secret
    worst = 0.0
    for turn in range(1000):
        tracker = PlaybackTracker(sample_rate=RATE)
        total = chance.randrange(2, 400) * 480
        arrived = loudspeaker = reported = 0
        interrupted_at = chance.randrange(0, total + 1)
        while loudspeaker < interrupted_at:
            if arrived < total and (arrived <= loudspeaker or chance.random() < 0.7):
                chunk = min(chance.choice((480, 960, 2400, 4800, 9600)), total - arrived)
                tracker.received(f"item-{turn}", chunk)
                arrived += chunk
            loudspeaker = min(loudspeaker + 480, arrived, interrupted_at)
            while reported + FRAME <= loudspeaker:  # whole frames only are reported
                if chance.random() < 0.5:
                    tracker.played(20)
                else:
                    tracker.played_bytes(FRAME)
                reported += FRAME
        cut = tracker.stop()
        heard = cut[0].heard_ms if cut else (
            known.heard_ms if (known := tracker.heard(f"item-{turn}")) else 0.0
        )  # fmt: skip
        truth = loudspeaker / 2 * 1000 / RATE
        assert heard <= truth + 1e-6
        worst = max(worst, truth - heard)
    print(f"1,000 interruptions: at most {worst:.1f} ms from what was played")
    assert worst <= 20
