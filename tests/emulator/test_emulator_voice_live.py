"""Voice Live, event by event, by a plain WebSocket client."""

import base64
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.live import HEARING, MAI_VOICE, VOICE_LIVE, Line, open_line, piece, silence
from mai_sdk.emulator import EMULATOR_TOKEN, Emulator, LiveFlags
from mai_sdk.wire import live_codec
from mai_sdk.wire.live_events import UnrecognisedEvent

QUESTION = "What is the weather like in Oslo?"
ANSWER = "It is raining, and it will rain all day."
TOOL = {
    "type": "function", "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7, live=LiveFlags(audio_pace=40.0)) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    return served


@pytest.fixture
def line(emulator):
    with open_line(emulator) as opened:
        opened.until("session.created")
        yield opened


def ask(line, emulator, text=QUESTION):
    line.say(silence(300) + emulator.spoken(text) + silence(700))


def test_the_session_comes_first_and_says_how_it_is_set(line):
    first = line.events[0]
    assert first["type"] == "session.created"
    session = first["session"]
    assert session["model"] == "gpt-realtime"
    assert session["turn_detection"]["type"] == "server_vad"
    assert session["turn_detection"]["prefix_padding_ms"] == 400
    assert 3_590 < session["expires_at"] - time.time() <= 3_600


def test_a_spoken_turn_goes_in_the_documented_order(line, emulator):
    line.update(voice=MAI_VOICE, output_audio_timestamp_types=["word"])
    emulator.reply(ANSWER)
    line.events.clear()
    ask(line, emulator)
    line.until("response.done")
    kinds = []
    for kind in line.kinds():
        if kind not in kinds or kind == "conversation.item.created":
            kinds.append(kind)
    assert kinds == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
        "response.audio_timestamp.delta",
        "response.audio.delta",
        "response.audio_timestamp.done",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]


def test_the_answer_is_spoken_in_the_voice_asked_for_and_its_words_are_told(line, emulator):
    line.update(voice=MAI_VOICE)
    emulator.reply(ANSWER)
    ask(line, emulator)
    done = line.until("response.done")["response"]
    spoken = emulator._world.mouth.speak(ANSWER, voice=MAI_VOICE["name"], sample_rate=24_000)
    assert line.audio() == spoken.pcm
    deltas = [e["delta"] for e in line.events if e["type"] == "response.audio_transcript.delta"]
    assert "".join(deltas) == ANSWER
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "audio", "transcript": ANSWER}]
    usage = done["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_token_details"]["audio_tokens"] == round(spoken.seconds * 20)


def test_the_transcript_of_the_user_comes_by_item_after_the_response_began(line, emulator):
    line.update(**HEARING)
    ask(line, emulator)
    line.until("response.done")
    kinds = [event["type"] for event in line.events]
    said = next(e for e in line.events if e["type"].endswith("transcription.completed"))
    committed = next(e for e in line.events if e["type"] == "input_audio_buffer.committed")
    assert said["transcript"] == QUESTION
    assert said["item_id"] == committed["item_id"]
    assert kinds.index("response.created") < kinds.index(said["type"])


def test_positions_of_speech_count_from_the_first_sample_of_the_connection(line, emulator):
    for _ in range(2):
        ask(line, emulator)
        line.until("response.done")
    started = [e["audio_start_ms"] for e in line.events if e["type"].endswith("speech_started")]
    stopped = [e["audio_end_ms"] for e in line.events if e["type"].endswith("speech_stopped")]
    length = len(emulator.spoken(QUESTION)) // 48
    assert started[0] == 0  # 300 ms of silence are less than the padding
    assert length + 700 < stopped[0] <= length + 900
    assert stopped[0] <= started[1] < stopped[1]


@pytest.mark.parametrize("output", ["pcm16_8000hz", "pcm16_16000hz", "g711_ulaw", "g711_alaw"])
def test_every_output_format_plays_as_long(line, emulator, output):
    line.update(output_audio_format=output, turn_detection=None)
    emulator.reply(ANSWER)
    line.send("response.create")
    line.until("response.done")
    rate = {"pcm16_8000hz": 16_000, "pcm16_16000hz": 32_000}.get(output, 8_000)
    seconds = emulator._world.mouth.speak(ANSWER, sample_rate=24_000).seconds
    assert abs(len(line.audio()) / rate - seconds) < 0.1


