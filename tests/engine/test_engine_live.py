"""The loop around a session's machine, over sockets of our own and a clock moved by hand."""

import asyncio
import base64
import functools
import heapq
import itertools
import json
from collections import deque
from types import SimpleNamespace

import pytest

from mai_sdk.config import Route, Secret, Timeouts
from mai_sdk.engine.auth import AsyncTokens
from mai_sdk.engine.connecting import Line
from mai_sdk.engine.drive import AsyncDriver
from mai_sdk.engine.live import Endurance, Live
from mai_sdk.engine.steps import SocketClosed, TransportFailed
from mai_sdk.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    InvalidRequest,
    MAIError,
    NotFound,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
)
from mai_sdk.session.conversation import Conversation
from mai_sdk.session.pace import ConnectionPace
from mai_sdk.wire.session_events import (
    AgentTranscript,
    AudioChunk,
    Ended,
    Interrupted,
    Reconnected,
    SessionStarted,
    TurnDone,
)

URL = "http://127.0.0.1:9/voice-live/realtime"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 1000.0
        self._sleepers = []
        self._order = itertools.count()

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken

    async def pass_(self, seconds):
        """Let time pass; whoever sleeps is woken when it is time."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, woken = heapq.heappop(self._sleepers)
            self.now = max(self.now, at)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self.now = until
        await settle()

    async def jump(self, seconds):
        """Let time pass while nothing runs: the program was busy."""
        self.now += seconds
        await self.pass_(0)


async def settle():
    for _ in range(30):
        await asyncio.sleep(0)


class Socket:
    """One socket: `says` is the service; `got` is what it received."""

    def __init__(self, *, answers_pings=True, greets=True):
        self.got = []
        self.pings = 0
        self.closed = None
        self.on_sign = self.on_pong = None
        self.is_stuck = False
        self._answers_pings = answers_pings
        self._came = deque()
        self._news = asyncio.Event()
        if greets:
            self.says("session.created", session={"id": "s"})
            self.says("session.updated", session={"id": "s"})

    @property
    def is_writing(self):
        return self.is_stuck

    def says(self, kind, **fields):
        self._came.append(json.dumps({"type": kind, **fields}))
        self._news.set()

    def ends(self, code, reason=""):
        self._came.append(SocketClosed(code, reason))
        self._news.set()

    async def listen(self, take):
        goes_on = True
        while goes_on:
            while not self._came:
                self._news.clear()
                await self._news.wait()
            one = self._came.popleft()
            if isinstance(one, Exception):
                raise one
            self.on_sign()
            goes_on = take(one)

    async def send(self, *messages):
        if self.is_stuck:
            await asyncio.Event().wait()
        self.got += [json.loads(each) for each in messages]

    async def ping(self, payload=b""):
        self.pings += 1
        if self._answers_pings:
            self.on_sign()
            self.on_pong(payload)

    async def aclose(self, code=1000, reason=""):
        self.closed = code


class Refusal:
    """An answer to the handshake that is none."""

    def __init__(self, status, **headers):
        self.status, self.headers = status, headers

    async def read(self, *, within):
        return None

    async def aclose(self):
        pass


class Credential:
    def __init__(self):
        self.asked = 0

    async def get_token(self, *scopes, **options):
        self.asked += 1
        return SimpleNamespace(token=f"token-{self.asked}", expires_on=0)


class World:
    """A session, its clock, and the service's side of every connection."""

    def __init__(self, *plan, credential=None, endurance=None, **session):
        self.clock = Clock()
        self.plan = deque(plan)
        self.lines, self.dialled, self.asked = [], [], []
        self.machine = Conversation(
            {"turn_detection": {"type": "server_vad"}, **session},
            sample_rate=24_000,
            output_rate=24_000,
        )
        route = Route(
            surface="voice-live",
            endpoint="http://127.0.0.1:9",
            credential=credential or Secret("k" * 8, name="key"),
        )
        self.live = Live(
            self.machine,
            Line(route=route, url=URL, timeouts=Timeouts()),
            driver=AsyncDriver(None, AsyncTokens()),
            dialler=self,
            pace=ConnectionPace(),
            endurance=endurance or Endurance(),
            observe=lambda event: event,
            clock=self.clock,
            wall_clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self.events = []

    async def dial(self, request, limits, *, subprotocol=None):
        self.dialled.append(self.clock())
        self.asked.append(request)
        one = self.plan.popleft() if self.plan else Socket()
        if callable(one):
            one = one()
        if isinstance(one, Exception):
            raise one
        if isinstance(one, Socket):
            self.lines.append(one)
        return one

    @property
    def line(self):
        return self.lines[-1]

    async def read(self):
        while True:
            event = await self.live.next()
            if event is None:
                return
            self.events.append(event)

    def told(self, kind):
        self.events += self.live._events
        self.live._events.clear()
        return [each for each in self.events if isinstance(each, kind)]


def run(test):
    """Run an async test on a loop of its own."""

    @functools.wraps(test)
    def wrapped(*args, **named):
        async def whole():
            async with asyncio.timeout(20):
                await test(*args, **named)

        asyncio.run(whole())

    return wrapped


@run
async def test_a_session_starts_and_ends():
    world = World()
    await world.live.start()
    await settle()
    assert [each["type"] for each in world.line.got] == ["session.update"]
    world.machine.send_text("Hi", now=0)
    await world.live.out()
    await settle()
    assert world.line.got[-1]["type"] == "response.create"
    await world.live.aclose(reason="done", drain=True)
    assert world.line.closed == 1000
    await world.read()
    assert isinstance(world.events[-1], Ended)
    with pytest.raises(InvalidRequest, match="not open"):
        world.live.check()


@run
async def test_what_an_event_asks_for_is_sent_at_once():
    world = World()
    await world.live.start()
    await settle()
    world.line.says("response.created", response={"id": "r"})
    pcm = base64.b64encode(bytes(4800)).decode()
    world.line.says("response.audio.delta", response_id="r", item_id="i", delta=pcm)
    await settle()
    world.machine.played(ms=60, now=0)
    world.line.says("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    await settle()  # no time passes, and nobody sends
    assert world.line.got[-1]["type"] == "conversation.item.truncate"
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_line_on_which_nothing_comes_is_replaced_within_ten_seconds():
    world = World(lambda: Socket(answers_pings=False), Socket)
    await world.live.start()
    began = world.clock()
    while len(world.lines) < 2:
        await world.clock.pass_(0.5)
        assert world.clock() - began <= 10
    await settle()
    [news] = world.told(Reconnected)
    assert "not even an answer to a ping" in news.why
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_model_that_says_nothing_for_half_a_minute_is_not_a_dead_line():
    world = World()
    await world.live.start()
    await world.clock.pass_(30)
    assert len(world.lines) == 1
    assert world.line.pings >= 10
    await world.live.aclose(reason="done", drain=True)


@pytest.mark.parametrize("seconds", [5, 60])
@run
async def test_a_program_that_was_busy_keeps_its_session(seconds):
    world = World()
    await world.live.start()
    await world.clock.pass_(3)
    await world.clock.jump(seconds)
    await world.clock.pass_(20)
    assert len(world.lines) == 1
    await world.live.aclose(reason="done", drain=True)


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 1012, 1013])
@run
async def test_a_close_that_can_be_mended_is(code):
    world = World()
    await world.live.start()
    await settle()
    world.line.ends(code, "Bye")
    await world.clock.pass_(1)
    assert len(world.lines) == 2
    [news] = world.told(Reconnected)
    assert news.why == f"close code {code}: Bye"
    assert len(world.told(SessionStarted)) == 1
    await world.live.aclose(reason="done", drain=True)


