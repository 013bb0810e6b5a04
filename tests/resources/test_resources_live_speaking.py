"""Speech over the WebSocket through `client.voice.stream`, in both worlds, against the emulator."""

import asyncio
import gc
import json

import pytest

from mai_sdk import errors
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.wire.events import Unrecognised
from mai_sdk.wire.speech_events import SentenceBoundary, SpeechEnd, Viseme, WordBoundary
from mai_sdk.wire.ssml import SSML, plain
from mai_sdk.wire.usp import decode

VOICE = {"voice": "en-US-Harper", "model": "MAI-Voice-2"}
PIECES = ["Hello there. I am", " still writing", ". And this", " is it! Bye", " now"]
SENTENCES = ["Hello there. ", "I am still writing. ", "And this is it! ", "Bye now"]
TEXT = "".join(PIECES)


class Side:
    """A client of one of the two worlds, driven from a sync test."""

    def __init__(self, emulator, *, is_async, **settings):
        self.loop = asyncio.new_event_loop() if is_async else None
        self.ledger = MemoryLedger()
        settings = {"ledger": self.ledger, **settings}
        self.client = emulator.async_client(**settings) if is_async else emulator.client(**settings)

    def texts(self, pieces):
        """The pieces as this world's clients have them from a model that is still writing."""
        if not self.loop:
            return iter(pieces)

        async def written():
            for piece in pieces:
                yield piece

        return written()

    def stream(self, text, *, events=None, stop_after=None, **options):
        """Read a stream and return its speech; what comes goes into `events`."""
        events = [] if events is None else events
        audio = self.client.voice.stream(text, **{**VOICE, **options})
        if not self.loop:
            with audio:
                for event in audio.events():
                    events.append(event)
                    if len(events) == stop_after:
                        return audio
            return audio.speech

        async def run():
            async with audio:
                async for event in audio.events():
                    events.append(event)
                    if len(events) == stop_after:
                        return audio
            return audio.speech

        return self.loop.run_until_complete(run())

    def chunks(self, text, **options):
        audio = self.client.voice.stream(text, **{**VOICE, **options})
        if not self.loop:
            with audio:
                return list(audio)

        async def run():
            async with audio:
                return [chunk async for chunk in audio]

        return self.loop.run_until_complete(run())

    def run(self, outcome):
        return self.loop.run_until_complete(outcome) if self.loop else outcome

    def close(self):
        self.run(self.client.aclose() if self.loop else self.client.close())
        if self.loop:
            self.loop.close()


@pytest.fixture(params=["sync", "async"])
def side(request, emulator):
    made = Side(emulator, is_async=request.param == "async")
    yield made
    made.close()


def frames(emulator, number=0):
    return [decode(frame) for frame in emulator.journal[number].frames]


def spoken(emulator, texts):
    mouth = emulator._world.mouth
    voice = "en-US-Harper:MAI-Voice-2"
    return b"".join(
        mouth.speak(text.strip(), voice=voice, sample_rate=24_000).pcm for text in texts
    )


def test_text_that_is_still_written_is_spoken_sentence_by_sentence_on_one_connection(
    side, emulator
):
    speech = side.stream(side.texts(PIECES))
    assert speech.pcm == spoken(emulator, SENTENCES)
    assert len(emulator.journal) == 1
    said = [message.body for message in frames(emulator) if message.path == "ssml"]
    assert len(said) == 4
    assert all(sentence.strip() in one for sentence, one in zip(SENTENCES, said, strict=True))


def test_each_sentence_is_an_attempt_and_all_are_paid_once(side):
    speech = side.stream(side.texts(PIECES))
    assert [attempt.state for attempt in speech.receipt.attempts] == ["settled_estimated"] * 4
    assert speech.usage.characters == len(TEXT)
    assert len(list(side.ledger.entries())) == 4
    assert speech.timing.first_byte < speech.timing.total


def test_no_more_is_asked_for_than_the_next_sentence_needs(emulator):
    side = Side(emulator, is_async=False)
    asked = []

    def written():
        for piece in PIECES:
            asked.append(piece)
            yield piece

    with side.client.voice.stream(written(), **VOICE) as audio:
        first = next(iter(audio))
        assert first
        assert asked == PIECES[:1]
    side.close()


def test_the_stream_itself_gives_audio_alone(side, emulator):
    chunks = side.chunks(side.texts(PIECES), boundaries=True)
    assert b"".join(chunks) == spoken(emulator, SENTENCES)


@pytest.mark.parametrize("streaming", [False, True])
def test_places_and_times_count_from_the_beginning_of_all_the_text(side, streaming):
    events = []
    speech = side.stream(
        side.texts(PIECES), events=events, boundaries=True, text_streaming=streaming
    )
    words = [mark for mark in speech.boundaries if isinstance(mark, WordBoundary)]
    assert [TEXT[w.text_offset :][: len(w.text)] for w in words] == [w.text for w in words]
    offsets = [word.offset_ms for word in words]
    assert offsets == pytest.approx(sorted(offsets), abs=0.01)
    assert offsets[-1] < speech.audio_seconds * 1000
    sentences = [mark.text for mark in speech.boundaries if isinstance(mark, SentenceBoundary)]
    assert sentences == [sentence.strip() for sentence in SENTENCES]
    assert isinstance(events[-1], SpeechEnd)
    assert events[-1].offset_ms == pytest.approx(speech.audio_seconds * 1000, abs=1)


