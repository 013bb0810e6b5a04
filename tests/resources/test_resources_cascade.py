"""client.voice.session(engine="cascade"), against the emulator, end to end."""

# ruff: noqa: SIM117 - one block for the client, one for the session

import asyncio
import functools
import json

import pytest

from mai_sdk import AsyncMAI, Budget
from mai_sdk.emulator import Emulator, VLLMFlags
from mai_sdk.engine.live import Endurance
from mai_sdk.errors import (
    ConfigurationError,
    InvalidRequest,
    MAIError,
    NotConfigured,
    UnsupportedFeature,
)
from mai_sdk.live import (
    AgentTranscript,
    AudioChunk,
    CascadeSettings,
    Ended,
    Failed,
    Interrupted,
    LiveSettings,
    Reconnected,
    ServerVad,
    SessionStarted,
    SpeechEnded,
    SpeechStarted,
    ToolAnswered,
    ToolCalled,
    TurnDetector,
    TurnDone,
    UserTranscript,
)
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.resources import cascade_session
from mai_sdk.resources.voice import AsyncVoice

LONG = "One two three four five. Six seven eight nine ten. Eleven twelve thirteen fourteen."
QUICK = Endurance(silence_seconds=0.8, connections_per_minute=10_000)
TALK = {"engine": "cascade", "brain": "MAI-DS-R1", "model": "MAI-Voice-2-Flash"}


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7, vllm=VLLMFlags(tool_parser=True)) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    yield served
    served.release()


def run(test):
    """Run an async test on a loop of its own, and not for ever."""

    @functools.wraps(test)
    def wrapped(*args, **named):
        async def whole():
            async with asyncio.timeout(25):
                await test(*args, **named)

        asyncio.run(whole())

    return wrapped


async def until(call, kind, *, events=None):
    """Read up to the first event of that kind; return it."""
    async for event in call:
        if events is not None:
            events.append(event)
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the session ended without {kind}")


async def rest(call):
    return [event async for event in call]


