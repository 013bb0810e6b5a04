"""A Voice Live service without a network, and a caller beside it: for tests of the machine."""

import base64
import json
import random

from mai_sdk.session.conversation import Conversation
from mai_sdk.wire.session_events import AudioChunk, Interrupted, TurnDone

RATE = 24_000
FRAME = 480
"""Samples of 20 ms."""


def frame(index):
    """Return 20 ms of audio that says which it is."""
    return index.to_bytes(4, "little") + bytes(FRAME * 2 - 4)


def sound(ms):
    return base64.b64encode(bytes(int(ms * RATE / 1000) * 2)).decode()


def machine(**session):
    turns = {"type": "server_vad"}
    return Conversation({"turn_detection": turns, **session}, sample_rate=RATE, output_rate=RATE)


class Talk:
    """A machine with a clock; `says` is the service, `sent` what it got."""

    def __init__(self, **session):
        self.machine = machine(**session)
        self.now = 0.0
        self.events = []
        self.sent = []

    def connect(self):
        self.machine.connected(now=self.now, wall=1000.0 + self.now)
        self.says("session.created", session={"id": "s1"})
        self.says("session.updated", session={"id": "s1"})
        return self.take()

    def drop(self, why="close code 1006"):
        self.machine.disconnected(why, now=self.now)
        self.collect()

    def says(self, kind, **fields):
        self.machine.receive(json.dumps({"type": kind, **fields}), now=self.now)
        self.collect()

    def collect(self):
        self.events += self.machine.take_events()

    def take(self):
        """Return what was sent since, as objects, audio left out."""
        frames = [json.loads(each) for each in self.machine.take_frames()]
        self.sent += frames
        return [each for each in frames if each["type"] != "input_audio_buffer.append"]

    def listens(self, seconds):
        for index in range(int(seconds * 50)):
            self.machine.send_audio(frame(index), now=self.now)
            self.now += 0.02
        self.take()

    def user_says(self, item_id, start_ms, end_ms, *, text=None):
        self.says("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=item_id)
        self.says("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item_id)
        self.says("input_audio_buffer.committed", item_id=item_id)
        if text is not None:
            self.writes(item_id, text)

    def writes(self, item_id, text):
        kind = "conversation.item.input_audio_transcription.completed"
        self.says(kind, item_id=item_id, transcript=text)

    def answers(self, response_id, *, item_id="a1", text="Well now", ms=400):
        self.says("response.created", response={"id": response_id})
        self.says(
            "response.audio_transcript.delta",
            response_id=response_id, item_id=item_id, delta=text,
        )  # fmt: skip
        self.speaks(response_id, item_id, ms)

    def speaks(self, response_id, item_id, ms):
        self.says("response.audio.delta", response_id=response_id, item_id=item_id, delta=sound(ms))

    def done(self, response_id, status="completed", **fields):
        self.says("response.done", response={"id": response_id, "status": status, **fields})

    def told(self, kind):
        return [each for each in self.events if isinstance(each, kind)]


class Model:
    """What Voice Live may do with audio, at random, and what must hold of whatever comes.

    It notes the frames of each connection, and which turns it had not yet written down or answered
    when a connection went: their audio must come again.
    """

    def __init__(self, seed):
        self.chance = random.Random(seed)  # noqa: S311 - it decides a test
        self.talk = Talk()
        self.heard = []
        """For each connection, the numbers of the frames it got."""
        self.open_turn = None
        self.turns = []
        """(item, first frame) of turns that are not written down, oldest first."""
        self.items = 0
        self.must_have = 0
        self.free_from = 0
        """Nothing is heard twice on one connection: a turn begins after the one before."""
        self.given = 0

    def connect(self):
        self.talk.connect()
        self.heard.append([])
        self._hear()
        if self.heard[-1]:
            assert self.heard[-1][0] <= self.must_have, "audio of an unfinished turn is lost"

    def give(self):
        self.talk.machine.send_audio(frame(self.given), now=self.talk.now)
        self.given += 1
        self.talk.now += 0.02
        if self.talk.machine.is_connected:
            self.talk.take()
            self._hear()

    def _hear(self):
        for each in self.talk.sent:
            if each["type"] == "input_audio_buffer.append":
                audio = base64.b64decode(each["audio"])
                for at in range(0, len(audio), FRAME * 2):
                    self.heard[-1].append(int.from_bytes(audio[at : at + 4], "little"))
        self.talk.sent.clear()

    def drop(self):
        acknowledged = self.talk.machine.hearing.buffer.start // FRAME
        got = self.heard[-1]
        self.must_have = self.turns[0][1] if self.turns else (got[-1] + 1 if got else acknowledged)
        assert acknowledged <= self.must_have
        self.turns.clear()
        self.open_turn = None
        self.free_from = 0
        self.talk.drop()

    def act(self):
        """Do something a service does."""
        got = self.heard[-1]
        if not got:
            return
        base = got[0]
        act = self.chance.choice(["start", "stop", "write", "answer", "pong", "none", "none"])
        if act == "start" and self.open_turn is None:
            self.items += 1
            self.open_turn = f"item{self.items}"
            first = max(got[-1] - self.chance.randrange(30), self.free_from, base)
            self.turns.append([self.open_turn, first, None])
            self.talk.says(
                "input_audio_buffer.speech_started",
                audio_start_ms=(first - base) * 20, item_id=self.open_turn,
            )  # fmt: skip
        elif act == "stop" and self.open_turn is not None:
            self.turns[-1][2] = self.free_from = got[-1] + 1
            self.talk.says(
                "input_audio_buffer.speech_stopped",
                audio_end_ms=(got[-1] + 1 - base) * 20, item_id=self.open_turn,
            )  # fmt: skip
            self.talk.says("input_audio_buffer.committed", item_id=self.open_turn)
            self.open_turn = None
        elif act == "write":
            self._write()
        elif act == "answer":
            self._answer()
        elif act == "pong" and self.open_turn is None:
            self.talk.machine.pong(self.talk.machine.ping())

    def _write(self):
        closed = [turn for turn in self.turns if turn[2] is not None]
        if closed:
            turn = self.chance.choice(closed)
            self.turns.remove(turn)
            self.talk.writes(turn[0], "words")

    def _answer(self):
        if self.open_turn is None and self.turns:
            self.items += 1
            name = f"resp{self.items}"
            self.talk.answers(name, item_id=f"a{self.items}")
            if self.chance.random() < 0.7:
                self.talk.done(name)
                self.turns.clear()


def late(events):
    """Return the audio that came after its response was interrupted."""
    over, found = set(), []
    for event in events:
        if isinstance(event, Interrupted) and event.response_id:
            over.add(event.response_id)
        elif isinstance(event, AudioChunk) and event.response_id in over:
            found.append(event)
    return found


def turns(events):
    return [event for event in events if isinstance(event, TurnDone)]
