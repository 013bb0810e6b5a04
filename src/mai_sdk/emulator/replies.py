"""What the emulated model says: made up, plausible, and the same every time under one seed.

It talks about the question, writes code when it is a code model, calls a tool when it is given
one, answers with what the tool said, and keeps to a schema. None of it is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator.instances import instance
from mai_sdk.emulator.patterns import matching
from mai_sdk.emulator.prompt import plain_text, schema_in
from mai_sdk.emulator.sight import describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.emulator.prompt import Prompt, Shape, Tool

__all__ = ["Call", "Draft", "compose", "thinks"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call the model makes."""

    name: str
    arguments: str
    """JSON text."""
    id: str = ""
    """Empty until the service names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the model means to say, before limits and stop strings cut it."""

    text: str | None = None
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    usage: Mapping[str, int] | None = None
    """Meters to report instead of the counted ones; see `Emulator.reply`."""
    finish_reason: str | None = None
    """Reported instead of the true one."""
    image: bytes | None = field(default=None, repr=False)
    """The picture to answer with, where one is asked for."""
    exact: bool = False
    """Whether text and reasoning go out as they are, without the model's own line breaks."""


def thinks(model: str) -> bool:
    """Return whether the model writes thoughts before its answer."""
    return "Code" not in model


def compose(prompt: Prompt, *, seed: int, choice: int = 0) -> Draft:
    """Return the reply to a prompt; the same for the same seed, prompt and choice."""
    asked = to_json(
        [prompt.messages, [tool.name for tool in prompt.tools], prompt.tool_choice],
        serialize_unknown=True,
    )
    digest = blake2b(asked, digest_size=8, key=f"{seed}/{choice}/{prompt.model}".encode()[:64])
    rng = Random(int.from_bytes(digest.digest()))  # noqa: S311 - repeatable, not secret
    topic = _topic(prompt.question)
    draft = _answer(prompt, topic, rng)
    if thinks(prompt.model):
        draft = replace(draft, reasoning=_thoughts(prompt, topic, rng))
    return draft


def _answer(prompt: Prompt, topic: str, rng: Random) -> Draft:
    results = prompt.tool_results
    if prompt.tools and prompt.tool_choice != "none" and not results:
        return Draft(calls=(_call(prompt, rng),))
    shape = prompt.shape
    if shape is not None:
        return Draft(text=_shaped(shape, prompt, rng), exact=True)
    written = _schema_in_messages(prompt)
    if written is not None:
        made = instance(written, rng, hints=_names(prompt.question))
        return Draft(text=to_json(made).decode(), exact=True)
    if results:
        return Draft(text=_from_results(prompt, results, rng))
    seen = describe(prompt.messages, prompt.question)
    if seen is not None:
        return Draft(text=seen)
    return Draft(text=_prose(topic, rng) if thinks(prompt.model) else _code(topic, rng))


def _schema_in_messages(prompt: Prompt) -> dict[str, Any] | None:
    for message in reversed(prompt.messages):
        if message.get("role") in ("system", "developer", "user"):
            found = schema_in(plain_text(message.get("content")))
            if found is not None:
                return found
    return None


def _shaped(shape: Shape, prompt: Prompt, rng: Random) -> str:
    if shape.choices:
        return rng.choice(shape.choices)
    if shape.pattern is not None:
        return matching(shape.pattern, rng)
    made = instance(shape.schema or {"type": "object"}, rng, hints=_names(prompt.question))
    return to_json(made).decode()


def _call(prompt: Prompt, rng: Random) -> Call:
    tool = _wanted(prompt)
    arguments = instance(tool.parameters or {"type": "object"}, rng, hints=_names(prompt.question))
    return Call(tool.name, to_json(arguments).decode())


def _wanted(prompt: Prompt) -> Tool:
    named = [tool for tool in prompt.tools if tool.name == prompt.tool_choice]
    if named:
        return named[0]
    asked = set(re.findall(r"[a-z]{3,}", prompt.question.lower()))

    def shared(tool: Tool) -> int:
        return len(asked & set(re.findall(r"[a-z]{3,}", f"{tool.name} {tool.description}".lower())))

    return max(prompt.tools, key=shared)  # the first of equals


def _names(question: str) -> list[str]:
    """Words worth passing on as arguments: quoted texts, else capitalised words after the first."""
    quoted = re.findall(r"[\"'“]([^\"'”]{1,60})[\"'”]", question)
    if quoted:
        return quoted
    return re.findall(r"(?<=[\s,])[A-Z][\w-]*(?: [A-Z][\w-]*)*", question)


def _topic(question: str) -> str:
    words = question.split()
    short = " ".join(words[:8]).strip(" .,;:?!\"'")
    return short or "your request"


_OPENINGS = (
    "You asked about “{topic}”, and there is a short answer.",
    "The heart of “{topic}” is one idea.",
    "Taking “{topic}” step by step makes it simple.",
)
_MIDDLES = (
    "First, small causes add up until they are easy to see.",
    "Most of the effect comes from a single part, and the rest only shades it.",
    "It helps to compare two cases that differ in one thing.",
    "What looks like chance follows a rule once it is counted.",
    "The usual mistake is to measure the wrong end of it.",
    "In practice the plain method wins, because it can be checked.",
)
_CLOSINGS = (
    "That is all there is to it.",
    "If one step is unclear, ask about that step.",
    "So the answer holds as long as those conditions do.",
)


def _prose(topic: str, rng: Random) -> str:
    middles = rng.sample(_MIDDLES, rng.randint(2, 4))
    sentences = [rng.choice(_OPENINGS).format(topic=topic), *middles, rng.choice(_CLOSINGS)]
    return " ".join(sentences)


def _thoughts(prompt: Prompt, topic: str, rng: Random) -> str:
    if prompt.tool_results:
        return "The tool has answered. I read its result and put it into a sentence."
    if prompt.tools and prompt.tool_choice != "none":
        return f"The user wants “{topic}”. A tool can tell, so I call it first."
    steps = rng.sample(_MIDDLES, 2)
    return f"The user asks about “{topic}”. {' '.join(steps)} I can answer now."


def _from_results(prompt: Prompt, results: Sequence[str], rng: Random) -> str:
    opening = rng.choice(("Here is what I found", "The tool says", "According to the tool"))
    said = "; ".join(result.strip() for result in results)
    return f"{opening} for “{_topic(prompt.question)}”: {said}"


def _code(topic: str, rng: Random) -> str:
    words = re.findall(r"[a-z]+", topic.lower())[:4] or ["answer"]
    name = "_".join(words)
    start, step = rng.randint(0, 3), rng.choice(("value", "value * value", "abs(value)"))
    return (
        f"This does “{topic}”:\n\n"
        f"```python\n"
        f"def do_{name}(values: list[int]) -> int:\n"
        f"    total = {start}\n"
        f"    for value in values:\n"
        f"        total += {step}\n"
        f"    return total\n"
        f"```\n\n"
        f"Call `do_{name}([1, 2, 3])` to try it."
    )
