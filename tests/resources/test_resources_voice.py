"""Speech from text, whole and streamed, in both worlds and over both transports."""

import asyncio
import gc
import time
import types
from decimal import Decimal

import pytest

from mai_sdk import MAI, Timeouts
from mai_sdk.config import Route, Secret
from mai_sdk.emulator import EMULATOR_TOKEN
from mai_sdk.emulator.mouth import Mouth
from mai_sdk.emulator.pcm import from_bytes
from mai_sdk.errors import (
    AnswerTooLarge,
    AuthenticationFailed,
    CallFailed,
    ConnectionFailed,
    InvalidRequest,
    NotConfigured,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    StreamTruncated,
    TimedOut,
    UnreadableAnswer,
    UnsupportedFeature,
)
from mai_sdk.wire.ssml import SSML
from mai_sdk.wire.wav import read_wav

TEXT = "Hello there, world! This is only a test."


class Told:
    """What came of one call."""

    def __init__(self):
        self.pieces, self.error, self.speech, self.entries = [], None, None, []

    @property
    def entry(self):
        (entry,) = self.entries
        return entry


@pytest.fixture(params=["sync", "async", "sync fast", "async fast"])
def world(request):
    return request.param


@pytest.fixture
def speak(world, emulator):
    """`speak(text, verb, **arguments)` makes one call in one of the worlds, and tells all."""
    transport = "pyreqwest" if "fast" in world else None

    def in_sync(told, text, verb, settings, arguments):
        with emulator.client(transport=transport, **settings) as client:
            try:
                if verb == "stream":
                    with client.voice.stream(text, **arguments) as audio:
                        for piece in audio:
                            told.pieces.append(piece)
                        told.speech = audio.speech
                else:
                    told.speech = client.voice.synthesize(text, **arguments)
            except CallFailed as error:
                told.error = error
            told.entries = list(client.costs.entries())

    async def in_async(told, text, verb, settings, arguments):
        async with emulator.async_client(transport=transport, **settings) as client:
            try:
                if verb == "stream":
                    async with client.voice.stream(text, **arguments) as audio:
                        async for piece in audio:
                            told.pieces.append(piece)
                        told.speech = audio.speech
                else:
                    told.speech = await client.voice.synthesize(text, **arguments)
            except CallFailed as error:
                told.error = error
            told.entries = list(client.costs.entries())

    def run(text=TEXT, verb="synthesize", *, client=None, **arguments):
        told = Told()
        if world.startswith("sync"):
            in_sync(told, text, verb, client or {}, arguments)
        else:
            asyncio.run(in_async(told, text, verb, client or {}, arguments))
        return told

    return run


@pytest.fixture
def tones(emulator, monkeypatch):
    """Hours of speech in no time."""
    monkeypatch.setattr(emulator._world, "mouth", Mouth(real=False))


def test_a_text_is_spoken_and_priced(speak, emulator):
    told = speak(voice="en-US-Harper", model="MAI-Voice-2")
    speech = told.speech
    spoken = Mouth(0).speak(TEXT, voice="en-US-Harper", sample_rate=24_000)
    wav = read_wav(speech.audio)
    assert wav.samples == speech.pcm == spoken.pcm
    assert (wav.sample_rate, wav.bits, wav.channels) == (24_000, 16, 1)
    assert speech.audio_seconds == spoken.seconds == wav.seconds
    assert speech.duration_ms == speech.audio_seconds * 1000
    assert speech.voice == "en-US-Harper:MAI-Voice-2"
    assert (speech.model, speech.attempts) == ("MAI-Voice-2", 1)
    assert speech.usage.characters == len(TEXT)
    assert speech.cost.amount == Decimal(len(TEXT)) * 22 / 1_000_000
    assert speech.cost.status == "estimated"
    assert "by its published rule" in speech.cost.reason
    assert told.entry.state == "settled_estimated"
    assert told.entry.cost == speech.cost
    (asked,) = emulator.journal
    assert asked.headers["content-type"] == "application/ssml+xml"
    assert asked.headers["x-microsoft-outputformat"] == "raw-24khz-16bit-mono-pcm"
    assert asked.headers["user-agent"]


def test_streamed_pieces_are_whole_samples_and_add_up_to_the_speech(speak):
    told = speak(verb="stream")
    assert len(told.pieces) > 5
    assert all(len(piece) % 2 == 0 for piece in told.pieces)
    assert b"".join(told.pieces) == told.speech.audio == told.speech.pcm
    assert told.speech.timing.first_content is not None
    assert speak().speech.pcm == told.speech.audio