@pytest.mark.parametrize("coding", ["g711_ulaw", "g711_alaw"])
def test_telephone_audio_is_heard_to_the_letter(line, emulator, coding):
    line.update(input_audio_format=coding, input_audio_sampling_rate=8_000, **HEARING)
    quiet = (b"\xff" if coding == "g711_ulaw" else b"\xd5") * 160
    line.say(quiet * 15 + emulator.spoken(QUESTION, coding=coding) + quiet * 35, frame=160)
    done = line.until("conversation.item.input_audio_transcription.completed")
    assert done["transcript"] == QUESTION


def test_without_turn_detection_the_client_commits_and_asks(line, emulator):
    line.update(turn_detection=None, **HEARING)
    line.say(emulator.spoken(QUESTION))
    line.send("input_audio_buffer.commit")
    line.until("input_audio_buffer.committed")
    assert line.until("conversation.item.input_audio_transcription.completed")
    assert not any(e["type"] == "response.created" for e in line.events)
    line.send("response.create")
    assert line.until("response.done")["response"]["status"] == "completed"
    assert line.error("input_audio_buffer.commit") == "input_audio_buffer_commit_empty"


def test_text_alone_is_written(line, emulator):
    line.update(modalities=["text"])
    emulator.reply("Written.")
    line.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    )
    line.send("response.create")
    done = line.until("response.done")["response"]
    assert done["output"][0]["content"] == [{"type": "text", "text": "Written."}]
    assert not line.audio()


def test_a_function_is_called_and_its_result_is_spoken_of(line, emulator):
    line.update(tools=[TOOL], modalities=["text"])
    emulator.reply(tool_calls=[{"name": "weather", "arguments": {"city": "Oslo"}, "id": "call_1"}])
    emulator.reply("Rain.", when=lambda request: request.json["messages"][-1]["role"] == "tool")
    line.send("response.create")
    done = line.until("response.function_call_arguments.done")
    assert (done["name"], json.loads(done["arguments"])) == ("weather", {"city": "Oslo"})
    deltas = [e["delta"] for e in line.events if e["type"].endswith("arguments.delta")]
    assert "".join(deltas) == done["arguments"]
    output = line.until("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["function_call"]
    item = {"type": "function_call_output", "call_id": "call_1", "output": '{"sky":"rain"}'}
    line.send("conversation.item.create", item=item)
    line.send("response.create")
    assert line.until("response.text.done")["text"] == "Rain."
    bad = {"type": "function_call_output", "call_id": "call_9", "output": ""}
    assert line.error("conversation.item.create", item=bad) == "invalid_tool_call_id"


def test_the_made_up_model_calls_a_tool_by_itself_and_then_speaks(line):
    line.update(tools=[TOOL], modalities=["text"])
    line.send("response.create")
    call = line.until("response.done")["response"]["output"][0]
    assert call["name"] == "weather"
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "dry"}
    line.send("conversation.item.create", item=item)
    line.send("response.create")
    assert "dry" in line.until("response.text.done")["text"]


@pytest.fixture
def slow():
    """Answers as fast as they play, in pieces of 20 ms."""
    flags = LiveFlags(audio_pace=1.0, delta_ms=20)
    with Emulator(seed=7, live=flags) as running, open_line(running) as opened:
        opened.until("session.created")
        running.reply("One two three four five six seven eight nine ten. " * 3, times=None)
        yield opened, running


