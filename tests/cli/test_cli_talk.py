"""`mai talk` over files and in writing: an answer that can be heard, both transcripts, the cost."""

import asyncio
import io
import json
import signal
import sys
import time
from array import array

import pytest

from mai_sdk.audio.pcm import rms
from mai_sdk.cli.talk_ends import FileEnd
from mai_sdk.errors import ConnectionFailed
from mai_sdk.resources.voice_session import VoiceSession
from mai_sdk.wire.wav import read_wav, wav_header

QUESTION = "When are you open?"
ANSWER = "From nine to six, every day of the week."
PRICES = "".join(
    f"""
[[prices]]
model = "gpt-realtime"
surface = "voice-live"
meter = "{meter}"
price = "{price}"
currency = "USD"
unit = "{unit}"
valid_from = 2026-01-01
source = "a test"
checked = 2026-11-22
"""
    for meter, price, unit in (
        ("input_tokens", "4", "1M tokens"),
        ("output_tokens", "16", "1M tokens"),
    )
)


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def configured(emulator, monkeypatch):
    monkeypatch.setenv("MAI_FOUNDRY_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", emulator.key)
    return emulator


@pytest.fixture
def quick(monkeypatch):
    """After the last answer, wait no longer than a loopback needs."""
    monkeypatch.setattr("mai_sdk.cli.talk_progress._REST_S", 0.15)


@pytest.fixture
def hurried(monkeypatch):
    """Speak in a real time that goes four times as fast."""

    def end(pcm, **options):
        return FileEnd(
            pcm,
            **options,
            clock=lambda: 4 * time.monotonic(),
            sleep=lambda seconds: asyncio.sleep(seconds / 4),
        )

    monkeypatch.setattr("mai_sdk.cli.talk.FileEnd", end)


@pytest.fixture
def question(configured, tmp_path, quick):
    return write(tmp_path / "question.wav", configured.spoken(QUESTION))


def write(path, pcm, *, rate=24_000, channels=1, bits=16):
    header = wav_header(len(pcm), sample_rate=rate, channels=channels, bits=bits)
    path.write_bytes(header + pcm)
    return path


def heard(path):
    """Return rate, seconds and level of a file of 16-bit samples of one channel."""
    wav = read_wav(path.read_bytes())
    assert (wav.channels, wav.bits, wav.encoding) == (1, 16, 1)
    assert int.from_bytes(path.read_bytes()[4:8], "little") == path.stat().st_size - 8
    return wav.sample_rate, wav.seconds, rms(wav.samples)


@pytest.mark.usefixtures("hurried")
def test_a_question_in_a_file_is_answered_in_a_file(mai, configured, question, tmp_path):
    configured.reply(ANSWER)
    code, out, err = mai("talk", "--in", question, "--out", tmp_path / "answer.wav")
    assert code == 0
    assert out == f"you: {QUESTION}\nagent: {ANSWER}\n{tmp_path / 'answer.wav'}\n"
    rate, seconds, level = heard(tmp_path / "answer.wav")
    assert rate == 24_000
    assert seconds == pytest.approx(len(configured.spoken(ANSWER)) / 48_000, abs=0.01)
    assert level > 0.01
    assert "[1 turn, 2 s heard, " in err
    assert " s spoken, " in err
    assert "cost unknown]" in err
    assert "add a [[prices]] row" in err
    assert "[after the end of speech (median): first text 0." in err
    assert "\033" not in err


def test_the_emulator_within_hears_a_file_and_answers(mai, question, tmp_path):
    out = tmp_path / "answer.wav"
    code, said, err = mai("talk", "--emulator", "--in", question, "--out", out, "--fast")
    assert code == 0
    lines = said.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["you", "agent"]
    assert all(len(line) > 8 for line in lines)
    rate, seconds, level = heard(out)
    assert (rate, seconds > 0.5, level > 0.01) == (24_000, True, True)
    assert "cost unknown" in err


def test_what_it_costs_is_said_where_prices_are_known(mai, configured, question, tmp_path):
    (tmp_path / "prices.toml").write_text(PRICES)
    (tmp_path / "mai.toml").write_text('prices = "prices.toml"\n')
    code, _, err = mai("talk", "--in", question, "--fast")
    assert code == 0
    assert "cost $0.00" in err or "cost ~$0.00" in err
    assert "unknown" not in err


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 2), (44_100, 2), (48_000, 1)])
def test_any_common_rate_and_two_channels_will_do(mai, configured, tmp_path, quick, rate, channels):
    if rate not in (16_000, 24_000):
        pytest.importorskip("soxr")
    mono = array("h", configured.spoken(QUESTION, sample_rate=rate))
    both = array("h", (sample for sample in mono for _ in range(channels)))
    path = write(tmp_path / "q.wav", both.tobytes(), rate=rate, channels=channels)
    configured.reply(ANSWER)
    code, out, _ = mai("talk", "--in", path, "--fast")
    assert code == 0
    assert f"agent: {ANSWER}\nanswer.wav\n" in out
    if rate == 16_000:  # as it was spoken: other rates are resampled, and heard otherwise
        assert f"you: {QUESTION}\n" in out
    assert heard(tmp_path / "answer.wav")[0] == 24_000


