"""The machine of a conversation: what is sent, kept, sent again, cut and told."""

import base64
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service import RATE, Model, Talk, frame, late, sound, turns

from mai_sdk.errors import AudioOverflow, InvalidRequest, MAIError
from mai_sdk.session.conversation import Conversation
from mai_sdk.wire.session_events import (
    AgentTranscript,
    AudioChunk,
    Failed,
    Interrupted,
    Other,
    Reconnected,
    SessionStarted,
    SpeechEnded,
    SpeechStarted,
    ToolAnswered,
    ToolCalled,
    UserTranscript,
    Warned,
)


@pytest.fixture
def talk():
    made = Talk(instructions="Be brief.")
    made.connect()
    return made


def kinds(frames):
    return [each["type"] for each in frames]


def test_a_session_starts_once_it_is_configured(talk):
    assert talk.sent[0] == {
        "type": "session.update",
        "event_id": "settings-1",
        "session": {"turn_detection": {"type": "server_vad"}, "instructions": "Be brief."},
    }
    assert [event.session_id for event in talk.told(SessionStarted)] == ["s1"]


def test_a_spoken_turn_ends_with_what_both_said_and_how_long_it_took(talk):
    talk.listens(2)
    talk.user_says("u1", 200, 1500, text="What now?")
    talk.now = 2.5
    talk.answers("r1")
    talk.machine.played(ms=100, now=2.6)
    talk.done("r1")
    [started], [ended] = talk.told(SpeechStarted), talk.told(SpeechEnded)
    assert (started.offset_ms, ended.offset_ms) == (200, 1500)
    [turn] = turns(talk.events)
    assert (turn.status, turn.user_text, turn.agent_text) == ("completed", "What now?", "Well now")
    assert (turn.listened_ms, turn.received_ms, turn.heard_ms) == (1300, 400, 100)
    assert turn.first_text_ms == turn.first_audio_ms == pytest.approx(1000, abs=1)
    assert turn.first_audible_ms == pytest.approx(1100, abs=1)


def test_a_transcript_may_come_after_the_answer(talk):
    talk.listens(2)
    talk.user_says("u1", 200, 1500)
    talk.answers("r1")
    talk.done("r1")
    talk.writes("u1", "Late words")
    assert [event.text for event in talk.told(UserTranscript)] == ["Late words"]
    talk.drop()
    items = [each["item"] for each in talk.connect() if each["type"].endswith("item.create")]
    assert [item["content"][0]["text"] for item in items] == ["Late words", "Well now"]


def test_what_nobody_knows_is_kept_as_it_came(talk):
    talk.says("response.sparkle.delta", shine=3)
    [other] = [event for event in talk.told(Other) if event.type == "response.sparkle.delta"]
    assert other.raw.raw == {"type": "response.sparkle.delta", "shine": 3}