def test_pieces_of_a_wav_are_samples_and_only_the_whole_has_the_header(speak):
    told = speak(verb="stream", format="wav")
    assert b"".join(told.pieces) == told.speech.pcm
    assert told.speech.audio[:4] == b"RIFF"
    assert read_wav(told.speech.audio).samples == told.speech.pcm


@pytest.mark.parametrize(
    ("name", "begins", "rate"),
    [
        ("mp3", b"\xff", 24_000),
        ("opus", b"OggS", 24_000),
        ("wav-8khz", b"RIFF", 8000),
        ("mulaw", b"", 8000),
        ("riff-48khz-16bit-mono-pcm", b"RIFF", 48_000),
        ("riff-8khz-8bit-mono-alaw", b"RIFF", 8000),
    ],
)
def test_every_kind_of_format_comes_as_what_it_says(emulator, name, begins, rate):
    with emulator.client() as client:
        speech = client.voice.synthesize(TEXT, format=name)
    assert speech.audio.startswith(begins)
    assert speech.sample_rate == rate
    if speech.audio_seconds is not None:
        assert 2 < speech.audio_seconds < 4
    if name in ("mp3", "opus", "mulaw", "riff-8khz-8bit-mono-alaw"):
        with pytest.raises(UnsupportedFeature, match="no 16-bit samples"):
            _ = speech.pcm


def test_what_is_saved_is_a_valid_wav_of_the_right_length(emulator, tmp_path):
    """Must show 2: real speech, saved; not clipped, not silent."""
    assert Mouth().is_real, "the test group has the extra [speech]"
    with emulator.client() as client:
        speech = client.voice.synthesize(TEXT)
        raw = client.voice.synthesize(TEXT, format="pcm-16khz")
    path = speech.save(tmp_path / "hello.wav")
    wav = read_wav(path.read_bytes())
    samples = from_bytes(wav.samples)
    loudness = (sum(sample * sample for sample in samples) / len(samples)) ** 0.5
    print(f"{wav.seconds:.3f} s, peak {max(map(abs, samples))}, RMS {loudness:.0f}")
    assert wav.seconds == speech.audio_seconds
    assert int.from_bytes(path.read_bytes()[40:44], "little") == len(wav.samples)
    assert 2 < wav.seconds < 4
    assert 8000 < max(map(abs, samples)) < 32_767
    assert 1500 < loudness < 8000
    assert read_wav(raw.save(tmp_path / "raw.wav").read_bytes()).samples == raw.audio
    assert raw.save(tmp_path / "raw.pcm").read_bytes() == raw.audio


def test_how_it_is_said_is_written_around_it(emulator):
    with emulator.client() as client:
        usual = client.voice.synthesize(TEXT)
        fast = client.voice.synthesize(
            TEXT, voice="de-DE-Mia", model="MAI-Voice-2.1", style="sad", style_degree=0.5,
            rate=1.5, pitch="-2st", language="de-DE",
        )  # fmt: skip
    sent = emulator.journal[-1].body.decode()
    assert '<mstts:express-as style="sad" styledegree="0.5">' in sent
    assert '<prosody rate="+50%" pitch="-2st">' in sent
    assert '<lang xml:lang="de-DE">' in sent
    assert 'xml:lang="de-DE"><voice name="de-DE-Mia:MAI-Voice-2.1">' in sent
    assert fast.audio_seconds < usual.audio_seconds
    assert fast.usage.characters > usual.usage.characters, "markup in the voice is billed"


def test_a_voice_that_names_its_model_wins_and_is_priced_as_that(emulator):
    with emulator.client() as client:
        flash = client.voice.synthesize(
            TEXT, voice="en-US-Harper:mai-voice-2.1-flash", model="MAI-Voice-2"
        )
        default = client.voice.synthesize(TEXT)
    assert flash.voice == "en-US-Harper:mai-voice-2.1-flash"
    assert flash.model == "MAI-Voice-2.1-Flash"
    assert flash.cost.amount == Decimal(len(TEXT)) * 15 / 1_000_000
    assert default.voice == "en-US-Harper:MAI-Voice-2.1"


