"""The emulator's WebSockets, seen by the websockets library: speech both ways, and every fault."""

import contextlib
import json
import time
import uuid
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from mai_sdk.emulator import EMULATOR_KEY, FAULTS
from mai_sdk.wire.usp import Message, decode, encode
from mai_sdk.wire.wav import wav_header

V1 = "/cognitiveservices/websocket/v1"
V2 = "/cognitiveservices/websocket/v2"
STT = "/speech/universal/v2"
VOICE = "en-US-Harper:MAI-Voice-2"
TEXT = "One two three, four five six."
OPTIONS = {
    "wordBoundaryEnabled": True,
    "punctuationBoundaryEnabled": True,
    "sessionEndEnabled": True,
}


class Line:
    """One connection of a client that knows the protocol and nothing of ours."""

    def __init__(self, emulator, path, *, headers=None, query=""):
        proof = {"Ocp-Apim-Subscription-Key": EMULATOR_KEY} if headers is None else headers
        url = f"ws://127.0.0.1:{emulator.port}{path}{query}"
        self.opened = connect(
            url, additional_headers=proof, subprotocols=["USP"], compression=None, proxy=None
        )
        self.raw = self.opened.__enter__()
        self.id = uuid.uuid4().hex

    def send(self, path, body="", **headers):
        headers = {"X-RequestId": self.id, **headers}
        self.raw.send(encode(Message(path, body, headers)))

    def speak(self, text=TEXT, *, form="raw-16khz-16bit-mono-pcm", voice=VOICE, options=OPTIONS):
        self.id = uuid.uuid4().hex
        audio = {"outputFormat": form, "metadataOptions": options}
        self.send("synthesis.context", json.dumps({"synthesis": {"audio": audio}}))
        self.send(
            "ssml",
            '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
            f'<voice name="{voice}">{text}</voice></speak>',
        )

    def turn(self):
        """All messages up to the end of the turn."""
        messages = []
        while not messages or (messages[-1].path, messages[-1].request_id) != ("turn.end", self.id):
            messages.append(decode(self.raw.recv(timeout=5)))
        return messages

    def close_code(self):
        """Read to the close; return its code, and how many messages with audio came before."""
        audio = 0
        try:
            while True:
                message = decode(self.raw.recv(timeout=5))
                audio += message.path == "audio" and bool(message.body)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None, audio


@pytest.fixture
def line(emulator):
    with contextlib.ExitStack() as opened:

        def dial(path=V1, **options):
            made = Line(emulator, path, **options)
            opened.push(made.opened.__exit__)
            return made

        yield dial


def audio_of(messages):
    return b"".join(message.body for message in messages if message.path == "audio")


@pytest.mark.parametrize("prefix", ["", "/tts"])
@pytest.mark.parametrize("path", [V1, V2])
def test_a_turn_has_the_order_the_service_has(line, emulator, prefix, path):
    talk = line(prefix + path)
    assert talk.raw.subprotocol == "USP"
    talk.speak()
    messages = talk.turn()
    assert [message.path for message in messages[:2]] == ["turn.start", "response"]
    stream = json.loads(messages[1].body)["audio"]["streamId"]
    sounds = [message for message in messages if message.path == "audio"]
    assert {message.stream_id for message in sounds} == {stream}
    assert {message.request_id for message in messages} == {talk.id}
    assert [bool(message.body) for message in sounds] == [True] * (len(sounds) - 1) + [False]
    end = json.loads(messages[-2].body)["Metadata"][0]
    assert end["Type"] == "SessionEnd"
    assert end["Data"]["Offset"] == pytest.approx(len(audio_of(messages)) / 32_000 * 1e7, abs=2)


def test_a_word_is_told_before_it_is_heard(line):
    talk = line()
    talk.speak()
    heard_ms, words = 0.0, []
    for message in talk.turn():
        if message.path == "audio":
            heard_ms += len(message.body) / 32
        elif message.path == "audio.metadata":
            (mark,) = json.loads(message.body)["Metadata"]
            if mark["Type"] == "WordBoundary":
                words.append(mark["Data"]["text"]["Text"])
                assert mark["Data"]["Offset"] / 10_000 >= heard_ms - 1 or heard_ms > 0
    assert words == ["One", "two", "three", ",", "four", "five", "six", "."]


def test_one_connection_carries_turn_after_turn(line):
    talk = line()
    talk.speak("One.")
    first = talk.turn()
    talk.send("telemetry", "{}")
    talk.speak("Two.")
    second = talk.turn()
    assert first[1].body != second[1].body
    assert audio_of(first) != audio_of(second)