class TestBargeIn:
    def test_the_users_voice_stops_the_agent_where_it_was_heard(self, talk):
        talk.answers("r1", ms=1000)
        talk.machine.played(ms=340, now=1)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u2")
        [cut] = talk.take()
        assert cut == {
            "type": "conversation.item.truncate",
            "item_id": "a1", "content_index": 0, "audio_end_ms": 340,
        }  # fmt: skip
        [told] = talk.told(Interrupted)
        assert (told.response_id, told.heard_ms, told.received_ms) == ("r1", 340, 1000)
        talk.speaks("r1", "a1", 200)
        talk.done("r1", "cancelled", status_details={"reason": "turn_detected"})
        talk.speaks("r1", "a1", 200)
        assert late(talk.events) == []
        assert talk.machine.agent.dropped_ms == 400
        assert turns(talk.events)[0].reason == "turn_detected"

    def test_what_was_not_heard_is_not_cut_at_nothing(self, talk):
        talk.answers("r1", ms=1000)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u2")
        assert talk.take() == []
        assert talk.told(Interrupted)[0].heard_ms == 0

    def test_an_answer_that_is_over_is_cut_while_it_plays(self, talk):
        talk.answers("r1", ms=1000)
        talk.done("r1")
        talk.machine.played(ms=250, now=1)
        assert talk.machine.interrupt(now=1)
        assert kinds(talk.take()) == ["conversation.item.truncate"]
        assert not talk.machine.interrupt(now=1)
        assert talk.take() == []

    def test_what_was_heard_to_its_end_is_not_cut(self, talk):
        talk.answers("r1", ms=1000)
        talk.done("r1")
        talk.machine.played(ms=1000, now=1)
        assert not talk.machine.interrupt(now=1)
        assert talk.take() == []

    def test_the_caller_can_stop_it_before_it_begins(self, talk):
        talk.machine.send_text("Tell me", now=0)
        talk.take()
        assert talk.machine.interrupt(now=0)
        assert kinds(talk.take()) == ["response.cancel"]
        talk.answers("r1")
        talk.done("r1", "cancelled")
        assert talk.told(AudioChunk) == []
        assert talk.told(AgentTranscript) == []

    def test_a_session_that_does_not_yield_goes_on(self):
        talk = Talk(turn_detection={"type": "server_vad", "interrupt_response": False})
        talk.connect()
        talk.answers("r1", ms=1000)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u2")
        talk.speaks("r1", "a1", 100)
        assert talk.told(Interrupted) == []
        assert len(talk.told(AudioChunk)) == 2

    def test_the_service_is_not_told_what_it_reckons_itself(self):
        talk = Talk(turn_detection={"type": "server_vad", "auto_truncate": True})
        talk.connect()
        talk.answers("r1", ms=1000)
        talk.machine.played(ms=340, now=1)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u2")
        assert talk.take() == []

    def test_what_was_not_heard_is_not_told_to_another_connection(self, talk):
        talk.answers("r1", text="one two three four five", ms=1000)
        talk.done("r1")
        talk.machine.played(ms=500, now=1)
        talk.machine.interrupt(now=1)
        talk.drop()
        [item] = [each["item"] for each in talk.connect() if each["type"].endswith("item.create")]
        assert item["content"][0]["text"] == "one two"

    def test_in_a_thousand_interruptions_the_cut_is_what_was_heard(self):
        chance = random.Random(11)  # noqa: S311 - it decides a test
        cuts = 0
        for number in range(1000):
            talk = Talk()
            talk.connect()
            received = played = 0
            name = f"r{number}"
            talk.says("response.created", response={"id": name})
            for _ in range(chance.randrange(1, 30)):
                ms = chance.choice([20, 40, 100, 250])
                talk.speaks(name, "a1", ms)
                received += ms
                if chance.random() < 0.6:
                    step = chance.choice([0, 5, 20, 33.3, 120])
                    talk.machine.played(ms=step, now=1)
                    played = min(played + step, received)
            if chance.random() < 0.3:
                talk.done(name)
            if chance.random() < 0.5:
                talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
            else:
                talk.machine.interrupt(now=1)
                talk.collect()
            for _ in range(3):
                talk.speaks(name, "a1", 100)
            talk.done(name, "cancelled")
            talk.speaks(name, "a1", 100)
            sent = [each for each in talk.take() if each["type"].endswith("truncate")]
            told = talk.told(Interrupted)
            if told:
                assert abs(told[0].heard_ms - played) < 20
            for cut in sent:
                cuts += 1
                assert 0 < cut["audio_end_ms"] <= received
                assert abs(cut["audio_end_ms"] - played) < 20, "not what was heard"
            assert len(sent) <= 1
            if told and 1 <= played < received:
                assert len(sent) == 1
            assert late(talk.events) == []
        assert cuts > 500


