"""client.transcribe.session over the Speech service's WebSocket, against the emulator."""

# ruff: noqa: SIM117 - one block for the client, one for the session

import asyncio
import functools
import random

import pytest

from mai_sdk import AsyncMAI
from mai_sdk.emulator import Emulator
from mai_sdk.engine.live import Endurance
from mai_sdk.errors import (
    AuthenticationFailed,
    InvalidRequest,
    NotConfigured,
    RequestRejected,
    UnsupportedFeature,
)
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.session_events import Ended, Reconnected, TurnDone, UserTranscript
from mai_sdk.wire.usp import decode

QUICK = Endurance(silence_seconds=0.8, connections_per_minute=10_000)
BRISK = Endurance(silence_seconds=2.0, connections_per_minute=10_000)
RATE = 16_000
WORDS = ("Good morning.", "And good-by.")


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    return served


def run(test):
    @functools.wraps(test)
    def wrapped(*args, **named):
        async def whole():
            async with asyncio.timeout(20):
                await test(*args, **named)

        asyncio.run(whole())

    return wrapped


async def say(live, pcm, *, silence_ms=900, piece=640):
    """Give speech and silence a good deal faster than it was spoken."""
    pcm += bytes(silence_ms * 32)
    for at in range(0, len(pcm), piece):
        await live.send(pcm[at : at + piece])
        await asyncio.sleep(0)


async def rest(live):
    return [event async for event in live]


def told(events, kind):
    return [event for event in events if isinstance(event, kind)]


def texts(events):
    return [event.text for event in told(events, UserTranscript) if event.final and event.text]


def spoken(emulator, *words):
    return [emulator.spoken(text, sample_rate=RATE) for text in words]


def check_bill(live, ledger):
    """The receipts of the session are the rows of the ledger, and all are settled."""
    entries = list(ledger.entries())
    assert all(entry.state not in ("reserved", "sent") for entry in entries)
    ours = {attempt.id for receipt in live.receipts for attempt in receipt.attempts}
    billed = [entry for entry in entries if entry.state != "released"]
    assert ours == {entry.attempt_id for entry in billed}
    assert len(ours) == len(live.receipts)
    assert live.total.usage == Usage.sum(entry.usage for entry in billed)
    assert live.total.cost.amount == Cost.sum(entry.cost for entry in billed).amount


@run
async def test_speech_is_written_down_phrase_by_phrase(emulator):
    ledger = MemoryLedger()
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(surface="speech", language="en-US") as live:
            for each in spoken(emulator, *WORDS):
                await say(live, each)
        events = await rest(live)
    assert texts(events) == list(WORDS)


@run
async def test_what_is_said_is_what_the_official_client_says(emulator):
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech") as live:
            await say(live, spoken(emulator, "Hi.")[0])
    [entry] = emulator.journal.wait(1)
    assert entry.path == "/stt/speech/universal/v2"
    assert entry.headers["sec-websocket-protocol"] == "USP"
    assert len(entry.headers["x-connectionid"]) == 32
    config, context = (decode(frame) for frame in entry.frames if isinstance(frame, str))
    assert (config.path, context.path) == ("speech.config", "speech.context")
    assert context.json["model"] == {"name": "mai-transcribe-2-streaming"}
    assert "language" not in context.json["phraseDetection"]
    assert entry.close_code == 1000


@run
async def test_the_last_words_are_waited_for(emulator):
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech") as live:
            await say(live, spoken(emulator, "Wait for me.")[0], silence_ms=0)
        events = await rest(live)
    assert [turn.user_text for turn in told(events, TurnDone)] == ["Wait for me."]
    assert isinstance(events[-1], Ended)


@run
async def test_a_button_can_end_a_turn(emulator):
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech", push_to_talk=True) as live:
            assert not await live.commit()
            await say(live, spoken(emulator, "Over.")[0], silence_ms=0)
            assert await live.commit()
            async for event in live:
                if isinstance(event, TurnDone):
                    break
    assert event.user_text == "Over."


