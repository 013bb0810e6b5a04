"""The machine of recognition over USP: phrases acknowledge, streams go on, ends are waited for."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.audio.turns import TurnDetector
from mai_sdk.errors import AudioOverflow, RateLimited, ServiceUnavailable
from mai_sdk.session.recognition import Recognition
from mai_sdk.wire.session_events import (
    Ended,
    Failed,
    Other,
    Reconnected,
    SessionStarted,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
    Warned,
)
from mai_sdk.wire.usp import Message, decode, encode
from mai_sdk.wire.usp_stt import recognition_context

RATE = 16_000
TICKS = 200_000
"""Of one frame of 20 ms."""


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


class Line:
    """A machine, and the service's side of it."""

    def __init__(self, *, detects=False, **options):
        detector = TurnDetector(Loud(), sample_rate=RATE) if detects else None
        ids = itertools.count(1)
        self.machine = Recognition(
            recognition_context(model="mai-transcribe-2-streaming", language="en-US"),
            config="{}",
            sample_rate=RATE,
            detector=detector,
            new_id=lambda: f"{next(ids):032x}",
            **options,
        )
        self.now = 0.0
        self.given = 0
        self.events = []
        self.request_id = ""
        self.contexts = []
        self.paths = []

    def connect(self):
        self.machine.connected(now=self.now, wall=1_700_000_000 + self.now)
        return self.heard()

    def lose(self, why="close code 1006"):
        self.machine.disconnected(why, now=self.now)
        self.note()

    def says(self, path, *, request_id=None, **body):
        headers = {"X-RequestId": request_id or self.request_id}
        self.raw(encode(Message(path, json.dumps(body), headers)))

    def raw(self, message):
        self.machine.receive(message, now=self.now)
        self.note()

    def starts(self):
        self.says("turn.start", context={"serviceTag": f"tag-{len(self.contexts)}"})

    def supposes(self, text, at=None):
        self.says("speech.hypothesis", Text=text, **({} if at is None else {"Offset": at * TICKS}))

    def writes(self, text, at, frames, *, status="Success", token=None):
        """Write down so many frames from that one of the stream on."""
        more = {} if token is None else {"clientAudioMetadata": {"X-Client-Commit-Token": token}}
        self.says(
            "speech.phrase", RecognitionStatus=status, DisplayText=text,
            Offset=at * TICKS, Duration=frames * TICKS, **more,
        )  # fmt: skip

    def give(self, frames, *, speech=False):
        for _ in range(frames):
            self.machine.send_audio(frame(self.given, speech=speech), now=self.now)
            self.given += 1
            self.now += 0.02
        self.note()

    def note(self):
        self.events += self.machine.take_events()

    def heard(self):
        """Return what was sent: numbers of frames, "end", and the tokens of commits."""
        found = []
        for message in map(decode, self.machine.take_frames()):
            self.paths.append(message.path)
            if message.path == "speech.context":
                self.request_id = message.request_id
                self.contexts.append(message.json)
            elif message.path == "audio.commit":
                found.append(message.headers["x-client-commit-token"])
            elif message.path == "audio" and not message.body:
                found.append("end")
            elif message.path == "audio" and len(message.body) % 640 == 0:
                body = message.body  # else the head, or a frame of which a part is acknowledged
                found += [
                    int.from_bytes(body[at : at + 4], "little") for at in range(0, len(body), 640)
                ]
        return found

    def told(self, kind):
        return [each for each in self.events if isinstance(each, kind)]


