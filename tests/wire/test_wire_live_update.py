"""Session settings, beside the official client azure-ai-voicelive, unmodified."""

import inspect
import json

import azure.ai.voicelive.models as official
import pytest
from azure.ai.voicelive.models import _models
from pydantic import ValidationError

from mai_sdk.errors import InvalidRequest
from mai_sdk.wire import live_options as options
from mai_sdk.wire.live_client_events import SessionUpdate
from mai_sdk.wire.live_codec import decode
from mai_sdk.wire.live_options import (
    AzureSemanticVad,
    AzureStandardVoice,
    EchoCancellation,
    EndOfUtterance,
    FunctionTool,
    InputTranscription,
    LiveSettings,
    LlmInterimResponse,
    MaiVoice,
    McpServer,
    OpenAIVoice,
    ServerVad,
    StaticInterimResponse,
)
from mai_sdk.wire.live_update import (
    live_features,
    live_session,
    named_voice,
    primary_subtag,
    sample_rate_of,
    transcription_session,
)


def official_fields(name):
    found = {}
    for kind in reversed(getattr(_models, name).__mro__):
        found.update(inspect.get_annotations(kind))
    return {field for field in found if not field.startswith("_")}


@pytest.mark.parametrize(
    ("ours", "theirs", "beside"),
    [
        ("LiveSettings", "RequestSession", {"-model"}),
        ("AzureStandardVoice", "AzureStandardVoice", set()),
        ("AzureCustomVoice", "AzureCustomVoice", set()),
        ("AzurePersonalVoice", "AzurePersonalVoice", set()),
        ("AvatarVoiceSync", "AzureAvatarVoiceSyncVoice", set()),
        ("AzureRealtimeNativeVoice", "AzureRealtimeNativeVoice", set()),
        ("OpenAIVoice", "OpenAIVoice", set()),
        ("ServerVad", "ServerVad", {"speech_duration_ms"}),  # documented
        ("AzureSemanticVad", "AzureSemanticVad", set()),
        ("AzureSemanticVadEn", "AzureSemanticVadEn", set()),
        ("AzureSemanticVadMultilingual", "AzureSemanticVadMultilingual", set()),
        ("EndOfUtterance", "AzureSemanticDetection", set()),
        ("NoiseReduction", "AudioNoiseReduction", set()),
        ("EchoCancellation", "AudioEchoCancellation", set()),
        ("InputTranscription", "AudioInputTranscriptionOptions", set()),
        ("StaticInterimResponse", "StaticInterimResponseConfig", set()),
        ("LlmInterimResponse", "LlmInterimResponseConfig", set()),
        ("FunctionTool", "FunctionTool", set()),
        ("McpServer", "MCPServer", set()),
    ],
)
def test_an_option_has_the_official_fields(ours, theirs, beside):
    own = set(getattr(options, ours).model_fields) - {"extra"}
    expected = official_fields(theirs)
    missing = {name[1:] for name in beside if name.startswith("-")}
    assert own == (expected - missing) | {name for name in beside if not name.startswith("-")}


def test_the_session_is_what_the_official_client_was_recorded_sending():
    # recordings: voicelive-1.3.1-client
    recorded = json.loads(
        '{"modalities": ["text", "audio"], "voice": {"name": "en-US-Harper:MAI-Voice-2-Flash", '
        '"style": "excited", "type": "azure-standard"}, "input_audio_transcription": {"model": '
        '"mai-transcribe-1"}, "turn_detection": {"threshold": 0.5, "auto_truncate": true, "type": '
        '"azure_semantic_vad"}, "input_audio_sampling_rate": 16000}'
    )
    settings = LiveSettings(
        modalities=["text", "audio"],
        voice=MaiVoice(name="en-US-Harper", model="MAI-Voice-2-Flash", style="excited"),
        input_audio_transcription="MAI-Transcribe-1",
        turn_detection=AzureSemanticVad(threshold=0.5, auto_truncate=True),
        input_audio_sampling_rate=16000,
    )
    assert live_session(settings) == recorded


def test_left_out_is_not_sent_and_none_is_null():
    assert live_session(LiveSettings()) == {}
    assert live_session(LiveSettings(turn_detection=None)) == {"turn_detection": None}
    vad = ServerVad(end_of_utterance_detection=None)
    assert live_session(LiveSettings(turn_detection=vad)) == {
        "turn_detection": {"type": "server_vad", "end_of_utterance_detection": None}
    }
    theirs = official.RequestSession(turn_detection=None).as_dict()
    assert theirs == live_session(LiveSettings(turn_detection=None))