async def speak(call, pcm, *, rate=24_000, silence_ms=900):
    """Speak as a microphone does, only faster."""
    step = rate // 50 * 2
    whole = pcm + bytes(rate * 2 * silence_ms // 1000)
    for at in range(0, len(whole) - len(whole) % step, step):
        await call.send(whole[at : at + step])
        await asyncio.sleep(0.001)


def check_bill(call, ledger):
    """The receipts of the session are the rows of the ledger, and all are settled."""
    entries = list(ledger.entries())
    assert entries
    assert all(entry.state not in ("reserved", "sent") for entry in entries)
    (session,) = {entry.operation.session for entry in entries}
    assert session == call.total.call_id
    billed = [entry for entry in entries if entry.state != "released"]
    ours = [attempt.id for receipt in call.receipts for attempt in receipt.attempts]
    assert len(ours) == len(set(ours))
    assert {entry.attempt_id for entry in billed} <= set(ours)
    assert set(ours) <= {entry.attempt_id for entry in entries}
    assert call.total.usage == Usage.sum(receipt.usage for receipt in call.receipts)
    assert call.total.usage == Usage.sum(
        entry.usage for entry in entries if entry.attempt_id in ours
    )
    assert call.total.cost.amount == Cost.sum(entry.cost for entry in billed).amount


def told(emulator):
    """Return what each request told the brain."""
    bodies = [entry for entry in emulator.journal if entry.path.endswith("/chat/completions")]
    return [json.loads(entry.body)["messages"] for entry in bodies]


def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"rain in {city}"


@run
async def test_a_spoken_question_is_answered_aloud_with_the_help_of_a_function(emulator):
    emulator.reply(
        "Let me see.",
        tool_calls=[{"name": "weather", "arguments": {"city": "Oslo"}}],
        reasoning="They ask for the weather. I have a function.",
    )
    emulator.reply("It rains in **Oslo**. Take a coat.", reasoning="Rain. Say so.")
    ledger = MemoryLedger()
    question = emulator.spoken("What is the weather in Oslo?")
    budget = Budget(limit=5, scope="session", on_unknown="allow")
    async with emulator.async_client(ledger=ledger, budget=budget) as client:
        async with client.voice.session(**TALK, instructions="Be brief.", tools=[weather]) as call:
            speaking = asyncio.create_task(speak(call, question))
            events = []
            first = await until(call, TurnDone, events=events)
            done = await until(call, TurnDone, events=events)
            await speaking
        events += await rest(call)
        (status,) = client.costs.budgets()
        (row,) = client.costs.report(by=["session"]).rows
    assert status.whose == row.keys["session"] == call.total.call_id
    assert (status.spent, status.held) == (call.total.cost.at_least, 0)
    kinds = [type(event) for event in events]
    order = [SessionStarted, SpeechStarted, SpeechEnded, ToolCalled, ToolAnswered, TurnDone, Ended]
    assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
    heard = [e.text for e in events if isinstance(e, UserTranscript) and e.final and e.text]
    assert heard == ["What is the weather in Oslo?"]
    assert (first.user_text, first.agent_text) == (heard[0], "Let me see.")
    assert (done.status, done.agent_text) == ("completed", "It rains in **Oslo**. Take a coat.")
    assert 0 < done.first_text_ms <= done.first_audio_ms
    assert "They ask" not in "".join(e.text for e in events if isinstance(e, AgentTranscript))
    assert first.receipt.usage.audio_seconds >= 1
    assert done.receipt.usage.audio_seconds is None
    assert done.receipt.usage.output_tokens > 0
    assert done.receipt.usage.characters == len("It rains in Oslo. ") + len("Take a coat.") - 1
    assert call.total == events[-1].receipt
    asked, again = told(emulator)
    assert [each["role"] for each in asked] == ["system", "user"]
    assert [each["role"] for each in again] == ["system", "user", "assistant", "tool"]
    assert again[-1]["content"] == "rain in Oslo"
    check_bill(call, ledger)


@run
async def test_the_voice_begins_while_the_brain_still_writes(emulator):
    emulator.reply("The first sentence is here. More words follow it, and then some more.")
    emulator.fault("stall", after=12, path="/chat/completions")
    async with emulator.async_client() as client, client.voice.session(**TALK) as call:
        await call.send_text("Tell me a story.")
        events = []
        await until(call, AudioChunk, events=events)
        assert not any(isinstance(event, AgentTranscript) and event.final for event in events)
        assert await call.interrupt()
        done = await until(call, TurnDone)
    assert done.first_audio_ms is not None


@run
async def test_the_user_interrupts_and_the_brain_learns_what_was_heard(emulator):
    emulator.reply(LONG)
    emulator.reply("All right.")
    wait = emulator.spoken("Stop, please.")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(**TALK) as call:
            await call.send_text("Count for me.")
            events = []
            while sum(isinstance(event, AudioChunk) for event in events) < 10:
                await until(call, AudioChunk, events=events)
            await call.played(500)
            speaking = asyncio.create_task(speak(call, wait))
            cut = await until(call, Interrupted, events=events)
            answered = await until(call, TurnDone, events=events)
            while answered.user_text != "Stop, please.":
                answered = await until(call, TurnDone, events=events)
            await speaking
        events += await rest(call)
    assert (cut.heard_ms, cut.by) == (500, "user")
    after = events[events.index(cut) :]
    assert not [e for e in after if isinstance(e, AudioChunk) and e.response_id == cut.response_id]
    assert [each["role"] for each in told(emulator)[1]] == ["user", "assistant", "user"]
    remembered = told(emulator)[1][1]["content"]
    assert LONG.startswith(remembered)
    assert 0 < len(remembered) < len("One two three four five.")
    assert answered.agent_text == "All right."
    check_bill(call, ledger)


@run
async def test_the_caller_interrupts(emulator):
    emulator.reply(LONG)
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(**TALK) as call:
            assert not await call.interrupt()
            await call.send_text("Count for me.")
            await until(call, AudioChunk)
            await call.played_bytes(4800)
            assert await call.interrupt()
            cut = await until(call, Interrupted)
            done = await until(call, TurnDone)
    assert (cut.heard_ms, cut.by) == (100, "caller")
    assert (done.status, done.reason, done.was_interrupted) == (
        "cancelled",
        "client_cancelled",
        True,
    )
    assert done.heard_ms == 100
    check_bill(call, ledger)


@run
async def test_a_cough_does_not_interrupt(emulator):
    emulator.reply(LONG)
    cough = emulator.spoken("Uh")[: 24_000 * 2 * 120 // 1000]
    async with emulator.async_client() as client, client.voice.session(**TALK) as call:
        await call.send_text("Count for me.")
        events = []
        await until(call, AudioChunk, events=events)
        await speak(call, cough)
        done = await until(call, TurnDone, events=events)
        while done.response_id is None:
            done = await until(call, TurnDone, events=events)
    assert done.status == "completed"
    assert not [event for event in events if isinstance(event, Interrupted)]


@run
async def test_push_to_talk(emulator):
    emulator.reply("Yes.")
    async with emulator.async_client() as client:
        async with client.voice.session(**TALK, turn_detection=None) as call:
            assert not await call.commit()
            await speak(call, emulator.spoken("Are you there?"))
            assert await call.commit()
            done = await until(call, TurnDone)
    assert (done.user_text, done.agent_text) == ("Are you there?", "Yes.")


@run
async def test_who_thinks_and_speaks_can_be_changed(emulator):
    emulator.reply("One.")
    emulator.reply("Two.")
    async with emulator.async_client() as client:
        settings = CascadeSettings(rate=1.2, detector=TurnDetector(sample_rate=24_000))
        async with client.voice.session(**TALK, settings=settings, instructions="A") as call:
            await call.send_text("Hello.")
            await until(call, TurnDone)
            with pytest.raises(InvalidRequest, match="language"):
                await call.update(language="en")
            with pytest.raises(InvalidRequest, match="temperature"):
                await call.update(temperature=9)
            await call.update(
                brain="MAI-Code-1.1-Flash", voice="en-US-Iris", instructions="B", temperature=0.5
            )
            await call.send_text("Again.")
            done = await until(call, TurnDone)
    assert done.agent_text == "Two."
    first, second = told(emulator)
    assert (first[0]["content"], second[0]["content"]) == ("A", "B")
    spoken = [entry for entry in emulator.journal if "websocket" in entry.path]
    said = "".join(str(frame) for entry in spoken for frame in entry.frames)
    assert "en-US-Harper:MAI-Voice-2-Flash" in said
    assert "en-US-Iris:MAI-Voice-2-Flash" in said
    assert said.count("+20%") == 2


@run
async def test_a_greeting_and_a_function_of_ones_own(emulator):
    schema = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    emulator.reply("Welcome.")
    emulator.reply(tool_calls=[{"name": "look", "arguments": {}}])
    emulator.reply("Seen.")
    async with emulator.async_client() as client:
        async with client.voice.session(**TALK, tools=[schema]) as call:
            await call.respond(instructions="Greet the caller.")
            assert (await until(call, TurnDone)).agent_text == "Welcome."
            await call.send_text("Look.")
            called = await until(call, ToolCalled)
            await call.answer(called.call_id, {"seen": True})
            await until(call, TurnDone)
            assert (await until(call, TurnDone)).agent_text == "Seen."
    assert told(emulator)[0] == [{"role": "user", "content": "Greet the caller."}]
    assert told(emulator)[-1][-1]["content"] == '{"seen":true}'


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [("status", {}), ("reset", {"after": 8}), ("truncate", {"after": 8})],
    ids=str,
)
@run
async def test_a_brain_that_fails_fails_the_turn_and_not_the_session(emulator, fault, parameters):
    emulator.reply(LONG)
    emulator.fault(fault, path="/chat/completions", times=None, **parameters)
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger, max_retries=0) as client:
        async with client.voice.session(**TALK) as call:
            await call.send_text("Hello?")
            failed = await until(call, Failed)
            done = await until(call, TurnDone)
            emulator.reset()
            emulator.reply("Here I am.")
            await call.send_text("Hello?")
            assert (await until(call, TurnDone)).agent_text == "Here I am."
    assert isinstance(failed.error, MAIError)
    assert done.status == "failed"
    assert told(emulator)[0][0]["content"].startswith("Hello?")
    check_bill(call, ledger)