def test_a_whole_text_goes_over_the_socket_only_if_more_than_audio_is_wanted(side, emulator):
    side.stream(TEXT)
    speech = side.stream(TEXT, visemes=True)
    assert [entry.path.rpartition("/")[2] for entry in emulator.journal] == ["v1", "v1"]
    assert [entry.status for entry in emulator.journal] == [200, 101]
    assert any(isinstance(mark, Viseme) for mark in speech.boundaries)
    assert not any(isinstance(mark, WordBoundary) for mark in speech.boundaries)


def test_markup_of_ones_own_is_sent_as_it_is(side, emulator):
    ssml = SSML(
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        '<voice name="en-US-Grant:MAI-Voice-2">One &amp; two.</voice></speak>'
    )
    speech = side.stream(ssml, boundaries=True, voice=None, model=None)
    assert frames(emulator)[2].body == str(ssml)
    assert speech.boundaries[0].text_offset == 0


def test_streamed_text_goes_out_as_it_is_in_one_turn(side, emulator):
    speech = side.stream(
        side.texts(["Fish <b>& ", "chips. ", "Yes?"]), text_streaming=True, rate=1.25, style="happy"
    )
    messages = frames(emulator)
    assert [message.path for message in messages] == [
        "speech.config", "synthesis.context", "text.piece", "text.piece", "text.piece", "text.end",
    ]  # fmt: skip
    assert messages[2].body == "Fish <b>& "
    assert json.loads(messages[1].body)["synthesis"]["input"] == {
        "bidirectionalStreamingMode": True,
        "voiceName": "en-US-Harper:MAI-Voice-2",
        "language": "",
        "rate": "+25%",
        "style": "happy",
    }
    assert emulator.journal[0].path.endswith("/websocket/v2")
    assert speech.usage.characters == len("Fish <b>& chips. Yes?")
    assert speech.attempts == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_a_failure_before_the_first_audio_takes_no_text_with_it(side, emulator, streaming):
    emulator.fault("socket_close", code=1012)
    speech = side.stream(side.texts(PIECES), text_streaming=streaming)
    assert speech.pcm == spoken(emulator, SENTENCES)
    states = [attempt.state for attempt in speech.receipt.attempts]
    assert states[:2] == ["released", "settled_estimated"]


def test_what_breaks_off_says_so_with_what_came_and_what_it_cost(side, emulator):
    emulator.fault("socket_close", code=1011, after=1, reason="Engine failed: Hello there.")
    with pytest.raises(errors.ServiceUnavailable) as caught:
        side.stream(side.texts(PIECES))
    assert caught.value.partial.audio_seconds > 0
    assert caught.value.code == "1011"
    assert "Hello there" not in str(caught.value)
    assert [entry.state for entry in side.ledger.entries()] == ["settled_estimated"]


def test_what_the_writer_raises_is_raised_here_and_the_call_is_settled(side, emulator):
    def broken():
        yield "Hello there. And"
        raise RuntimeError("the model broke off")

    with pytest.raises(RuntimeError, match="the model broke off"):
        side.stream(broken())
    assert [entry.state for entry in side.ledger.entries()] == ["settled_estimated"]


def test_leaving_early_settles_the_turn_and_closes_its_connection(side, emulator):
    side.stream(side.texts(PIECES), stop_after=1)
    assert [entry.state for entry in side.ledger.entries()] == ["settled_estimated"]
    (entry,) = emulator.journal.wait(1)
    assert entry.finished
    side.stream(side.texts(PIECES))
    assert len(emulator.journal) == 2


@pytest.mark.parametrize("after", [None, 1])
def test_a_cancelled_task_settles_its_turn_and_closes_its_connection(emulator, after):
    emulator.fault("socket_stall", after=after)
    side = Side(emulator, is_async=True)

    async def read():
        async with side.client.voice.stream(side.texts(PIECES), **VOICE) as audio:
            async for _ in audio:
                pass

    async def run():
        task = asyncio.ensure_future(read())
        while not (emulator.journal and len(emulator.journal[0].frames) >= 3):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    side.run(run())
    (row,) = side.ledger.entries()
    assert row.state == ("settled_estimated" if after else "unknown")
    emulator.journal.wait(1)
    side.close()


def test_a_stream_that_is_forgotten_is_settled(emulator):
    side = Side(emulator, is_async=False)
    audio = side.client.voice.stream(iter(PIECES), **VOICE)
    audio.__enter__()
    del audio
    gc.collect()
    assert [entry.state for entry in side.ledger.entries()] == ["settled_estimated"]
    side.close()