def test_the_official_client_writes_the_same_session():
    ours = live_session(
        LiveSettings(
            instructions="Be brief.",
            voice=AzureStandardVoice(name="en-US-AvaNeural", rate=1.25),
            turn_detection=AzureSemanticVad(
                end_of_utterance_detection=EndOfUtterance(timeout_ms=900), languages=["en"]
            ),
            input_audio_echo_cancellation=EchoCancellation(),
            input_audio_transcription=InputTranscription(phrase_list=["Harper"]),
            tools=[FunctionTool(name="f", parameters={"type": "object"})],
            interim_response=StaticInterimResponse(triggers=["latency"], texts=["One moment."]),
            max_response_output_tokens="inf",
        )
    )
    theirs = official.RequestSession(
        instructions="Be brief.",
        voice=official.AzureStandardVoice(name="en-US-AvaNeural", rate="1.25"),
        turn_detection=official.AzureSemanticVad(
            end_of_utterance_detection=official.AzureSemanticDetection(timeout_ms=900),
            languages=["en"],
        ),
        input_audio_echo_cancellation=official.AudioEchoCancellation(),
        input_audio_transcription=official.AudioInputTranscriptionOptions(
            model="mai-transcribe", phrase_list=["Harper"]
        ),
        tools=[official.FunctionTool(name="f", parameters={"type": "object"})],
        interim_response=official.StaticInterimResponseConfig(
            triggers=["latency"], texts=["One moment."]
        ),
        max_response_output_tokens="inf",
    )
    assert ours == theirs.as_dict()


def test_a_mai_voice_is_an_azure_voice_with_the_model_in_its_name():
    voice = named_voice("en-US-Harper", model="MAI-Voice-2.1-Flash")
    assert live_session(LiveSettings(voice=voice))["voice"] == {
        "name": "en-US-Harper:MAI-Voice-2.1-Flash", "type": "azure-standard",
    }  # fmt: skip
    whole = MaiVoice(name="en-US-Harper:MAI-Voice-2", model="MAI-Voice-2.1", extra={"new": 1})
    assert live_session(LiveSettings(voice=whole))["voice"] == {
        "name": "en-US-Harper:MAI-Voice-2", "type": "azure-standard", "new": 1,
    }  # fmt: skip


def test_a_voice_by_name_alone_is_azure_s_if_it_begins_with_a_language():
    for name in ("en-US-AvaNeural", "zh-Hans-CN-Xia", "en-US-Harper:MAI-Voice-2", "fil-PH-Angelo"):
        assert named_voice(name) == AzureStandardVoice(name=name)
    for name in ("alloy", "marin", "my voice"):
        assert live_session(LiveSettings(voice=named_voice(name))) == {"voice": name}
    assert live_session(LiveSettings(voice=OpenAIVoice(name="ash")))["voice"]["type"] == "openai"


def test_names_of_mai_ears_are_sent_in_lower_case_and_others_untouched():
    def ears(model):
        return live_session(LiveSettings(input_audio_transcription=model))[
            "input_audio_transcription"
        ]

    assert ears("MAI-Transcribe-2") == {"model": "mai-transcribe-2"}
    assert ears(InputTranscription()) == {"model": "mai-transcribe"}
    assert ears("gpt-4o-Transcribe") == {"model": "gpt-4o-Transcribe"}
    assert ears({"model": "MAI-Transcribe", "x": 1}) == {"model": "mai-transcribe", "x": 1}
    assert ears(None) is None


def test_the_model_is_never_sent_not_even_as_an_extra():
    assert live_session(LiveSettings(extra={"model": "gpt-realtime", "new": None})) == {"new": None}
    with pytest.raises(ValidationError):
        LiveSettings(model="gpt-realtime")


def test_extra_wins_on_every_level():
    vad = AzureSemanticVad(threshold=0.5, extra={"appended_text_after_truncation": "…"})
    session = live_session(
        LiveSettings(turn_detection=vad, temperature=0.7, extra={"temperature": 1.5})
    )
    assert session["turn_detection"]["appended_text_after_truncation"] == "…"
    assert session["temperature"] == 1.5


def test_objects_of_the_service_s_own_shape_pass_as_they_are():
    raw = {"type": "azure_semantic_vad_9", "threshold": 7}
    assert live_session(LiveSettings(turn_detection=raw)) == {"turn_detection": raw}
    voice = {"type": "azure-standard", "name": "x", "rate": "9"}
    assert live_session(LiveSettings(voice=voice)) == {"voice": voice}


def test_tools_are_written_flat_whatever_shape_they_came_in():
    chat = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}
    flat = {"type": "function", "name": "f", "description": "d", "parameters": {}}
    mcp = McpServer(server_label="s", server_url="https://x.example", authorization="secret")
    session = live_session(
        LiveSettings(tools=[chat, FunctionTool(name="f", description="d", parameters={}), mcp])
    )
    assert session["tools"][:2] == [flat, flat]
    assert session["tools"][2]["authorization"] == "secret"
    assert "secret" not in repr(mcp)
    assert live_session(LiveSettings(tools=[])) == {"tools": []}