@pytest.mark.parametrize("form", ["raw-8khz-8bit-mono-mulaw", "audio-24khz-96kbitrate-mono-mp3"])
def test_other_formats_are_spoken_too(line, form):
    talk = line()
    talk.speak(form=form)
    assert audio_of(talk.turn())


def test_streamed_text_is_spoken_while_it_is_written(line, emulator):
    talk = line(V2)
    audio = {"outputFormat": "raw-16khz-16bit-mono-pcm", "metadataOptions": OPTIONS}
    given = {"bidirectionalStreamingMode": True, "voiceName": VOICE}
    talk.send("synthesis.context", json.dumps({"synthesis": {"audio": audio, "input": given}}))
    talk.send("text.piece", "One two. Thr")
    assert decode(talk.raw.recv(timeout=5)).path == "turn.start"
    while decode(talk.raw.recv(timeout=5)).path != "audio":
        pass
    talk.send("text.piece", "ee four.")
    talk.send("text.end")
    assert talk.turn()[-1].path == "turn.end"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"voice": "nobody"}, 1007),
        ({"form": "raw-99khz"}, 1007),
        ({"text": "<b>unclosed"}, 1007),
        ({"text": "word " * 14_000}, 1009),
    ],
)
def test_what_cannot_be_spoken_closes_the_connection(line, how, code):
    talk = line()
    with contextlib.suppress(ConnectionClosed):  # what is wrong is said before all is sent
        talk.speak(**how)
    assert talk.close_code() == (code, 0)


def test_a_frame_that_is_no_message_closes_the_connection(line):
    talk = line()
    talk.raw.send("hello")
    assert talk.close_code() == (1007, 0)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Ocp-Apim-Subscription-Key": "wrong"}, "", 401),
        ({"Ocp-Apim-Subscription-Key": EMULATOR_KEY, "Authorization": "Bearer "}, "", None),
        ({"Authorization": "Bearer mai-emulator-token"}, "", None),
        ({"Authorization": "Bearer aad#/subscriptions/x#mai-emulator-token"}, "", None),
        ({}, f"?Ocp-Apim-Subscription-Key={EMULATOR_KEY}", None),
    ],
)
def test_the_key_is_looked_at_first_and_may_stand_in_the_query(
    line, emulator, headers, query, status
):
    if status is None:
        line(headers=headers, query=query)
        assert emulator.journal[0].status == 101
        return
    with pytest.raises(InvalidStatus) as caught:
        line(headers=headers, query=query)
    assert caught.value.response.status_code == status


def test_a_path_that_is_no_socket_is_not_found(line):
    with pytest.raises(InvalidStatus) as caught:
        line("/nowhere")
    assert caught.value.response.status_code == 404


def test_the_journal_has_the_frames_and_no_key(line, emulator):
    talk = line()
    talk.speak()
    talk.turn()
    talk.raw.send(b"\x00\x0cPath: noise\r\n")
    talk.raw.close()
    (entry,) = emulator.journal.wait(1)
    assert [decode(frame).path for frame in entry.frames[:2]] == ["synthesis.context", "ssml"]
    assert EMULATOR_KEY not in repr(entry.headers)
    assert entry.bytes_sent > 10_000
    assert entry.close_code == 1000


def hear(talk, *, chunks, commit=None):
    """One turn of recognition; returns its messages."""
    talk.id = uuid.uuid4().hex
    context = {"phraseDetection": {"mode": "CONVERSATION"}, "model": {"name": "mai-transcribe-2"}}
    talk.send("speech.context", json.dumps(context))
    talk.send("audio", wav_header(0, sample_rate=16_000), **{"X-StreamId": "1"})
    for number, chunk in enumerate(chunks):
        if commit == number:
            talk.send("audio.commit", **{"X-Client-Commit-Token": "7"})
        talk.send("audio", chunk, **{"X-StreamId": "1"})
    talk.send("audio", b"", **{"X-StreamId": "1"})
    return talk.turn()


def spoken(emulator):
    made = emulator._world.mouth.speak(TEXT, voice=VOICE, sample_rate=16_000)
    emulator._world.ears.remember(made)
    return [made.pcm[at : at + 3200] for at in range(0, len(made.pcm), 3200)]


