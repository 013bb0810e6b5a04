"""The acts of the demo: one for each capability, each a few lines a user could write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel

from mai_sdk.cli.demo_transcripts import TRANSCRIPT_ACTS
from mai_sdk.cli.layout import span
from mai_sdk.emulator.espeak import is_installed
from mai_sdk.errors import CallFailed
from mai_sdk.resources.tools import Tool, tool_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.cli.demo_stage import Stage
    from mai_sdk.resources.messages import Message

__all__ = ["ACTS"]

_SKY: Final = "Why is the sky blue?"
_OSLO: Final = '{"name": "Oslo", "country": "Norway", "population": 724290}'
_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG of one pixel."""


class City(BaseModel):
    """What one structured call asks for."""

    name: str
    country: str
    population: int


class Finding(BaseModel):
    """What the other asks for."""

    severity: Literal["low", "medium", "high"]
    line: int
    certain: bool


def whole(stage: Stage) -> None:
    """A question, answered whole."""
    with stage.act(
        "A question, answered whole",
        f'client.reasoning.create("{_SKY}", model="MAI-Thinking-1")',
        "reasoning",
    ):
        stage.reply(stage.client.reasoning.create(_SKY, model="MAI-Thinking-1"), lines=4)


def streamed(stage: Stage) -> None:
    """The answer as it comes."""
    with stage.act(
        "The answer as it comes",
        "with client.reasoning.stream(...) as stream: ...",
        "streamed",
    ):
        _stream(stage, stage.client.reasoning, "What is a prime?", "MAI-Thinking-1")


def asynchronous(stage: Stage) -> None:
    """Two questions at once."""

    async def both() -> Any:
        async with stage.async_client() as client:
            return await asyncio.gather(
                client.reasoning.create("What is heat?", model="MAI-Thinking-1"),
                client.reasoning.create("What is light?", model="MAI-Thinking-1"),
            )

    with stage.act(
        "The same names, awaited: two at once",
        "await asyncio.gather(client.reasoning.create(...), ...)",
        "async, one",
        "async, other",
    ):
        for reply in asyncio.run(both()):
            stage.say(reply.text, lines=1)
            stage.took(reply)


def coded(stage: Stage) -> None:
    """Code, whole."""
    with stage.act(
        "Code, whole",
        'client.code.create("Sum a list", model="MAI-Code-1-Flash")',
        "code",
    ):
        reply = stage.client.code.create("Sum a list", model="MAI-Code-1-Flash")
        stage.reply(reply, lines=9)


def coded_as_it_comes(stage: Stage) -> None:
    """Code, streamed."""
    with stage.act(
        "Code, streamed", "with client.code.stream(...) as stream: ...", "code, streamed"
    ):
        _stream(stage, stage.client.code, "Sum the squares", "MAI-Code-1-Flash")


def seen(stage: Stage) -> None:
    """An image beside the question."""
    with stage.act(
        "An image beside the question",
        'client.code.create("Build this page", images=["page.png"])',
        "code, image",
    ):
        reply = stage.client.code.create(
            "Build this page", model="MAI-Code-1.1-Flash", images=[_PIXEL]
        )
        stage.reply(reply, lines=1)


def called(stage: Stage) -> None:
    """A tool: a typed function, there and back."""

    def weather(city: str) -> str:
        """Return the weather in a city."""
        return f"{city}: 12 degrees, rain"

    with stage.act(
        "A typed Python function as a tool, there and back",
        "client.reasoning.create(..., tools=[weather])",
        "tool, asked",
        "tool, answered",
    ):
        ask = stage.client.reasoning.create
        question: Message = {"role": "user", "content": "What is the weather in Oslo?"}
        first = ask([question], model="MAI-Thinking-1", tools=[weather])
        call = first.tool_calls[0]
        result = Tool(weather).run(call)
        stage.say(f"the model calls {call.name}({call.arguments}) -> {result!r}")
        messages: list[Message] = [question, first, tool_result(call, result)]
        stage.reply(ask(messages, model="MAI-Thinking-1", tools=[weather]))


def structured(stage: Stage) -> None:
    """A pydantic class as the answer, where the service has no field for a schema."""
    with stage.act(
        "A pydantic class as the answer: foundry has no schemas, so it is checked",
        "client.reasoning.create(..., response_format=City).parsed",
        "schema, checked",
    ):
        stage.emulator.reply("That would be Oslo, I think.", model="MAI-Thinking-1")
        stage.emulator.reply(_OSLO, model="MAI-Thinking-1")
        reply = stage.client.reasoning.create(
            "Name a city", model="MAI-Thinking-1", response_format=City
        )
        stage.say("the first answer was prose, so it was asked again; the second:")
        stage.say(repr(reply.parsed))
        stage.took(reply)


def structured_natively(stage: Stage) -> None:
    """The same where the surface holds the model to a schema itself."""
    with stage.act(
        "The same on openai-v1, which holds the model to the schema itself",
        'client.code.create(..., model="MAI-Code-1.1-Flash", response_format=Finding)',
        "schema, native",
    ):
        reply = stage.client.code.create(
            "Review line 12", model="MAI-Code-1.1-Flash", response_format=Finding
        )
        stage.say(repr(reply.parsed))
        stage.took(reply)