@pytest.mark.parametrize(("code", "kind"), [(1007, RequestRejected), (1009, RequestRejected)])
@run
async def test_a_close_that_would_come_again_ends_the_session(code, kind):
    world = World()
    await world.live.start()
    await settle()
    world.line.ends(code, "Bad data")
    with pytest.raises(kind):
        await world.read()
    assert isinstance(world.told(Ended)[-1], Ended)
    with pytest.raises(kind):
        world.live.check()
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_storm_keeps_to_the_quota_and_has_an_end():
    world = World(*[lambda: Socket(greets=False)] * 500, endurance=Endurance(reconnect_seconds=600))
    await world.live.start()
    for _ in range(700):
        if world.lines and world.line.closed is None:
            world.line.ends(1011)
        await world.clock.pass_(1)
        if world.live.failure is not None:
            break
    assert isinstance(world.live.failure, ServiceUnavailable)
    assert world.clock() - 1000 > 550
    for at in world.dialled:
        assert sum(at - 60 < each <= at for each in world.dialled) <= 30


@run
async def test_a_session_in_which_nothing_was_said_for_long_is_mended_too():
    world = World()
    await world.live.start()
    await world.clock.pass_(600)
    world.line.ends(1006)
    await world.clock.pass_(1)
    assert len(world.lines) == 2
    assert world.live.failure is None
    await world.live.aclose(reason="done", drain=True)


