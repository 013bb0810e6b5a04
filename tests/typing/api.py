"""The public API as a type checker sees it. Never run: `test_typing.py` has it checked."""

from typing import Any, assert_type

from pydantic import BaseModel

from mai_sdk import (
    MAI,
    AsyncMAI,
    Finished,
    Images,
    Picture,
    ReasoningDelta,
    Reply,
    Report,
    Segment,
    Speech,
    TextDelta,
    ToolCall,
    Transcript,
    Unrecognised,
)
from mai_sdk.live import CascadeSession, VoiceSession


class City(BaseModel):
    """A city."""

    name: str


def whole(client: MAI) -> None:
    """A whole call."""
    assert_type(client.reasoning.create("x"), Reply[Any])
    assert_type(client.code.create("x", response_format=City), Reply[City])
    assert_type(client.reasoning.create("x", response_format=City).parsed, City)
    assert_type(client.costs.report(by=["model"]), Report)


def heard(client: MAI) -> None:
    """A transcript."""
    made = client.transcribe.create("a.wav", timestamps="word")
    assert_type(made, Transcript)
    assert_type(made.segments, tuple[Segment, ...])
    assert_type(made.audio_seconds, int | None)


def streamed(client: MAI) -> None:
    """A stream."""
    with client.reasoning.stream("x", response_format=City) as stream:
        for event in stream:
            assert_type(event, TextDelta | ReasoningDelta | ToolCall | Finished | Unrecognised)
        assert_type(stream.reply.parsed, City)
        assert_type(stream.read(), Reply[City])


async def awaited(client: AsyncMAI) -> None:
    """The same, awaited."""
    assert_type(await client.reasoning.create("x"), Reply[Any])
    assert_type(await client.reasoning.create("x", response_format=City), Reply[City])
    assert_type(await client.transcribe.create(b"RIFF", chunks=300), Transcript)
    async with client.code.stream("x") as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                assert_type(event.text, str)
        assert_type(await stream.read(), Reply[Any])


def spoken(client: MAI) -> None:
    """Speech."""
    assert_type(client.voice.synthesize("x"), Speech)
    assert_type(client.voice.synthesize("x").audio, bytes)
    with client.voice.stream("x") as audio:
        for piece in audio:
            assert_type(piece, bytes)
        assert_type(audio.speech, Speech)


async def spoken_async(client: AsyncMAI) -> None:
    """The same, awaited."""
    assert_type(await client.voice.synthesize("x"), Speech)
    async with client.voice.stream("x") as audio:
        async for piece in audio:
            assert_type(piece, bytes)
        assert_type(await audio.read(), Speech)


def drawn(client: MAI) -> None:
    """Pictures."""
    made = client.image.generate("x", n=2, background="opaque")
    assert_type(made, Images)
    assert_type(made.images, tuple[Picture, ...])
    assert_type(client.image.edit("x", images=[b"", "a.png", made, made.images[0]]), Images)
    assert_type(client.image.ask("x", images=made), Reply[Any])


async def drawn_and_awaited(client: AsyncMAI) -> None:
    """The same, awaited."""
    assert_type(await client.image.generate("x"), Images)
    assert_type(await client.image.ask("x", images="a.png"), Reply[Any])


async def conversations(client: AsyncMAI) -> None:
    """Two engines, two classes."""
    assert_type(client.voice.session(brain="gpt-realtime"), VoiceSession)
    assert_type(client.voice.session(engine="cascade", ears="ears"), CascadeSession)
