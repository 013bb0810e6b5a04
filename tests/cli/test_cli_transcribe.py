"""`mai transcribe`: text to stdout, the bar and the cost to stderr, files as their suffix says."""

import io
import json
import sys
from pathlib import Path

import pytest

from mai_sdk.wire.wav import wav_header

SAID = "Good afternoon. Any questions?"


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "meeting.wav"
    path.write_bytes(wav_header(64_000, sample_rate=16_000) + bytes(64_000))
    return path


@pytest.fixture
def configured(emulator, monkeypatch):
    monkeypatch.setenv("MAI_SPEECH_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_SPEECH_API_KEY", emulator.key)
    emulator.reply(SAID, times=None)
    return emulator


@pytest.fixture
def usual(mai, configured, recording):
    return lambda *words: mai("transcribe", recording, *words)


def test_the_text_goes_to_stdout_and_the_cost_to_stderr(usual):
    code, out, err = usual()
    assert (code, out) == (0, SAID + "\n")
    assert "MAI-Transcribe-2, speech, 2 s of audio" in err
    assert "~$0.0000" in err
    assert "\033" not in err


def test_subtitles_ask_for_times_and_the_suffix_decides(usual, configured, tmp_path):
    assert usual("--to", "vtt")[1].startswith("WEBVTT\n\n00:00:00.000 --> ")
    out = tmp_path / "meeting.srt"
    assert usual("--out", out)[:2] == (0, f"{out}\n")
    assert out.read_text().startswith("1\n00:00:00,000 --> 00:00:01,000\nGood afternoon.")
    assert b'"timestamps":"segment"' in configured.journal[-1].body
    assert usual("--out", tmp_path / "a.txt", "--to", "json")[0] == 0
    assert json.loads((tmp_path / "a.txt").read_text())["text"] == SAID


def test_a_model_that_refuses_times_is_not_asked_for_them(usual, configured):
    code, out, _ = usual("--to", "srt", "--model", "MAI-Transcribe-1.5")
    assert (code, out[:2]) == (0, "1\n")
    assert b"timestamps" not in configured.journal[-1].body


def test_options_become_the_request(usual, configured):
    code, out, _ = usual("--locale", "en-US", "--phrase", "Contoso", "--diarize", "--tag", "a=b")
    assert (code, out) == (0, "Speaker 1: Good afternoon. Any questions?\n")
    body = configured.journal[-1].body
    for part in (b'"locales":["en-US"]', b'"phrases":["Contoso"]', b'"diarization"'):
        assert part in body


def test_pieces_are_put_together(usual, configured):
    code, out, err = usual("--chunks", "1", "--at-once", "2")
    assert (code, out) == (0, f"{SAID} {SAID} {SAID}\n")
    assert "3 attempts" in err


def test_json_is_everything_also_of_a_failure(usual, configured):
    code, out, _ = usual("--json")
    assert (code, json.loads(out)["text"]) == (0, SAID)
    configured.fault("speech_error", code=400, reason="InvalidArgument")
    code, out, err = usual("--json")
    assert (code, json.loads(out)["error"]["type"]) == (1, "RequestRejected")
    assert "temporarily unavailable" in err


def test_what_the_other_pieces_say_is_printed_when_one_fails(usual, configured):
    configured.fault("status", code=400)
    code, out, err = usual("--chunks", "1", "--at-once", "1")
    assert (code, out) == (1, f"{SAID} {SAID}\n")
    assert "Piece 1 of 3 failed" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "a.docx"], "nothing is known of .docx"),
        (["--out", "nowhere/a.srt"], "there is no folder nowhere"),
        (["--out", ".", "--to", "txt"], "is a folder"),
        (["--locale", "en_US"], "en_US"),
        (["--chunks", "0.5"], "from 1 up"),
    ],
)
def test_what_could_not_be_kept_or_sent_is_refused_before_it_is_billed(
    usual, configured, words, says
):
    code, out, err = usual(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert len(configured.journal) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
@pytest.mark.parametrize("fails", [False, True])
def test_a_transcript_that_cannot_be_written_is_printed(usual, configured, fails):
    if fails:
        configured.fault("status", code=400)
    code, out, err = usual("--out", "/dev/full", "--to", "txt", "--chunks", 1, "--at-once", 1)
    assert (code, out.split(".")[0]) == (1, SAID.split(".")[0])
    assert "/dev/full cannot be written: No space left on device." in err
    assert ("Piece 1 of 3 failed" in err) == fails


def test_a_missing_file_is_wrong_usage(mai, configured):
    code, _, err = mai("transcribe", "missing.wav")
    assert code == 2
    assert "missing.wav cannot be read" in err


def test_a_dash_reads_the_recording_from_stdin(mai, configured, recording, monkeypatch):
    pipe = io.TextIOWrapper(io.BytesIO(recording.read_bytes()))
    monkeypatch.setattr(sys, "stdin", pipe)
    assert mai("transcribe", "-")[:2] == (0, SAID + "\n")


def test_the_emulator_hears_silence(mai, recording):
    assert mai("transcribe", recording, "--emulator")[:2] == (0, "")


def test_without_times_the_text_is_printed_rather_than_lost(mai, configured, recording):
    key = ("POST", "/speechtotext/transcriptions:transcribe")
    original = configured.app._routes[key]

    def timeless(request):
        answer = original(request)
        said = json.loads(answer.body)
        for phrase in said["phrases"]:
            phrase.pop("offsetMilliseconds", None)
        answer.pieces = [json.dumps(said).encode()]
        return answer

    configured.app._routes[key] = timeless
    try:
        code, out, err = mai("transcribe", recording, "--to", "srt")
    finally:
        configured.app._routes[key] = original
    assert (code, out) == (1, SAID + "\n")
    assert "The text is printed instead" in err


def test_a_terminal_sees_how_far_the_upload_is(usual, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    assert usual()[:2] == (0, SAID + "\n")
    assert "] 100 % of 64.0 kB waiting for the answer" in shown.getvalue()
    assert shown.getvalue().count("[..............................]   0 %") == 1