def test_a_connection_says_who_calls_what_is_asked_and_what_the_samples_are():
    line = Line()
    line.give(2)
    line.machine.connected(now=0, wall=1_700_000_000)
    config, context, head, *audio = map(decode, line.machine.take_frames())
    assert (config.path, config.request_id) == ("speech.config", None)
    assert context.json == {
        "phraseDetection": {"mode": "CONVERSATION", "language": "en-US"},
        "model": {"name": "mai-transcribe-2-streaming"},
        "audio": {"streams": {"1": None}},
    }
    assert head.headers["content-type"] == "audio/x-wav"
    assert head.headers["x-timestamp"] == "2023-11-14T22:13:20.000Z"
    assert head.body == (
        b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00"
        b"\x02\x00\x10\x00data\x00\x00\x00\x00"
    )
    assert [message.body for message in audio] == [frame(0), frame(1)]
    assert {message.request_id for message in (context, head, *audio)} == {context.request_id}


def test_a_phrase_is_a_turn_from_its_first_hypothesis_to_its_last_word():
    line = Line()
    line.connect()
    line.starts()
    line.give(100)
    assert line.heard() == list(range(100))
    line.supposes("hel", 10)
    line.supposes("hello th", 10)
    line.writes("Hello there.", 10, 50)
    assert [type(event) for event in line.events] == [
        SessionStarted, SpeechStarted, UserTranscript, UserTranscript, SpeechEnded, UserTranscript,
        TurnDone,
    ]  # fmt: skip
    said = [(event.text, event.final) for event in line.told(UserTranscript)]
    assert said == [("hel", False), ("hello th", False), ("Hello there.", True)]
    [started], [ended], [turn] = map(line.told, (SpeechStarted, SpeechEnded, TurnDone))
    assert (started.offset_ms, ended.offset_ms) == (200, 1200)
    assert (turn.user_text, turn.listened_ms) == ("Hello there.", 1000)
    assert turn.first_text_ms == pytest.approx(800, abs=21)
    assert {e.item_id for e in line.events[1:]} == {"phrase-1"}
    assert line.machine.hearing.buffer.start == 60 * 320


def test_a_new_line_goes_on_from_the_last_phrase_and_positions_count_from_there():
    line = Line()
    line.connect()
    line.starts()
    line.give(100)
    line.heard()
    line.writes("One.", 0, 40)
    line.supposes("two", 45)
    first = line.request_id
    line.lose()
    line.give(10)
    assert line.connect() == list(range(40, 110))
    assert line.request_id != first
    assert line.contexts[1]["continuation"] == {
        "previousServiceTag": "tag-1", "audio": {"streams": {"1": {"offset": str(40 * TICKS)}}},
    }  # fmt: skip
    line.starts()
    [again] = line.told(Reconnected)
    assert (again.connections, again.resent_ms, again.why) == (2, 1400, "close code 1006")
    line.supposes("two", 5)
    line.writes("Two.", 5, 35)
    assert line.machine.hearing.buffer.start == 80 * 320
    assert [turn.user_text for turn in line.told(TurnDone)] == ["One.", "Two."]
    assert [event.offset_ms for event in line.told(SpeechStarted)] == [0, 900]
    assert line.machine.streamed == 170 * 320


def test_when_the_service_ends_a_stream_another_follows_on_the_same_line():
    line = Line()
    line.connect()
    line.starts()
    line.give(60)
    line.heard()
    line.writes("One.", 0, 40)
    line.give(3)
    first = line.request_id
    line.says("turn.end")
    assert line.heard() == list(range(40, 63))
    assert line.paths.count("speech.config") == 1
    line.says("speech.hypothesis", request_id=first, Text="late")
    assert not line.told(Reconnected)
    assert "late" not in [event.text for event in line.told(UserTranscript)]


def test_a_service_that_ends_every_stream_at_once_is_not_asked_for_ever():
    line = Line()
    line.connect()
    for _ in range(20):
        line.starts()
        line.says("turn.end")
        line.heard()
        if line.machine.failure:
            break
    assert isinstance(line.machine.failure, ServiceUnavailable)
    assert len(line.contexts) == 8


