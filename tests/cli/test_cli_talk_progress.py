"""Whether more is to come of a conversation, told from its events and the clock."""

import pytest

from mai_sdk.cli.talk_progress import Progress
from mai_sdk.wire.session_events import (
    SessionStarted,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
)

DONE = TurnDone(status="completed", first_audio_ms=12.0)
CUT = TurnDone(status="cancelled", was_interrupted=True)
SAID = UserTranscript(text="Hi.", final=True, item_id="i")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def told(clock, *events, **options):
    progress = Progress(clock=clock, **options)
    for event in events:
        progress.take(event)
    return progress


def waits(progress, clock):
    """Return how long it waits without any news."""
    begun = clock.now
    while progress.expects_more() and clock.now < begun + 1000:
        clock.now += 0.1
    return round(clock.now - begun, 1)


def test_it_waits_for_somebody_to_be_heard(clock):
    progress = told(clock, SessionStarted())
    assert waits(progress, clock) == pytest.approx(5, abs=0.2)
    assert "No speech was found" in progress.trouble


def test_it_waits_for_the_answer_longest_and_for_words_a_little(clock):
    speech = (SpeechStarted(item_id="i"), SpeechEnded(item_id="i"))
    progress = told(clock, *speech)
    assert waits(progress, clock) == pytest.approx(60, abs=0.2)
    assert "No answer came" in progress.trouble
    assert waits(told(clock, *speech, DONE), clock) == pytest.approx(5, abs=0.2)
    progress = told(clock, *speech, DONE, SAID)
    assert waits(progress, clock) < 1
    assert progress.trouble is None
    assert progress.first_audio_ms == 12.0


def test_the_answer_to_an_interruption_is_still_owed(clock):
    events = [SpeechStarted(), SpeechEnded(), SpeechStarted(), CUT, SpeechEnded(item_id="i"), SAID]
    progress = told(clock, *events)
    assert progress.owes_answer
    progress.take(DONE)
    assert not progress.owes_answer


def test_an_unfinished_transcript_is_not_the_last_word(clock):
    part = UserTranscript(text="H", final=False, item_id="i")
    progress = told(clock, SpeechStarted(), SpeechEnded(item_id="i"), DONE, part)
    assert waits(progress, clock) == pytest.approx(5, abs=0.2)


def test_it_is_over_after_so_many_turns(clock):
    progress = told(clock, DONE, most_turns=2)
    assert not progress.is_over
    progress.take(DONE)
    assert progress.is_over
    assert not progress.expects_more()


def test_what_was_asked_in_writing_is_owed_an_answer(clock):
    progress = told(clock)
    progress.asked()
    assert progress.owes_answer
    assert waits(progress, clock) == pytest.approx(60, abs=0.2)