def test_a_named_route_says_which_model_a_voice_gets(emulator):
    route = Route(
        surface="speech", endpoint=emulator.url, credential=Secret(emulator.key),
        model="MAI-Voice-2-Flash",
    )  # fmt: skip
    with emulator.client(routes={"quick": route}) as client:
        speech = client.voice.synthesize(TEXT, voice="zh-CN-Wei", model="quick")
    assert speech.voice == "zh-CN-Wei:MAI-Voice-2-Flash"


def test_ssml_is_sent_as_it_is(emulator):
    one = "<speak><voice name='en-US-Iris:MAI-Voice-1'>One<break time='1s'/> two</voice></speak>"
    two = one.replace("</speak>", "<voice name='en-US-Harper:MAI-Voice-2'>three</voice></speak>")
    with emulator.client() as client:
        speech = client.voice.synthesize(SSML(one))
        mixed = client.voice.synthesize(SSML(two))
    assert emulator.journal[0].body.decode() == one
    assert (speech.voice, speech.model) == ("en-US-Iris:MAI-Voice-1", "MAI-Voice-1")
    assert speech.usage.characters == len("One<break time='1s'/> two")
    assert speech.audio_seconds > 1
    assert (mixed.voice, mixed.model) == (None, None)
    assert mixed.cost.status == "unknown", "two models, two prices"


def test_a_long_text_is_said_in_several_requests_and_joined(speak, emulator, tones):
    text = "This is a sentence of some words. " * 600
    told = speak(text, "stream", model="MAI-Voice-2")
    assert told.speech.attempts == len(emulator.journal) == len(told.entries) > 3
    assert told.speech.usage.characters == len(text)
    assert told.speech.cost.amount == Decimal(len(text)) * 22 / 1_000_000
    assert b"".join(told.pieces) == told.speech.audio
    words = Mouth(real=False).speak(text[:3400], sample_rate=24_000)
    assert told.speech.audio_seconds == pytest.approx(words.seconds * 6, rel=0.01)
    assert max(len(entry.body) for entry in emulator.journal) < 65_536
    assert {entry.error for entry in told.entries} == {None}


def test_the_cap_on_bytes_is_for_each_request(emulator, tones, monkeypatch):
    monkeypatch.setattr("mai_sdk.resources.speaking._MAX_BYTES", 24_000_000)
    text = "This is a sentence of some words. " * 400
    with emulator.client() as client:
        assert len(client.voice.synthesize(text).pcm) > 24_000_000
        monkeypatch.setattr("mai_sdk.resources.speaking._MAX_BYTES", 9000)
        with pytest.raises(AnswerTooLarge) as caught:
            client.voice.synthesize(TEXT)
    assert 0 < len(caught.value.partial.pcm) <= 9000


def test_a_request_that_fails_among_several_leaves_what_was_said(speak, emulator, tones):
    text = "This is a sentence of some words. " * 400
    whole = speak(text).speech
    emulator.journal.clear()
    client = {"max_retries": 0}
    answered = []

    def second(request):
        answered.append(request)
        return len(answered) == 2

    emulator._faults.add(scripted_status(503), times=1, matches=second)
    told = speak(text, "stream", client=client)
    assert isinstance(told.error, ServiceUnavailable)
    assert told.error.status == 503
    assert told.error.partial.audio == b"".join(told.pieces)
    assert whole.pcm.startswith(told.error.partial.audio)
    assert told.error.receipt.attempts[0].state == "settled_estimated"
    assert len(told.entries) == 2


def scripted_status(code):
    from mai_sdk.emulator.faults import scripted

    return scripted("status", {"code": code})


def test_a_second_request_that_could_not_start_is_tried_again(speak, emulator, tones):
    text = "This is a sentence of some words. " * 400
    answered = []

    def second(request):
        answered.append(request)
        return len(answered) == 2

    emulator._faults.add(scripted_status(503), times=1, matches=second)
    told = speak(text)
    assert told.error is None
    assert told.speech.usage.characters >= len(text)
    assert [entry.status for entry in told.entries].count(503) == 1


# How it ends badly.


