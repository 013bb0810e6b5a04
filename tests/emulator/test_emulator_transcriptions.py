"""`transcriptions:transcribe`: the official client works unmodified, what is wrong is refused."""

import asyncio
import io
import json

import httpx2
import pytest
from azure.ai.transcription import TranscriptionClient
from azure.ai.transcription.aio import TranscriptionClient as AsyncTranscriptionClient
from azure.ai.transcription.models import (
    EnhancedModeProperties,
    PhraseListProperties,
    TranscriptionContent,
    TranscriptionDiarizationOptions,
    TranscriptionOptions,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from emulator.speech import noise, spoken
from mai_sdk.emulator import EMULATOR_TOKEN
from mai_sdk.emulator.ears import NOBODY_LISTENED
from mai_sdk.emulator.uploads import read_form
from mai_sdk.wire.wav import wav_header

PATH = "/speechtotext/transcriptions:transcribe?api-version=2025-10-15"
TEXT = "Good afternoon. This is, um, the quarterly report of Contoso. Any questions?"


def wav(pcm, rate=16_000, **kind):
    return wav_header(len(pcm), sample_rate=rate, **kind) + pcm


SILENCE = wav(bytes(3200))


@pytest.fixture
def speech(emulator):
    """A recording the emulator made itself."""
    utterance = spoken(TEXT)
    emulator._world.ears.remember(utterance)
    return wav(utterance.pcm)


def enhanced(model="MAI-Transcribe-2", **options):
    made = EnhancedModeProperties()
    made["enabled"] = True
    made["model"] = model
    if options:
        made["modelOptions"] = options
    return made


def diarized(most):
    made = TranscriptionDiarizationOptions({"enabled": True})
    made["maxSpeakers"] = most
    return made


OPTIONS = {
    "plain": (lambda: {"enhanced_mode": enhanced()}, {}),
    "all": (
        lambda: {
            "locales": ["en-US"],
            "diarization_options": diarized(3),
            "enhanced_mode": enhanced(timestamps="word", transcribeStyle="clean"),
            "phrase_list": PhraseListProperties(phrases=["Contoso"]),
        },
        {
            "locale": "en-US",
            "max_speakers": 3,
            "timestamps": "word",
            "style": "clean",
            "phrases": ["Contoso"],
        },
    ),
    "1.5": (
        lambda: {
            "locales": ["en"],
            "enhanced_mode": enhanced("MAI-Transcribe-1.5"),
            "phrase_list": PhraseListProperties(phrases=["Contoso"]),
        },
        {"model": "MAI-Transcribe-1.5", "locale": "en", "phrases": ["Contoso"]},
    ),
}


def official(emulator, speech, options):
    content = TranscriptionContent(
        definition=TranscriptionOptions(**options), audio=("report.wav", speech)
    )
    credential = AzureKeyCredential(emulator.key)
    with TranscriptionClient(endpoint=emulator.url, credential=credential) as client:
        return client.transcribe(content)


def asked(entry):
    """What the protocol leaves no freedom in: method, path, query, parts, and the definition."""
    parts = read_form(entry.body, entry.headers["content-type"])
    data = {part.name: entry.body[part.start : part.end] for part in parts}
    described = [(part.name, part.filename, part.content_type) for part in parts]
    definition = list(json.loads(data["definition"]).items())
    return entry.method, entry.path, entry.query, described, data.get("audio"), definition


@pytest.mark.parametrize("which", OPTIONS)
def test_the_official_client_is_answered_and_ours_asks_the_same(emulator, speech, which):
    theirs, ours = OPTIONS[which]
    result = official(emulator, speech, theirs())
    audio = io.BytesIO(speech)
    audio.name = "report.wav"
    with emulator.client() as client:
        transcript = client.transcribe.create(audio, **ours)
    official_entry, our_entry = emulator.journal
    assert asked(official_entry) == asked(our_entry)
    assert official_entry.headers["ocp-apim-subscription-key"] == "***"
    assert our_entry.headers["ocp-apim-subscription-key"] == "***"
    assert official_entry.headers["accept"] == our_entry.headers["accept"]
    assert result.combined_phrases[0].text == transcript.text
    assert result.duration_milliseconds == transcript.duration_ms
    assert [each.text for each in result.phrases] == [each.text for each in transcript.segments]


def test_the_official_async_client_is_answered_the_same(emulator, speech):
    async def run():
        content = TranscriptionContent(
            definition=TranscriptionOptions(**OPTIONS["all"][0]()),
            audio=("report.wav", io.BytesIO(speech)),
        )
        credential = AzureKeyCredential(emulator.key)
        async with AsyncTranscriptionClient(endpoint=emulator.url, credential=credential) as client:
            return await client.transcribe(content)

    asynchronous = asyncio.run(run())
    assert asynchronous.as_dict() == official(emulator, speech, OPTIONS["all"][0]()).as_dict()
    first, second = (asked(entry) for entry in emulator.journal)
    assert first[3] == [  # aiohttp adds types that the client did not ask for
        ("audio", "report.wav", "application/octet-stream"),
        ("definition", None, "text/plain; charset=utf-8"),
    ]
    assert [*first[:3], *first[4:]] == [*second[:3], *second[4:]]
    words = asynchronous.phrases[0].words
    assert [word.text for word in words] == ["Good", "afternoon."]


def test_a_url_is_passed_on_as_the_official_client_passes_it(emulator):
    url = "https://example.com/a.wav?sig=secret"
    emulator.reply("From afar.", times=2)
    credential = AzureKeyCredential(emulator.key)
    with TranscriptionClient(endpoint=emulator.url, credential=credential) as client:
        options = TranscriptionOptions(enhanced_mode=enhanced())
        result = client.transcribe_from_url(url, options=options)
    with emulator.client() as client:
        transcript = client.transcribe.create(url)
    official_entry, our_entry = emulator.journal
    theirs, ours = asked(official_entry), asked(our_entry)
    assert theirs[:5] == ours[:5]
    assert sorted(theirs[5]) == sorted(ours[5])
    assert dict(ours[5])["audioUrl"] == url
    assert result.combined_phrases[0].text == transcript.text == "From afar."
    assert transcript.duration_ms is None
    assert transcript.usage.basis == "unknown"
    assert transcript.cost.amount is None


def test_the_official_way_to_ask_for_speakers_is_to_say_how_many(emulator, speech):
    most = TranscriptionDiarizationOptions(max_speakers=2)
    asked = {"enhanced_mode": enhanced(), "diarization_options": most}
    assert {phrase.speaker for phrase in official(emulator, speech, asked).phrases} == {1}


def test_the_official_client_sees_our_errors(emulator, speech):
    with pytest.raises(HttpResponseError, match="exactly one locale") as caught:
        official(emulator, speech, {"locales": ["en", "de"], "enhanced_mode": enhanced()})
    assert caught.value.status_code == 400
    emulator.fault("speech_error", code=408, reason="Timeout", message="Too long.", shape="top")
    with pytest.raises(HttpResponseError, match="Too long"):
        official(emulator, speech, {"enhanced_mode": enhanced()})
    emulator.fault("key_echo")
    with pytest.raises(ClientAuthenticationError):
        official(emulator, speech, {"enhanced_mode": enhanced()})


def test_the_official_client_retries_and_sends_everything_again(emulator, speech):
    emulator.fault("rate_limit", retry_after=0)
    assert official(emulator, speech, {"enhanced_mode": enhanced()}).combined_phrases[0].text
    first, second = emulator.journal
    assert (first.status, second.status) == (429, 200)
    assert asked(first) == asked(second)


def test_the_official_client_s_retry_of_a_file_object_is_an_empty_file_and_ours_is_not(
    emulator, speech
):
    """What wire calls the naive mistake: whoever does not wind back sends nothing the next time."""
    emulator.fault("rate_limit", retry_after=0)
    with pytest.raises(HttpResponseError, match="The audio is empty"):
        official(emulator, io.BytesIO(speech), {"enhanced_mode": enhanced()})
    emulator.fault("rate_limit", retry_after=0)
    with emulator.client() as client:
        assert client.transcribe.create(io.BytesIO(speech)).text == TEXT


@pytest.fixture
def post(emulator):
    """Sends a definition and audio; returns the answer."""
    with httpx2.Client(base_url=emulator.url) as client:

        def send(definition, audio=SILENCE, *, key=emulator.key, path=PATH, **extra):
            files = [] if audio is None else [("audio", ("a.wav", audio))]
            if definition is not None:
                files.append(("definition", (None, json.dumps(definition).encode())))
            headers = {"ocp-apim-subscription-key": key} if key else {}
            headers |= extra.pop("headers", {})
            return client.post(path, files=files, headers=headers)

        yield send


MAI = {"enhancedMode": {"enabled": True, "model": "MAI-Transcribe-2"}}
OLDER = {"enhancedMode": {"enabled": True, "model": "mai-transcribe-1.5"}}


def options(base, **fields):
    return {"enhancedMode": {**base["enhancedMode"], **fields}}


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ({**MAI, "locales": ["en", "de"]}, "exactly one locale"),
        ({**MAI, "locales": []}, "exactly one locale"),
        ({**MAI, "locales": "en"}, "list of texts"),
        ({**MAI, "modelOptions": {"timestamps": "word"}}, "not known: modelOptions"),
        (options(OLDER, modelOptions={"timestamps": "word"}), "timestamps is not supported"),
        (options(OLDER, modelOptions={"transcribeStyle": "clean"}), "transcribeStyle"),
        ({**OLDER, "diarization": {"enabled": True}}, "diarization is not supported"),
        (options(MAI, modelOptions={"timestamps": "phrase"}), "one of none, segment, word"),
        (options(MAI, transcribeStyle="clean"), "not known: transcribeStyle"),
        (options(MAI, task="translate"), "task is not supported"),
        ({**MAI, "profanityFilterMode": "Masked"}, "profanityFilterMode is not supported"),
        ({**MAI, "diarization": {"enabled": True, "maxSpeakers": 99}}, "from 2 to 35"),
        ({"diarization": {"enabled": True, "maxSpeakers": 0}}, "from 2 to 35"),
        ({"enhancedMode": {"enabled": True}, "diarization": {"maxSpeakers": "2"}}, "from 2 to 35"),
        (options(MAI, model="MAI-Transcribe-9"), "not supported"),
        ([], "not a JSON object"),
        (None, "no part definition"),
    ],
)
def test_what_a_model_does_not_take_is_a_400_that_says_so(post, definition, says):
    answer = post(definition)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    assert answer.headers["apim-request-id"]


