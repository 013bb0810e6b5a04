"""Live transcription on `/mai/v1/realtime`, by a plain client and by openai's own."""

import asyncio
import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulator.live import REALTIME, open_line, piece, silence
from mai_sdk.emulator import Emulator
from mai_sdk.wire import live_codec
from mai_sdk.wire.live_events import UnrecognisedEvent

TEXT = "The quick brown fox jumps over the extraordinarily lazy dog, again and again."
KIND = "conversation.item.input_audio_transcription"
MODEL = "MAI-Transcribe-2-Streaming"


def session(rate=24_000, **transcription):
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": rate},
                "transcription": {"model": MODEL, **transcription},
                "turn_detection": None,
                "noise_reduction": None,
            }
        },
    }


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    return served


@pytest.fixture
def line(emulator):
    with open_line(emulator, REALTIME) as opened:
        opened.until("session.created")
        yield opened


def say(line, pcm, rate=24_000):
    """Send audio, and wait until the emulator has looked at it: an error answers in order."""
    size = rate // 50 * 2
    for at in range(0, len(pcm), size):
        line.socket.send(json.dumps(piece(pcm[at : at + size])))
        if at % (size * 25) == 0:
            line.error("session.update")


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_words_come_while_they_are_said_and_the_rest_after_the_commit(line, emulator, rate):
    line.update(**session(rate, language="en"))
    say(line, emulator.spoken(TEXT, sample_rate=rate), rate)
    line.send("input_audio_buffer.commit")
    item = line.until("input_audio_buffer.committed")["item_id"]
    done = line.until(f"{KIND}.completed")
    assert (done["transcript"], done["item_id"]) == (TEXT, item)
    deltas = [e["delta"] for e in line.events if e["type"] == f"{KIND}.delta"]
    assert "".join(deltas) == TEXT
    assert " extraord" in deltas  # a delta may end within a word
    shown = [e["intermediate"] for e in line.events if e["type"] == f"{KIND}.intermediate"]
    assert shown
    assert all(text == text.lower() for text in shown)


def test_a_guess_is_replaced_by_the_next_one(line, emulator):
    line.update(**session())
    pcm = emulator.spoken(TEXT)
    say(line, pcm[: len(pcm) // 2])
    for event in line.events:
        if event["type"] == f"{KIND}.intermediate":
            before = "".join(
                e["delta"] for e in line.events[: line.events.index(event)] if "delta" in e
            )
            letters = "".join(c for c in TEXT.lower() if c.isalnum() or c == " ")
            best = "".join(c for c in (before + event["intermediate"]).lower() if c != ",")
            assert letters.startswith(best)


def test_segments_follow_each_other(line, emulator):
    line.update(**session())
    texts = ["One, two.", "Three, four."]
    for text in texts:
        say(line, emulator.spoken(text))
        line.send("input_audio_buffer.commit")
    done = []
    while len(done) < 2:
        line.get()
        done = [event for event in line.events if event["type"] == f"{KIND}.completed"]
    assert [event["transcript"] for event in done] == texts
    assert len({event["item_id"] for event in done}) == 2
    previous = [
        e["previous_item_id"] for e in line.events if e["type"] == "input_audio_buffer.committed"
    ]
    assert previous == [None, done[0]["item_id"]]


def test_nothing_is_committed_by_itself(line, emulator):
    line.update(**session())
    say(line, emulator.spoken("Hello.") + silence(2_000))
    assert not [e for e in line.events if "committed" in e["type"] or "speech" in e["type"]]


def test_silence_completes_empty_and_an_empty_buffer_is_an_error(line):
    line.update(**session())
    assert line.error("input_audio_buffer.commit") == "input_audio_buffer_commit_empty"
    say(line, silence(500))
    line.send("input_audio_buffer.commit")
    assert line.until(f"{KIND}.completed")["transcript"] == ""


def test_audio_before_the_settings_is_an_error_and_settings_freeze_with_it(line):
    assert line.error("input_audio_buffer.append", audio="AAAA") == "session_not_configured"
    line.update(**session())
    line.update(**session(16_000))
    line.socket.send(json.dumps(piece(silence(20))))
    assert line.error("session.update", session=session()) == "session_update_not_allowed"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (session(language=None), "400"),
        (session(language="en-US"), "400"),
        (session(8_000), "invalid_value"),
        (session(model="other"), "DeploymentNotFound"),
        ({"type": "realtime"}, "invalid_value"),
        ({"type": "transcription"}, "missing_parameter"),
        ({**session(), "instructions": ""}, "unknown_parameter"),
    ],
)
def test_settings_that_are_wrong_are_refused(line, asked, code):
    assert line.error("session.update", session=asked) == code
    assert line.error("input_audio_buffer.append", audio="AAAA") == "session_not_configured"


