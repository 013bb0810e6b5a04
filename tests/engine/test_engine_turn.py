"""Turns on pooled sockets, in both worlds, against the emulator: what is retried, what it costs."""

import asyncio

import pytest

from mai_sdk import errors
from mai_sdk.config import Route, Secret, Timeouts
from mai_sdk.engine.auth import AsyncTokens, Tokens
from mai_sdk.engine.call import Call
from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.engine.engine import Engine
from mai_sdk.engine.flow import opened
from mai_sdk.engine.pool import AsyncPool, Pool
from mai_sdk.engine.retry import RetryPolicy
from mai_sdk.engine.shelf import Shelf
from mai_sdk.engine.steps import TransportFailed
from mai_sdk.engine.tab import Tab
from mai_sdk.engine.turn import AsyncTurns, Turns
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.closes import failure_from_close
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.speech_events import AudioChunk, SpeechEnd, WordBoundary
from mai_sdk.wire.usp import config_body, decode
from mai_sdk.wire.usp_tts import Context, Turn

PATH = "/cognitiveservices/websocket/v1"
TEXT = "One two three, four five six."


def ssml(voice="en-US-Harper:MAI-Voice-2"):
    return (
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
        f"<voice name='{voice}'>{TEXT}</voice></speak>"
    )


def turn_of(document, **context):
    given = {"output_format": "raw-16khz-16bit-mono-pcm", "bytes_per_second": 32_000, **context}
    config = config_body(name="mai-sdk", version="1", platform="Linux")
    return Turn(Context(**given), text=TEXT, ssml=document, config=config, clock=lambda: 0.0)


def fail(status, headers, body):
    if status >= 1000:
        return failure_from_close(status, body.decode(), before="turn.end")
    return read_failure(status=status, headers=headers, body=body, surface="speech")


class Speaker:
    """One client's worth of engine, in one of the two worlds; turns are read to their end."""

    def __init__(self, emulator, *, is_async, retries=2):
        self.emulator = emulator
        self.is_async = is_async
        self.engine = Engine(
            ledger=MemoryLedger(), prices=PriceBook.load(), retry=RetryPolicy(max_retries=retries)
        )
        self.waits = []
        if is_async:
            self.loop = asyncio.new_event_loop()
            self.pool = AsyncPool()

            async def sleep(seconds):
                self.waits.append(seconds)

            self.driver = AsyncDriver(None, AsyncTokens(), sleep=sleep)
        else:
            self.pool = Pool()
            self.driver = Driver(None, Tokens(), sleep=self.waits.append)

    def call(self, *, key=None, timeouts=None, document=None):
        route = Route(
            surface="speech",
            endpoint=self.emulator.url,
            model="MAI-Voice-2",
            credential=Secret(key or self.emulator.key, name="key"),
        )
        usage = Usage(characters=len(TEXT), basis="estimated")
        return Call(
            route=route,
            url=self.emulator.url + PATH,
            body=b"",
            read=lambda body, headers: None,
            usage_of=lambda _: usage,
            fail=fail,
            upper_bound=lambda: usage,
            timeouts=timeouts or Timeouts(first_byte=5, between_chunks=5),
            stream=True,
            prompts=(TEXT,),
        )

    def say(self, *, document=None, stop_after=None, **options):
        call = self.call(**options)
        self.tab = Tab(
            self.engine, route=call.route, modality="voice", verb="stream", tags={},
            total_seconds=call.timeouts.total,
        )  # fmt: skip
        turns = (AsyncTurns if self.is_async else Turns)(
            self.pool, key=call.url, begin=lambda: turn_of(document or ssml(), boundaries=True)
        )
        flow = opened(call, self.tab)
        if self.is_async:
            return self.loop.run_until_complete(self._aread(turns, flow, stop_after))
        response = self.driver.over(turns).run(flow)
        events = []
        try:
            while (some := response.read(within=None)) is not None:
                events += some
                if stop_after is not None and len(events) >= stop_after:
                    break
        finally:
            self.events = events
            response.close()
        return events

    async def _aread(self, turns, flow, stop_after):
        response = await self.driver.over(turns).run(flow)
        events = []
        try:
            while (some := await response.read(within=None)) is not None:
                events += some
                if stop_after is not None and len(events) >= stop_after:
                    break
        finally:
            self.events = events
            await response.aclose()
        return events

    def close(self):
        if self.is_async:
            self.loop.run_until_complete(self.pool.aclose())
            self.loop.close()
        else:
            self.pool.close()

    @property
    def states(self):
        return [attempt.state for attempt in self.tab.receipt().attempts]