def test_no_key_is_shown_by_settings_events_or_errors():
    key = "s3cret"
    raw = {"type": "mcp", "authorization": key}
    mcp = McpServer(server_label="s", server_url="u", headers={"x": key}, extra={"y": key})
    settings = LiveSettings(tools=[raw, mcp], avatar={"credential": key}, extra={"z": key})
    event = SessionUpdate(session=live_session(settings))
    assert json.dumps(event.session).count(key) == 5
    echoed = decode(json.dumps({"type": "session.updated", "session": event.session}))
    assert key not in f"{settings!r} {mcp!r} {event!r} {echoed!r}"
    with pytest.raises(ValidationError) as caught:
        LiveSettings(tools=[raw, {key}, McpServer], voice={key})
    assert key not in str(caught.value)


def test_an_interim_answer_by_a_model():
    interim = LlmInterimResponse(model=None, max_completion_tokens=30)
    assert live_session(LiveSettings(interim_response=interim))["interim_response"] == {
        "type": "llm_interim_response", "model": None, "max_completion_tokens": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"temperature": 1.3}, "temperature is 1.3, and Voice Live takes 0.6 to 1.2"),
        ({"max_response_output_tokens": 0}, "takes 1 to 4096"),
        ({"max_response_output_tokens": 5000}, "takes 1 to 4096"),
        ({"modalities": ["audio"]}, "does not speak without text"),
        ({"metadata": {str(i): "x" for i in range(17)}}, "metadata has 17 pairs"),
        ({"input_audio_sampling_rate": 48000}, "takes pcm16 at 16000 or 24000"),
        (
            {"input_audio_sampling_rate": 16000, "input_audio_format": "g711_ulaw"},
            "takes g711_ulaw at 8000",
        ),
        ({"turn_detection": ServerVad(threshold=50)}, "threshold is 50"),
        ({"voice": AzureStandardVoice(name="x", rate=2.0)}, "voice.rate is 2"),
        ({"voice": AzureStandardVoice(name="x", rate="0.1")}, "voice.rate is 0.1"),
        ({"input_audio_echo_cancellation": EchoCancellation(channels=2)}, "channels=2"),
        (
            {"input_audio_echo_cancellation":
                EchoCancellation(channels=3, reference_source="client")},
            "channels=3",
        ),
    ],
)  # fmt: skip
def test_what_the_service_surely_refuses_is_refused_here(settings, said):
    with pytest.raises(InvalidRequest) as caught:
        live_session(LiveSettings(**settings))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.6}, {"max_response_output_tokens": "inf"}, {"modalities": ["text"]},
        {"input_audio_sampling_rate": 44100, "input_audio_format": "opus"},
        {"voice": AzureStandardVoice(name="anything", style="anything", rate="+10%")},
        {"reasoning_effort": "extreme"}, {"output_audio_format": "opus"},
        {"input_audio_echo_cancellation": EchoCancellation(channels=2, reference_source="client")},
    ],
)  # fmt: skip
def test_what_nobody_here_can_know_passes(settings):
    assert live_session(LiveSettings(**settings)).keys() == settings.keys()


def test_the_client_s_echo_reference_needs_a_feature_of_the_connection():
    echo = EchoCancellation(channels=2, reference_source="client")
    feature = "client_ec_reference:true"
    assert live_features(LiveSettings(input_audio_echo_cancellation=echo)) == feature
    raw = {"type": "server_echo_cancellation", "reference_source": "client"}
    assert live_features(LiveSettings(input_audio_echo_cancellation=raw)) == feature
    assert live_features(LiveSettings(input_audio_echo_cancellation=EchoCancellation())) is None
    assert live_features(LiveSettings()) is None


def test_the_rate_of_the_agent_s_audio_follows_from_its_format():
    rates = {None: 24000, "pcm16": 24000, "pcm16_16000hz": 16000, "g711_alaw": 8000}
    assert {name: sample_rate_of(name) for name in rates} == rates
    with pytest.raises(InvalidRequest, match="is not known"):
        sample_rate_of("opus")


def test_a_transcription_session_names_the_deployment_and_leaves_the_language_out():
    assert transcription_session(deployment="my-ears") == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 16000},
                "transcription": {"model": "my-ears"},
                "turn_detection": None,
                "noise_reduction": None,
            }
        },
    }


@pytest.mark.parametrize(
    ("language", "sent"),
    [("fr-CA", "fr"), ("EN", "en"), ("zh_Hans_CN", "zh"), (" de ", "de"), ("yue", "yue")],
)
def test_a_transcription_session_sends_the_primary_subtag(language, sent):
    session = transcription_session(deployment="d", sample_rate=24000, language=language)
    assert session["audio"]["input"]["transcription"] == {"model": "d", "language": sent}
    assert primary_subtag(language) == sent


def test_a_transcription_session_takes_two_sample_rates_and_anything_extra():
    with pytest.raises(InvalidRequest, match="16000 or 24000"):
        transcription_session(deployment="d", sample_rate=8000)
    audio = transcription_session(deployment="d", extra={"new": 1, "noise_reduction": {}})["audio"]
    assert audio["input"]["new"] == 1
    assert audio["input"]["noise_reduction"] == {}