def test_speech_cuts_the_answer_off_and_what_was_on_its_way_still_comes(slow):
    line, emulator = slow
    line.send("response.create")
    first = line.until("response.audio.delta")
    line.say(emulator.spoken("Stop!") + emulator.spoken("Stop it now please."))
    line.until("input_audio_buffer.speech_started")
    line.events.clear()
    done = line.until("response.done")["response"]
    assert done["id"] == first["response_id"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert done["usage"]["output_tokens"] > 0
    assert done["output"][0]["status"] == "incomplete"
    kinds = line.kinds()
    assert kinds[0] in ("response.audio.delta", "response.audio_transcript.delta")
    assert kinds[-4:] == [
        "response.audio_transcript.done", "response.content_part.done",
        "response.output_item.done", "response.done",
    ]  # fmt: skip


def test_speech_does_not_interrupt_where_that_is_switched_off(slow):
    line, emulator = slow
    detection = {"type": "server_vad", "interrupt_response": False, "create_response": False}
    line.update(turn_detection=detection)
    line.send("response.create")
    line.until("response.audio.delta")
    line.say(emulator.spoken("Stop it now please.") + silence(700))
    line.until("input_audio_buffer.committed")
    line.send("response.cancel")
    assert line.until("response.done")["response"]["status_details"]["reason"] == (
        "client_cancelled"
    )


def test_a_response_cancelled_before_a_word_has_no_usage():
    with Emulator(first_token_seconds=30) as emulator, open_line(emulator) as line:
        line.send("response.create")
        line.until("response.created")
        line.send("response.cancel")
        done = line.until("response.done")["response"]
        assert (done["status"], done["usage"], done["output"]) == ("cancelled", None, [])


def test_one_response_at_a_time(slow):
    line, _ = slow
    assert line.error("response.cancel") == "response_cancel_not_active"
    line.send("response.create")
    line.until("response.audio.delta")
    assert line.error("response.create") == "conversation_already_has_active_response"
    line.send("response.create", response={"cancel_previous": True, "modalities": ["text"]})
    assert line.until("response.done")["response"]["status"] == "cancelled"
    assert line.until("response.done")["response"]["status"] == "completed"


def test_an_answer_is_cut_where_it_was_heard_once_and_not_beyond_its_end(line, emulator):
    emulator.reply(ANSWER)
    line.update(turn_detection=None)
    line.send("response.create")
    item = line.until("response.done")["response"]["output"][0]["id"]
    length = len(line.audio()) // 48

    def truncate(ms, index=0, name=item):
        fields = {"item_id": name, "content_index": index, "audio_end_ms": ms}
        return {"kind": "conversation.item.truncate", **fields}

    assert line.error(**truncate(length + 100)) == "invalid_value"
    assert f"is already shorter than {length + 100}ms" in line.events[-1]["error"]["message"]
    assert line.error(**truncate(0)) == "invalid_value"
    assert "Only model output audio" in line.events[-1]["error"]["message"]
    assert line.error(**truncate(100, index=1)) == "invalid_value"
    assert line.error(**truncate("soon")) == "invalid_type"
    assert line.error(**truncate(100, name="nobody")) == "item_truncate_invalid_item_id"
    line.send(**truncate(1_000))
    assert line.until("conversation.item.truncated")["audio_end_ms"] == 1_000
    assert line.error(**truncate(900)) == "item_already_truncated"
    line.send("conversation.item.retrieve", item_id=item)
    heard = line.until("conversation.item.retrieved")["item"]["content"][0]["transcript"]
    assert heard
    assert ANSWER.startswith(heard)
    assert len(heard) < len(ANSWER)


def test_the_service_truncates_by_itself_where_it_was_asked_to(slow):
    line, emulator = slow
    line.update(turn_detection={"type": "azure_semantic_vad", "auto_truncate": True})
    line.send("response.create")
    line.until("response.audio.delta")
    line.say(emulator.spoken("Stop it now please."))
    cut = line.until("conversation.item.truncated")
    assert 0 < cut["audio_end_ms"] <= len(line.audio()) // 48 + 40
    again = {key: cut[key] for key in ("item_id", "content_index", "audio_end_ms")}
    assert line.error("conversation.item.truncate", **again) == "item_already_truncated"


def test_items_are_created_in_their_place_shown_and_deleted(line):
    def message(name, role="user", kind="input_text"):
        content = [{"type": kind, "text": name}]
        return {"type": "message", "id": name, "role": role, "content": content}

    line.send("conversation.item.create", item=message("a"))
    line.send("conversation.item.create", item=message("b", "assistant", "text"))
    line.send("conversation.item.create", item=message("c"), previous_item_id="a")
    line.send("conversation.item.create", item=message("d"), previous_item_id="root")
    before = [line.until("conversation.item.created")["previous_item_id"] for _ in range(4)]
    assert before == [None, "a", "a", None]
    line.send("conversation.item.retrieve", item_id="b")
    assert line.until("conversation.item.retrieved")["item"]["role"] == "assistant"
    line.send("conversation.item.delete", item_id="b")
    assert line.until("conversation.item.deleted")["item_id"] == "b"
    assert line.error("conversation.item.delete", item_id="b") == "item_delete_invalid_item_id"
    assert line.error("conversation.item.create", item=message("a")) == (
        "item_create_duplicate_item_id"
    )
    assert line.error("conversation.item.create", item=message("e", kind="text2")) == (
        "invalid_value"
    )


def test_an_update_changes_what_it_names_and_null_switches_off(line):
    line.update(instructions="Be brief.", **HEARING)
    session = line.update(turn_detection=None, input_audio_transcription=None)
    assert session["turn_detection"] is None
    assert session["input_audio_transcription"] is None
    assert session["instructions"] == "Be brief."


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({"model": "gpt-realtime"}, "invalid_parameter"),
        ({"nonsense": 1}, "unknown_parameter"),
        ({"modalities": ["audio"]}, "invalid_value"),
        ({"temperature": 1.5}, "invalid_value"),
        ({"max_response_output_tokens": 5_000}, "invalid_value"),
        ({"voice": {"type": "azure-standard"}}, "missing_parameter"),
        ({"voice": {"type": ["x"]}}, "invalid_value"),
        ({"turn_detection": {"threshold": 0.5}}, "invalid_value"),
        ({"input_audio_sampling_rate": 8_000}, "invalid_value"),
        ({"output_audio_format": "mp3"}, "invalid_value"),
        ({"input_audio_transcription": {}}, "missing_parameter"),
        ({"tools": [{"type": "function"}]}, "missing_parameter"),
        (
            {"input_audio_echo_cancellation": {"type": "server_echo_cancellation", "channels": 2}},
            "invalid_ec_channels_requires_client",
        ),
    ],
)
def test_an_update_that_is_wrong_is_refused_whole(line, session, code):
    asked = {"instructions": "Changed.", **session}
    assert line.error("session.update", session=asked) == code
    assert line.update()["instructions"] == ""


