"""The machine of a cascade: ears, brain and mouth told what to do, whatever they do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk.errors import InvalidRequest, StreamTruncated
from mai_sdk.session.cascade import Cascade
from mai_sdk.session.making import Leave, Speak, Think
from mai_sdk.wire.events import ToolCall
from mai_sdk.wire.session_events import (
    AgentTranscript,
    AudioChunk,
    Ended,
    Failed,
    Interrupted,
    Reconnected,
    SpeechEnded,
    SpeechStarted,
    ToolAnswered,
    ToolCalled,
    TurnDone,
    UserTranscript,
)

SECOND = bytes(48_000)
BROKEN = StreamTruncated("It broke off.")


class Stage:
    """A machine, and who plays its parts."""

    def __init__(self, **settings):
        self.now = 0.0
        self.machine = Cascade(given_at=lambda offset_ms: offset_ms / 1000, **settings)
        self.events = []
        self.work = []

    def do(self, name, *args, **named):
        self.now += 0.01
        outcome = getattr(self.machine, name)(*args, **named)
        self.work += self.machine.take_work()
        self.events += self.machine.take_events()
        return outcome

    def at(self, name, *args, **named):
        return self.do(name, *args, now=self.now, **named)

    def user(self, text, item_id, *, at_ms=0.0):
        """Say something aloud, as the ears tell of it."""
        self.at("heard", SpeechStarted(offset_ms=at_ms))
        self.at("heard", SpeechEnded(offset_ms=at_ms))
        self.at("heard", UserTranscript(text=text, final=True, item_id=item_id))
        turn = TurnDone(status="completed", user_text=text, item_id=item_id, listened_ms=700.0)
        self.at("heard", turn)

    def next(self, kind):
        """Return the next thing to be done, which is of that kind."""
        work = self.work.pop(0)
        assert isinstance(work, kind)
        return work

    def told(self, *kinds):
        return [event for event in self.events if isinstance(event, kinds)]

    def say(self, text="Yes, of course. Good."):
        """Answer, up to where the mouth has said its first sentence."""
        think = self.next(Think)
        for word in text.split(" "):
            self.at("wrote", think.response_id, word + " ")
        self.at("thought", think.response_id, finish_reason="stop")
        speak = self.next(Speak)
        self.at("spoke", think.response_id, speak.number, SECOND)
        return think.response_id, speak

    def perform(self):
        """Play every part fairly until there is nothing to be done."""
        while self.work:
            work = self.work.pop(0)
            if isinstance(work, Think):
                self.at("wrote", work.response_id, "A sentence. ")
                self.at("thought", work.response_id)
            elif isinstance(work, Speak):
                self.at("spoke", work.response_id, work.number, SECOND)
                self.at("said", work.response_id, work.number)
            else:
                self.leave(work.response_id)

    def leave(self, response_id):
        self.at("thought", response_id)
        for number in range(40):
            self.at("said", response_id, number)


def test_a_question_is_answered_sentence_by_sentence_and_measured():
    stage = Stage()
    stage.now = 5.0
    stage.user("Is it?", "u1", at_ms=4000.0)
    think = stage.next(Think)
    assert think.messages == [{"role": "user", "content": "Is it?"}]
    stage.at("wrote", think.response_id, "Yes. And")
    first = stage.next(Speak)
    assert first.text == "Yes."
    stage.at("wrote", think.response_id, " more. Even more.")
    assert stage.work == []
    stage.at("spoke", think.response_id, first.number, SECOND)
    stage.at("played", ms=10)
    stage.at("said", think.response_id, first.number)
    second = stage.next(Speak)
    assert second.text == "And more."
    stage.at("thought", think.response_id, finish_reason="stop")
    stage.at("said", think.response_id, second.number)
    third = stage.next(Speak)
    assert stage.told(TurnDone) == []
    stage.at("said", think.response_id, third.number)
    [done] = stage.told(TurnDone)
    assert (done.status, done.user_text, done.agent_text) == (
        "completed",
        "Is it?",
        "Yes. And more. Even more.",
    )
    assert done.listened_ms == 700
    assert 1000 < done.first_text_ms < done.first_audio_ms < done.first_audible_ms < 1200
    assert [turn.item_id for turn in done.raw] == ["u1"]
    assert stage.told(AgentTranscript)[-1].whole == done.agent_text


@pytest.mark.parametrize(
    ("played", "remembered"),
    [
        (1500, "One two. Three"),
        (1000, "One two."),
        (0, None),
        (None, "One two. Three four."),  # not "Five", which was never made sound
    ],
)
def test_the_brain_remembers_what_was_heard(played, remembered):
    stage = Stage()
    stage.at("send_text", "Count.")
    response_id, first = stage.say("One two. Three four. Five.")
    stage.at("said", response_id, first.number)
    second = stage.next(Speak)
    stage.at("spoke", response_id, second.number, SECOND)
    if played is not None:
        stage.at("played", ms=played)
    assert stage.do("interrupt")
    assert isinstance(stage.next(Leave), Leave)
    stage.at("spoke", response_id, second.number, SECOND)
    assert len(stage.told(AudioChunk)) == 2
    [cut] = stage.told(Interrupted)
    assert (cut.heard_ms, cut.received_ms, cut.by) == (played or 0, 2000, "caller")
    assert stage.told(TurnDone) == []
    stage.leave(response_id)
    [done] = stage.told(TurnDone)
    assert (done.status, done.reason, done.was_interrupted) == (
        "cancelled",
        "client_cancelled",
        True,
    )
    stage.at("send_text", "What did you say?")
    told = [m["content"] for m in stage.next(Think).messages if m["role"] == "assistant"]
    assert told == ([] if remembered is None else [remembered])


def test_an_answer_that_is_over_and_still_plays_is_cut_too():
    stage = Stage()
    stage.at("send_text", "Count.")
    response_id, speak = stage.say("One two three four.")
    stage.at("said", response_id, speak.number)
    assert stage.told(TurnDone)[0].status == "completed"
    stage.at("played", ms=500)
    stage.user("Stop.", "u1")
    [cut] = stage.told(Interrupted)
    assert (cut.response_id, cut.heard_ms, cut.by) == (response_id, 500, "user")
    assert stage.next(Think).messages[1]["content"] == "One two"


def test_a_cough_does_not_stop_the_agent_but_words_do():
    stage = Stage(barge_in_ms=240)
    stage.at("send_text", "Count.")
    stage.say()
    stage.at("heard", SpeechStarted(offset_ms=0.0))
    stage.do("speech", 120.0)
    stage.at("heard", SpeechEnded(offset_ms=120.0))
    stage.at("heard", TurnDone(status="completed", user_text="", item_id="u1"))
    assert stage.told(Interrupted) == []
    assert stage.told(TurnDone)[0].reason == "no_words"
    stage.at("heard", SpeechStarted(offset_ms=300.0))
    stage.do("speech", 240.0)
    stage.at("heard", UserTranscript(text="Stop", final=False, item_id="u2"))
    assert len(stage.told(Interrupted)) == 1


def test_words_stop_the_agent_before_it_is_known_how_long_they_took():
    stage = Stage()
    stage.at("send_text", "Count.")
    stage.say()
    stage.at("heard", UserTranscript(text="Stop", final=False, item_id="u2"))
    assert len(stage.told(Interrupted)) == 1


def test_nobody_is_answered_while_they_speak():
    stage = Stage()
    stage.at("heard", SpeechStarted(offset_ms=0.0))
    stage.at("heard", TurnDone(status="completed", user_text="One,", item_id="u1"))
    assert stage.work == []
    stage.user("two.", "u2")
    assert stage.next(Think).messages == [{"role": "user", "content": "One,\ntwo."}]
    assert stage.work == []


def test_functions_are_answered_before_the_brain_goes_on():
    stage = Stage()
    stage.at("send_text", "Weather?")
    think = stage.next(Think)
    stage.at("wrote", think.response_id, "Wait.")
    for name in ("here", "there"):
        call = ToolCall(id="call_0", name=name, arguments="{}")  # the same id, as some services do
        stage.at("called", think.response_id, call)
    here, there = stage.told(ToolCalled)
    assert here.call_id != there.call_id
    stage.at("answer_call", here.call_id, "rain")
    stage.at("thought", think.response_id, finish_reason="tool_calls")
    speak = stage.next(Speak)
    stage.at("answer_call", there.call_id, "sun", failed=True)
    assert stage.work == []
    stage.at("said", think.response_id, speak.number)
    messages = stage.next(Think).messages
    assert [each["role"] for each in messages] == ["user", "assistant", "tool", "tool"]
    assert [each.failed for each in stage.told(ToolAnswered)] == [False, True]


def test_a_brain_that_fails_fails_the_turn_and_not_the_session():
    stage = Stage()
    stage.at("send_text", "Hello?")
    think = stage.next(Think)
    stage.at("wrote", think.response_id, "It is. Not")
    speak = stage.next(Speak)
    stage.at("thought", think.response_id, error=BROKEN)
    stage.at("said", think.response_id, speak.number)
    assert [event.error for event in stage.told(Failed)] == [BROKEN]
    [done] = stage.told(TurnDone)
    assert (done.status, done.reason) == ("failed", "StreamTruncated")
    stage.at("send_text", "Again.")
    assert stage.next(Think)


def test_an_answer_whose_mouth_fails_goes_on_in_writing():
    stage = Stage()
    stage.at("send_text", "Hello?")
    think = stage.next(Think)
    stage.at("wrote", think.response_id, "Yes. No")
    speak = stage.next(Speak)
    stage.at("said", think.response_id, speak.number, error=BROKEN)
    stage.at("wrote", think.response_id, "w. Then.")
    stage.at("thought", think.response_id, finish_reason="length")
    assert stage.work == []
    assert [event.error for event in stage.told(Failed)] == [BROKEN]
    assert [event.spoken for event in stage.told(AgentTranscript)] == [True, False, False]
    [done] = stage.told(TurnDone)
    assert (done.status, done.reason) == ("incomplete", "max_output_tokens")
    assert done.agent_text == "Yes. Now. Then."


def test_what_came_in_writing_was_there_to_be_read():
    stage = Stage()
    stage.at("send_text", "Hello?")
    think = stage.next(Think)
    stage.at("wrote", think.response_id, "Yes. No")
    speak = stage.next(Speak)
    stage.at("said", think.response_id, speak.number, error=BROKEN)
    stage.at("played", ms=0)
    assert stage.do("interrupt")
    stage.next(Leave)
    stage.leave(think.response_id)
    stage.at("send_text", "Go on.")
    assert stage.next(Think).messages[1]["content"] == "Yes. No"


def test_a_greeting_needs_instructions_or_a_conversation():
    stage = Stage()
    with pytest.raises(InvalidRequest, match="Nothing was said"):
        stage.at("respond")
    stage.at("respond", instructions="Greet the caller.")
    think = stage.next(Think)
    assert think.messages == [{"role": "user", "content": "Greet the caller."}]
    assert think.extra is None


def test_what_was_said_last_is_in_a_turn_though_nobody_answers_any_more():
    stage = Stage()
    stage.at("send_text", "Hello?")
    response_id, _ = stage.say()
    stage.do("close")
    stage.at("heard", TurnDone(status="completed", user_text="Bye.", item_id="u1"))
    stage.at("heard", Ended(reason="closed", code=1000))
    stage.at("ended", "closed by the caller")
    stage.at("ended", "again")
    stage.leave(response_id)
    assert [done.reason for done in stage.told(TurnDone)] == ["session_closed"] * 2
    assert (stage.events[-1].code, len(stage.told(Ended))) == (1000, 1)


names = st.sampled_from([f"answer-{n}" for n in range(1, 6)])
numbers = st.integers(0, 3)
items = st.sampled_from(["u1", "u2", "u3", None])
texts = st.sampled_from(["", " ", "Yes. ", "a clause that is long enough, and", "```x", "**No.** "])
errors = st.sampled_from([None, None, BROKEN])
heard = st.one_of(
    st.builds(SpeechStarted, offset_ms=st.sampled_from([None, 10.0])),
    st.builds(SpeechEnded, offset_ms=st.sampled_from([None, 20.0])),
    st.builds(UserTranscript, text=texts, final=st.booleans(), item_id=items),
    st.builds(
        TurnDone, status=st.sampled_from(["completed", "failed"]), user_text=texts, item_id=items
    ),
    st.just(Reconnected(why="it broke", connections=2)),
    st.just(Failed(error=BROKEN)),
)
calls = st.builds(ToolCall, id=st.sampled_from(["", "c1", "c2"]), name=st.just("f"),
                  arguments=st.just("{}"))  # fmt: skip
steps = st.one_of(
    st.tuples(st.just("heard"), heard),
    st.tuples(st.just("wrote"), names, texts),
    st.tuples(st.just("called"), names, calls),
    st.tuples(st.just("thought"), names, errors),
    st.tuples(st.just("spoke"), names, numbers, st.just(bytes(960))),
    st.tuples(st.just("said"), names, numbers, errors),
    st.tuples(st.just("answer_call"), st.sampled_from(["c1", "c2", "call-3"]), st.just("out")),
    st.tuples(st.just("send_text"), st.just("Hello.")),
    st.tuples(st.just("speech"), st.sampled_from([100.0, 400.0])),
    st.tuples(st.just("interrupt")),
    st.tuples(st.just("played"), st.integers(0, 50)),
    st.tuples(st.just("perform")),
)


def play(stage, step):
    name, *args = step
    if name == "perform":
        stage.perform()
    elif name in ("speech", "interrupt"):
        stage.do(name, *args)
    elif name == "played":
        stage.at(name, ms=args[0])
    elif name in ("thought", "said"):
        stage.at(name, *args[:-1], error=args[-1])
    else:
        stage.at(name, *args)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40), st.booleans())
def test_whatever_happens_every_turn_ends_once_and_the_next_one_is_answered(script, is_closed):
    stage = Stage()
    asked = []
    for step in script:
        play(stage, step)
    if not is_closed:  # whatever was, the next question is answered
        stage.perform()
        before = len(stage.told(TurnDone))
        stage.user("Still there?", "last")
        stage.perform()
        last = stage.told(TurnDone)[before:]
        assert any(done.status == "completed" and done.agent_text for done in last)
        assert stage.machine.agent.answers.open == {}
    stage.do("close")
    stage.at("ended", "closed")
    asked = [event.response_id for event in stage.told(TurnDone) if event.response_id]
    assert len(asked) == len(set(asked))
    begun = {each.response_id for each in stage.machine.latencies}
    assert set(asked) == begun
    assert isinstance(stage.events[-1], Ended)
    for place, event in enumerate(stage.events):
        if isinstance(event, Interrupted):
            late = stage.events[place:]
            assert not [
                e for e in late if isinstance(e, AudioChunk) and e.response_id == event.response_id
            ]
    told = [turn for done in stage.told(TurnDone) for turn in done.raw]
    assert len({id(turn) for turn in told}) == len(told)
    for step in script:  # nothing is lost silently
        if step[0] == "heard" and not isinstance(step[1], TurnDone):
            assert step[1] in stage.events
        if step[0] == "heard" and isinstance(step[1], TurnDone) and step[1].item_id is None:
            assert any(turn.item_id is None for turn in told)
