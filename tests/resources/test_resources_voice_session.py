"""client.voice.session and client.transcribe.session, against the emulator, end to end."""

# ruff: noqa: SIM117 - one block for the client, one for the session

import asyncio
import functools
import json

import pytest

from mai_sdk import AsyncMAI
from mai_sdk.emulator import Emulator, LiveFlags
from mai_sdk.engine.live import Endurance
from mai_sdk.errors import (
    AuthenticationFailed,
    ConfigurationError,
    InvalidRequest,
    LedgerError,
    MAIError,
    NotConfigured,
    UnsupportedFeature,
)
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.live_options import LiveSettings
from mai_sdk.wire.session_events import (
    AudioChunk,
    Ended,
    Failed,
    Interrupted,
    Reconnected,
    SessionStarted,
    SpeechEnded,
    ToolAnswered,
    ToolCalled,
    TurnDone,
    UserTranscript,
    Warned,
)

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
QUICK = Endurance(silence_seconds=0.8, connections_per_minute=10_000)
PRICES = {
    "prices": [
        {
            "model": "gpt-realtime",
            "meter": meter,
            "price": price,
            "currency": "USD",
            "unit": "1M tokens",
            "valid_from": "2026-01-01",
            "source": "a test",
            "checked": "2026-11-22",
        }
        for meter, price in (("input_tokens", "4"), ("output_tokens", "16"))
    ]
}


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7, live=LiveFlags(delta_ms=20, audio_pace=8.0)) as running:
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


def rows(ledger):
    return list(ledger.entries())


def check_bill(call, ledger):
    """The receipts of the session are the rows of the ledger, and all are settled."""
    entries = [entry for entry in rows(ledger) if entry.operation.verb == "session"]
    assert entries
    assert all(entry.state not in ("reserved", "sent") for entry in entries)
    ours = {attempt.id for receipt in call.receipts for attempt in receipt.attempts}
    billed = [entry for entry in entries if entry.state != "released"]
    assert ours == {entry.attempt_id for entry in billed}
    assert len(ours) == len(call.receipts)
    assert call.total.usage == Usage.sum(entry.usage for entry in billed)
    assert call.total.cost.amount == Cost.sum(entry.cost for entry in billed).amount


def weather(city: str) -> str:
    """Say what the weather is like."""
    return f"rain in {city}"


@run
async def test_a_question_that_is_spoken_is_answered_with_the_help_of_a_function(emulator):
    emulator.reply(tool_calls=[{"name": "weather", "arguments": {"city": "Oslo"}}])
    emulator.reply("It rains in Oslo.")
    ledger = MemoryLedger()
    question = emulator.spoken("What is the weather in Oslo?")
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(instructions="Be brief.", tools=[weather]) as call:
            speaking = asyncio.create_task(speak(call, question))
            events = []
            await until(call, TurnDone, events=events)
            done = await until(call, TurnDone, events=events)
            await speaking
        events += await rest(call)
    kinds = [type(event) for event in events]
    assert kinds.index(SessionStarted) < kinds.index(SpeechEnded) < kinds.index(ToolCalled)
    heard = [e.text for e in events if isinstance(e, UserTranscript) and e.final]
    assert heard == ["What is the weather in Oslo?"]
    [answered] = [event for event in events if isinstance(event, ToolAnswered)]
    assert (answered.output, answered.failed) == ("rain in Oslo", False)
    assert (done.status, done.agent_text) == ("completed", "It rains in Oslo.")
    assert done.first_audio_ms is not None
    assert b"".join(e.pcm for e in events if isinstance(e, AudioChunk))
    assert isinstance(events[-1], Ended)
    assert events[-1].receipt == call.total
    assert call.total.usage.audio_seconds >= 2
    check_bill(call, ledger)


@run
async def test_a_function_that_fails_is_told_to_the_model_and_not_its_reason(emulator):
    async def broken(city: str) -> str:
        raise KeyError("secret of " + city)

    emulator.reply(tool_calls=[{"name": "broken", "arguments": {"city": "Oslo"}}])
    emulator.reply(tool_calls=[{"name": "broken", "arguments": {"town": "Oslo"}}])
    emulator.reply("Sorry.")
    async with emulator.async_client() as client, client.voice.session(tools=[broken]) as call:
        await call.send_text("Hello")
        first = await until(call, ToolAnswered)
        second = await until(call, ToolAnswered)
    assert first.output == "broken failed (KeyError)."
    assert "do not fit" in second.output
    assert first.failed
    assert second.failed