class TestAsking:
    def test_text_is_answered_once_the_answer_under_way_has_ended(self, talk):
        talk.answers("r1")
        talk.machine.send_text("And then?", now=1)
        assert kinds(talk.take()) == ["conversation.item.create"]
        talk.done("r1")
        assert kinds(talk.take()) == ["response.create"]

    def test_a_service_that_is_busy_is_asked_again(self, talk):
        talk.machine.send_text("Hello", now=0)
        talk.take()
        busy = {"code": "conversation_already_has_active_response", "message": "Busy."}
        talk.says("error", error=busy)
        assert talk.take() == []
        talk.done("unknown")
        assert kinds(talk.take()) == ["response.create"]
        assert talk.told(Warned)[0].code == busy["code"]

    def test_an_answer_that_never_begins_does_not_keep_others_from_it(self, talk):
        talk.machine.send_text("Hello", now=0)
        talk.machine.send_text("Hello?", now=1)
        assert kinds(talk.take()).count("response.create") == 1
        talk.machine.tick(5)
        assert talk.take() == []
        talk.machine.tick(12)
        assert kinds(talk.take()) == ["response.create"]

    def test_nothing_is_asked_over_the_users_voice(self, talk):
        talk.listens(1)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u1")
        talk.machine.send_text("By the way", now=1)
        assert kinds(talk.take()) == ["conversation.item.create"]
        talk.says("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="u1")
        talk.says("input_audio_buffer.committed", item_id="u1")
        talk.answers("r1")
        talk.done("r1")
        assert talk.take() == [], "one answer is to both"

    @pytest.mark.parametrize(
        "error",
        [
            {"code": "response_cancel_not_active", "message": "Nothing to cancel."},
            {"code": "item_already_truncated", "message": "Done."},
            {"code": "invalid", "message": "Audio content of 5ms is already shorter than 9ms"},
        ],
    )
    def test_what_happened_already_is_no_failure(self, talk, error):
        talk.says("error", error=error)
        assert talk.told(Failed) == []
        assert talk.told(Warned)[0].message == error["message"]

    def test_settings_that_are_refused_end_the_session(self):
        talk = Talk()
        talk.machine.connected(now=0, wall=0)
        error = {"code": "invalid_value", "type": "invalid_request_error", "message": "No."}
        talk.says("error", error={**error, "event_id": "settings-1"})
        assert isinstance(talk.machine.failure, MAIError)


class TestPushToTalk:
    @pytest.fixture
    def talk(self):
        made = Talk(turn_detection=None)
        made.connect()
        return made

    def test_a_commit_ends_the_turn(self, talk):
        talk.listens(1)
        assert talk.machine.commit(now=1)
        assert kinds(talk.take()) == ["input_audio_buffer.commit", "response.create"]
        assert not talk.machine.commit(now=1), "there is nothing more"

    def test_audio_is_kept_whatever_the_service_has(self, talk):
        talk.listens(60)
        talk.machine.pong(talk.machine.ping())
        assert len(talk.machine.hearing.buffer) == 60 * RATE

    def test_commits_are_repeated_with_their_audio(self, talk):
        talk.listens(1)
        talk.machine.commit(now=1)
        talk.listens(0.5)
        talk.drop()
        talk.machine.connected(now=2, wall=2)
        sent = kinds([json.loads(each) for each in talk.machine.take_frames()])
        audio = "input_audio_buffer.append"
        assert sent == [
            "session.update", *[audio] * 50, "input_audio_buffer.commit", *[audio] * 25,
            "response.create",
        ]  # fmt: skip


class TestTools:
    def call(self, talk, response_id="r1", call_id="c1"):
        talk.says(
            "response.function_call_arguments.done",
            response_id=response_id, item_id=f"i{call_id}", call_id=call_id,
            name="weather", arguments='{"city":"Oslo"}',
        )  # fmt: skip

    def test_a_call_is_told_once_and_answered_when_all_are(self, talk):
        talk.says("response.created", response={"id": "r1"})
        self.call(talk)
        self.call(talk)
        self.call(talk, call_id="c2")
        item = {"type": "function_call", "id": "ic1", "call_id": "c1", "name": "weather"}
        talk.says("response.output_item.done", response_id="r1", item=item)
        assert [event.call_id for event in talk.told(ToolCalled)] == ["c1", "c2"]
        talk.machine.answer_call("c1", "rain", failed=False, now=0)
        talk.done("r1")
        assert kinds(talk.take()) == ["conversation.item.create"]
        talk.machine.answer_call("c2", "sun", failed=False, now=0)
        assert kinds(talk.take()) == ["conversation.item.create", "response.create"]
        talk.collect()
        assert [event.name for event in talk.told(ToolAnswered)] == ["weather", "weather"]

    def test_calls_and_answers_are_told_to_another_connection(self, talk):
        talk.says("response.created", response={"id": "r1"})
        self.call(talk)
        talk.done("r1")
        talk.drop()
        talk.connect()
        talk.machine.answer_call("c1", "rain", failed=False, now=0)
        assert kinds(talk.take()) == ["conversation.item.create", "response.create"]
        talk.drop()
        sent = [each for each in talk.connect() if each["type"] != "session.update"]
        assert [each["item"]["type"] for each in sent if "item" in each] == [
            "function_call", "function_call_output",
        ]  # fmt: skip
        assert sent[-1]["type"] == "response.create", "it was asked for, and nothing came"


class TestReconnecting:
    def test_the_conversation_is_told_again_and_the_user_hears_of_it(self, talk):
        talk.listens(3)
        talk.user_says("u1", 200, 1500, text="Question")
        talk.answers("r1")
        talk.done("r1")
        talk.now = 10
        talk.drop("close code 1011")
        talk.now = 12
        sent = talk.connect()
        assert kinds(sent) == ["session.update", *["conversation.item.create"] * 2]
        [news] = talk.told(Reconnected)
        assert (news.why, news.connections, news.replayed_items) == ("close code 1011", 2, 2)
        assert (news.resent_ms, news.down_ms, news.response_lost) == (1500, 2000, False)

    def test_settings_changed_on_the_way_hold_on_every_connection(self, talk):
        talk.machine.update({"instructions": "Be long."})
        talk.drop()
        assert talk.connect()[0]["session"]["instructions"] == "Be long."

    def test_a_question_that_was_written_down_is_asked_again_if_nothing_was_heard(self, talk):
        talk.listens(2)
        talk.user_says("u1", 200, 1500, text="Question")
        talk.says("response.created", response={"id": "r1"})
        talk.drop()
        assert kinds(talk.connect())[-1] == "response.create"
        assert [turn.reason for turn in turns(talk.events)] == ["connection_lost"]
        assert talk.told(Reconnected)[0].response_lost

    def test_an_answer_that_was_heard_in_part_is_not_begun_anew(self, talk):
        talk.listens(2)
        talk.user_says("u1", 200, 1500, text="Question")
        talk.answers("r1")
        talk.drop()
        assert "response.create" not in kinds(talk.connect())

    def test_a_question_not_yet_written_down_is_heard_again(self, talk):
        talk.listens(2)
        talk.user_says("u1", 200, 1500)
        talk.answers("r1")
        talk.drop()
        talk.connect()
        assert talk.told(Reconnected)[0].resent_ms == 2000
        assert talk.told(Reconnected)[0].replayed_items == 0

    def test_positions_go_on_counting(self, talk):
        talk.listens(2)
        talk.user_says("u1", 200, 1500, text="Question")
        talk.drop()
        talk.connect()
        talk.listens(2)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=1000, item_id="u2")
        assert talk.told(SpeechStarted)[-1].offset_ms == 2500

    def test_silence_the_service_has_is_not_kept(self, talk):
        talk.listens(30)
        talk.machine.pong(talk.machine.ping())
        assert len(talk.machine.hearing.buffer) == 2 * RATE
        talk.machine.pong(b"none of ours")

    def test_what_still_waits_to_be_sent_is_proven_by_no_pong(self, talk):
        for index in range(500):
            talk.machine.send_audio(frame(index), now=talk.now)
        ping = talk.machine.ping()
        talk.take()
        talk.machine.pong(ping)
        assert len(talk.machine.hearing.buffer) == 500 * 480

    def test_what_does_not_fit_is_refused_whole(self):
        made = Conversation({}, sample_rate=RATE, output_rate=RATE, buffer_seconds=1)
        for index in range(50):
            made.send_audio(frame(index), now=0)
        with pytest.raises(AudioOverflow, match=r"1\.0 s of audio"):
            made.send_audio(frame(50), now=0)
        with pytest.raises(InvalidRequest):
            made.send_audio(b"x", now=0)

    def test_an_expiry_is_met_at_a_quiet_moment_before_it_strikes(self):
        talk = Talk()
        talk.machine.connected(now=0, wall=1000)
        talk.says("session.created", session={"id": "s", "expires_at": 1000 + 1800})
        assert not talk.machine.wants_rollover(1600)
        assert talk.machine.wants_rollover(1700)
        talk.says("response.created", response={"id": "r"})
        assert not talk.machine.wants_rollover(1700)
        assert talk.machine.wants_rollover(1765), "it cannot wait any longer"

    @pytest.mark.parametrize("seed", range(60))
    def test_no_audio_is_lost_or_out_of_order_whatever_happens(self, seed):
        model = Model(seed)
        model.connect()
        for _ in range(12):
            for _ in range(model.chance.randrange(5, 120)):
                model.give()
                if model.chance.random() < 0.3:
                    model.act()
            model.drop()
            for _ in range(model.chance.randrange(30)):
                model.give()
            model.connect()
        model.give()
        for heard in model.heard:
            assert heard == list(range(heard[0], heard[0] + len(heard))) if heard else True
        reached = -1
        for heard in model.heard:
            if heard:
                assert heard[0] <= reached + 1, "a gap between connections"
                reached = max(reached, heard[-1])
        assert reached == model.given - 1