def test_closing_the_client_closes_its_connections(emulator):
    side = Side(emulator, is_async=False)
    side.stream(side.texts(PIECES))
    side.close()
    (entry,) = emulator.journal.wait(1)
    assert entry.close_code == 1000


def test_the_next_call_takes_the_same_connection_also_one_that_was_warmed(side, emulator):
    side.run(side.client.voice.prewarm(model="MAI-Voice-2"))
    assert list(side.ledger.entries()) == []
    side.stream(side.texts(["One."]))
    side.stream("Two.", boundaries=True)
    assert len(emulator.journal) == 1
    assert [message.path for message in frames(emulator)].count("speech.config") == 1


def test_warming_says_what_is_wrong(emulator):
    side = Side(emulator, is_async=False, speech_api_key="a-wrong-key")
    with pytest.raises(errors.AuthenticationFailed):
        side.client.voice.prewarm()
    emulator.fault("redirect")
    side.close()


@pytest.mark.parametrize(
    ("text", "options", "kind", "said"),
    [
        ([], {}, errors.InvalidRequest, "empty"),
        ([" ", "\n"], {}, errors.InvalidRequest, "empty"),
        ([], {"text_streaming": True}, errors.InvalidRequest, "empty"),
        (["\x00", "\ud800"], {"text_streaming": True}, errors.InvalidRequest, "empty"),
        (
            SSML(f"<speak><voice name='x'>{'word ' * 14_000}</voice></speak>"),
            {"boundaries": True},
            errors.InvalidRequest,
            "64 KB",
        ),
        (["One. ", 2], {}, errors.InvalidRequest, "int"),
        ([b"One."], {}, errors.InvalidRequest, "bytes"),
        (b"One.", {}, errors.InvalidRequest, "bytes"),
        (None, {"boundaries": True}, errors.InvalidRequest, "NoneType"),
        (["One."], {"format": "webm"}, errors.UnsupportedFeature, "joined"),
        (["One."], {"format": "nonsense!"}, errors.InvalidRequest, "format"),
        (SSML("<speak/>"), {"text_streaming": True}, errors.UnsupportedFeature, "plain text"),
    ],
)
def test_what_can_not_be_said_is_refused_here(side, emulator, text, options, kind, said):
    with pytest.raises(kind, match=said):
        side.stream(text, **options)


@pytest.mark.parametrize("streaming", [False, True])
def test_halves_of_surrogate_pairs_and_control_characters_are_said_as_spaces(
    side, emulator, streaming
):
    side.stream(side.texts(["One \ud83d", "\ude00\x00 two."]), text_streaming=streaming)
    path = "text.piece" if streaming else "ssml"
    said = "".join(one.body for one in frames(emulator) if one.path == path)
    assert "One " in said
    assert " two." in said
    assert said == plain(said)


def test_what_nobody_knows_is_no_sign_that_audio_will_come(emulator):
    with emulator.client() as client:
        reading = client.voice.stream(TEXT, boundaries=True)._reading
    reading.pace.fresh = False
    reading.take([Unrecognised("news")])
    assert not reading.pace.fresh
    reading.take([WordBoundary(text="Hello", offset_ms=0.0, duration_ms=1.0)])
    assert reading.pace.fresh


def test_an_async_writer_needs_the_async_client(emulator):
    side = Side(emulator, is_async=False)

    async def written():
        yield "One."

    with pytest.raises(errors.InvalidRequest, match="AsyncMAI"):
        side.stream(written())
    side.close()


def test_our_messages_are_the_official_clients(side, emulator):
    """Order of messages, of headers and of keys: as recorded from Speech SDK 1.53."""
    side.stream(["Hi."], format="raw-16khz-16bit-mono-pcm")
    raw = emulator.journal[0].frames
    heads = [
        [line.split(":")[0] for line in frame.split("\r\n\r\n")[0].split("\r\n")] for frame in raw
    ]
    assert heads == [
        ["X-Timestamp", "Path"],
        ["X-Timestamp", "Path", "X-RequestId"],
        ["X-Timestamp", "Path", "Content-Type", "X-RequestId"],
    ]
    assert [message.path for message in frames(emulator)] == [
        "speech.config", "synthesis.context", "ssml",
    ]  # fmt: skip
    assert frames(emulator)[1].body == (
        '{"synthesis":{"audio":{"outputFormat":"raw-16khz-16bit-mono-pcm","metadataOptions":'
        '{"visemeEnabled":false,"bookmarkEnabled":false,"wordBoundaryEnabled":false,'
        '"punctuationBoundaryEnabled":false,"sentenceBoundaryEnabled":false,'
        '"sessionEndEnabled":true}},"language":{"autoDetection":false}}}'
    )
    asked = emulator.journal[0].headers
    assert asked["sec-websocket-protocol"] == "USP"
    assert len(asked["x-connectionid"]) == 32
    assert list(json.loads(frames(emulator)[0].body)["context"]) == ["system", "os"]