@pytest.fixture(params=["sync", "async"])
def speaker(request, emulator):
    made = Speaker(emulator, is_async=request.param == "async")
    yield made
    made.close()


def audio_of(events):
    return b"".join(event.data for event in events if isinstance(event, AudioChunk))


def spoken(emulator):
    return emulator._world.mouth.speak(
        TEXT, voice="en-US-Harper:MAI-Voice-2", sample_rate=16_000
    ).pcm


def test_a_turn_is_all_its_audio_and_where_the_words_stand(speaker, emulator):
    events = speaker.say()
    assert audio_of(events) == spoken(emulator)
    words = [event for event in events if isinstance(event, WordBoundary)]
    assert [TEXT[w.text_offset : w.text_offset + len(w.text)] for w in words] == [
        w.text for w in words
    ]
    assert isinstance(events[-1], SpeechEnd)


def test_the_next_turn_takes_the_same_connection_and_does_not_say_again_who_calls(
    speaker, emulator
):
    speaker.say()
    speaker.say()
    (entry,) = emulator.journal
    assert [decode(frame).path for frame in entry.frames] == [
        "speech.config", "synthesis.context", "ssml", "synthesis.context", "ssml",
    ]  # fmt: skip
    assert len({decode(f).request_id for f in entry.frames if decode(f).request_id}) == 2
    assert entry.headers["ocp-apim-subscription-key"] == "***"
    assert entry.headers["sec-websocket-protocol"] == "USP"


def test_a_connection_the_service_has_left_is_not_used_again(speaker, emulator):
    emulator.fault("socket_leave")
    speaker.say()
    emulator.journal.wait(1)
    speaker.say()
    assert len(emulator.journal) == 2
    assert speaker.waits == []


@pytest.mark.parametrize("code", [1000, 1001])
def test_an_old_connection_that_is_just_being_closed_costs_no_attempt(emulator, speaker, code):
    speaker.engine.retry = RetryPolicy(max_retries=0)
    speaker.say()
    emulator.fault("socket_close", code=code)
    assert audio_of(speaker.say()) == spoken(emulator)
    assert speaker.waits == []
    assert len(emulator.journal) == 2


def test_a_refusal_on_an_old_connection_is_a_refusal(emulator, speaker):
    speaker.say()
    emulator.fault("socket_close", code=1007)
    with pytest.raises(errors.RequestRejected):
        speaker.say()
    assert len(emulator.journal) == 1


def test_an_old_connection_that_breaks_may_have_run_and_is_tried_again_by_the_rules(
    emulator, speaker
):
    speaker.say()
    emulator.fault("socket_reset")
    assert audio_of(speaker.say()) == spoken(emulator)
    assert speaker.states == ["unknown"]


def test_a_turn_nobody_reads_to_its_end_takes_its_connection_with_it(speaker, emulator):
    speaker.say(stop_after=1)
    speaker.say()
    assert len(emulator.journal) == 2


def test_noise_between_the_messages_changes_nothing(speaker, emulator):
    emulator.fault("socket_noise")
    assert audio_of(speaker.say()) == spoken(emulator)


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, errors.RequestRejected, 1),
        (401, errors.AuthenticationFailed, 1),
        (403, errors.PermissionDenied, 1),
        (404, errors.NotFound, 1),
        (429, errors.RateLimited, 3),
        (503, errors.ServiceUnavailable, 3),
    ],
)
def test_a_refused_handshake_is_the_error_its_status_is(speaker, emulator, status, kind, tries):
    emulator.fault("status", code=status, times=None)
    with pytest.raises(kind) as caught:
        speaker.say()
    assert caught.value.status == status
    assert speaker.states == ["released"] * tries


@pytest.mark.parametrize(
    ("code", "kind", "states"),
    [
        (1000, errors.StreamTruncated, ["unknown"] * 2),
        (1007, errors.RequestRejected, ["released"]),
        (1008, errors.ConnectionFailed, ["unknown"] * 2),
        (1011, errors.ServiceUnavailable, ["unknown"] * 2),
        (1013, errors.ServiceUnavailable, ["released"] * 3),
        (4429, errors.RateLimited, ["released"] * 3),
    ],
)
def test_a_close_before_the_first_audio_is_the_error_its_code_is(
    speaker, emulator, code, kind, states
):
    emulator.fault("socket_close", code=code, reason="Because", times=None)
    with pytest.raises(kind, match="Because") as caught:
        speaker.say()
    assert caught.value.code == str(code)
    assert speaker.states == states
    assert caught.value.receipt is not None