def heard_by(emulator):
    """Return what the emulator heard over all connections, each put where it belongs."""
    whole = bytearray()
    for entry in emulator.journal:
        contexts = [decode(each) for each in entry.frames if isinstance(each, str)]
        [context] = [each.json for each in contexts if each.path == "speech.context"]
        past = context.get("continuation")
        ticks = int(past["audio"]["streams"]["1"]["offset"]) if past else 0
        at = round(ticks * RATE / 10_000_000) * 2
        assert at <= len(whole)
        audio = bytes(entry.audio)
        assert whole[at : at + len(audio)] == audio[: len(whole) - at]
        whole[at:] = audio if at + len(audio) > len(whole) else whole[at:]
    return bytes(whole)


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("socket_reset", {"received": 60}),
        ("socket_finish", {"received": 60}),
        ("socket_half_open", {"received": 60}),
        ("socket_close", {"received": 60, "code": 1000}),
        ("socket_close", {"received": 60, "code": 1011}),
        ("socket_close", {"after": 2, "code": 1013}),
        ("socket_reset", {"at": "speech.phrase"}),
        ("socket_reset", {"at": "turn.end"}),
        ("socket_slow", {"seconds": 0.02}),
        ("socket_noise", {"after": 1}),
        ("socket_repeat", {"after": 1}),
    ],
    ids=str,
)
@run
async def test_no_word_is_lost_with_a_line(emulator, fault, parameters):
    emulator.fault(fault, **parameters)
    ledger = MemoryLedger()
    given = b""
    async with emulator.async_client(ledger=ledger) as client:
        async with client.transcribe.session(surface="speech", endurance=QUICK) as live:
            for each in spoken(emulator, *WORDS):
                await say(live, each)
                given += each + bytes(900 * 32)
        emulator.release()
        events = await rest(live)
    assert texts(events) == list(WORDS)
    assert heard_by(emulator) == given
    breaks = fault not in ("socket_slow", "socket_noise", "socket_repeat")
    assert [each.connections for each in told(events, Reconnected)] == [2] * breaks
    check_bill(live, ledger)


@run
async def test_a_session_outlives_the_hour_of_its_line(emulator):
    emulator.fault("session_expiry", seconds=0.2)
    first, second = spoken(emulator, *WORDS)
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech", endurance=QUICK) as live:
            await say(live, first)
            events = []
            async for event in live:
                events.append(event)
                if isinstance(event, Reconnected):
                    break
            await say(live, second)
        events += await rest(live)
    assert texts(events) == list(WORDS)
    assert event.why == "close code 1001: session expired"


@pytest.mark.parametrize("seed", range(3))
@run
async def test_a_long_talk_over_a_line_that_breaks_again_and_again_loses_nothing(emulator, seed):
    chance = random.Random(seed)  # noqa: S311 - a test's choice
    kinds = [
        ("socket_reset", {}), ("socket_finish", {}), ("socket_close", {"code": 1001}),
        ("socket_close", {"code": 1011}), ("socket_close", {"code": 1012}),
    ]  # fmt: skip
    for _ in range(12):
        fault, parameters = chance.choice(kinds)
        emulator.fault(fault, received=chance.randrange(45, 90), **parameters)
    words = [f"Sentence number {number} of this talk." for number in ("one", "two", "three")]
    given = b""
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech", endurance=BRISK) as live:
            for each in spoken(emulator, *words):
                await say(live, each, piece=chance.choice((320, 640, 1280)))
                given += each + bytes(900 * 32)
        events = await rest(live)
    assert texts(events) == words
    assert heard_by(emulator) == given
    assert live.connections == 13
    assert 1 <= len(told(events, Reconnected)) <= 12  # one that broke at once is told with the next