@pytest.mark.parametrize(
    ("audio", "status", "code"),
    [
        (b"", 400, "InvalidArgument"),
        (None, 400, "InvalidArgument"),
        (b"%PDF-1.7 no audio at all", 422, "InvalidAudioFormat"),
        (b"RIFF\x00\x00\x00\x00WAVE", 422, "InvalidAudioFormat"),
        (wav(b""), 422, "EmptyAudioFile"),
        (b"OggS" + b"\xff" * 99, 422, "InvalidAudioFormat"),
    ],
)
def test_audio_that_is_none_is_refused(post, audio, status, code):
    answer = post(MAI, audio)
    assert " at 0x" not in answer.text
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_key_counts_before_the_token(post):
    token = {"authorization": f"Bearer {EMULATOR_TOKEN}"}
    assert post(MAI).status_code == 200
    assert post(MAI, headers={"authorization": "Bearer nothing"}).status_code == 200
    assert post(MAI, key=None, headers=token).status_code == 200
    assert post(MAI, key="wrong", headers=token).status_code == 401
    assert post(MAI, key=None).status_code == 401


def test_another_api_version_and_a_body_that_is_no_form_are_refused(post, emulator):
    assert post(MAI, path=PATH.replace("2025", "2031")).status_code == 400
    assert post(MAI, path=PATH.partition("?")[0]).status_code == 400
    headers = {"ocp-apim-subscription-key": emulator.key, "content-type": "application/json"}
    with httpx2.Client(base_url=emulator.url, headers=headers) as client:
        assert client.post(PATH, content=b"{}").status_code == 400
        assert client.get(PATH).status_code == 404