@pytest.mark.parametrize(
    ("fault", "parameters", "error"),
    [
        ("reset", {"after": 4}, ConnectionFailed),
        ("close", {"after": 4}, ConnectionFailed),
        ("truncate", {"byte": 9001}, StreamTruncated),
    ],
)
@pytest.mark.parametrize("verb", ["synthesize", "stream"])
def test_audio_that_breaks_off_raises_with_what_came_and_is_not_sent_again(
    speak, emulator, fault, parameters, error, verb
):
    whole = speak().speech
    emulator.journal.clear()
    emulator.fault(fault, **parameters)
    told = speak(verb=verb)
    assert isinstance(told.error, error)
    partial = told.error.partial
    assert 0 < len(partial.pcm) < len(whole.pcm)
    assert len(partial.pcm) % 2 == 0
    assert whole.pcm.startswith(partial.pcm)
    assert verb == "synthesize" or b"".join(told.pieces) == partial.pcm
    assert told.error.receipt.cost.amount == whole.cost.amount, "what was sent is billed"
    assert told.entry.state == "settled_estimated"
    assert told.entry.error == type(told.error).__name__
    assert len(emulator.journal) == 1


def test_a_stall_and_a_late_start_are_noticed(speak, emulator):
    emulator.fault("stall", after=2, seconds=20)
    began = time.monotonic()
    told = speak(timeout=Timeouts(first_byte=0.3, between_chunks=0.3))
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "between_chunks"
    assert told.error.partial.audio_seconds > 0
    emulator.fault("stall", seconds=20)
    told = speak(timeout=Timeouts(first_byte=0.3, between_chunks=0.3), client={"max_retries": 0})
    assert told.error.phase == "first_byte"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("fault", "parameters", "error"),
    [
        ("html_200", {}, UnreadableAnswer),
        ("empty_200", {}, UnreadableAnswer),
        ("wrong_content_type", {"value": "text/plain"}, UnreadableAnswer),
        ("status", {"code": 415, "body": "empty"}, RequestRejected),
        ("status", {"code": 401, "body": "empty"}, AuthenticationFailed),
        ("rate_limit", {}, RateLimited),
        ("status", {"code": 502}, ServiceUnavailable),
        ("status", {"code": 503}, ServiceUnavailable),
    ],
)
def test_an_answer_that_is_no_audio_is_a_typed_error_with_a_receipt(
    speak, emulator, fault, parameters, error
):
    emulator.fault(fault, **parameters)
    told = speak(client={"max_retries": 0})
    assert type(told.error) is error
    assert told.error.receipt.attempts
    assert len(told.entries) == 1


def test_silence_is_an_error_and_not_an_empty_file(speak):
    told = speak("...", model="MAI-Voice-2")
    assert isinstance(told.error, UnreadableAnswer)
    assert "without any audio" in told.error.message
    assert told.error.partial.audio_seconds == 0
    assert told.entry.state == "settled_estimated"


@pytest.mark.parametrize(
    "arguments",
    [
        {"voice": "en-US-Nobody"},
        {"style": "hilarious"},
        {"voice": "en-US-Harper", "model": "MAI-Voice-1"},
        {"format": "raw-99khz-16bit-mono-pcm"},
        {"style": "not a name"},
    ],
)
def test_a_voice_style_or_format_there_is_none_of_is_rejected_once_and_costs_nothing(
    speak, emulator, arguments
):
    told = speak(**arguments)
    assert type(told.error) is RequestRejected
    assert told.error.status in (400, 502)
    assert told.entry.state == "released"
    assert told.error.receipt.cost.amount == 0
    assert len(emulator.journal) == 1, "sending it again would fail again"


def test_ten_minutes_are_the_most_and_a_cut_there_is_not_silent(emulator, tones):
    text = "word " * 6000
    long = f"<speak><voice name='en-US-Harper:MAI-Voice-2'>{text}</voice></speak>"
    with emulator.client() as client, pytest.raises(StreamTruncated, match="ten minutes") as caught:
        client.voice.synthesize(SSML(long))
    assert caught.value.partial.audio_seconds == 600


# What is not sent.