@pytest.mark.parametrize(
    ("fault", "parameters"), [("status", {}), ("socket_close", {"after": 2})], ids=str
)
@run
async def test_an_answer_whose_mouth_fails_is_there_to_be_read(emulator, fault, parameters):
    emulator.fault(fault, path="/tts/", times=None, **parameters)
    emulator.reply("Nobody hears this. It is there all the same.")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger, max_retries=0) as client:
        async with client.voice.session(**TALK) as call:
            await call.send_text("Hello?")
            events = []
            done = await until(call, TurnDone, events=events)
    assert len([event for event in events if isinstance(event, Failed)]) == 1
    assert done.status == "completed"
    assert done.received_ms < 1000
    assert done.agent_text == "Nobody hears this. It is there all the same."
    check_bill(call, ledger)


@run
async def test_ears_that_are_lost_come_back(emulator):
    emulator.reply("Here I am.", times=None)
    emulator.fault("socket_reset", received=40, path="realtime")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(**TALK, endurance=QUICK) as call:
            speaking = asyncio.create_task(speak(call, emulator.spoken("Are you still there?")))
            events = []
            done = await until(call, TurnDone, events=events)
            await speaking
    assert done.user_text == "Are you still there?"
    assert [event.connections for event in events if isinstance(event, Reconnected)] == [2]
    assert call.connections == 2
    check_bill(call, ledger)


