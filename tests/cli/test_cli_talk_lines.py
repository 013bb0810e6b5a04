"""What `mai talk` shows, in the order of a conversation, and within 80 columns."""

import math
from decimal import Decimal

import pytest

from mai_sdk.cli.talk_lines import Script, facts, meter, totals
from mai_sdk.errors import ServiceUnavailable
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.session_events import (
    AgentTranscript,
    Ended,
    Failed,
    Interrupted,
    Reconnected,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
    Warned,
)


def shown(*events):
    script = Script()
    return [line for event in events for line in script.take(event)]


def said(text, **more):
    return UserTranscript(text=text, final=True, **more)


def receipt(cost, **usage):
    return Receipt(
        call_id="1", model="m", deployment="m", surface="voice-live", attempts=(),
        usage=Usage(**usage), cost=cost,
    )  # fmt: skip


ANSWERED = (AgentTranscript(text="Hi "), AgentTranscript(text="there."))
WHOLE = AgentTranscript(text="", final=True, whole="Hi there.")
DONE = TurnDone(status="completed", agent_text="Hi there.")


def test_an_answer_waits_for_what_it_answers():
    script = Script()
    for event in (SpeechStarted(), SpeechEnded(), *ANSWERED, WHOLE, DONE):
        assert script.take(event) == []
    assert script.take(said("Hello?")) == [("you", "Hello?"), ("agent", "Hi there.")]
    assert script.said == [("you", "Hello?"), ("agent", "Hi there.")]


@pytest.mark.parametrize("event", [SpeechStarted(), Ended(reason="over")])
def test_an_answer_waits_no_longer_than_until_somebody_speaks_or_it_is_over(event):
    assert shown(SpeechEnded(), WHOLE, event) == [("agent", "Hi there.")]


def test_a_transcript_that_failed_holds_nothing_up():
    error = ServiceUnavailable("Nobody listened.")
    assert shown(SpeechEnded(), WHOLE, Failed(error=error)) == [
        ("agent", "Hi there."),
        ("note", "Nobody listened."),
    ]


def test_an_answer_is_shown_once_however_it_ends():
    assert shown(*ANSWERED, WHOLE, DONE) == [("agent", "Hi there.")]
    assert shown(*ANSWERED, DONE) == [("agent", "Hi there.")]
    cut = Interrupted(heard_ms=1240, received_ms=3000)
    stopped = TurnDone(status="cancelled", was_interrupted=True)
    assert shown(*ANSWERED, cut, stopped) == [
        ("agent", "Hi there."),
        ("note", "interrupted after 1.2 s"),
    ]
    assert shown(Interrupted(), stopped) == [("note", "interrupted before it was heard")]


def test_what_is_not_as_it_should_be_is_a_note():
    again = Reconnected(why="close code 1006", connections=2, resent_ms=1500)
    assert shown(again, Warned(message="Hm."), TurnDone(status="incomplete", reason="length")) == [
        ("note", "reconnected, because close code 1006; 1.5 s of audio were sent again"),
        ("note", "Hm."),
        ("note", "the answer is incomplete (length)"),
    ]


def test_silence_is_no_line():
    assert shown(SpeechEnded(), said("")) == []


@pytest.mark.parametrize(
    ("db", "bar"), [(-math.inf, 0), (-90, 0), (-60, 0), (-30, 10), (-3, 19), (0, 20), (6, 20)]
)
def test_the_meter_is_as_long_as_it_is_loud(db, bar):
    line = meter(level_db=db, first_audio_ms=None, turns=0, cost=None, width=80)
    assert line.count("#") == bar
    assert line.count("#") + line.split("]")[0].count(".") == 20
    assert "first audio - | 0 turns | $0" in line


@pytest.mark.parametrize("width", [80, 40, 20])
def test_the_meter_fits_whatever_it_says(width):
    cost = Cost(amount=Decimal("123456.123456"), status="estimated", reason="x")
    line = meter(level_db=-12, first_audio_ms=123_456, turns=12_345, cost=cost, width=width)
    assert len(line) < width
    if width == 80:
        assert "| first audio 123.46 s | 12345 turns | ~$123456" in line
    unknown = meter(level_db=0, first_audio_ms=1, turns=1, cost=Cost.unknown("?"), width=80)
    assert unknown.endswith("| 1 turn | cost unknown")


def test_the_totals_say_what_is_known_and_why_the_rest_is_not():
    turns = [
        TurnDone(status="completed", first_text_ms=100.0, first_audio_ms=200.0),
        TurnDone(status="completed", first_text_ms=300.0),
    ]
    total = receipt(
        Cost.unknown("No price is known."),
        audio_seconds=3, spoken_seconds=5, unheard_seconds=1, input_tokens=10,
    )  # fmt: skip
    assert totals(total, turns, connections=2) == [
        "2 turns, 3 s heard, 5 s spoken, 1 s not heard, 10 in, ? out, cost unknown",
        "No price is known.",
        "after the end of speech (median): first text 0.20 s, first audio 0.20 s",
        "2 connections",
    ]
    known = receipt(Cost(amount=Decimal("0.01"), status="exact"), characters=7)
    assert totals(known, [], connections=1) == ["0 turns, 7 characters, cost $0.01"]


def test_json_says_unknown_as_null():
    total = receipt(Cost.unknown("No price is known."))
    told = facts(total, [DONE], [("you", "Hi.")], connections=1)
    assert told["cost"]["amount"] is None
    assert told["turns"][0]["first_audio_ms"] is None
    assert told["turns"][0]["cost"] is None
    assert told["latency_ms"] == {}
    assert told["transcript"] == [{"who": "you", "text": "Hi."}]