@run
async def test_the_user_interrupts_and_the_service_learns_what_was_heard(emulator):
    emulator.reply(LONG, times=None)
    wait = emulator.spoken("Stop, please.")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger, prices=PRICES) as client:
        async with client.voice.session() as call:
            await call.send_text("Count for me.")
            events = []
            while sum(isinstance(event, AudioChunk) for event in events) < 20:
                await until(call, AudioChunk, events=events)
            await call.played(200)
            speaking = asyncio.create_task(speak(call, wait))
            cut = await until(call, Interrupted, events=events)
            done = await until(call, TurnDone, events=events)
            answered = await until(call, TurnDone, events=events)
            await speaking
        events += await rest(call)
    assert (cut.heard_ms, cut.by) == (200, "user")
    truncations = [f for f in emulator.journal[0].frames if "item.truncate" in str(f)]
    assert len(truncations) == 1
    assert '"audio_end_ms":200' in truncations[0]
    after = events[events.index(cut) :]
    assert not [e for e in after if isinstance(e, AudioChunk) and e.response_id == cut.response_id]
    assert (done.status, done.reason) == ("cancelled", "turn_detected")
    assert done.receipt.usage.unheard_seconds is not None
    assert done.receipt.cost.amount > 0
    assert answered.user_text == "Stop, please."
    assert not [e for e in events if isinstance(e, (Failed, Warned))]
    check_bill(call, ledger)


@run
async def test_the_caller_interrupts(emulator):
    emulator.reply(LONG)
    async with emulator.async_client() as client, client.voice.session() as call:
        assert not await call.interrupt()
        await call.send_text("Count for me.")
        for _ in range(10):
            await until(call, AudioChunk)
        await call.played_bytes(9600)
        assert await call.interrupt()
        cut = await until(call, Interrupted)
        done = await until(call, TurnDone)
    assert (cut.heard_ms, cut.by) == (200, "caller")
    assert done.status == "cancelled"


@run
async def test_push_to_talk(emulator):
    emulator.reply("Yes.")
    async with emulator.async_client() as client:
        async with client.voice.session(turn_detection=None) as call:
            assert not await call.commit()
            await speak(call, emulator.spoken("Are you there?"))
            assert await call.commit()
            done = await until(call, TurnDone)
    assert done.agent_text == "Yes."
    assert done.user_text in (None, "Are you there?")


@run
async def test_settings_can_be_changed_and_go_out_as_they_are(emulator):
    async with emulator.async_client() as client:
        settings = LiveSettings(temperature=0.7, input_audio_noise_reduction="near_field")
        async with client.voice.session(
            voice="en-US-Ethan", model="MAI-Voice-2", settings=settings
        ) as call:
            await until(call, SessionStarted)
            await call.update(instructions="Be kind.", voice="en-US-Iris:MAI-Voice-2")
            await call.send_text("Hello")
            await until(call, TurnDone)
    first, second = [f for f in emulator.journal[0].frames if "session.update" in str(f)]
    assert '"name":"en-US-Ethan:MAI-Voice-2"' in first
    assert '"temperature":0.7' in first
    assert '"model":"mai-transcribe"' in first
    assert '"instructions":"Be kind."' in second
    assert '"name":"en-US-Iris:MAI-Voice-2"' in second
    assert "temperature" not in second


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("socket_reset", {"received": 40}),
        ("socket_finish", {"received": 40}),
        ("socket_half_open", {"received": 40}),
        ("socket_close", {"received": 40, "code": 1001}),
        ("socket_close", {"received": 40, "code": 1011}),
        ("socket_close", {"received": 40, "code": 1012}),
        ("session_expiry", {"seconds": 0.05}),
        ("socket_reset", {"at": "response.created"}),
        ("socket_noise", {"after": 1}),
        ("socket_swap", {"after": 1, "frames": 3}),
        ("socket_repeat", {"after": 1, "frames": 3}),
        ("socket_lose", {"after": 1, "frames": 3}),
    ],
    ids=str,
)
@run
async def test_a_question_is_answered_whatever_befalls_the_line(emulator, fault, parameters):
    emulator.reply("Here I am.", times=None)
    emulator.fault(fault, **parameters)
    question = emulator.spoken("Are you still there?")
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(endurance=QUICK) as call:
            speaking = asyncio.create_task(speak(call, question))
            events = []
            done = await until(call, TurnDone, events=events)
            while done.status != "completed":
                done = await until(call, TurnDone, events=events)
            await speaking
            emulator.release()
    assert done.agent_text
    if not fault.startswith(("socket_noise", "socket_swap", "socket_repeat", "socket_lose")):
        assert call.connections == 2
        assert [e.connections for e in events if isinstance(e, Reconnected)] == [2]
    check_bill(call, ledger)