def test_the_end_is_said_once_and_the_last_words_are_waited_for():
    line = Line()
    line.connect()
    line.give(10)
    assert line.heard() == list(range(10))
    line.machine.close()
    line.machine.close()
    assert line.heard() == ["end"]
    assert not line.machine.is_drained
    line.writes("Last words.", 0, 8)
    line.says("speech.phrase", RecognitionStatus="EndOfDictation", Offset=0, Duration=0)
    assert not line.machine.is_drained
    line.says("turn.end")
    assert line.machine.is_drained
    assert [turn.user_text for turn in line.told(TurnDone)] == ["Last words."]


def test_an_end_of_the_services_own_that_crosses_ours_costs_no_words():
    line = Line()
    line.connect()
    line.give(10)
    line.machine.close()
    assert line.heard() == [*range(10), "end"]
    line.says("turn.end")
    assert not line.machine.is_drained
    assert line.heard() == [*range(10), "end"]
    line.writes("Last words.", 0, 8)
    line.says("turn.end")
    assert line.machine.is_drained
    assert [turn.user_text for turn in line.told(TurnDone)] == ["Last words."]


def test_a_service_that_gives_hypotheses_no_place_has_all_of_it_sent_again():
    line = Line()
    line.connect()
    line.give(50)
    line.heard()
    line.supposes("hel")
    line.machine.pong(line.machine.ping())
    line.machine.tick(line.now)
    line.machine.tick(line.now + 60)
    assert line.told(SpeechStarted)[0].offset_ms is None
    line.lose()
    assert line.connect() == list(range(50))
    line.supposes("hello")
    assert len(line.told(SpeechStarted)) == 1


def test_a_line_lost_at_the_end_is_asked_again_for_the_last_words():
    line = Line()
    line.connect()
    line.give(10)
    line.machine.close()
    line.heard()
    line.lose()
    assert line.connect() == [*range(10), "end"]
    line.writes("Last words.", 0, 10)
    line.says("turn.end")
    assert line.machine.is_drained


def test_words_that_were_never_final_are_told_as_such():
    line = Line()
    line.connect()
    line.give(10)
    line.heard()
    line.supposes("is any")
    line.machine.close()
    line.writes("", 0, 0, status="EndOfDictation")
    line.says("turn.end")
    [turn] = line.told(TurnDone)
    assert (turn.status, turn.reason, turn.user_text) == ("incomplete", "no_final_text", "is any")


def test_a_commit_is_a_turn_and_is_repeated_at_its_place():
    line = Line()
    line.connect()
    line.give(10)
    assert line.machine.commit(now=line.now)
    assert not line.machine.commit(now=line.now)
    line.give(5)
    assert line.heard() == [*range(10), "1", *range(10, 15)]
    line.lose()
    assert line.connect() == [*range(10), "2", *range(10, 15)]
    line.says(
        "speech.phrase", RecognitionStatus="Success", DisplayText="Over.",
        clientAudioMetadata={"X-Client-Commit-Token": "2"},
    )  # fmt: skip
    assert [turn.user_text for turn in line.told(TurnDone)] == ["Over."]
    assert line.machine.hearing.buffer.start == 10 * 320
    assert not line.machine.hearing.said


def test_a_phrase_within_a_commit_acknowledges_its_part_of_it():
    line = Line()
    line.connect()
    line.give(30)
    line.machine.commit(now=line.now)
    line.heard()
    line.writes("One.", 0, 20)
    assert line.machine.hearing.buffer.start == 20 * 320
    line.writes("Two.", 20, 10, token="1")
    assert [turn.user_text for turn in line.told(TurnDone)] == ["One.", "Two."]
    assert not line.machine.hearing.said


def test_a_detector_commits_and_speaks_for_the_service():
    line = Line(detects=True)
    line.connect()
    line.give(20)
    line.give(30, speech=True)
    line.give(30)
    assert line.heard() == [*range(75), "1", *range(75, 80)]
    line.supposes("hello")
    line.writes("Hello.", 10, 65, token="1")
    assert [e.offset_ms for e in line.told(SpeechStarted)] == [400]
    assert [e.offset_ms for e in line.told(SpeechEnded)] == [1000]
    assert [turn.user_text for turn in line.told(TurnDone)] == ["Hello."]


