"""The Speech service over REST, as official and plain clients meet it."""

import urllib.error
import urllib.request

import pytest

from mai_sdk.emulator.mouth import Mouth
from mai_sdk.emulator.speaking import joined, spoken_in
from mai_sdk.wire.wav import MU_LAW, read_wav

SPEAK = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' "
    "xmlns:mstts='http://www.w3.org/2001/mstts' xml:lang='en-US'>"
    "<voice name='en-US-Harper:MAI-Voice-2'>{}</voice></speak>"
)
PATHS = ("/cognitiveservices/v1", "/tts/cognitiveservices/v1")


@pytest.fixture
def ask(emulator):
    def ask(
        text="Hello there.",
        *,
        path=PATHS[0],
        form="raw-24khz-16bit-mono-pcm",
        document=None,
        **more,
    ):
        headers = {
            "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": form,
            "Ocp-Apim-Subscription-Key": emulator.key,
            "User-Agent": "a test",
            **more,
        }
        body = (document or SPEAK.format(text)).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            emulator.url + path, data=body, headers={k: v for k, v in headers.items() if v}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                named = {k.lower(): v for k, v in answer.headers.items()}
                return answer.status, named, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    return ask


@pytest.fixture
def get(emulator):
    def get(path, **headers):
        request = urllib.request.Request(emulator.url + path, headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.read()

    return get


@pytest.mark.parametrize("path", PATHS)
def test_a_text_is_spoken_on_both_hosts_paths(ask, path):
    status, headers, body = ask(path=path)
    assert status == 200
    assert headers["transfer-encoding"] == "chunked"
    assert headers["apim-request-id"]
    assert body == Mouth(0).speak("Hello there.", voice="en-US-Harper", sample_rate=24_000).pcm


@pytest.mark.parametrize("rate", ["8khz", "16khz", "22050hz", "24khz", "44100hz", "48khz"])
def test_a_riff_header_does_not_know_its_length_and_the_samples_are_the_raw_ones(ask, rate):
    _, headers, body = ask(form=f"riff-{rate}-16bit-mono-pcm")
    _, _, raw = ask(form=f"raw-{rate}-16bit-mono-pcm")
    assert headers["content-type"] == "audio/x-wav"
    assert int.from_bytes(body[40:44], "little") == 0xFFFFFFFF
    assert read_wav(body).samples == raw
    assert read_wav(body).seconds == pytest.approx(1.0, abs=0.5)


def test_telephony_comes_as_g711(ask):
    _, _, body = ask(form="riff-8khz-8bit-mono-mulaw")
    wav = read_wav(body)
    assert (wav.encoding, wav.bits, wav.sample_rate) == (MU_LAW, 8, 8000)
    _, _, raw = ask(form="raw-8khz-16bit-mono-pcm")
    assert len(wav.samples) == len(raw) // 2


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        ({"form": "raw-99khz-16bit-mono-pcm"}, 400, "cannot write raw-99khz"),
        ({"form": "webm-24khz-16bit-mono-opus"}, 400, "cannot write webm"),
        ({"form": ""}, 400, "no audio format"),
        ({"Content-Type": "text/plain"}, 415, "content type is text/plain"),
        ({"document": "<speak>"}, 400, "not well-formed"),
        ({"document": SPEAK.format("a").replace("<voice", "text<voice")}, 400, "outside"),
        ({"text": "<mstts:express-as style='a b'>x</mstts:express-as>"}, 400, "style"),
        ({"text": "<mstts:express-as style='agent'>x</mstts:express-as>"}, 502, "no style agent"),
        ({"document": SPEAK.format("a").replace("Harper", "Nobody")}, 502, "no voice"),
        ({"Ocp-Apim-Subscription-Key": "wrong"}, 401, ""),
        ({"Ocp-Apim-Subscription-Key": "", "Authorization": "Bearer x"}, 401, ""),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_way(ask, asked, status, reason):
    code, headers, body = ask(**asked)
    assert code == status
    assert reason in headers.get("x-mai-emulator-reason", "")
    if status == 400:
        assert body == b""
    if status == 502:
        assert b"reset reason: protocol error" in body


def test_without_soundfile_it_says_what_is_missing(ask, monkeypatch):
    monkeypatch.setattr("mai_sdk.emulator.sound.importlib.util.find_spec", lambda name: None)
    status, headers, body = ask(form="audio-24khz-96kbitrate-mono-mp3")
    assert (status, body) == (400, b"")
    assert "mai-sdk[speech]" in headers["x-mai-emulator-reason"]


def test_ten_minutes_are_the_most_and_the_rest_is_cut_without_a_word(ask, emulator, monkeypatch):
    monkeypatch.setattr(emulator._world, "mouth", Mouth(real=False))
    status, _, body = ask("word " * 6000, form="raw-8khz-16bit-mono-pcm")
    assert (status, len(body)) == (200, 600 * 16_000)


def test_the_key_is_looked_at_before_a_bearer_token_and_a_token_alone_will_do(ask):
    assert ask(Authorization="Bearer ")[0] == 200
    token = {"Ocp-Apim-Subscription-Key": "", "Authorization": "Bearer mai-emulator-token"}
    assert ask(**token)[0] == 200


def test_pauses_rates_and_voices_of_the_markup_are_heard(ask):
    _, _, plain = ask("one two")
    _, _, slow = ask("<prosody rate='-50%'>one two</prosody>")
    _, _, pause = ask("one<break time='2s'/> two")
    assert len(slow) > 1.3 * len(plain)
    assert len(pause) > len(plain) + 1.5 * 48_000


def test_a_document_is_read_piece_by_piece():
    found = spoken_in(
        SPEAK.format("Hi <prosody rate='fast'>you <break strength='weak'/>there</prosody> all")
    )
    assert [(one.text.strip(), one.rate, one.pause) for one in found] == [
        ("Hi", 1.0, 0.0), ("you", 1.55, 0.0), ("", 1.55, 0.5), ("there", 1.55, 0.0),
        ("all", 1.0, 0.0),
    ]  # fmt: skip


def test_utterances_are_joined_with_their_words_in_place():
    mouth = Mouth(real=False)
    one, two = mouth.speak("One two."), mouth.speak("Three.")
    both = joined([one, two], sample_rate=24_000)
    assert both.text == "One two. Three."
    assert [both.text[w.text_offset :][: len(w.text)] for w in both.words] == [
        w.text for w in both.words
    ]
    assert both.words[3].offset_ms == pytest.approx(one.seconds * 1000, abs=0.01)
    assert both.pcm == one.pcm + two.pcm


@pytest.mark.parametrize("base", ["/cognitiveservices", "/tts/cognitiveservices"])
def test_the_voices_are_listed(get, emulator, base):
    listed = get(f"{base}/voices/list", **{"Ocp-Apim-Subscription-Key": emulator.key})
    assert b'"ShortName":"en-US-Harper:MAI-Voice-2.1"' in listed


def test_the_official_sdk_lists_the_voices(emulator):
    import azure.cognitiveservices.speech as sdk

    config = sdk.SpeechConfig(host=emulator.url, subscription=emulator.key)
    synthesizer = sdk.SpeechSynthesizer(speech_config=config, audio_config=None)
    result = synthesizer.get_voices_async().get()
    assert result.reason == sdk.ResultReason.VoicesListRetrieved, result.error_details
    names = {voice.short_name for voice in result.voices}
    assert "en-US-Harper:MAI-Voice-2.1" in names
    entry = emulator.journal.wait(1)[-1]
    assert entry.path == "/cognitiveservices/voices/list"