@run
async def test_ears_that_fail_for_good_end_the_session(emulator):
    emulator.fault("socket_close", received=10, code=1007, path="realtime", times=None)
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        with pytest.raises(MAIError) as raised:
            async with client.voice.session(**TALK, endurance=QUICK) as call:
                speaking = asyncio.create_task(speak(call, emulator.spoken("Hello? Hello?")))
                try:
                    await rest(call)
                finally:
                    await asyncio.gather(speaking, return_exceptions=True)
    assert raised.value.receipt == call.total
    check_bill(call, ledger)


@pytest.mark.parametrize("how", ["exception", "cancelled", "client closed"])
@run
async def test_a_session_that_is_killed_leaves_a_receipt_for_every_turn(emulator, how):
    emulator.reply("One.")
    emulator.reply(LONG * 20)
    ledger = MemoryLedger()
    held, speaking = [], asyncio.Event()
    client = emulator.async_client(ledger=ledger)

    async def talk():
        async with client.voice.session(**TALK) as call:
            held.append(call)
            await call.send_text("First")
            await until(call, TurnDone)
            await call.send_text("Second")
            await until(call, AudioChunk)
            speaking.set()
            if how == "exception":
                raise ZeroDivisionError
            if how == "cancelled":
                await asyncio.Event().wait()
            await client.aclose()

    task = asyncio.create_task(talk())
    if how == "cancelled":
        await speaking.wait()
        task.cancel()
    with pytest.raises((ZeroDivisionError, asyncio.CancelledError, AssertionError)):
        await task
        raise AssertionError
    await client.aclose()
    [call] = held
    assert len(call.receipts) == 2
    assert call.receipts[1].usage.output_tokens > 0
    assert call.receipts[1].usage.characters > 0
    check_bill(call, ledger)
    events = await rest(call)
    assert [event.reason for event in events if isinstance(event, TurnDone)] == ["session_closed"]
    assert isinstance(events[-1], Ended)


@run
async def test_a_client_that_closes_its_own_ledger_settles_its_sessions_first(emulator, tmp_path):
    emulator.reply(LONG * 20)
    client = emulator.async_client(ledger=tmp_path / "ledger.db")
    async with client.voice.session(**TALK) as call:
        await call.send_text("Count for me.")
        await until(call, AudioChunk)
        await client.aclose()
    ledger = open_ledger(tmp_path / "ledger.db")
    assert all(entry.state.startswith(("settled", "released")) for entry in ledger.entries())
    check_bill(call, ledger)
    ledger.close()


@run
async def test_a_function_may_end_the_session(emulator):
    held = []

    async def hang_up() -> str:
        """End the call."""
        await held[0].close()
        return "Bye."

    emulator.reply(tool_calls=[{"name": "hang_up", "arguments": {}}])
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(**TALK, tools=[hang_up]) as call:
            held.append(call)
            await call.send_text("Good-by.")
            events = await rest(call)
            with pytest.raises(InvalidRequest, match="not open"):
                await call.send_text("Hello?")
        await asyncio.sleep(0)
    assert isinstance(events[-1], Ended)
    assert complaints == []
    check_bill(call, ledger)


@run
async def test_a_function_that_still_runs_ends_with_the_session(emulator):
    runs, ended = asyncio.Event(), []

    async def wait() -> str:
        """Wait."""
        runs.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return "never"

    emulator.reply(tool_calls=[{"name": "wait", "arguments": {}}])
    async with emulator.async_client() as client:
        async with client.voice.session(**TALK, tools=[wait]) as call:
            await call.send_text("Wait.")
            await runs.wait()
    assert ended == [True]