@pytest.mark.parametrize("how", ["exception", "cancelled", "client closed"])
@run
async def test_a_session_that_is_killed_leaves_a_receipt_for_every_turn(emulator, how):
    emulator.reply("One.")
    emulator.reply(LONG)
    ledger = MemoryLedger()
    held, speaking = [], asyncio.Event()
    client = emulator.async_client(ledger=ledger)

    async def talk():
        async with client.voice.session() as call:
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
    assert call.receipts[1].usage.basis == "lower_bound"
    check_bill(call, ledger)
    entry = emulator.journal.wait(1)[0]
    assert entry.finished


@run
async def test_a_client_that_closes_its_own_ledger_settles_its_sessions_first(emulator, tmp_path):
    emulator.reply(LONG)
    client = emulator.async_client(ledger=tmp_path / "ledger.db")
    async with client.voice.session() as call:
        await call.send_text("Count for me.")
        await until(call, AudioChunk)
        await client.aclose()
        assert (await rest(call))[-1].reason == "the client was closed"
    assert call.connections == 1
    assert [receipt.usage.basis for receipt in call.receipts] == ["lower_bound"]
    ledger = open_ledger(tmp_path / "ledger.db")
    assert [entry.state for entry in rows(ledger)] == ["settled_estimated"]
    ledger.close()