def test_silence_has_no_phrases(post):
    said = post(MAI).json()
    assert said == {"durationMilliseconds": 100, "combinedPhrases": [], "phrases": []}


def test_without_enhanced_mode_the_older_service_answers(post, speech):
    for definition in {}, {"enhancedMode": {"model": "MAI-Transcribe-2"}}:
        phrase = post(definition, speech).json()["phrases"][0]
        assert phrase["confidence"] > 0
        assert phrase["locale"] == "en-US"
        assert phrase["words"][0]["text"] == "Good"


def test_times_come_as_they_are_asked_for(post, speech):
    for wanted, fields in {
        "none": {"text", "locale", "confidence"},
        "segment": {"text", "locale", "confidence", "offsetMilliseconds", "durationMilliseconds"},
    }.items():
        phrases = post(options(MAI, modelOptions={"timestamps": wanted}), speech).json()["phrases"]
        assert {frozenset(phrase) for phrase in phrases} == {frozenset(fields)}
        assert {phrase["confidence"] for phrase in phrases} == {0}
        assert {phrase["locale"] for phrase in phrases} == {"en-us"}
    offsets = [phrase["offsetMilliseconds"] for phrase in post(OLDER, speech).json()["phrases"]]
    assert offsets == [0, 600, 3000]


def test_a_clean_transcript_has_no_ums(post, speech):
    said = post(options(MAI, modelOptions={"transcribeStyle": "clean"}), speech).json()
    assert said["combinedPhrases"] == [{"text": TEXT.replace(" um,", "")}]