@run
async def test_a_session_in_which_nothing_was_said_costs_nothing(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client, client.voice.session(**TALK) as call:
        pass
    assert call.receipts == ()
    assert all(entry.state == "released" for entry in ledger.entries())


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"settings": LiveSettings(temperature=0.5)}, "LiveSettings"),
        ({"turn_detection": ServerVad()}, "turn_detection"),
        ({"turn_detection": "azure_semantic_vad"}, "turn_detection"),
        ({"transcription": None}, "transcription"),
        ({"extra_query": {"profile": "x"}}, "extra_query"),
        ({"voice": {"type": "openai", "name": "alloy"}}, "voice"),
        ({"brain": "MAI-Image-2.5"}, "does not think"),
        ({"engine": "live", "ears": "MAI-Transcribe-2-Streaming"}, "ears"),
        ({"engine": "live", "brain": None, "settings": CascadeSettings()}, "CascadeSettings"),
    ],
)
@run
async def test_what_only_the_other_engine_can_do_is_refused(emulator, asked, named):
    async with emulator.async_client() as client:
        with pytest.raises(UnsupportedFeature, match=named):
            client.voice.session(**{**TALK, **asked})
    assert len(emulator.journal) == 0


@run
async def test_what_is_wrong_as_it_stands_is_refused(emulator):
    async with emulator.async_client() as client:
        with pytest.raises(InvalidRequest, match="engine"):
            client.voice.session(engine="opera")
        with pytest.raises(InvalidRequest, match="rate"):
            client.voice.session(**TALK, settings=CascadeSettings(rate=0))
        with pytest.raises(InvalidRequest, match="tools"):
            client.voice.session(**TALK, tools=7)
        session = client.voice.session(**TALK)
        with pytest.raises(InvalidRequest, match="not open"):
            await session.send_text("Hello")
    assert len(emulator.journal) == 0
    async with AsyncMAI(vllm_base_url="http://127.0.0.1:1", config_file="/dev/null") as client:
        with pytest.raises((NotConfigured, ConfigurationError)):
            client.voice.session(**TALK)


@run
async def test_where_playback_is_told_the_mouth_is_never_far_ahead_of_it(emulator, monkeypatch):
    monkeypatch.setattr(cascade_session, "_AHEAD_MS", 300.0)
    emulator.reply(" ".join([LONG] * 4))
    ahead, plain = [], AsyncVoice.stream

    def stream(self, *args, **named):
        ahead.append(call.unheard_ms)
        return plain(self, *args, **named)

    monkeypatch.setattr(AsyncVoice, "stream", stream)

    async def play():
        while True:
            await call.played_bytes(960)  # 20 ms
            await asyncio.sleep(0.0005)

    async with emulator.async_client() as client:
        async with client.voice.session(**TALK) as call:
            loudspeaker, began = asyncio.create_task(play()), asyncio.get_running_loop().time()
            await call.send_text("Go on.")
            done = await until(call, TurnDone)
            seconds = asyncio.get_running_loop().time() - began
            loudspeaker.cancel()
    assert done.status == "completed"
    assert done.received_ms > 6_000
    assert seconds < 4  # it is the reports that are waited for, not the clock
    assert len(ahead) == 12  # a sentence each
    assert max(ahead) < 2_000


@run
async def test_a_sentence_that_waits_for_the_loudspeaker_is_left_with_its_answer(
    emulator, monkeypatch
):
    monkeypatch.setattr(cascade_session, "_AHEAD_MS", 0.0)
    emulator.reply(LONG)
    emulator.reply("Yes?")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(**TALK) as call:
            await call.played(1)
            await call.send_text("Count.")
            chunk = await until(call, AudioChunk)
            assert await call.interrupt()
            cut = await until(call, TurnDone)
            await call.send_text("Are you there?")
            done = await until(call, TurnDone)
        await rest(call)
    assert chunk.pcm
    assert (cut.status, done.status, done.agent_text) == ("cancelled", "completed", "Yes?")
    check_bill(call, ledger)


@run
async def test_an_answer_ends_also_where_no_more_playback_is_reported(emulator, monkeypatch):
    monkeypatch.setattr(cascade_session, "_AHEAD_MS", 100.0)
    emulator.reply("One two. Three four. Five six.")
    async with emulator.async_client() as client:
        async with client.voice.session(**TALK) as call:
            await call.played(1)
            await call.send_text("Count.")
            done = await until(call, TurnDone)
    assert done.status == "completed"
    assert done.received_ms > 600