# --- any events, in any order -------------------------------------------------------------------

IDS = st.sampled_from(["x1", "x2", "x3"])


def event(kind, **fields):
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


MS = st.integers(0, 5000)
SERVER = st.one_of(
    event("session.created", session=st.just({"id": "s"})),
    event("session.updated", session=st.just({"id": "s"})),
    event("input_audio_buffer.speech_started", audio_start_ms=MS, item_id=IDS),
    event("input_audio_buffer.speech_stopped", audio_end_ms=MS, item_id=IDS),
    event("input_audio_buffer.committed", item_id=IDS),
    event(
        "conversation.item.input_audio_transcription.completed",
        item_id=IDS, transcript=st.text(max_size=5),
    ),
    event("conversation.item.input_audio_transcription.delta", item_id=IDS, delta=st.text()),
    event(
        "conversation.item.input_audio_transcription.failed",
        item_id=IDS, error=st.just({"code": "x"}),
    ),
    event("response.created", response=st.fixed_dictionaries({"id": IDS})),
    event("response.audio.delta", response_id=IDS, item_id=IDS, delta=st.just(sound(20))),
    event("response.audio_transcript.delta", response_id=IDS, item_id=IDS, delta=st.text()),
    event("response.audio_transcript.done", response_id=IDS, item_id=IDS, transcript=st.text()),
    event("response.text.delta", response_id=IDS, item_id=IDS, delta=st.text()),
    event(
        "response.function_call_arguments.done",
        response_id=IDS, item_id=IDS, call_id=IDS, name=st.just("f"), arguments=st.text(),
    ),
    event(
        "response.done",
        response=st.fixed_dictionaries(
            {"id": IDS, "status": st.sampled_from(["completed", "cancelled", "failed", "odd"])}
        ),
    ),
    event("response.mcp_call.completed", item_id=IDS),
    event("error", error=st.fixed_dictionaries({"code": st.sampled_from(
        ["conversation_already_has_active_response", "item_already_truncated", "odd"])})),
    event("warning", warning=st.just({"message": "hm"})),
    event("unknown.event"),
    st.just({"type": "response.done"}),
    st.just({"no": "type"}),
)  # fmt: skip
ACTS = st.sampled_from([
    "audio", "text", "commit", "clear", "interrupt", "played", "answer", "drop", "tick", "ping",
    "respond", "update",
])  # fmt: skip