def test_each_utterance_is_another_speaker(post, emulator):
    one, two = spoken("Who are you?"), spoken("Nobody. And you?")
    for utterance in one, two:
        emulator._world.ears.remember(utterance)
    pcm = one.pcm + bytes(32_000) + two.pcm
    said = post({**MAI, "diarization": {"enabled": True}}, wav(pcm)).json()
    speakers = [(phrase["speaker"], phrase["text"]) for phrase in said["phrases"]]
    assert speakers == [(1, "Who are you?"), (2, "Nobody."), (2, "And you?")]


def test_speech_of_others_is_not_made_up(post, monkeypatch):
    monkeypatch.setattr("mai_sdk.emulator.recogniser.find_spec", lambda _: None)
    said = post(MAI, wav(noise("stranger", 32_000))).json()
    assert said["combinedPhrases"] == [{"text": NOBODY_LISTENED}]
    assert said["durationMilliseconds"] == 1000


def test_a_script_says_what_is_heard(post, emulator):
    emulator.reply("As the script has it.", model="MAI-Transcribe-2")
    assert post(OLDER).json()["combinedPhrases"] == []
    said = post(options(MAI, modelOptions={"timestamps": "word"})).json()
    assert said["combinedPhrases"] == [{"text": "As the script has it."}]
    assert [word["offsetMilliseconds"] for word in said["phrases"][0]["words"]] == [
        0,
        20,
        40,
        60,
        80,
    ]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("24 bits", wav(bytes(4800), bits=24)),
        ("stereo", wav(bytes(6400), channels=2)),
        ("a streamed header", wav_header(0, sample_rate=16_000) + bytes(3200)),
        ("mu-law", wav(b"\xff" * 1600, encoding=7, bits=8)),
    ],
)
def test_every_kind_of_wav_has_its_length(post, kind, data):
    assert post(MAI, data).json()["durationMilliseconds"] == 100, kind


def test_speech_on_two_channels_is_heard_as_well(post, emulator):
    utterance = spoken(TEXT)
    emulator._world.ears.remember(utterance)
    both = b"".join(utterance.pcm[at : at + 2] * 2 for at in range(0, len(utterance.pcm), 2))
    said = post(MAI, wav(both, channels=2)).json()
    assert said["combinedPhrases"] == [{"text": TEXT}]


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_other_formats_have_their_length_and_lossless_ones_their_words(
    post, emulator, monkeypatch, kind
):
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.setattr("mai_sdk.emulator.recogniser.find_spec", lambda _: None)
    utterance = spoken(TEXT)
    emulator._world.ears.remember(utterance)
    made = io.BytesIO()
    with soundfile.SoundFile(made, "w", samplerate=16_000, channels=1, format=kind) as file:
        file.buffer_write(utterance.pcm, dtype="int16")
    said = post(MAI, made.getvalue()).json()
    assert said["durationMilliseconds"] == pytest.approx(utterance.seconds * 1000, abs=150)
    if kind == "FLAC":
        assert said["combinedPhrases"] == [{"text": TEXT}]


def test_a_flac_file_says_its_length_without_a_decoder(post, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    made = io.BytesIO()
    with soundfile.SoundFile(made, "w", samplerate=16_000, channels=1, format="FLAC") as file:
        file.buffer_write(bytes(32_000), dtype="int16")
    monkeypatch.setattr("mai_sdk.emulator.sounds.find_spec", lambda _: None)
    assert post(MAI, made.getvalue()).json()["durationMilliseconds"] == 1000
    assert "mai-sdk[audio]" in post(MAI, b"OggS" + bytes(100)).json()["error"]["message"]
