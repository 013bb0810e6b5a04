"""The machine of live transcription: turns found, committed, written down, sent again."""

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.audio.turns import TurnDetector
from mai_sdk.session.dictation import Dictation
from mai_sdk.wire.session_events import (
    Ended,
    Failed,
    Reconnected,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
    Warned,
)

RATE = 16_000
PREFIX = "conversation.item.input_audio_transcription."


class Loud:
    """A detector for which a frame is speech if its first byte says so."""

    sample_rate = RATE
    frame_bytes = 640

    def probability(self, frame):
        return float(frame[4])

    def reset(self):
        pass


def frame(index, *, speech=False):
    return index.to_bytes(4, "little") + bytes([speech]) + bytes(635)


class Typist:
    """A machine, and the service's side of it."""

    def __init__(self, *, detects=True):
        detector = TurnDetector(Loud(), sample_rate=RATE) if detects else None
        self.machine = Dictation({"type": "transcription"}, sample_rate=RATE, detector=detector)
        self.now = 0.0
        self.given = 0
        self.events = []

    def connect(self):
        self.machine.connected(now=self.now, wall=self.now)
        self.says("session.created", session={"id": "s"})
        assert [each["type"] for each in self.take()] == ["session.update"]
        self.says("session.updated", session={"id": "s"})

    def says(self, kind, **fields):
        self.machine.receive(json.dumps({"type": kind, **fields}), now=self.now)
        self.events += self.machine.take_events()

    def give(self, frames, *, speech=False):
        for _ in range(frames):
            self.machine.send_audio(frame(self.given, speech=speech), now=self.now)
            self.given += 1
            self.now += 0.02
        self.events += self.machine.take_events()

    def take(self):
        return [json.loads(each) for each in self.machine.take_frames()]

    def heard(self):
        """Return the numbers of frames sent, and None for each commit."""
        found = []
        for each in self.take():
            if each["type"].endswith("append"):
                audio = base64.b64decode(each["audio"])
                found += [
                    int.from_bytes(audio[at : at + 4], "little") for at in range(0, len(audio), 640)
                ]
            elif each["type"].endswith("commit"):
                found.append(None)
        return found

    def told(self, kind):
        return [each for each in self.events if isinstance(each, kind)]


def test_audio_waits_until_the_settings_stand():
    typist = Typist()
    typist.give(5)
    typist.machine.connected(now=0, wall=0)
    typist.give(5)
    assert typist.take() == []
    typist.says("session.created", session={"id": "s"})
    typist.give(5)
    assert [each["type"] for each in typist.take()] == ["session.update"]
    typist.says("session.updated", session={"id": "s"})
    assert typist.heard() == list(range(15))


def test_a_turn_is_committed_when_it_has_ended_and_done_when_it_is_written():
    typist = Typist()
    typist.connect()
    typist.give(20)
    typist.give(30, speech=True)
    typist.give(30)
    assert typist.heard() == [*range(75), None, *range(75, 80)]
    typist.says("input_audio_buffer.committed", item_id="i1")
    typist.says(PREFIX + "delta", item_id="i1", delta="Hel")
    typist.says(PREFIX + "intermediate", item_id="i1", intermediate="lo th")
    typist.says(PREFIX + "delta", item_id="i1", delta="lo ")
    typist.says(PREFIX + "completed", item_id="i1", transcript="Hello there")
    said = [(event.text, event.settled, event.final) for event in typist.told(UserTranscript)]
    assert said == [
        ("Hel", 3, False), ("Hello th", 3, False), ("Hello ", 6, False), ("Hello there", 11, True),
    ]  # fmt: skip
    [started], [ended], [turn] = map(typist.told, (SpeechStarted, SpeechEnded, TurnDone))
    assert (started.offset_ms, ended.offset_ms) == (400, 1000)
    assert (turn.user_text, turn.listened_ms) == ("Hello there", 1500)
    assert turn.first_text_ms == pytest.approx(100, abs=21)


def test_two_turns_in_one_long_piece_are_two():
    typist = Typist()
    typist.connect()
    turn = [frame(0)] * 20 + [frame(0, speech=True)] * 20 + [frame(0)] * 30
    typist.machine.send_audio(b"".join(turn * 2), now=0)
    assert typist.heard().count(None) == 2


def test_a_service_need_not_name_items():
    typist = Typist(detects=False)
    typist.connect()
    typist.give(10)
    assert typist.machine.commit(now=typist.now)
    assert not typist.machine.commit(now=typist.now)
    typist.says("input_audio_buffer.committed")
    typist.says(PREFIX + "completed", transcript="")
    assert [turn.user_text for turn in typist.told(TurnDone)] == [""]


def test_an_empty_commit_is_a_turn_without_words():
    typist = Typist(detects=False)
    typist.connect()
    typist.give(1)
    typist.machine.commit(now=0)
    typist.says("error", error={"code": "input_audio_buffer_commit_empty", "message": "Empty."})
    assert typist.told(Warned)
    assert [turn.user_text for turn in typist.told(TurnDone)] == [""]
    assert not typist.told(Failed)


def test_what_cannot_be_written_down_ends_its_turn():
    typist = Typist(detects=False)
    typist.connect()
    typist.give(10)
    typist.machine.commit(now=0)
    typist.says(PREFIX + "failed", item_id="i1", error={"code": "x", "message": "No."})
    assert typist.told(Failed)
    assert [turn.status for turn in typist.told(TurnDone)] == ["failed"]


def test_settings_that_are_refused_end_the_session():
    typist = Typist()
    typist.machine.connected(now=0, wall=0)
    typist.says("session.created", session={})
    typist.says("error", error={"code": "invalid_value", "message": "language"})
    assert typist.machine.failure is not None