def test_texts_are_answered_aloud_one_after_the_other(mai, configured, tmp_path):
    configured.reply("One.")
    configured.reply("Two.")
    code, out, err = mai("talk", "--text", "First?", "--text", "Second?")
    assert code == 0
    assert out == "you: First?\nagent: One.\nyou: Second?\nagent: Two.\nanswer.wav\n"
    spoken = sum(len(configured.spoken(text)) for text in ("One.", "Two.")) / 48_000
    assert heard(tmp_path / "answer.wav")[1] == pytest.approx(spoken + 0.5, abs=0.01)
    assert "[2 turns, " in err


@pytest.mark.usefixtures("hurried")
def test_two_questions_in_one_file_are_two_turns(mai, configured, tmp_path, quick):
    pause = bytes(48_000 * 2)
    both = configured.spoken("Who is it?") + pause + configured.spoken("And why?")
    path = write(tmp_path / "q.wav", both)
    configured.reply("One.")
    configured.reply("Two.")
    code, out, err = mai("talk", "--in", path)
    assert code == 0
    assert out == "you: Who is it?\nagent: One.\nyou: And why?\nagent: Two.\nanswer.wav\n"
    assert "[2 turns, " in err


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_is_interrupted_is_cut_where_it_was_heard(mai, configured, tmp_path, quick):
    pause = bytes(48_000)
    both = configured.spoken("Tell me a story.") + pause + configured.spoken("Please be quiet now.")
    path = write(tmp_path / "q.wav", both)
    story = "Once upon a time there was a mountain, and on it stood a house without a door."
    configured.reply(story)
    configured.reply("Yes.")
    code, out, err = mai("talk", "--in", path)
    assert code == 0
    assert out.splitlines()[-2] == "agent: Yes."
    [cut] = [line for line in err.splitlines() if line.startswith("[interrupted after ")]
    seconds = heard(tmp_path / "answer.wav")[1]
    told = float(cut.split()[-2])
    rest = len(configured.spoken("Yes.")) / 48_000 + 0.5
    assert seconds == pytest.approx(told + rest, abs=0.25)
    assert told < 1.5
    assert told < len(configured.spoken(story)) / 48_000


def test_the_end_of_a_file_ends_the_turn_with_push_to_talk(mai, configured, question):
    configured.reply(ANSWER)
    code, out, _ = mai("talk", "--in", question, "--fast", "--push-to-talk")
    assert (code, out) == (0, f"you: {QUESTION}\nagent: {ANSWER}\nanswer.wav\n")


def test_it_hangs_up_after_so_many_turns(mai, configured):
    code, out, err = mai("talk", "--text", "One?", "--text", "Two?", "--turns", 1)
    assert code == 0
    assert "you: One?" in out
    assert "Two?" not in out
    assert "[1 turn, " in err