def test_turn_detection_is_not_to_be_had(line):
    asked = session()
    asked["audio"]["input"]["turn_detection"] = {"type": "server_vad"}
    assert line.error("session.update", session=asked) == "invalid_value"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [(REALTIME, "wrong", 401), ("/mai/v1/realtime", "mai-emulator-key", 400)],
)
def test_a_handshake_that_is_wrong_is_refused(emulator, path, key, status):
    with pytest.raises(InvalidStatus) as caught, open_line(emulator, path, key=key):
        pass
    assert caught.value.response.status_code == status


def test_an_hour_is_the_limit(emulator):
    emulator.fault("session_expiry", seconds=0.1)
    with open_line(emulator, REALTIME) as line:
        assert line.until("error")["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as caught:
            line.get()
        assert caught.value.rcvd.code == 1001


def test_every_event_is_one_that_the_client_side_knows(line, emulator):
    line.update(**session())
    say(line, emulator.spoken(TEXT))
    line.send("input_audio_buffer.commit")
    line.until(f"{KIND}.completed")
    for event in line.events:
        read = live_codec.decode(json.dumps(event))
        assert not isinstance(read, UnrecognisedEvent), event


def test_the_client_of_openai_transcribes_here(emulator):
    pcm = emulator.spoken(TEXT)

    async def main():
        client = AsyncOpenAI(
            base_url=f"{emulator.url}/mai/v1",
            api_key="unused",
            default_headers={"api-key": emulator.key},
        )
        async with (
            client,
            asyncio.timeout(10),
            client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
        ):
            await connection.session.update(session=session(language="en"))
            async for event in connection:
                if event.type == "session.updated":
                    break
            for at in range(0, len(pcm), 9_600):
                audio = base64.b64encode(pcm[at : at + 9_600]).decode()
                await connection.input_audio_buffer.append(audio=audio)
            await connection.input_audio_buffer.commit()
            async for event in connection:
                if event.type == f"{KIND}.completed":
                    return event.transcript
        return None

    assert asyncio.run(main()) == TEXT


EVENTS = st.one_of(
    st.just({"type": "session.update", "session": session()}),
    st.builds(
        lambda kind, fields: {"type": kind, **fields},
        st.sampled_from(["session.update", "input_audio_buffer.append", "response.create"]),
        st.dictionaries(
            st.sampled_from(["session", "audio", "event_id"]),
            st.none() | st.integers() | st.text(max_size=4)
            | st.fixed_dictionaries({"type": st.just("transcription"), "audio": st.one_of(
                st.none(), st.just({"input": {"format": []}}), st.just({"input": None}),
                st.just({"input": {"transcription": {"model": 1}}}),
            )}),
        ),
    ),
    st.just({"type": "input_audio_buffer.commit"}),
    st.binary(max_size=30_000).map(piece),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EVENTS, max_size=20))
def test_whatever_a_client_sends_the_session_lives_and_answers(served, events):
    served.reset()
    with open_line(served, REALTIME) as line:
        for event in events:
            line.socket.send(json.dumps(event))
        line.send("nothing", event_id="last")
        while line.until("error")["error"]["event_id"] != "last":
            pass