def test_a_voice_there_is_none_of_is_taken_and_fails_when_it_speaks(line):
    voice = {"type": "azure-standard", "name": "en-US-Nobody:MAI-Voice-2"}
    assert line.update(voice=voice)["voice"] == voice
    line.send("response.create")
    done = line.until("response.done")["response"]
    assert done["status"] == "failed"
    assert "there is no voice" in done["status_details"]["error"]["message"]


def test_a_limit_cuts_the_answer(line, emulator):
    emulator.reply(ANSWER)
    line.send("response.create", response={"max_output_tokens": 4, "modalities": ["text"]})
    done = line.until("response.done")["response"]
    assert done["status"] == "incomplete"
    assert done["status_details"]["reason"] == "max_output_tokens"


def test_the_client_can_write_the_answer_itself(line):
    message = {"content": [{"type": "text", "text": "Welcome."}]}
    line.send("response.create", response={"pre_generated_assistant_message": message})
    assert line.until("response.audio_transcript.done")["transcript"] == "Welcome."


def test_buffers_can_be_cleared(line, emulator):
    line.update(turn_detection=None)
    line.say(emulator.spoken(QUESTION))
    line.send("input_audio_buffer.clear")
    line.until("input_audio_buffer.cleared")
    assert line.error("input_audio_buffer.commit") == "input_audio_buffer_commit_empty"
    line.send("output_audio_buffer.clear")
    line.until("output_audio_buffer.cleared")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", "invalid_json"),
        ("[]", "invalid_json"),
        ("{}", "missing_parameter"),
        ('{"type":"session.explode"}', "invalid_value"),
        ('{"type":"input_audio_buffer.append","audio":"#"}', "invalid_value"),
        ('{"type":"input_audio_buffer.append"}', "invalid_value"),
    ],
)
def test_what_is_no_event_is_answered_with_an_error_and_the_session_goes_on(line, frame, code):
    line.socket.send(frame)
    assert line.until("error")["error"]["code"] == code
    line.update()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (VOICE_LIVE, {"api-key": "wrong"}, 401),
        (VOICE_LIVE, {}, 401),
        (VOICE_LIVE, {"Authorization": "Bearer wrong"}, 401),
        ("/voice-live/realtime?model=x", None, 400),
        ("/voice-live/realtime?api-version=2026-07-15", None, 400),
        ("/voice-live/realtime?api-version=2026-07-15&agent-name=a", None, 401),
        ("/voice-live/elsewhere", None, 404),
    ],
)
def test_a_handshake_that_is_wrong_is_refused(emulator, path, headers, status):
    with pytest.raises(InvalidStatus) as caught, open_line(emulator, path, headers=headers):
        pass
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/some/base" + VOICE_LIVE, None),
        (f"{VOICE_LIVE}&api-key=mai-emulator-key", {}),
        (VOICE_LIVE, {"Authorization": f"Bearer {EMULATOR_TOKEN}"}),
        (f"{VOICE_LIVE}&Authorization=Bearer%20{EMULATOR_TOKEN}", {}),
    ],
)
def test_key_and_token_come_in_a_header_or_in_the_query(emulator, path, headers):
    with open_line(emulator, path, headers=headers) as line:
        line.until("session.created")


def test_an_agent_ignores_the_model_beside_it(emulator):
    path = VOICE_LIVE + "&agent-name=helper&agent-project-name=p"
    with open_line(emulator, path, headers={"Authorization": f"Bearer {EMULATOR_TOKEN}"}) as line:
        session = line.until("session.created")["session"]
    assert session["model"] == session["agent"]["name"] == "helper"