def test_speech_is_heard_with_hints_on_the_way(line, emulator):
    messages = hear(line(STT), chunks=spoken(emulator))
    paths = [message.path for message in messages]
    assert paths[:2] == ["turn.start", "speech.startDetected"]
    assert "speech.hypothesis" in paths
    assert paths[-4:] == ["speech.phrase", "speech.endDetected", "speech.phrase", "turn.end"]
    phrase, dictated = [json.loads(m.body) for m in messages if m.path == "speech.phrase"]
    assert (phrase["RecognitionStatus"], phrase["DisplayText"]) == ("Success", TEXT)
    assert phrase["Duration"] > 0
    assert dictated["RecognitionStatus"] == "EndOfDictation"


def test_a_second_turn_on_the_same_line_has_ids_of_its_own(line, emulator):
    talk = line(STT)
    hear(talk, chunks=spoken(emulator))
    messages = hear(talk, chunks=[])
    assert {message.request_id for message in messages} == {talk.id}
    assert "Success" not in "".join(str(message.body) for message in messages)


def test_a_commit_is_answered_with_its_token(line, emulator):
    messages = hear(line(STT), chunks=spoken(emulator), commit=9)
    phrases = [json.loads(m.body) for m in messages if m.path == "speech.phrase"]
    assert phrases[0]["clientAudioMetadata"] == {"X-Client-Commit-Token": "7"}
    words = " ".join(phrase.get("DisplayText", "") for phrase in phrases).split()
    assert words == TEXT.split()


def test_a_models_name_in_capitals_is_not_known_here(line):
    talk = line(STT)
    talk.send("speech.context", json.dumps({"model": {"name": "MAI-Transcribe-2-Streaming"}}))
    assert talk.close_code()[0] == 1007


@pytest.mark.parametrize("after", [None, 0, 3, 10_000])
def test_a_turn_can_be_closed_anywhere(line, emulator, after):
    emulator.fault("socket_close", code=4429, reason="Too much", after=after)
    talk = line()
    talk.speak()
    code, audio = talk.close_code()
    assert code == 4429
    assert audio == (after or 0) if after != 10_000 else audio > 3


def test_a_turn_can_be_reset(line, emulator):
    emulator.fault("socket_reset", after=1)
    talk = line()
    talk.speak()
    assert talk.close_code()[0] is None


def test_a_turn_can_fall_silent_until_it_is_released(line, emulator):
    emulator.fault("socket_stall", after=1)
    talk = line()
    talk.speak()
    with pytest.raises(TimeoutError):
        while True:
            talk.raw.recv(timeout=0.1)
    emulator.release()
    assert talk.turn()[-1].path == "turn.end"


def test_a_turn_can_be_slow(line, emulator):
    emulator.fault("socket_slow", seconds=0.01)
    talk = line()
    talk.speak()
    began = time.monotonic()
    sounds = [message for message in talk.turn() if message.path == "audio"]
    assert time.monotonic() - began > (len(sounds) - 1) * 0.01


def test_a_turn_can_have_noise_in_it_and_be_whole(line, emulator):
    emulator.fault("socket_noise", after=1)
    talk = line()
    talk.speak()
    noisy = talk.turn()
    talk.speak()
    plain = talk.turn()
    assert {message.path for message in noisy} - {message.path for message in plain} == {
        "service.notice", "picture",
    }  # fmt: skip
    assert len(noisy) == len(plain) + 4


def test_a_turn_can_lose_audio_and_not_say_so(line, emulator):
    emulator.fault("socket_lose", after=1, frames=2)
    talk = line()
    talk.speak()
    short = audio_of(talk.turn())
    talk.speak()
    assert len(audio_of(talk.turn())) == len(short) + 2 * 3200


def test_the_connection_can_be_left_after_a_whole_turn(line, emulator):
    emulator.fault("socket_leave", code=1001)
    talk = line()
    talk.speak()
    talk.turn()
    assert talk.close_code()[0] == 1001


def test_a_handshake_meets_the_faults_of_plain_answers(line, emulator):
    emulator.fault("rate_limit", path="/websocket/")
    with pytest.raises(InvalidStatus) as caught:
        line()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "1"
    line()


LIVE = {
    "response_failed", "session_expiry", "socket_finish", "socket_half_open", "socket_repeat",
    "socket_swap", "transcription_failed",
}  # fmt: skip
"""Those seen in test_emulator_live_faults.py."""


def test_every_fault_of_sockets_is_seen_here_or_beside():
    here = Path(__file__).read_text(encoding="utf-8")
    names = {name for name, fault in FAULTS.items() if fault.needs == "socket"}
    assert {name for name in names - LIVE if f'"{name}"' not in here} == set()
    beside = Path(__file__).with_name("test_emulator_live_faults.py").read_text(encoding="utf-8")
    assert {name for name in LIVE if f'"{name}"' not in beside} == set()