@pytest.mark.parametrize("fault", ["socket_close", "socket_reset"])
def test_one_failure_before_the_first_audio_is_got_over(speaker, emulator, fault):
    emulator.fault(fault)
    assert audio_of(speaker.say()) == spoken(emulator)
    assert len(speaker.states) == 1
    assert len(speaker.waits) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, errors.StreamTruncated),
        (1007, errors.RequestRejected),
        (1011, errors.ServiceUnavailable),
        (4429, errors.RateLimited),
    ],
)
def test_after_the_first_audio_nothing_is_said_twice(speaker, emulator, code, kind):
    emulator.fault("socket_close", code=code, after=2)
    with pytest.raises(kind):
        speaker.say()
    assert spoken(emulator).startswith(audio_of(speaker.events))
    assert audio_of(speaker.events)
    assert len(emulator.journal) == 1


def test_a_close_where_the_end_should_be_is_no_end(speaker, emulator):
    emulator.fault("socket_close", code=1000, after=10_000)
    with pytest.raises(errors.StreamTruncated):
        speaker.say()
    assert audio_of(speaker.events) == spoken(emulator)


def test_audio_that_got_lost_is_noticed(speaker, emulator):
    emulator.fault("socket_lose", after=1, frames=5)
    with pytest.raises(errors.StreamTruncated, match="ms came"):
        speaker.say()


def test_silence_before_the_first_audio_ends_with_its_limit_and_not_with_forty_seconds(
    speaker, emulator
):
    emulator.fault("socket_stall", times=None)
    with pytest.raises(errors.TimedOut) as caught:
        speaker.say(timeouts=Timeouts(first_byte=0.2))
    assert caught.value.phase == "first_byte"
    assert speaker.states == ["unknown", "unknown"]


def test_silence_between_pieces_ends_with_its_limit(speaker, emulator):
    emulator.fault("socket_stall", after=1)
    with pytest.raises(TransportFailed) as caught:
        speaker.say(timeouts=Timeouts(between_chunks=0.2))
    assert caught.value.phase == "between_chunks"


def test_a_wrong_key_is_refused_and_not_shown(speaker):
    with pytest.raises(errors.AuthenticationFailed) as caught:
        speaker.say(key="a-wrong-key-of-mine")
    assert "a-wrong-key" not in str(caught.value)


def test_a_reason_that_repeats_the_text_does_not_show_it(speaker, emulator):
    emulator.fault("socket_close", code=1007, reason=f"Cannot say: {TEXT}")
    with pytest.raises(errors.RequestRejected) as caught:
        speaker.say()
    assert "three" not in str(caught.value)
    assert "***" in str(caught.value)


def test_nobody_listening_is_no_connection_and_costs_nothing(speaker, emulator):
    class Nowhere:
        url = "http://127.0.0.1:9"
        key = "k"

    speaker.emulator = Nowhere
    with pytest.raises(errors.ConnectionFailed):
        speaker.say()
    assert speaker.states == ["released"] * 3


class Resting:
    is_open = True
    has_news = False

    def __init__(self, used_at):
        self.used_at = used_at


def test_the_freshest_socket_is_taken_and_one_that_rested_too_long_is_closed():
    now = [0.0]
    shelf = Shelf(idle_seconds=10, clock=lambda: now[0])
    old, fresh = Resting(0.0), Resting(5.0)
    shelf.put("key", old)
    shelf.put("key", fresh)
    assert shelf.take("other") == (None, [])
    assert shelf.take("key") == (fresh, [])
    now[0] = 10.0
    assert shelf.take("key") == (None, [old])


def test_no_more_sockets_rest_than_there_is_room_for():
    shelf = Shelf(clock=lambda: 0.0)
    sockets = [Resting(0.0) for _ in range(9)]
    assert [shelf.put("key", one) for one in sockets] == [None] * 8 + [sockets[0]]
    assert len(shelf.clear()) == 8


def test_a_child_process_does_not_talk_over_its_parents_connections(monkeypatch):
    shelf = Shelf(clock=lambda: 0.0)
    shelf.put("key", Resting(0.0))
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert shelf.take("key") == (None, [])