@pytest.mark.parametrize(
    ("text", "arguments", "error", "said"),
    [
        ("", {}, InvalidRequest, "empty"),
        (" \n\x00\ud800", {}, InvalidRequest, "empty"),
        ("word " * 40_000, {}, InvalidRequest, "200,000 characters"),
        (b"bytes", {}, InvalidRequest, "bytes"),
        (TEXT, {"format": "bogus"}, InvalidRequest, "no audio format"),
        (TEXT, {"format": 3}, InvalidRequest, "format is a int"),
        (TEXT, {"voice": ""}, InvalidRequest, "voice is no name"),
        (TEXT, {"style_degree": 1.0}, InvalidRequest, "pass style"),
        (TEXT, {"style": "sad", "style_degree": 3}, InvalidRequest, "between 0.01 and 2"),
        (TEXT, {"rate": 0}, InvalidRequest, "above 0"),
        (TEXT, {"style": "sad", "style_degree": 0.001}, InvalidRequest, "between 0.01 and 2"),
        (TEXT, {"rate": float("nan")}, InvalidRequest, "above 0"),
        (TEXT, {"pitch": 10**400}, InvalidRequest, "above 0"),
        (TEXT, {"pitch": True}, InvalidRequest, "neither a number"),
        (TEXT, {"model": " "}, InvalidRequest, "model is blank"),
        (TEXT, {"model": "MAI-\0Voice-2"}, InvalidRequest, "NUL"),
        (TEXT, {"tags": {"a": "b\0c"}}, InvalidRequest, "NUL"),
        (TEXT, {"extra_headers": {"ocp-apim-subscription-key": "k"}}, InvalidRequest, "key"),
        (TEXT, {"tags": {"a": 1}}, InvalidRequest, "tags"),
        ("long. " * 5000, {"format": "webm"}, UnsupportedFeature, "cannot be joined"),
        (SSML("<speak>Hi"), {}, InvalidRequest, "not well-formed"),
        (
            SSML("<speak><voice name='x'>a</voice></speak>"),
            {"style": "sad", "rate": 2},
            InvalidRequest,
            "style and rate cannot be given",
        ),
    ],
)
def test_what_cannot_succeed_is_not_sent_and_costs_nothing(emulator, text, arguments, error, said):
    for verb in ("synthesize", "stream"):
        with emulator.client() as client:
            with pytest.raises(error, match=said):
                getattr(client.voice, verb)(text, **arguments)
            assert list(client.costs.entries()) == []
    assert len(emulator.journal) == 0


class Credential:
    def get_token(self, *scopes, **options):
        raise AssertionError("no token is asked for")


def test_a_region_s_shared_endpoint_takes_no_entra_token_and_says_what_to_set():
    with MAI(speech_region="eastus", credential=Credential()) as client:
        for call in (client.voice.synthesize, client.voice.stream):
            with pytest.raises(NotConfigured, match="cognitiveservices") as caught:
                call(TEXT)
            assert caught.value.missing == ("speech_endpoint",)


def test_an_entra_credential_speaks_over_the_resource_s_own_endpoint(emulator):
    class Signed:
        def get_token(self, *scopes, **options):
            assert scopes == ("https://cognitiveservices.azure.com/.default",)
            return types.SimpleNamespace(token=EMULATOR_TOKEN, expires_on=time.time() + 3600)

    with MAI(speech_endpoint=emulator.url, credential=Signed()) as client:
        assert client.voice.synthesize(TEXT).audio_seconds > 1


def test_a_route_s_query_goes_along_as_a_custom_voice_needs_it(emulator):
    route = Route(
        surface="speech", endpoint=emulator.url, credential=Secret(emulator.key),
        model="MAI-Voice-2", query=(("deploymentId", "mine"),),
    )  # fmt: skip
    with emulator.client(routes={"mine": route}) as client:
        client.voice.synthesize(TEXT, model="mine")
    assert emulator.journal[-1].query == "deploymentId=mine"


def test_without_a_speech_resource_it_says_what_to_set():
    with MAI() as client, pytest.raises(NotConfigured, match="speech"):
        client.voice.synthesize(TEXT)


class Canned:
    """A transport that notes what is sent and answers with two samples."""

    def __init__(self):
        self.sent = []

    def send(self, request, limits):
        self.sent.append((request, limits))
        return CannedAnswer()

    def close(self):
        pass


class CannedAnswer:
    status = 200

    def __init__(self):
        self.headers = {"content-type": "audio/basic"}
        self.pieces = iter([b"\1", b"\0\2\0"])

    def read(self, *, within):
        return next(self.pieces, None)

    def close(self):
        pass


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (
            {"speech_region": "East US"},
            "https://eastus.tts.speech.microsoft.com/cognitiveservices/v1",
        ),
        (
            {"speech_endpoint": "https://acme.services.ai.azure.com"},
            "https://acme.cognitiveservices.azure.com/tts/cognitiveservices/v1",
        ),
    ],
)
def test_it_is_sent_where_it_belongs_with_the_key_and_the_limits_of_speech(settings, url):
    transport = Canned()
    with MAI(**settings, speech_api_key="a-key", transport=transport) as client:
        assert client.voice.synthesize(TEXT).pcm == b"\1\0\2\0"
    ((request, limits),) = transport.sent
    headers = dict(request.headers)
    assert (request.method, request.url) == ("POST", url)
    assert headers["ocp-apim-subscription-key"] == "a-key"
    assert headers["content-type"] == "application/ssml+xml"
    assert 0 < len(headers["user-agent"]) < 255
    assert (limits.first_byte, limits.between_reads) == (20.0, 10.0)


