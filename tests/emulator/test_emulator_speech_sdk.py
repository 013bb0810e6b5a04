"""Microsoft's own Speech SDK, unmodified, against the emulator's WebSockets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mai_sdk.emulator import Emulator
from mai_sdk.wire.usp import decode
from mai_sdk.wire.wav import read_wav

pytest.importorskip("azure.cognitiveservices.speech")

SCRIPT = Path(__file__).with_name("speech_sdk.py")
V1 = "/cognitiveservices/websocket/v1"
V2 = "/cognitiveservices/websocket/v2"
UNIVERSAL = "/speech/universal/v2"
VOICE = "en-US-Harper:MAI-Voice-2"
TEXT = "Hello there, how are you today?"


@pytest.fixture(scope="module")
def emulator():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture(autouse=True)
def _afresh(emulator):
    emulator.reset()


def sdk(emulator, use, path, *, scheme="ws", **arguments):
    asked = {"url": f"{scheme}://127.0.0.1:{emulator.port}{path}", "key": emulator.key, **arguments}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), use, json.dumps(asked)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_speaks_to_a_file(emulator, tmp_path):
    file = tmp_path / "hello.wav"
    said = sdk(
        emulator, "speak", V1, voice=VOICE, text=TEXT, file=str(file), form="Riff24Khz16BitMonoPcm"
    )
    assert said["reason"] == "SynthesizingAudioCompleted"
    spoken = emulator._world.mouth.speak(TEXT, voice=VOICE, sample_rate=24_000)
    assert read_wav(file.read_bytes()).samples == spoken.pcm


def test_it_is_told_where_each_word_stands(emulator):
    said = sdk(emulator, "speak", V1, voice=VOICE, text=TEXT)
    words = [text for text, _, kind in said["words"] if kind != "Sentence"]
    assert words == ["Hello", "there", ",", "how", "are", "you", "today", "?"]
    offsets = [offset for _, offset, _ in said["words"]]
    assert offsets == sorted(offsets)
    assert len(said["shapes"]) == 8


def test_it_speaks_ssml(emulator):
    ssml = (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        f'<voice name="{VOICE}">Fish &amp; chips.</voice></speak>'
    )
    said = sdk(emulator, "speak", V1, ssml=ssml)
    assert said["reason"] == "SynthesizingAudioCompleted"
    spoken = emulator._world.mouth.speak("Fish & chips.", voice=VOICE, sample_rate=16_000)
    assert said["bytes"] == len(spoken.pcm) + 46


def test_it_finds_the_paths_below_tts_when_given_an_http_address(emulator):
    said = sdk(emulator, "speak", "", scheme="http", voice=VOICE, text="Hi.")
    assert said["reason"] == "SynthesizingAudioCompleted"
    assert emulator.journal[0].path == f"/tts{V1}"


def test_it_streams_text_while_it_is_written(emulator):
    said = sdk(emulator, "stream", V2, voice=VOICE, pieces=["Hello ", "there. ", "How are you?"])
    assert said["reason"] == "SynthesizingAudioCompleted"
    assert said["bytes"] > 46
    paths = [decode(f).path for f in emulator.journal[0].frames if isinstance(f, str)]
    assert [path for path in paths if path != "telemetry"] == [
        "speech.config", "synthesis.context", "text.piece", "text.piece", "text.piece", "text.end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", [UNIVERSAL, "/speech/recognition/conversation/cognitiveservices/v1"]
)
def test_what_was_spoken_is_recognised_to_the_letter(emulator, tmp_path, path):
    file = tmp_path / "hello.wav"
    sdk(emulator, "speak", V1, voice=VOICE, text=TEXT, file=str(file))
    assert sdk(emulator, "recognise", path, file=str(file)) == {
        "reason": "RecognizedSpeech", "text": TEXT,
    }  # fmt: skip


def test_recognition_goes_on_to_the_end_of_the_file_turn_after_turn(emulator, tmp_path):
    file = tmp_path / "hello.wav"
    sdk(emulator, "speak", V1, voice=VOICE, text=TEXT, file=str(file))
    emulator.journal.clear()
    heard = sdk(emulator, "listen", UNIVERSAL, file=str(file))
    assert "".join(heard["texts"]) == TEXT
    messages = [decode(f) for f in emulator.journal[0].frames if isinstance(f, str)]
    turns = {message.request_id for message in messages if message.path == "speech.context"}
    assert len(turns) >= 1


def pushed(emulator, tmp_path, *texts):
    """Write each text, spoken and followed by silence, into a file of samples."""
    files = []
    for number, text in enumerate(texts):
        file = tmp_path / f"{number}.pcm"
        file.write_bytes(emulator.spoken(text, sample_rate=16_000) + bytes(32_000))
        files.append(str(file))
    return files


def test_a_stream_is_recognised_while_it_is_pushed(emulator, tmp_path):
    files = pushed(emulator, tmp_path, "Good morning, everybody.", "And good-by.")
    told = sdk(emulator, "hear", UNIVERSAL, pieces=files)
    final = [each for each in told["heard"] if each[:2] == ["recognized", "RecognizedSpeech"]]
    assert [each[2] for each in final] == ["Good morning, everybody.", "And good-by."]
    provisional = [each for each in told["heard"] if each[0] == "recognizing"]
    assert provisional[0][2] == "Good"
    assert told["heard"].index(provisional[0]) < told["heard"].index(final[0])
    assert (told["over"], told["ended"]) == (True, ["EndOfStream"])
    spoken = Path(files[0]).stat().st_size
    assert final[1][3] == pytest.approx(spoken * 10_000 // 32, abs=200_000)
    assert len(emulator.journal) == 1


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [("socket_reset", {}), ("socket_close", {"code": 1011}), ("socket_finish", {})],
    ids=str,
)
def test_the_sdk_goes_on_over_a_new_line_where_one_broke(emulator, tmp_path, fault, parameters):
    files = pushed(emulator, tmp_path, "Good morning, everybody.", "And good-by.")
    emulator.fault(fault, received=30, **parameters)
    told = sdk(emulator, "hear", UNIVERSAL, pieces=files)
    final = [each for each in told["heard"] if each[:2] == ["recognized", "RecognizedSpeech"]]
    assert [each[2] for each in final] == ["Good morning, everybody.", "And good-by."]
    assert len(emulator.journal) == 2
    whole = b"".join(Path(file).read_bytes() for file in files)
    first, second = (bytes(entry.audio) for entry in emulator.journal)
    assert whole.startswith(first)
    # It goes on from the last phrase; after the end, another turn has what no phrase covered.
    resumed, rest = continuations(emulator.journal[1])
    assert resumed <= len(first)
    assert second == whole[resumed:] + whole[rest:]


def test_a_commit_of_the_sdk_ends_a_phrase_and_is_answered(emulator, tmp_path):
    file = tmp_path / "said.pcm"
    file.write_bytes(emulator.spoken("Over to you.", sample_rate=16_000))
    told = sdk(emulator, "hear", UNIVERSAL, pieces=[str(file)] * 2, commit_after=[0])
    final = [each for each in told["heard"] if each[1] == "RecognizedSpeech"]
    assert [(each[2], each[5]) for each in final] == [("Over to you.", 1), ("Over to you.", 0)]
    messages = [decode(frame) for frame in emulator.journal[0].frames if isinstance(frame, str)]
    asked = next(each.json for each in messages if each.path == "speech.context")
    assert asked["model"] == {"name": "mai-transcribe-2-streaming"}


def continuations(entry):
    """Return where each turn on that line went on, in bytes: the SDK cuts at whole milliseconds."""
    messages = [decode(frame) for frame in entry.frames if isinstance(frame, str)]
    contexts = [message.json for message in messages if message.path == "speech.context"]
    streams = [context["continuation"]["audio"]["streams"]["1"] for context in contexts]
    return [int(stream["offset"]) // 10_000 * 32 for stream in streams]


def test_a_wrong_key_is_refused_at_the_handshake(emulator):
    said = sdk(emulator, "speak", V1, key="wrong", text="Hi.", voice=VOICE)
    assert (said["reason"], said["error"]) == ("Canceled", "AuthenticationFailure")


def test_what_cannot_be_spoken_closes_with_1007(emulator):
    said = sdk(emulator, "speak", V1, voice="nobody", text="Hi.")
    assert (said["reason"], said["error"]) == ("Canceled", "BadRequest")
    assert "Unsupported voice: there is no voice nobody" in said["details"]
    assert emulator.journal[0].close_code == 1007


def test_more_ssml_than_a_turn_takes_is_refused(emulator):
    said = sdk(emulator, "speak", V1, voice=VOICE, text="word " * 14_000)
    assert said["reason"] == "Canceled"
    assert emulator.journal[0].close_code == 1009


def test_it_lists_the_voices(emulator):
    said = sdk(emulator, "voices", "", scheme="http")
    assert said["reason"] == "VoicesListRetrieved"
    assert "en-US-Harper:MAI-Voice-2.1-Flash" in said["names"]