def test_a_quota_of_connections_a_minute_can_be_switched_on():
    with Emulator(live=LiveFlags(connections_per_minute=2)) as emulator:
        for _ in range(2):
            with open_line(emulator) as line:
                line.until("session.created")
        with pytest.raises(InvalidStatus) as caught, open_line(emulator):
            pass
        assert caught.value.response.status_code == 429
        assert 0 < int(caught.value.response.headers["retry-after"]) <= 60


def test_a_session_ends_when_its_time_is_over():
    with Emulator(live=LiveFlags(session_seconds=0.2)) as emulator, open_line(emulator) as line:
        assert line.until("error")["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as caught:
            line.get()
        assert caught.value.rcvd.code == 1001


def test_every_event_is_one_that_the_client_side_knows_by_its_fields(line, emulator):
    line.update(voice=MAI_VOICE, output_audio_timestamp_types=["word"], tools=[TOOL], **HEARING)
    emulator.reply(ANSWER, tool_calls=[{"name": "weather", "arguments": {"city": "Oslo"}}])
    ask(line, emulator)
    line.until("response.done")
    line.error("response.cancel")
    for event in line.events:
        read = live_codec.decode(json.dumps(event))
        assert not isinstance(read, UnrecognisedEvent), event["type"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10_000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner,
                                                                max_size=2),
    max_leaves=4,
)  # fmt: skip
KINDS = [
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit",
    "input_audio_buffer.clear", "output_audio_buffer.clear", "conversation.item.create",
    "conversation.item.retrieve", "conversation.item.delete", "conversation.item.truncate",
    "response.create", "response.cancel", "session.avatar.connect", "input_text.delta",
]  # fmt: skip
FIELDS = [
    "session", "audio", "item", "item_id", "previous_item_id", "content_index", "audio_end_ms",
    "response", "response_id", "event_id", "additional_instructions",
]  # fmt: skip
INNER = [
    "type", "role", "content", "id", "call_id", "output", "voice", "tools", "turn_detection",
    "modalities", "instructions", "tool_choice", "commit", "input_items", "max_output_tokens",
    "append_input_items", "cancel_previous", "input_audio_format", "input_audio_sampling_rate",
    "output_audio_format", "metadata", "temperature", "input_audio_transcription",
]  # fmt: skip
VALUES = st.sampled_from([
    "message", "function_call", "function_call_output", "user", "server_vad", "g711_ulaw",
    "azure-standard", 8_000, 16_000, None, ["text"], ["text", "audio"], "none", "pcm16",
    {"type": "server_vad", "silence_duration_ms": 0}, {"model": "mai-transcribe"},
    [{"type": "input_text", "text": "a"}], [{"type": "input_audio", "audio": "AAAA"}],
    {"type": "function", "name": "f"}, [{"type": "function", "name": "f"}], True,
])  # fmt: skip
TOOLS = st.fixed_dictionaries({
    "tools": st.fixed_dictionaries({
        "type": st.just("function"), "name": st.text(max_size=3), "parameters": JSON,
    }).map(lambda tool: [tool])
})  # fmt: skip
EVENTS = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from(FIELDS),
        JSON | VALUES | TOOLS | st.dictionaries(st.sampled_from(INNER), JSON | VALUES, max_size=4),
        max_size=4,
    ),
) | st.binary(max_size=9_600).map(piece)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENTS, max_size=25))
def test_whatever_a_client_sends_the_session_lives_and_answers(served, caplog, events):
    served.reset()
    with open_line(served) as line:
        for event in events:
            line.socket.send(json.dumps(event))
        line.send("output_audio_buffer.clear", event_id="last")
        line.until("output_audio_buffer.cleared")
        line.update()
    assert "Exception" not in caplog.text


def test_the_journal_keeps_what_was_appended_piece_by_piece(line, emulator):
    pieces = [bytes([n]) * 960 for n in range(20)]
    for one in pieces:
        line.socket.send(json.dumps(piece(one)))
    line.update()
    entry = emulator.journal[0]
    assert entry.audio_pieces == pieces
    assert entry.frames == [960] * 20 + ['{"type": "session.update", "session": {}}']
    assert base64.b64encode(pieces[1]).decode() not in repr(entry)


def test_a_line_of_tests_reads_runs_of_events_once():
    one = Line(None)
    one.events = [{"type": "a"}, {"type": "a"}, {"type": "b"}]
    assert one.kinds() == ["a", "b"]