def test_json_is_one_object_with_everything(mai, configured, question):
    configured.reply(ANSWER)
    code, out, err = mai("talk", "--in", question, "--fast", "--json", "--tag", "team=search")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["transcript"] == [
        {"who": "you", "text": QUESTION},
        {"who": "agent", "text": ANSWER},
    ]
    assert told["file"] == "answer.wav"
    assert told["turns"][0]["agent_text"] == ANSWER
    assert told["turns"][0]["cost"]["status"] == "unknown"
    assert told["usage"]["spoken_seconds"] >= 1
    assert told["latency_ms"]["first_audio"] > 0
    assert told["receipt"]["surface"] == "voice-live"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--in", "none.wav"], "none.wav cannot be read"),
        (["--in", "text.wav"], "text.wav is no WAV file"),
        (["--in", "deep.wav"], "has 24-bit samples"),
        (["--in", "empty.wav"], "there is no sound in empty.wav"),
        (["--in", "q.wav", "--out", "nowhere/a.wav"], "there is no folder nowhere"),
        (["--in", "q.wav", "--out", "."], "is a folder"),
        (["--text", " "], "the text is empty"),
        (["--text", "Hi.", "--fast"], "--fast is for --in"),
        (["--text", "Hi.", "--push-to-talk"], "each --text is a turn"),
        (["--text", "Hi.", "--ears", "x"], "--ears is for --engine cascade"),
    ],
)
def test_what_could_not_be_said_or_kept_is_refused_before_it_costs(
    mai, configured, tmp_path, words, says
):
    (tmp_path / "text.wav").write_text("Hello")
    write(tmp_path / "deep.wav", bytes(300), bits=24)
    write(tmp_path / "empty.wav", b"")
    write(tmp_path / "q.wav", bytes(4800))
    code, out, err = mai("talk", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert len(configured.journal) == 0


def test_a_file_without_speech_is_a_failure_that_says_so(mai, configured, tmp_path, monkeypatch):
    monkeypatch.setattr("mai_sdk.cli.talk_progress._FIRST_S", 0.1)
    code, out, err = mai("talk", "--in", write(tmp_path / "q.wav", bytes(9600)), "--fast")
    assert (code, out) == (1, "")
    assert "No speech was found" in err
    assert not (tmp_path / "answer.wav").exists()


def test_what_goes_wrong_is_a_sentence_and_a_code_and_in_json(mai, configured, monkeypatch):
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", "wrong")
    code, out, err = mai("talk", "--text", "Hi.", "--json")
    assert code == 1
    assert json.loads(out)["error"]["type"] == "AuthenticationFailed"
    assert "mai: " in err


def test_without_settings_it_says_what_to_set(mai):
    code, _, err = mai("talk", "--text", "Hi.")
    assert code == 3
    assert "voice_live_endpoint" in err


def test_what_came_before_a_failure_is_kept_and_counted(mai, configured, monkeypatch, tmp_path):
    configured.reply("One.")
    send = VoiceSession.send_text

    async def failing(call, text, **options):
        if text == "Two?":
            raise ConnectionFailed("The line is gone.")
        await send(call, text, **options)

    monkeypatch.setattr(VoiceSession, "send_text", failing)
    code, out, err = mai("talk", "--text", "One?", "--text", "Two?")
    assert code == 1
    assert "agent: One.\n" in out
    assert "The line is gone." in err
    assert "[1 turn, " in err
    assert heard(tmp_path / "answer.wav")[1] > 0.1


def test_a_conversation_that_takes_too_long_is_ended(mai, configured, question):
    code, _, err = mai("talk", "--in", question, "--timeout", "0.3")
    assert code == 1
    assert "was not over after 0.3 seconds (--timeout)" in err


def test_ctrl_c_hangs_up_and_prints_what_it_came_to(mai, configured, question, monkeypatch):
    send = VoiceSession.send
    sent = []

    async def pressing(call, pcm):
        sent.append(pcm)
        if len(sent) == 10:
            signal.raise_signal(signal.SIGINT)
        await send(call, pcm)

    monkeypatch.setattr(VoiceSession, "send", pressing)
    code, out, err = mai("talk", "--in", question)
    assert (code, out) == (130, "")
    assert "turns, " in err
    assert "cost " in err
    assert err.endswith("mai: interrupted.\n")


def test_the_cascade_is_asked_for_by_name_and_gets_what_was_given(mai, configured, monkeypatch):
    class Asked(Exception):
        pass

    given = {}

    def session(_, **options):
        given.update(options)
        raise Asked

    monkeypatch.setattr("mai_sdk.resources.conversations.AsyncConversations.session", session)
    words = ("--engine", "cascade", "--brain", "MAI-DS-R1", "--ears", "MAI-Transcribe-2-Streaming")
    with pytest.raises(Asked):
        mai("talk", "--text", "Hi.", *words)
    assert given == {
        "engine": "cascade",
        "brain": "MAI-DS-R1",
        "ears": "MAI-Transcribe-2-Streaming",
        "sample_rate": 24_000,
    }
    given.clear()
    with pytest.raises(Asked):
        mai("talk", "--text", "Hi.")
    assert given == {"sample_rate": 24_000}


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_has_a_meter_and_lines_that_fit(mai, configured, question, monkeypatch, colour):
    monkeypatch.setenv("NO_COLOR", "" if colour else "1")
    both = Screen()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    configured.reply(f"{ANSWER} {ANSWER}")
    assert mai("talk", "--in", question, "--fast")[0] == 0
    shown = both.getvalue()
    assert ("\033[2m" in shown) == colour
    plain = shown.replace("\033[2m", "").replace("\033[0m", "").replace("\033[1m", "")
    assert "\r\033[K[" in plain
    assert " dB | first audio " in plain
    pieces = [piece for line in plain.split("\n") for piece in line.split("\r\033[K")]
    assert all(len(piece) <= 80 for piece in pieces)
    assert "\033" not in "".join(pieces)
    assert f"you: {QUESTION}" in pieces
    assert pieces.count("       From nine to six, every day of the week.") <= 1


def test_a_dumb_terminal_has_no_meter(mai, configured, question, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    shown = Screen()
    monkeypatch.setattr(sys, "stderr", shown)
    assert mai("talk", "--in", question, "--fast")[0] == 0
    assert "\r" not in shown.getvalue()


def test_a_file_that_cannot_be_written_after_all_is_kept_elsewhere(
    mai, configured, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, out, err = mai("talk", "--text", "Hi.", "--out", "/dev/full")
    [kept] = tmp_path.glob("mai-*/full")
    assert code == 1
    assert heard(kept)[1] > 0.1
    assert out.endswith(f"{kept}\n")
    assert "/dev/full cannot be written" in err