def test_silence_is_acknowledged_once_the_service_has_had_it_for_five_seconds():
    line = Line(buffer_seconds=20)
    line.connect()
    for _ in range(3000):
        line.give(1)
        if line.given % 50 == 0:
            line.heard()
            line.machine.pong(line.machine.ping())
        if line.given % 25 == 0:
            line.machine.tick(line.now)
    held = len(line.machine.hearing.buffer) / RATE
    assert 5 < held < 8


def test_speech_that_was_found_is_kept_until_it_is_written():
    line = Line(buffer_seconds=20)
    line.connect()
    line.give(50)
    line.heard()
    line.says("speech.startDetected", Offset=20 * TICKS)
    with pytest.raises(AudioOverflow):
        for _ in range(3000):
            line.give(1)
            line.heard()
            line.machine.pong(line.machine.ping())
            line.machine.tick(line.now)
    assert line.machine.hearing.buffer.start == 0 or line.machine.hearing.buffer.start <= 20 * 320


def test_a_position_beyond_what_was_sent_acknowledges_no_more_than_that():
    line = Line()
    line.connect()
    line.give(10)
    line.heard()
    line.give(10)
    line.writes("What?", 0, 10_000)
    assert line.machine.hearing.buffer.start == 10 * 320


def test_a_phrase_that_comes_twice_is_one_turn():
    line = Line()
    line.connect()
    line.give(50)
    line.heard()
    line.writes("One.", 0, 20)
    line.writes("One.", 0, 20)
    line.writes("One.", 20, 20)
    assert [turn.user_text for turn in line.told(TurnDone)] == ["One.", "One."]


@pytest.mark.parametrize("status", ["InitialSilenceTimeout", "NoMatch"])
def test_silence_that_is_reported_is_no_turn(status):
    line = Line()
    line.connect()
    line.give(50)
    line.heard()
    line.writes("", 0, 50, status=status)
    assert not line.told(TurnDone)
    assert len(line.machine.hearing.buffer) == 0


def test_a_phrase_that_failed_is_a_turn_that_failed():
    line = Line()
    line.connect()
    line.give(50)
    line.heard()
    line.supposes("one")
    line.writes("", 0, 50, status="TooManyRequests")
    [failed], [turn] = line.told(Failed), line.told(TurnDone)
    assert isinstance(failed.error, RateLimited)
    assert (turn.status, turn.user_text) == ("failed", None)


def test_the_detailed_format_and_unknown_messages_are_read():
    line = Line()
    line.connect()
    line.give(5)
    line.heard()
    line.says("speech.phrase", RecognitionStatus="Success", Offset=0, Duration=TICKS,
              NBest=[{"Display": "Yes."}], PrimaryLanguage={"Language": "en-US"})  # fmt: skip
    line.says("speech.novelty", Text="?")
    line.raw(b"\x00")
    assert line.told(UserTranscript)[-1].text == "Yes."
    assert line.told(UserTranscript)[-1].locale == "en-US"
    assert [event.type for event in line.told(Other)] == ["speech.novelty", None]


def test_a_line_is_left_before_its_hour_at_a_quiet_moment():
    line = Line()
    line.connect()
    line.give(10)
    line.heard()
    machine = line.machine
    assert not machine.wants_rollover(3479)
    assert machine.wants_rollover(3481)
    line.supposes("I am", 0)
    assert not machine.wants_rollover(3481)
    assert machine.wants_rollover(3561)
    line.writes("I am done.", 0, 10)
    assert machine.wants_rollover(3481)