def test_the_last_words_are_committed_and_waited_for():
    typist = Typist()
    typist.connect()
    typist.give(20)
    typist.give(10, speech=True)
    typist.machine.close()
    assert typist.heard()[-1] is None
    assert not typist.machine.is_drained
    typist.says(PREFIX + "completed", item_id="i1", transcript="Bye")
    assert typist.machine.is_drained
    typist.machine.ended("done", code=None, now=0)
    assert isinstance(typist.machine.take_events()[-1], Ended)


def test_what_is_not_written_down_is_sent_again_with_its_commits():
    typist = Typist()
    typist.connect()
    typist.give(20)
    typist.give(30, speech=True)
    typist.give(30)
    typist.machine.disconnected("close code 1011", now=typist.now)
    typist.give(5)
    typist.connect()
    assert typist.heard() == [*range(75), None, *range(75, 85)]
    [news] = typist.told(Reconnected)
    assert (news.why, news.resent_ms, news.connections) == ("close code 1011", 1700, 2)


def test_an_hour_is_left_at_a_quiet_moment():
    typist = Typist()
    typist.connect()
    assert not typist.machine.wants_rollover(3000)
    assert typist.machine.wants_rollover(3500)
    typist.give(30, speech=True)
    typist.machine._detector.feed(frame(0, speech=True))
    assert typist.machine._detector.speaking
    assert not typist.machine.wants_rollover(3500)
    assert typist.machine.wants_rollover(3570)


@pytest.mark.parametrize("seed", range(60))
def test_no_audio_is_lost_or_out_of_order_whatever_happens(seed):
    chance = random.Random(seed)  # noqa: S311 - it decides a test
    typist = Typist(detects=chance.random() < 0.7)
    finals, connections = 0, []

    def hear():
        connections[-1] += typist.heard()

    for _ in range(12):
        typist.connect()
        connections.append([])
        hear()
        answered = 0
        for _ in range(chance.randrange(1, 12)):
            typist.give(chance.randrange(1, 60), speech=chance.random() < 0.5)
            if chance.random() < 0.3:
                typist.machine.commit(now=typist.now)
            hear()
            if chance.random() < 0.4:
                typist.machine.pong(typist.machine.ping())
            while answered < connections[-1].count(None) and chance.random() < 0.6:
                answered += 1
                finals += 1
                typist.says(PREFIX + "completed", transcript="x")
        typist.machine.disconnected("reset", now=typist.now)
    typist.connect()
    connections.append(typist.heard())
    reached = -1
    for each in connections:
        numbers = [number for number in each if number is not None]
        if numbers:
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert numbers[0] <= reached + 1
            reached = max(reached, numbers[-1])
    assert reached == typist.given - 1
    assert len(typist.told(TurnDone)) == finals


IDS = st.sampled_from(["i1", "i2", None])


def event(kind, **fields):
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


SERVER = st.one_of(
    event("session.created", session=st.just({"id": "s"})),
    event("session.updated", session=st.just({"id": "s"})),
    event("input_audio_buffer.committed", item_id=IDS),
    event(PREFIX + "delta", item_id=IDS, delta=st.text()),
    event(PREFIX + "intermediate", item_id=IDS, intermediate=st.text()),
    event(PREFIX + "completed", item_id=IDS, transcript=st.text()),
    event(PREFIX + "failed", item_id=IDS, error=st.just({"code": "x"})),
    event("error", error=st.just({"code": "input_audio_buffer_commit_empty"})),
    event("error", error=st.just({"code": "odd"})),
    event("response.created", response=st.just({"id": "r"})),
    event("never.seen"),
)
ACTS = st.sampled_from(["quiet", "speech", "commit", "drop", "ping", "tick"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(SERVER, ACTS), max_size=50), st.booleans())
def test_whatever_comes_nothing_is_lost_silently_and_nothing_hangs(soup, detects):
    typist = Typist(detects=detects)
    machine = typist.machine
    machine.connected(now=0, wall=0)
    for each in soup:
        typist.now += 0.1
        if each in ("quiet", "speech"):
            typist.give(5, speech=each == "speech")
        elif each == "commit":
            machine.commit(now=typist.now)
        elif each == "drop":
            machine.disconnected("drop", now=typist.now)
            machine.connected(now=typist.now, wall=0)
        elif each == "ping":
            machine.pong(machine.ping())
        elif each == "tick":
            machine.tick(typist.now)
        else:
            before = len(typist.events)
            typist.says(each["type"], **{k: v for k, v in each.items() if k != "type"})
            assert len(typist.events) > before
    machine.disconnected("drop", now=typist.now)
    machine.close()
    typist.connect()
    for _ in range(typist.heard().count(None)):
        typist.says(PREFIX + "completed", transcript="x")
    assert machine.is_drained


def test_words_that_were_not_waited_for_are_not_passed_over_in_silence():
    typist = Typist(detects=False)
    typist.connect()
    typist.give(50)
    typist.machine.close()
    typist.machine.ended("closed", code=None, now=typist.now)
    typist.events += typist.machine.take_events()
    [turn] = typist.told(TurnDone)
    assert (turn.status, turn.reason, turn.listened_ms) == ("failed", "session_closed", 1000)
    assert isinstance(typist.events[-1], Ended)


def test_a_service_that_never_begins_is_left_for_another_connection():
    typist = Typist()
    typist.machine.connected(now=0, wall=0)
    typist.says("session.created", session={"id": "s"})
    assert not typist.machine.wants_rollover(14)
    assert typist.machine.wants_rollover(16)
    typist.says("session.updated", session={"id": "s"})
    assert not typist.machine.wants_rollover(16)
