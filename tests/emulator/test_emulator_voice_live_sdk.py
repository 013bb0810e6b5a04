"""Microsoft's own azure-ai-voicelive, unmodified, holds conversations with the emulator."""

import asyncio
import base64
import json

import pytest

from mai_sdk.emulator import EMULATOR_TOKEN, Emulator, LiveFlags

pytest.importorskip("azure.ai.voicelive")

from azure.ai.voicelive import models
from azure.ai.voicelive.aio import ConnectionClosed, connect
from azure.core.credentials import AccessToken, AzureKeyCredential

from emulator.live import silence

QUESTION = "What is the weather like in Oslo?"
ANSWER = "It rains. " * 20
SESSION = {
    "modalities": ["text", "audio"],
    "voice": models.AzureStandardVoice(name="en-US-Harper:MAI-Voice-2-Flash", style="excited"),
    "input_audio_transcription": models.AudioInputTranscriptionOptions(model="mai-transcribe-1"),
    "turn_detection": models.AzureSemanticVad(threshold=0.5),
}
TOOL = models.FunctionTool(
    name="weather",
    description="The weather in a city",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)


class Token:
    async def get_token(self, *scopes, **_):
        assert scopes == ("https://ai.azure.com/.default",)
        return AccessToken(EMULATOR_TOKEN, 4_102_444_800)

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


@pytest.fixture(scope="module")
def served():
    with Emulator(seed=7, live=LiveFlags(audio_pace=4.0)) as running:
        yield running


@pytest.fixture
def emulator(served):
    served.reset()
    return served


def talk(emulator, conversation, *, credential=None, **settings):
    """Run a conversation to its end."""

    async def main():
        async with (
            asyncio.timeout(20),
            connect(
                endpoint=emulator.url,
                credential=credential or AzureKeyCredential(emulator.key),
                model="gpt-realtime",
            ) as connection,
        ):
            asked = models.RequestSession(**{**SESSION, **settings})
            await connection.session.update(session=asked)
            return await conversation(connection)

    return asyncio.run(main())


async def say(connection, pcm):
    for at in range(0, len(pcm), 960):
        audio = base64.b64encode(pcm[at : at + 960]).decode()
        await connection.input_audio_buffer.append(audio=audio)


@pytest.mark.parametrize("credential", [None, Token()], ids=["key", "token"])
def test_it_asks_and_is_answered_in_speech(emulator, credential):
    emulator.reply("It is raining.")

    async def conversation(connection):
        await say(connection, silence(200) + emulator.spoken(QUESTION) + silence(700))
        audio, said, heard = b"", "", ""
        async for event in connection:
            if event.type == models.ServerEventType.RESPONSE_AUDIO_DELTA:
                audio += event.delta
            elif event.type == models.ServerEventType.RESPONSE_AUDIO_TRANSCRIPT_DONE:
                said = event.transcript
            elif event.type.endswith("input_audio_transcription.completed"):
                heard = event.transcript
            elif event.type == models.ServerEventType.RESPONSE_DONE:
                return audio, said, heard, event.response
        return None

    audio, said, heard, response = talk(emulator, conversation, credential=credential)
    voice = "en-US-Harper:MAI-Voice-2-Flash"
    spoken = emulator._world.mouth.speak("It is raining.", voice=voice, sample_rate=24_000)
    assert audio == spoken.pcm
    assert (said, heard) == ("It is raining.", QUESTION)
    assert response.status == models.ResponseStatus.COMPLETED
    assert response.usage.output_token_details.audio_tokens > 0


def test_a_whole_conversation_with_a_tool_and_an_interruption(emulator):
    emulator.reply(tool_calls=[{"name": "weather", "arguments": {"city": "Oslo"}}])
    emulator.reply(ANSWER)
    emulator.reply("Goodbye.")

    async def conversation(connection):
        await say(connection, emulator.spoken(QUESTION) + silence(700))
        done, played, interrupted, cut, item = [], {}, False, None, ""
        async for event in connection:
            kind = event.type
            if kind == models.ServerEventType.RESPONSE_FUNCTION_CALL_ARGUMENTS_DONE:
                assert (event.name, json.loads(event.arguments)) == ("weather", {"city": "Oslo"})
                output = models.FunctionCallOutputItem(call_id=event.call_id, output="rain")
                await connection.conversation.item.create(item=output)
            elif kind == models.ServerEventType.RESPONSE_AUDIO_DELTA:
                item = event.item_id
                played[item] = played.get(item, 0) + len(event.delta) // 48
                if played[item] >= 1_000 and not interrupted:
                    interrupted = True
                    stop = emulator.spoken("No, stop, I have to go.")
                    await say(connection, stop + silence(700))
            elif kind == models.ServerEventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED and played:
                await connection.conversation.item.truncate(
                    item_id=item, content_index=0, audio_end_ms=500
                )
            elif kind == models.ServerEventType.CONVERSATION_ITEM_TRUNCATED:
                cut = event.audio_end_ms
            elif kind == models.ServerEventType.RESPONSE_DONE:
                done.append(event.response)
                if len(done) == 1:
                    await connection.response.create()
                if len(done) == 3:
                    return done, cut
        return None

    done, cut = talk(emulator, conversation, tools=[TOOL])
    assert [response.status.value for response in done] == ["completed", "cancelled", "completed"]
    assert done[1].status_details.reason == "turn_detected"
    assert cut == 500
    assert done[2].output[0].content[0].transcript == "Goodbye."
    assert [frame for frame in emulator.journal[0].frames if isinstance(frame, str)]


def test_push_to_talk(emulator):
    emulator.reply("Heard.")

    async def conversation(connection):
        await say(connection, emulator.spoken(QUESTION))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        async for event in connection:
            if event.type == models.ServerEventType.RESPONSE_AUDIO_TRANSCRIPT_DONE:
                return event.transcript
        return None

    assert talk(emulator, conversation, turn_detection=None) == "Heard."


def test_a_session_that_expires_tells_it_why(emulator):
    emulator.fault("session_expiry", seconds=0.1)

    async def conversation(connection):
        codes = []
        while True:
            try:
                event = await connection.recv()
            except ConnectionClosed as error:
                return codes, error.code
            if event.type == models.ServerEventType.ERROR:
                codes.append(event.error.code)

    assert talk(emulator, conversation) == (["session_expired"], 1001)