def test_no_error_repeats_what_was_to_be_said(emulator):
    secret = "the password of the vault is swordfish"
    emulator.fault("status", code=400, message=f"Cannot say {secret!r}.")
    with emulator.client() as client, pytest.raises(RequestRejected) as caught:
        client.voice.synthesize(secret)
    assert "swordfish" not in str(caught.value)
    assert "Cannot say" in str(caught.value)


def test_a_speech_goes_through_json_and_shows_no_bytes(emulator):
    with emulator.client() as client:
        speech = client.voice.synthesize("Hi.")
    again = type(speech).model_validate_json(speech.model_dump_json())
    assert again.audio == speech.audio
    assert again.cost == speech.cost
    assert "RIFF" not in repr(speech)


# Leaving early.


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("how", ["break", "forget", "close", "forget unread"])
def test_a_stream_left_early_is_billed_for_all_that_was_sent(emulator, how):
    client = emulator.client()
    audio = client.voice.stream(TEXT * 5, model="MAI-Voice-2").__enter__()
    if how != "forget unread":
        next(iter(audio))
    if how == "break":
        audio.__exit__(None, None, None)
    elif how == "close":
        client.close()
    del audio
    gc.collect()
    (entry,) = client.costs.entries()
    assert entry.state == "settled_estimated"
    assert entry.error == "Abandoned"
    assert entry.usage.characters == len(TEXT * 5)
    client.close()


def test_a_cancelled_stream_is_settled_once(emulator):
    async def main():
        async with emulator.async_client() as client:
            emulator.fault("stall", after=2, seconds=20)

            heard = asyncio.Event()

            async def listen():
                async with client.voice.stream(TEXT * 5) as audio:
                    async for _ in audio:
                        heard.set()

            task = asyncio.create_task(listen())
            await heard.wait()
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            return ended, list(client.costs.entries())

    ended, entries = asyncio.run(main())
    assert isinstance(ended, asyncio.CancelledError)
    (entry,) = entries
    assert entry.state == "settled_estimated"
    assert entry.error in ("CancelledError", "Abandoned")


def test_the_speech_is_there_only_when_the_stream_has_ended(emulator):
    with emulator.client() as client:
        audio = client.voice.stream(TEXT)
        with pytest.raises(InvalidRequest, match="Open the stream first"):
            next(iter(audio))
        with audio:
            with pytest.raises(InvalidRequest, match="speech is complete only"):
                _ = audio.speech
            assert audio.read() == audio.speech


# The voices.


def test_the_service_s_voices_are_typed_and_keep_every_field(world, emulator):
    async def listed():
        async with emulator.async_client() as client:
            return await client.voice.voices(locale="en", model="MAI-Voice-2.1")

    if world.startswith("sync"):
        with emulator.client() as client:
            voices = client.voice.voices(locale="en", model="MAI-Voice-2.1")
            assert [entry.cost.amount for entry in client.costs.entries()] == [0]
    else:
        voices = asyncio.run(listed())
    assert {voice.locale for voice in voices} == {"en-US", "en-GB", "en-IN", "en-AU"}
    assert {voice.model for voice in voices} == {"MAI-Voice-2.1"}
    harper = next(voice for voice in voices if voice.name == "en-US-Harper:MAI-Voice-2.1")
    assert (harper.gender, harper.sample_rate, harper.status) == ("Female", 24_000, "Preview")
    assert "excited" in harper.styles
    assert harper.raw["VoiceType"] == "Neural"


def test_a_locale_is_a_text(emulator):
    with emulator.client() as client, pytest.raises(InvalidRequest, match="locale is a int"):
        client.voice.voices(locale=5)
    assert len(emulator.journal) == 0


def test_a_list_that_is_none_is_an_error(emulator):
    emulator.fault("html_200")
    with emulator.client() as client, pytest.raises(UnreadableAnswer, match="no list of voices"):
        client.voice.voices()