def sealed(stage: Stage) -> None:
    """Encrypted thoughts, carried into the next turn unchanged."""
    with stage.act(
        "Sealed thoughts, carried into the next turn unchanged",
        'create(..., reasoning_display="encrypted"); create([..., reply, ...])',
        "sealed thoughts",
        "sealed, next",
    ):
        ask = stage.client.reasoning.create
        first = ask("Pick a number", model="MAI-Thinking-1", reasoning_display="encrypted")
        thoughts: dict[str, Any] = first.message.get("reasoning") or {}
        turns: list[Message] = [
            {"role": "user", "content": "Pick a number"},
            first,
            {"role": "user", "content": "Why that one?"},
        ]
        second = ask(turns, model="MAI-Thinking-1", reasoning_display="encrypted")
        stage.say(
            f"{len(thoughts['encrypted_content'])} characters that only the service can read "
            "went back with the reply"
        )
        stage.took(second)


def self_hosted(stage: Stage) -> None:
    """MAI-DS-R1 on a vLLM server: an exact count before, visible thoughts during."""
    with stage.act(
        "MAI-DS-R1 on your own vLLM server: counted exactly, thoughts in the open",
        'client.reasoning.stream(..., model="MAI-DS-R1")',
        "token count",
        "vLLM, streamed",
    ):
        count = stage.client.reasoning.count_tokens(_SKY, model="MAI-DS-R1")
        stage.say(f"before: {count.tokens} tokens, {count.basis} ({count.method})")
        _stream(stage, stage.client.reasoning, _SKY, "MAI-DS-R1")


def responded(stage: Stage) -> None:
    """The Responses API, behind the same verb."""
    with stage.act(
        "The Responses API of openai-v1, by a named route and the same verb",
        'client.code.create("Explain a lambda", model="code-responses")',
        "responses",
    ):
        reply = stage.client.code.create("Explain a lambda", model="code-responses")
        stage.reply(reply, lines=1)


def spoken(stage: Stage) -> None:
    """A text, spoken into a file."""
    with stage.act(
        "A text, spoken into a file",
        'client.voice.synthesize("Hello there.", voice="en-US-Harper").save(...)',
        "voice",
    ):
        speech = stage.client.voice.synthesize(
            "Hello there. Every word of this was made on your own machine.",
            voice="en-US-Harper",
            model="MAI-Voice-2",
        )
        path = speech.save(stage.folder / "hello.wav")
        stage.say(f"{speech.duration_ms:.0f} ms at {speech.sample_rate} Hz, in {path}")
        if not is_installed():
            stage.say("one tone a word: pip install 'mai-sdk[speech]' gives it a voice", "dim")
        stage.took(speech)


def spoken_as_it_comes(stage: Stage) -> None:
    """Speech, streamed."""
    with stage.act(
        "Speech as it comes: whole samples, to be played at once",
        'with client.voice.stream(..., model="MAI-Voice-2.1-Flash") as audio: ...',
        "voice, streamed",
    ):
        with stage.client.voice.stream(
            "The train to Oslo leaves at nine.", model="MAI-Voice-2.1-Flash"
        ) as audio:
            sizes = [len(piece) for piece in audio]
        first = audio.speech.timing.first_content
        stage.say(f"{len(sizes)} pieces of up to {max(sizes)} bytes")
        stage.took(audio.speech, f"first piece after {span(first)}")


def retried(stage: Stage) -> None:
    """A 429, waited out."""
    with stage.act(
        "The service says 429: waited as long as it asks, then tried again",
        "reply.attempts, reply.receipt",
        "429, retried",
    ):
        stage.emulator.fault("rate_limit", retry_after=None, retry_after_ms=30)
        reply = stage.client.reasoning.create("What is noise?", model="MAI-Thinking-1")
        for attempt in reply.receipt.attempts:
            stage.say(f"attempt {attempt.number}: HTTP {attempt.status}, {attempt.cost}")


def failed(stage: Stage) -> None:
    """A call that fails: a typed error with its receipt."""
    with stage.act(
        "A call that fails: one typed error, with its receipt",
        'client.reasoning.create(..., model="MAI-Thinking-9")',
        "failed",
    ):
        try:
            stage.client.reasoning.create(_SKY, model="MAI-Thinking-9")
        except CallFailed as error:
            stage.say(f"{type(error).__name__}: {error.message}", "red", lines=6)
            if error.receipt is not None:
                said = [line.strip() for line in error.receipt.explain().splitlines()[1:]]
                stage.say("receipt: " + "; ".join(said), "dim", lines=4)


def abandoned(stage: Stage) -> None:
    """A stream that nobody reads to its end: priced by what had arrived."""
    with stage.act(
        "A stream left early: closed at once, priced by what had arrived",
        "for event in stream: break",
        "left early",
    ):
        stream = stage.client.reasoning.stream("Tell me a long story", model="MAI-Thinking-1")
        with stage.streaming() as ticker, stream:
            for event in stream:
                ticker.show(event)
                if ticker.pieces == 25:
                    ticker.end(" ...")
                    break
        cost = next(
            entry.cost
            for entry in stage.client.costs.entries()
            if entry.operation.call_id == stream.call_id
        )
        stage.say(f"the ledger has {cost}", "dim")


def _stream(stage: Stage, chat: Any, prompt: str, model: str) -> None:
    with stage.streaming() as ticker, chat.stream(prompt, model=model) as stream:
        for event in stream:
            ticker.show(event)
    reply = stream.reply
    first = reply.timing.first_content
    stage.took(reply, f"first piece after {span(first)}" if first is not None else "")


ACTS: Final[tuple[Callable[[Stage], None], ...]] = (
    whole,
    streamed,
    asynchronous,
    sealed,
    called,
    structured,
    structured_natively,
    coded,
    coded_as_it_comes,
    seen,
    responded,
    self_hosted,
    spoken,
    spoken_as_it_comes,
    *TRANSCRIPT_ACTS,
    retried,
    failed,
    abandoned,
)
"""All of them, in the order they are played."""