@run
async def test_reconnecting_gives_up_in_time():
    world = World(Socket, *[TransportFailed("refused", certainty="not_sent")] * 100)
    await world.live.start()
    await settle()
    world.line.ends(1006)
    await world.clock.pass_(61)
    assert isinstance(world.live.failure, ConnectionFailed)
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_first_connection_is_tried_as_often_as_a_call():
    world = World(*[TransportFailed("refused", certainty="not_sent")] * 9)
    starting = asyncio.ensure_future(world.live.start())
    await world.clock.pass_(30)
    with pytest.raises(ConnectionFailed):
        await starting
    assert len(world.dialled) == 3


@run
async def test_what_no_other_try_would_mend_fails_at_once():
    world = World(Refusal(404))
    with pytest.raises(NotFound):
        await world.live.start()
    assert len(world.dialled) == 1


@run
async def test_a_wait_that_is_asked_for_is_kept():
    world = World(Refusal(429, **{"retry-after": "7"}), Socket)
    starting = asyncio.ensure_future(world.live.start())
    await world.clock.pass_(6.5)
    assert len(world.dialled) == 1
    await world.clock.pass_(1)
    await starting
    await world.live.aclose(reason="done", drain=True)


@run
async def test_every_connection_has_a_fresh_token():
    credential = Credential()
    world = World(credential=credential)
    await world.live.start()
    await settle()
    world.line.ends(1006)
    await world.clock.pass_(1)
    proofs = [dict(each.headers)["authorization"] for each in world.asked]
    assert proofs == ["Bearer token-1", "Bearer token-2"]
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_token_that_is_refused_is_replaced_once():
    world = World(Refusal(401), Socket, credential=Credential())
    await world.live.start()
    assert len(world.dialled) == 2
    await world.live.aclose(reason="done", drain=True)
    world = World(Refusal(401), Refusal(401), credential=Credential())
    with pytest.raises(AuthenticationFailed):
        await world.live.start()
    world = World(Refusal(401))
    with pytest.raises(AuthenticationFailed):
        await world.live.start()
    assert len(world.dialled) == 1, "a key is what it is"


@run
async def test_the_end_of_a_connection_is_met_before_it_strikes():
    world = World(lambda: Socket(greets=False), Socket)
    await world.live.start()
    world.line.says("session.created", session={"id": "s", "expires_at": world.clock() + 600})
    world.line.says("session.updated", session={"id": "s"})
    await world.clock.pass_(470)
    assert len(world.lines) == 1
    await world.clock.pass_(20)
    assert len(world.lines) == 2
    [news] = world.told(Reconnected)
    assert news.why == "it was replaced before the service would have ended it"
    assert news.down_ms == 0
    assert world.lines[0].closed == 1000
    await world.live.aclose(reason="done", drain=True)


@run
async def test_whoever_sends_waits_while_the_line_is_slow():
    world = World()
    await world.live.start()
    await settle()
    world.line.is_stuck = True
    sent = 0

    async def send():
        nonlocal sent
        while True:
            world.machine.send_audio(bytes(48_000), now=0)
            await world.live.out()
            sent += 1
            await asyncio.sleep(0)

    sending = asyncio.ensure_future(send())
    await settle()
    stuck_at = sent
    assert 0 < stuck_at < 30
    await settle()
    assert sent == stuck_at
    sending.cancel()
    await world.live.aclose(reason="done", drain=True)


@run
async def test_nothing_is_received_while_nobody_takes_events():
    world = World()
    await world.live.start()
    for _ in range(21_000):
        world.line.says("never.seen")
    await settle()
    await world.clock.pass_(30)
    assert len(world.lines) == 1, "a caller who is slow is no dead line"
    assert len(world.live._events) <= 20_002
    taken = 0
    while taken < 21_000:
        event = await world.live.next()
        taken += getattr(event, "type", None) == "never.seen"
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_session_that_is_left_settles_what_is_under_way():
    world = World()
    await world.live.start()
    world.line.says("response.created", response={"id": "r1"})
    await settle()
    await world.live.aclose(reason="left by KeyError", drain=False)
    assert world.line.closed == 1000
    assert [turn.reason for turn in world.told(TurnDone)] == ["session_closed"]


@run
async def test_a_fault_in_what_looks_on_reaches_whoever_reads():
    world = World()

    def fault(event):
        raise ZeroDivisionError

    await world.live.start()
    world.live._observe = fault
    world.line.says("never.seen")
    with pytest.raises(ZeroDivisionError):
        await world.read()
    await world.live.aclose(reason="done", drain=True)


@run
async def test_cancelling_whoever_reads_leaves_the_session_running():
    world = World()
    await world.live.start()
    await settle()
    reading = asyncio.ensure_future(world.read())
    await settle()
    reading.cancel()
    await settle()
    world.line.says("never.seen")
    await settle()
    assert world.live.failure is None
    assert world.live._events
    await world.live.aclose(reason="done", drain=True)
    assert issubclass(MAIError, Exception)