def do(talk, act):
    made, now = talk.machine, talk.now
    if act == "drop":
        talk.drop()
        made.connected(now=now, wall=now)
    elif act == "ping":
        made.pong(made.ping())
    else:
        {
            "audio": lambda: made.send_audio(frame(1), now=now),
            "text": lambda: made.send_text("hi", now=now),
            "commit": lambda: made.commit(now=now),
            "clear": made.clear,
            "interrupt": lambda: made.interrupt(now=now),
            "played": lambda: made.played(ms=10, now=now),
            "answer": lambda: made.answer_call("x1", "out", failed=False, now=now),
            "tick": lambda: made.tick(now),
            "respond": lambda: made.respond(now=now),
            "update": lambda: made.update({"instructions": "x"}),
        }[act]()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(SERVER, ACTS), max_size=60), st.booleans())
def test_whatever_comes_nothing_is_lost_silently_and_nothing_hangs(soup, detects):
    talk = Talk(turn_detection={"type": "server_vad"} if detects else None)
    talk.machine.connected(now=0, wall=0)
    for each in soup:
        talk.now += 0.1
        if isinstance(each, str):
            do(talk, each)
            talk.collect()
            continue
        before, dropped = len(talk.events), talk.machine.agent.dropped_ms
        talk.machine.receive(json.dumps(each), now=talk.now)
        talk.collect()
        assert len(talk.events) > before or talk.machine.agent.dropped_ms > dropped, each
    assert late(talk.events) == []
    # Whatever state that is, it can be left: what is under way ends, and an answer can be had.
    for name in ("x1", "x2", "x3"):
        talk.says("input_audio_buffer.committed", item_id=name)
        talk.done(name)
    talk.take()
    talk.machine.respond(now=talk.now)
    talk.machine.tick(talk.now + 11)
    asked = [each for each in talk.take() if each["type"] == "response.create"]
    speaking = talk.machine.hearing.is_open and detects
    assert asked or speaking or talk.machine.agent.answers.open
    talk.machine.close()
    talk.machine.ended("test", code=None, now=talk.now)
    talk.collect()
    assert type(talk.events[-1]).__name__ == "Ended"
    assert not talk.machine.agent.answers.open


