"""A plain client of the live services, for tests: events out, events in."""

import base64
import json
from contextlib import contextmanager

from websockets.sync.client import connect

from mai_sdk.emulator import EMULATOR_KEY

VOICE_LIVE = "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"
REALTIME = "/mai/v1/realtime?intent=transcription"
MAI_VOICE = {"type": "azure-standard", "name": "en-US-Harper:MAI-Voice-2-Flash"}
HEARING = {"input_audio_transcription": {"model": "mai-transcribe"}}


def piece(pcm, **more):
    audio = base64.b64encode(pcm).decode()
    return {"type": "input_audio_buffer.append", "audio": audio, **more}


def silence(ms, rate=24_000):
    return bytes(rate * ms // 1000 * 2)


class Line:
    """One connection; `events` is all that came."""

    def __init__(self, socket):
        self.socket = socket
        self.events = []

    def send(self, kind, **fields):
        self.socket.send(json.dumps({"type": kind, **fields}))

    def get(self, timeout=5):
        event = json.loads(self.socket.recv(timeout=timeout))
        self.events.append(event)
        return event

    def until(self, kind, timeout=5):
        """Return the next event of that type; the ones before it are in `events`."""
        while True:
            event = self.get(timeout)
            if event.get("type") == kind:
                return event

    def error(self, kind, **fields):
        """Send an event, and return the code of the error it is answered with."""
        self.send(kind, event_id="mine", **fields)
        error = self.until("error")["error"]
        assert error["event_id"] == "mine"
        assert error["message"]
        return error["code"]

    def update(self, **session):
        self.send("session.update", session=session)
        return self.until("session.updated")["session"]

    def say(self, pcm, *, frame=960):
        for at in range(0, len(pcm), frame):
            self.socket.send(json.dumps(piece(pcm[at : at + frame])))

    def kinds(self):
        """Return the types of all events, each run of one type once."""
        kinds = []
        for event in self.events:
            if not kinds or kinds[-1] != event.get("type"):
                kinds.append(event.get("type"))
        return kinds

    def audio(self, response_id=None):
        return b"".join(
            base64.b64decode(event["delta"])
            for event in self.events
            if event["type"] == "response.audio.delta"
            and response_id in (None, event["response_id"])
        )


@contextmanager
def open_line(emulator, path=VOICE_LIVE, *, key=EMULATOR_KEY, headers=None):
    given = {"api-key": key} if headers is None else headers
    url = f"ws://127.0.0.1:{emulator.port}{path}"
    with connect(
        url, additional_headers=given, compression=None, max_queue=None, max_size=None
    ) as socket:
        yield Line(socket)