def test_what_was_not_written_down_at_the_end_is_told():
    line = Line()
    line.connect()
    line.give(100)
    line.machine.close()
    line.machine.ended("closed by the caller", code=None, now=line.now)
    line.note()
    [warned] = line.told(Warned)
    assert warned.code == "audio_not_written_down"
    assert "2.0 s" in warned.message


PATHS = st.sampled_from([
    "turn.start", "speech.startDetected", "speech.hypothesis", "speech.phrase",
    "speech.endDetected", "turn.end", "speech.novelty",
])  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-5, 300).map(lambda frames: frames * TICKS), st.none(), st.just("x"),
    st.integers(), st.floats(), st.booleans(),
)  # fmt: skip
BODIES = st.fixed_dictionaries({}, optional={
    "Offset": NUMBERS,
    "Duration": NUMBERS,
    "Text": st.sampled_from(["", "a", "a b", None, 7]),
    "DisplayText": st.sampled_from(["", "A.", "A b.", None, 7]),
    "RecognitionStatus": st.sampled_from(
        ["Success", "NoMatch", "EndOfDictation", "Error", "InitialSilenceTimeout", "", None, 5]
    ),
    "NBest": st.sampled_from([[], [None], [{"Display": "B."}], {}]),
    "context": st.sampled_from([None, {"serviceTag": "t"}, "x"]),
    "clientAudioMetadata": st.sampled_from([None, {"X-Client-Commit-Token": "1"}, []]),
})  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("give"), st.integers(1, 30)),
    st.tuples(st.just("take"), st.none()),
    st.tuples(st.just("commit"), st.none()),
    st.tuples(st.just("lose"), st.none()),
    st.tuples(st.just("pong"), st.none()),
    st.tuples(st.just("wait"), st.floats(0, 10)),
    st.tuples(st.just("other turn"), PATHS),
    st.tuples(st.just("garbage"), st.one_of(st.text(max_size=40), st.binary(max_size=40))),
    st.tuples(st.just("says"), st.tuples(PATHS, BODIES)),
    st.tuples(st.just("says"), st.tuples(PATHS, BODIES)),
    st.tuples(st.just("says"), st.tuples(PATHS, BODIES)),
)


@given(st.lists(STEPS, max_size=60), st.booleans())
@settings(max_examples=150, deadline=None)
def test_in_any_order_every_message_is_told_and_no_audio_is_skipped(steps, detects):
    line = Line(detects=detects, buffer_seconds=30)
    line.connect()
    for kind, value in steps:
        start = line.machine.hearing.buffer.start
        if kind == "give":
            line.give(value, speech=bool(value % 2))
        elif kind == "commit":
            line.machine.commit(now=line.now)
        elif kind == "lose":
            line.lose()
            line.connect()
        elif kind == "pong":
            line.machine.pong(line.machine.ping())
        elif kind == "wait":
            line.now += value
            line.machine.tick(line.now)
        elif kind != "take":
            told = len(line.events)
            if kind == "garbage":
                line.raw(value)
            elif kind == "other turn":
                line.says(value, request_id="f" * 32)
            else:
                line.says(value[0], **value[1])
            assert len(line.events) > told
        assert line.machine.hearing.buffer.start >= start
        sent = [each for each in line.heard() if isinstance(each, int)]
        assert sent == list(range(sent[0], sent[0] + len(sent))) if sent else True
        if line.machine.failure:
            return
    # Whatever came: at the end, all that is not acknowledged is sent once more, and is drained.
    line.lose()
    first = -(-line.machine.hearing.buffer.start // 320)
    again = [each for each in line.connect() if isinstance(each, int)]
    assert [each for each in again if each >= first] == list(range(first, line.given))
    line.machine.close()
    assert "end" in line.heard()
    line.writes("", 0, 0, status="EndOfDictation")
    line.says("turn.end")
    assert line.machine.is_drained
    line.machine.ended("over", code=None, now=line.now)
    line.note()
    assert isinstance(line.events[-1], Ended)