@given(st.one_of(st.text(), st.binary(max_size=40)))
def test_what_is_no_event_at_all_is_kept_too(data):
    talk = Talk()
    talk.machine.connected(now=0, wall=0)
    talk.machine.receive(data, now=0)
    assert talk.machine.take_events()


class TestWhatIsMissing:
    def test_a_question_the_service_had_not_begun_to_answer_is_answered(self, talk):
        talk.listens(3)
        talk.user_says("u1", 0, 2000, text="What time is it?")
        talk.drop()
        assert kinds(talk.connect())[-2:] == ["conversation.item.create", "response.create"]

    @pytest.mark.parametrize("pause", [0, 30])
    def test_but_not_one_that_will_be_heard_again_or_was_long_ago(self, talk, pause):
        talk.listens(3)
        talk.user_says("u1", 0, 2000, text="Hm")
        if pause:
            talk.now += pause
        else:
            talk.user_says("u2", 2100, 2900)
        talk.drop()
        assert "response.create" not in kinds(talk.connect())

    @pytest.mark.parametrize("spoke", [False, True])
    def test_a_call_whose_line_is_lost_is_answered_once_and_the_model_goes_on(self, talk, spoke):
        talk.machine.send_text("Weather?", now=0)
        talk.says("response.created", response={"id": "r1"})
        if spoke:
            talk.speaks("r1", "a1", 100)
        talk.says(
            "response.function_call_arguments.done",
            response_id="r1", item_id="f1", call_id="c1", name="weather", arguments="{}",
        )  # fmt: skip
        talk.drop()
        assert "response.create" not in kinds(talk.connect()), "it would be called twice"
        talk.machine.answer_call("c1", "rain", failed=False, now=1)
        assert kinds(talk.take()) == ["conversation.item.create", "response.create"]

    def test_a_call_that_was_answered_before_its_line_is_lost_goes_on(self, talk):
        talk.machine.send_text("Weather?", now=0)
        talk.says("response.created", response={"id": "r1"})
        talk.says(
            "response.function_call_arguments.done",
            response_id="r1", item_id="f1", call_id="c1", name="weather", arguments="{}",
        )  # fmt: skip
        talk.machine.answer_call("c1", "rain", failed=False, now=1)
        talk.drop()
        assert kinds(talk.connect())[-3:] == ["conversation.item.create"] * 2 + ["response.create"]

    def test_an_agent_whose_playback_is_not_reported_is_remembered_whole(self, talk):
        talk.listens(3)
        talk.answers("r1", text="All that I say")
        talk.done("r1")
        talk.user_says("u1", 2000, 2500, text="And then?")
        talk.drop()
        told = [each["item"]["content"][0]["text"] for each in talk.connect() if "item" in each]
        assert told == ["All that I say", "And then?"]

    def test_a_change_that_is_refused_is_not_told_to_another_connection(self, talk):
        talk.machine.update({"voice": "odd", "temperature": 0.7})
        [sent] = talk.take()
        talk.machine.update({"instructions": "Be kind."})
        talk.says("error", error={"code": "invalid_value", "event_id": sent["event_id"]})
        talk.drop()
        session = talk.connect()[0]["session"]
        assert session["instructions"] == "Be kind."
        assert not session.keys() & {"voice", "temperature"}

    def test_settings_that_another_connection_refuses_end_the_session(self, talk):
        talk.drop()
        opening = talk.connect()[0]
        talk.says("error", error={"code": "odd", "event_id": opening["event_id"]})
        assert talk.machine.failure is not None

    def test_speech_the_service_thinks_better_of_keeps_no_audio(self, talk):
        talk.listens(2)
        talk.says("input_audio_buffer.speech_started", audio_start_ms=500, item_id="x")
        talk.says("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="x")
        for _ in range(15):
            talk.listens(1)
            talk.machine.pong(talk.machine.ping())
        assert len(talk.machine.hearing.buffer) <= 3 * RATE
        assert not talk.machine.hearing.is_open

    @pytest.mark.parametrize("how", ["no item", "not written"])
    def test_nor_does_one_that_nothing_comes_of_before_one_that_is_written(self, talk, how):
        talk.listens(4)
        if how == "no item":
            talk.says("input_audio_buffer.speech_started", audio_start_ms=500, item_id="x")
            talk.says("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="x")
        else:
            talk.user_says("x", 500, 900)
            kind = "conversation.item.input_audio_transcription.failed"
            talk.says(kind, item_id="x", error={"code": "odd"})
        talk.user_says("u1", 1500, 3000, text="Words")
        assert talk.machine.hearing.buffer.start == 3 * RATE

    @pytest.mark.parametrize("what", ["end of speech", "end of an answer"])
    def test_what_waits_for_an_end_that_never_comes_is_asked_for_all_the_same(self, talk, what):
        talk.listens(2)
        if what == "end of speech":
            talk.says("input_audio_buffer.speech_started", audio_start_ms=500, item_id="x")
        else:
            talk.answers("r1")
        talk.machine.send_text("Hello?", now=talk.now)
        talk.machine.tick(talk.now + 50)
        assert kinds(talk.take()) == ["conversation.item.create"]
        talk.machine.tick(talk.now + 61)
        assert kinds(talk.take()) == ["response.create"]

    def test_an_answer_without_an_end_ends_with_the_next_one(self, talk):
        talk.answers("r1", item_id="a1")
        talk.answers("r2", item_id="a2")
        talk.done("r2")
        first, second = turns(talk.events)
        assert (first.response_id, first.status, first.reason) == ("r1", "failed", "end_missing")
        assert (second.response_id, second.status, second.reason) == ("r2", "completed", None)

    def test_a_stop_is_not_kept_for_another_answer_than_the_one_it_was_for(self, talk):
        talk.machine.send_text("Hi", now=0)
        assert talk.machine.interrupt(now=0)
        talk.says("error", error={"code": "conversation_already_has_active_response"})
        talk.listens(1)
        talk.user_says("u1", 0, 500, text="Question")
        talk.answers("r9")
        assert talk.told(AudioChunk)

    def test_samples_that_are_cut_in_two_are_put_together(self, talk):
        talk.says("response.created", response={"id": "r"})
        for piece in (b"\1\2\3", b"\4", b"\5", b"\6\7\x08"):
            delta = base64.b64encode(piece).decode()
            talk.says("response.audio.delta", response_id="r", item_id="a", delta=delta)
        chunks = [each.pcm for each in talk.told(AudioChunk)]
        assert chunks == [b"\1\2", b"\3\4", b"\5\6\7\x08"]
        assert talk.machine.agent.playback.unheard_ms == pytest.approx(4 / 24)


def test_audio_goes_out_in_events_the_service_takes_and_all_of_it(talk):
    audio = bytes(range(256)) * 1000
    talk.machine.send_audio(audio, now=0)
    sent = [json.loads(each) for each in talk.machine.take_frames(100_000)]
    assert 1 < len(sent) < 5, "a ping goes between them"
    proven = talk.machine.ping()
    sent += [json.loads(each) for each in talk.machine.take_frames()]
    pieces = [base64.b64decode(each["audio"]) for each in sent]
    assert b"".join(pieces) == audio
    assert max(map(len, pieces)) <= 48_000
    talk.machine.pong(proven)
    assert talk.machine.hearing.buffer.start == 0, "what had not gone out was not proven"
