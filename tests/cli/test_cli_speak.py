"""`mai speak`: a file with speech in it, and what it cost on stderr."""

import io
import json
import sys

import pytest

from mai_sdk.cli import main
from mai_sdk.resources.speech import Speech
from mai_sdk.wire.wav import read_wav


@pytest.fixture
def configured(emulator, monkeypatch):
    monkeypatch.setenv("MAI_SPEECH_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_SPEECH_API_KEY", emulator.key)
    return emulator


@pytest.mark.usefixtures("configured")
def test_a_text_becomes_a_file_and_its_cost_goes_to_stderr(mai, tmp_path):
    code, out, err = mai("speak", "Hello there.", "--out", tmp_path / "a.wav", "--rate", "1.2")
    assert (code, out) == (0, "")
    assert read_wav((tmp_path / "a.wav").read_bytes()).seconds > 0.5
    assert "MAI-Voice-2.1, speech, " in err
    assert "characters" in err
    assert "~$" in err
    assert "s of audio, " in err


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("name", "begins"), [("a.mp3", b"\xff"), ("a.ogg", b"OggS"), ("a", b"RIFF")]
)
def test_the_name_of_the_file_says_the_format(mai, tmp_path, name, begins):
    assert mai("speak", "Hi.", "--out", tmp_path / name)[0] == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_offline_it_is_spoken_by_an_emulator_into_the_usual_file(mai, tmp_path):
    assert mai("speak", "--emulator", "Hi.")[0] == 0
    assert read_wav((tmp_path / "speech.wav").read_bytes()).seconds > 0.2


@pytest.mark.usefixtures("configured")
def test_stdin_is_spoken_to_stdout(capfdbinary, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello there."))
    assert main(["speak", "-", "--out", "-", "--format", "pcm-16khz"]) == 0
    out, err = capfdbinary.readouterr()
    assert len(out) > 16_000
    assert b"stdout]" in err


@pytest.mark.usefixtures("configured")
def test_json_has_all_but_the_audio(mai, tmp_path):
    code, out, err = mai("speak", "Hello.", "--json", "--out", tmp_path / "a.wav", "--style", "sad")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["file"] == str(tmp_path / "a.wav")
    assert told["voice"] == "en-US-Harper:MAI-Voice-2.1"
    assert told["usage"]["characters"] > 6
    assert "audio" not in told


@pytest.mark.usefixtures("configured")
def test_markup_is_sent_as_it_is(mai, configured, tmp_path):
    ssml = "<speak><voice name='en-US-Iris:MAI-Voice-1'>Hi</voice></speak>"
    assert mai("speak", "--ssml", ssml, "--out", tmp_path / "a.wav")[0] == 0
    assert configured.journal[-1].body.decode() == ssml


@pytest.mark.usefixtures("configured")
def test_what_goes_wrong_is_a_sentence_and_a_code(mai, tmp_path):
    assert mai("speak", "")[0] == 2
    code, out, err = mai("speak", "Hi.", "--voice", "en-US-Nobody", "--json")
    assert code == 1
    assert json.loads(out)["error"]["type"] == "RequestRejected"
    assert "a voice it does not have" in err
    assert mai("speak", "Hi.", "--json", "--out", "-")[0] == 2


def test_where_nothing_can_be_written_nothing_is_spoken_or_billed(mai, configured, tmp_path):
    code, _, err = mai("speak", "Hi.", "--out", tmp_path / "none" / "a.wav")
    assert (code, "there is no folder" in err) == (2, True)
    code, _, err = mai("speak", "Hi.", "--out", tmp_path)
    assert (code, "is a folder" in err) == (2, True)
    assert len(configured.journal) == 0


@pytest.mark.usefixtures("configured")
def test_what_fails_to_be_written_after_all_says_what_it_cost(mai, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Speech, "save", full)
    code, _, err = mai("speak", "Hi.", "--out", tmp_path / "a.wav")
    assert code == 2
    assert "No space left on device. The text was spoken, and cost ~$" in err


def test_the_voices_are_listed_offline_and_live(mai, configured):
    code, out, _ = mai("speak", "--voices", "--locale", "de", "--model", "MAI-Voice-2.1")
    assert code == 0
    assert "de-DE-Klaus" in out
    assert "en-US" not in out
    assert len(configured.journal) == 0
    code, out, _ = mai("speak", "--voices", "--live", "--locale", "de", "--json")
    assert code == 0
    assert {"de-DE-Mia:MAI-Voice-2"} < {row["name"] for row in json.loads(out)}
    assert len(configured.journal) == 1


def test_ctrl_c_says_what_it_had_cost(mai, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mai_sdk.resources.voice.Voice.synthesize", interrupted)
    code, _, err = mai("speak", "--emulator", "Hi.")
    assert code == 130
    assert "interrupted after" in err


@pytest.mark.usefixtures("configured")
def test_what_cannot_be_written_where_it_was_to_be_is_kept_elsewhere(mai, tmp_path, monkeypatch):
    save = Speech.save

    def full(speech, path):
        if "a.wav" in str(path) and "mai-" not in str(path):
            raise OSError(28, "No space left on device")
        return save(speech, path)

    monkeypatch.setattr(Speech, "save", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, _, err = mai("speak", "Hi.", "--out", tmp_path / "a.wav")
    [kept] = tmp_path.glob("mai-*/a.wav")
    assert code == 1
    assert read_wav(kept.read_bytes()).seconds > 0.1
    assert f"It is kept as {kept}. The text was spoken, and cost ~$" in err


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("words", [["Hi."], ["Hi.", "--voice", "en-US-Nobody-Of-That-Name"]])
def test_a_terminal_gets_status_and_errors_in_lines_that_fit(mai, words, monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    shown = Screen()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("NO_COLOR", "1")
    mai("speak", *words, "--tag", "a=b", "--out", f"{'x' * 40}.wav")
    lines = shown.getvalue().splitlines()
    assert len(lines) > 1
    assert all(len(line) <= 80 for line in lines)