@pytest.mark.parametrize("how", ["cancelled", "exception", "broken off", "client closed"])
@run
async def test_a_session_that_is_killed_leaves_a_receipt_for_what_was_sent(emulator, how):
    ledger = MemoryLedger()
    said = spoken(emulator, *WORDS)
    sessions, given = [], asyncio.Event()

    async def talk():
        async with emulator.async_client(ledger=ledger) as client:
            async with client.transcribe.session(surface="speech") as live:
                sessions.append(live)
                await say(live, said[0])
                async for event in live:
                    if isinstance(event, TurnDone):
                        break
                await say(live, said[1], silence_ms=0)
                given.set()
                if how == "exception":
                    raise ZeroDivisionError
                if how == "client closed":
                    await client.aclose()
                    return
                if how == "broken off":
                    return
                await asyncio.Event().wait()

    task = asyncio.create_task(talk())
    if how == "cancelled":
        await given.wait()
        task.cancel()
    try:
        await task
    except (asyncio.CancelledError, ZeroDivisionError, InvalidRequest):
        assert how != "broken off"
    [live] = sessions
    assert len(live.receipts) >= 2
    check_bill(live, ledger)


@run
async def test_who_is_cut_short_by_a_refusal_is_told_why(emulator):
    async with emulator.async_client() as client:
        session = client.transcribe.session(
            surface="speech", extra_session={"model": {"name": "Mai-Transcribe"}}
        )
        with pytest.raises(
            RequestRejected, match=r"Unknown speech\.context\.model\.name"
        ) as caught:
            async with session as live:
                await rest(live)
    assert caught.value.receipt is not None


@run
async def test_a_key_that_is_wrong_is_said_at_the_door(emulator):
    async with AsyncMAI(speech_endpoint=emulator.url, speech_api_key="wrong") as client:
        with pytest.raises(AuthenticationFailed):
            async with client.transcribe.session():
                pass


@run
async def test_the_way_is_what_the_caller_the_route_or_the_catalog_says(emulator):
    async def paths(client, **options):
        emulator.journal.clear()
        async with client.transcribe.session(**options) as live:
            await live.send(bytes(640))
        contexts = [each for each in emulator.journal[0].frames if isinstance(each, str)]
        return emulator.journal[0].path, contexts[1] if len(contexts) > 1 else ""

    usp, realtime = "/stt/speech/universal/v2", "/mai/v1/realtime"
    async with emulator.async_client() as client:
        assert (await paths(client))[0] == realtime
        assert (await paths(client, surface="realtime"))[0] == realtime
        path, context = await paths(client, model="MAI-Transcribe-1.5")
        assert path == usp
        assert '"model":{"name":"mai-transcribe-1.5"}' in context
    speech = {"speech_endpoint": emulator.url, "speech_api_key": emulator.key}
    async with AsyncMAI(**speech) as client:
        assert (await paths(client))[0] == usp
        with pytest.raises(NotConfigured):
            client.transcribe.session(surface="realtime")
    routes = {"mine": {"surface": "speech", "deployment": "as-I-Say"}}
    async with AsyncMAI(routes=routes, **speech) as client:
        path, context = await paths(client, model="mine")
        assert '"model":{"name":"as-I-Say"}' in context
        with pytest.raises(UnsupportedFeature, match="goes over realtime"):
            client.transcribe.session(model="mine", surface="realtime")


class Token:
    """An Entra credential."""

    async def get_token(self, *scopes, **options):
        raise NotImplementedError

    async def close(self):
        pass


@run
async def test_a_regions_host_is_the_one_that_recognises_and_takes_keys_only(emulator):
    async with AsyncMAI(speech_region="centralus", speech_api_key="key") as client:
        session = client.transcribe.session()
        assert session._live._redial._line.url == (
            "https://centralus.stt.speech.microsoft.com/speech/universal/v2"
        )
    async with AsyncMAI(speech_region="centralus", credential=Token()) as client:
        with pytest.raises(NotConfigured, match="shared endpoint"):
            client.transcribe.session(surface="speech")


@run
async def test_audio_of_another_rate_is_resampled(emulator):
    pytest.importorskip("soxr")
    async with emulator.async_client() as client:
        async with client.transcribe.session(surface="speech", sample_rate=24_000) as live:
            for _ in range(50):
                await live.send(bytes(960))
    assert len(emulator.journal[0].audio) == pytest.approx(32_000, abs=4)