@run
async def test_an_answer_that_was_asked_for_and_never_seen_is_not_called_free(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session() as call:
            await call.send_text("Are you there?")
    assert [entry.state for entry in rows(ledger)] == ["unknown"]
    assert call.total.cost.amount is None


@run
async def test_a_function_may_end_the_session(emulator):
    held = []

    async def hang_up() -> str:
        """End the call."""
        await held[0].close()
        return "Bye."

    emulator.reply(tool_calls=[{"name": "hang_up", "arguments": {}}])
    ledger = MemoryLedger()
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    async with emulator.async_client(ledger=ledger) as client:
        async with client.voice.session(tools=[hang_up]) as call:
            held.append(call)
            await call.send_text("Good-by.")
            events = await rest(call)
        await asyncio.sleep(0)
    assert isinstance(events[-1], Ended)
    assert complaints == []
    assert rows(ledger)[0].state.startswith("settled")


@run
async def test_speech_nobody_answered_leaves_a_receipt_too(emulator):
    ledger = MemoryLedger()
    async with (
        emulator.async_client(ledger=ledger) as client,
        client.voice.session(
            turn_detection={"type": "server_vad", "create_response": False}
        ) as call,
    ):
        speaking = asyncio.create_task(speak(call, emulator.spoken("Only listen.")))
        await until(call, SpeechEnded)
        await speaking
    assert [receipt.usage.basis for receipt in call.receipts] == ["lower_bound"]
    assert call.receipts[0].usage.audio_seconds >= 1
    check_bill(call, ledger)


@run
async def test_a_session_in_which_nothing_was_said_costs_nothing(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client, client.voice.session() as call:
        await speak(call, b"", silence_ms=300)
    assert call.receipts == ()
    assert [entry.state for entry in rows(ledger)] == ["released"]


@run
async def test_what_cannot_be_written_down_is_not_sent(emulator):
    class Full(MemoryLedger):
        def reserve(self, entry):
            raise LedgerError("The disk is full.")

    async with emulator.async_client(ledger=Full()) as client, client.voice.session() as call:
        with pytest.raises(LedgerError):
            await call.send(bytes(960))
        with pytest.raises(LedgerError):
            await call.send_text("Hello")
    assert [f for f in emulator.journal[0].frames if "append" in str(f) or "item" in str(f)] == []


@run
async def test_a_key_that_is_wrong_is_said_at_the_door(emulator):
    async with emulator.async_client(foundry_api_key="wrong-key-wrong-key") as client:
        with pytest.raises(AuthenticationFailed) as caught:
            async with client.voice.session():
                raise AssertionError
    assert "wrong-key" not in str(caught.value)
    assert caught.value.receipt is not None
    assert emulator.journal[0].headers["api-key"] == "***"


@run
async def test_mistakes_are_found_before_anything_is_sent(emulator):
    async with emulator.async_client() as client:
        for wrong in (
            {"settings": LiveSettings(temperature=9)},
            {"model": " "},
            {"brain": ""},
            {"extra_headers": {"a": "b\n"}},
            {"tools": [lambda x: x]},
        ):
            with pytest.raises(InvalidRequest):
                client.voice.session(**wrong)
        call = client.voice.session()
        with pytest.raises(InvalidRequest, match="not open"):
            await call.send(bytes(960))
        async with client.voice.session() as call:
            with pytest.raises(InvalidRequest):
                await call.send_text(" ")
            with pytest.raises(InvalidRequest, match="whole samples"):
                await call.send(b"x")
        with pytest.raises(InvalidRequest, match="not open"):
            await call.send(bytes(960))
    async with AsyncMAI() as client:
        with pytest.raises(NotConfigured):
            client.voice.session()
        with pytest.raises(NotConfigured):
            client.transcribe.session()
    route = {"surface": "vllm", "endpoint": "http://127.0.0.1:1"}
    async with AsyncMAI(routes={"mine": route}) as client:
        with pytest.raises(UnsupportedFeature):
            client.voice.session(brain="mine")
        with pytest.raises(UnsupportedFeature):
            client.transcribe.session(model="mine")
    assert issubclass(ConfigurationError, MAIError)


@run
async def test_a_function_that_ends_in_an_unusual_way_is_answered_all_the_same(emulator):
    async def given_up(city: str) -> str:
        waited = asyncio.ensure_future(asyncio.sleep(60))
        waited.cancel()
        await waited

    def exhausted(city: str) -> str:
        return next(iter(()))

    class Unspeakable:
        def __str__(self):
            raise ValueError

    def unspeakable(city: str):
        return Unspeakable()

    functions = [given_up, exhausted, unspeakable]
    for function in functions:
        emulator.reply(tool_calls=[{"name": function.__name__, "arguments": {"city": "Oslo"}}])
    emulator.reply("Sorry.")
    async with emulator.async_client() as client, client.voice.session(tools=functions) as call:
        await call.send_text("Hello")
        answers = [await until(call, ToolAnswered) for _ in functions]
    assert [answer.failed for answer in answers] == [True] * 3
    assert answers[0].output == "given_up failed (RuntimeError)."


@run
async def test_what_would_change_audio_under_way_is_refused(emulator):
    async with emulator.async_client() as client, client.voice.session() as call:
        await call.update(input_audio_sampling_rate=24_000, output_audio_format="pcm16")
        for change in (
            {"input_audio_sampling_rate": 16_000},
            {"input_audio_format": "g711_ulaw"},
            {"output_audio_format": "pcm16_8000hz"},
        ):
            with pytest.raises(InvalidRequest, match="cannot be changed"):
                await call.update(**change)
        for odd in (-1, float("nan"), float("inf")):
            with pytest.raises(InvalidRequest, match="were played"):
                await call.played(odd)
        with pytest.raises(InvalidRequest, match="were played"):
            await call.played_bytes(-2)


@run
async def test_what_ends_a_session_has_its_receipt_for_whoever_sends(emulator):
    emulator.reply(LONG)
    reason = f"odd: {emulator.key}"
    emulator.fault("socket_close", at="response.audio.delta", code=1007, reason=reason)
    async with emulator.async_client() as client:
        async with client.voice.session() as call:
            await call.send_text("Count for me.")
            with pytest.raises(MAIError) as caught:
                while True:
                    await call.send(bytes(960))
                    await asyncio.sleep(0.01)
    assert caught.value.receipt == call.total
    assert len(call.receipts) == 1
    assert "odd" in caught.value.message
    assert emulator.key not in caught.value.message


@run
async def test_no_error_shows_what_was_said(emulator):
    secret = "the combination of the safe is seven eleven"
    async with emulator.async_client() as client:
        async with client.voice.session(instructions=secret) as call:
            await until(call, SessionStarted)
            problem = {"type": "error", "error": {"code": "odd", "message": f"Bad: {secret}"}}
            notice = {"type": "warning", "warning": {"message": f"Hm: {secret}"}}
            for event in (problem, notice):
                call._machine.receive(json.dumps(event), now=0)
            call._live.wake()
            assert "Bad: ***." in str((await until(call, Failed)).error)
            assert (await until(call, Warned)).message == "Hm: ***"


# --- live transcription -------------------------------------------------------------------------


@run
async def test_speech_is_written_down_turn_by_turn(emulator):
    ledger = MemoryLedger()
    words = ("Good morning.", "And good-by.")
    said = [emulator.spoken(text, sample_rate=16_000) for text in words]
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(language="en-US") as live:

            async def feed():
                for each in said:
                    await speak(live, each, rate=16_000)
                await live.close()

            feeding = asyncio.create_task(feed())
            events = await rest(live)
            await feeding
    texts = [e.text for e in events if isinstance(e, UserTranscript) and e.final and e.text]
    assert texts == ["Good morning.", "And good-by."]
    turns = [event for event in events if isinstance(event, TurnDone)]
    assert [turn.user_text for turn in turns if turn.user_text] == texts
    assert isinstance(events[-1], Ended)
    assert live.total.usage.audio_seconds == sum(t.receipt.usage.audio_seconds for t in turns)
    assert live.total.cost.status == "estimated"
    assert '"language":"en"' in emulator.journal[0].frames[0]
    check_bill(live, ledger)


@run
async def test_audio_sent_again_after_the_last_turn_is_billed_too(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(push_to_talk=True) as live:
            await live.send(bytes(32_000))
            await live.commit()
            await until(live, TurnDone)
            live._machine.streamed += 2 * 16_000  # what a new connection gets of what is kept
    assert [receipt.usage.audio_seconds for receipt in live.receipts] == [1, 2]
    check_bill(live, ledger)


@run
async def test_the_last_words_are_waited_for(emulator):
    async with emulator.async_client() as client:
        async with client.transcribe.session() as live:
            await speak(live, emulator.spoken("Wait for me.", sample_rate=16_000), rate=16_000,
                        silence_ms=0)  # fmt: skip
        events = await rest(live)
    assert [e.user_text for e in events if isinstance(e, TurnDone)] == ["Wait for me."]


@run
async def test_a_button_can_end_a_turn(emulator):
    async with emulator.async_client() as client:
        async with client.transcribe.session(push_to_talk=True) as live:
            assert not await live.commit()
            await speak(live, emulator.spoken("Over.", sample_rate=16_000), rate=16_000)
            assert await live.commit()
            done = await until(live, TurnDone)
    assert done.user_text == "Over."


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("socket_reset", {"received": 60}),
        ("socket_half_open", {"received": 60}),
        ("socket_close", {"received": 60, "code": 1013}),
        ("session_expiry", {"seconds": 0.05}),
    ],
    ids=str,
)
@run
async def test_no_word_is_lost_with_a_line(emulator, fault, parameters):
    emulator.fault(fault, **parameters)
    ledger = MemoryLedger()
    text = "These are all the words that I have to say."
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(endurance=QUICK) as live:
            await speak(live, emulator.spoken(text, sample_rate=16_000), rate=16_000)
            emulator.release()
        events = await rest(live)
    assert [e.user_text for e in events if isinstance(e, TurnDone) and e.user_text] == [text]
    assert [e.connections for e in events if isinstance(e, Reconnected)] == [2]
    check_bill(live, ledger)


@run
async def test_audio_of_another_rate_is_resampled(emulator):
    pytest.importorskip("soxr")
    async with emulator.async_client() as client:
        async with client.transcribe.session(sample_rate=48_000, push_to_talk=True) as live:
            await live.send(bytes(96_000))
            await live.commit()
            await until(live, TurnDone)
    assert len(emulator.journal[0].audio) == 32_000


@run
async def test_the_last_milliseconds_of_resampled_audio_are_sent_too(emulator):
    pytest.importorskip("soxr")
    async with emulator.async_client() as client:
        async with client.transcribe.session(sample_rate=48_000) as live:
            await live.send(bytes(96_000))
    assert len(emulator.journal[0].audio) == 32_000