@run
async def test_voice_that_nobody_took_before_an_interruption_is_not_given_after_it():
    world = World()
    await world.live.start()
    world.line.says("response.created", response={"id": "r"})
    for _ in range(5):
        world.line.says("response.audio.delta", response_id="r", item_id="a", delta="AAAA" * 40)
    world.line.says("response.audio_transcript.delta", response_id="r", item_id="a", delta="Well")
    await settle()
    world.machine.interrupt(now=world.clock())
    world.live.wake()
    kinds = [type(event) for event in world.live._events]
    assert AudioChunk not in kinds
    assert kinds.index(AgentTranscript) < kinds.index(Interrupted)
    await world.live.aclose(reason="done", drain=True)


@run
async def test_a_session_is_opened_once_and_not_read_unopened():
    world = World()
    with pytest.raises(InvalidRequest, match="not open"):
        await world.live.next()
    await world.live.start()
    with pytest.raises(InvalidRequest, match="once"):
        await world.live.start()
    await world.live.aclose(reason="done", drain=True)
    with pytest.raises(InvalidRequest, match="once"):
        await world.live.start()
    assert len(world.dialled) == 1


def test_a_loop_that_ends_settles_a_session_nobody_closed():
    world = World()

    async def leave():
        await world.live.start()
        world.line.says("response.created", response={"id": "r"})
        await settle()

    asyncio.run(leave())
    assert [turn.reason for turn in world.told(TurnDone)] == ["session_closed"]
    assert world.told(Ended)[0].reason == "cancelled"


@run
async def test_whoever_closes_and_is_cancelled_is_cancelled():
    world = World()
    await world.live.start()
    await settle()
    leaving = asyncio.Event()

    async def slowly(code=1000, reason=""):
        leaving.set()
        await asyncio.sleep(0.05)

    world.line.aclose = slowly
    closing = asyncio.ensure_future(world.live.aclose(reason="done", drain=False))
    await leaving.wait()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert world.told(Ended)


@run
async def test_a_rollover_that_is_refused_leaves_the_quota_to_the_end():
    world = World(lambda: Socket(greets=False), *[Refusal(503)] * 100)
    await world.live.start()
    world.line.says("session.created", session={"id": "s", "expires_at": world.clock() + 600})
    world.line.says("session.updated", session={"id": "s"})
    await world.clock.pass_(540)
    assert 3 <= len(world.dialled) <= 9
    world.plan.clear()
    world.line.ends(1001)
    await world.clock.pass_(1)
    assert len(world.lines) == 2
    await world.live.aclose(reason="done", drain=True)


@run
async def test_sessions_that_wait_for_the_quota_do_not_all_take_what_there_is():
    clock, pace, dialled = Clock(), ConnectionPace(), []
    worlds = [World() for _ in range(70)]
    for world in worlds:
        world.live.clock = world.live._redial._clock = world.clock = clock
        world.live._sleep = world.live._redial._sleep = clock.sleep
        world.live._redial._pace = pace
        await world.live.start()
    await clock.pass_(100)
    for world in worlds:
        world.dialled, world.clock = dialled, clock
        world.line.ends(1001)
    for _ in range(260):
        await clock.pass_(0.5)
    assert len(dialled) == 70
    for at in dialled:
        assert sum(at - 60 < each <= at for each in dialled) <= 30
    for world in worlds:
        await world.live.aclose(reason="done", drain=True)


@run
async def test_a_first_connection_is_not_waited_for_without_end():
    world = World(Refusal(429, **{"retry-after": "3600"}))
    with pytest.raises(RateLimited):
        await world.live.start()
    assert len(world.dialled) == 1


@run
async def test_a_slow_line_that_has_much_to_catch_up_with_is_not_a_dead_one():
    class Slow(Socket):
        async def send(self, *messages):
            await super().send(*messages)
            await world.clock.sleep(sum(map(len, messages)) / 128_000)

    world = World(Socket, *[TransportFailed("refused", certainty="not_sent")] * 4, Slow, Slow)
    await world.live.start()
    await world.clock.pass_(1)
    world.line.ends(1006)
    await world.clock.pass_(0.1)
    for _ in range(60):
        world.machine.send_audio(bytes(48_000), now=world.clock())
    await world.clock.pass_(60)
    assert len(world.lines) == 2, "it was killed while it was catching up"
    sent = [each for each in world.line.got if each["type"].endswith("append")]
    assert sum(len(each["audio"]) for each in sent) == 60 * 64_000
    assert world.line.pings > 10
    await world.live.aclose(reason="done", drain=True)
