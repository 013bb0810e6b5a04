"""How a draft becomes tokens: what limits and stop strings leave of it, and what it counts as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mai_sdk.emulator.tokens import THINK_CLOSE, count, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.emulator.replies import Call, Draft

__all__ = ["Generation", "generate"]

_CALL_OVERHEAD = 4
"""Tokens around a function call's name and arguments."""


@dataclass(slots=True, kw_only=True)
class Generation:
    """What the model wrote, token by token, and why it ended."""

    reasoning: list[str] = field(default_factory=list[str])
    closed: bool = True
    """Whether the thoughts were ended before the answer broke off."""
    text: list[str] = field(default_factory=list[str])
    calls: tuple[Call, ...] = ()
    finish_reason: str = "stop"
    """"stop", "length", "tool_calls" or what the script says."""
    stop_reason: str | None = None
    """The stop string that ended it."""
    tokens: int = 0
    """All tokens written, thoughts and calls and the end mark included."""

    @property
    def reasoning_tokens(self) -> int:
        """The tokens spent on thoughts."""
        return len(self.reasoning)


def generate(
    draft: Draft,
    *,
    limit: int | None = None,
    stops: Sequence[str] = (),
    line_breaks: bool = False,
) -> Generation:
    """Return what is left of the draft.

    Args:
        draft: What the model means to say.
        limit: The most tokens it may write, thoughts included.
        stops: Texts that end the answer; they are not part of it.
        line_breaks: Whether the model writes a line break after its thoughts and two before
            its answer, as the R1 family does. Stop strings then also end the thoughts.
    """
    reasoning, text = draft.reasoning, draft.text or ""
    if line_breaks and not draft.exact and reasoning:
        reasoning, text = f"{reasoning}\n", f"\n\n{text}"
    elif line_breaks and reasoning:
        reasoning = reasoning if reasoning.endswith("\n") else f"{reasoning}\n"
    thoughts, words = split(reasoning), split(text)
    close = [THINK_CLOSE] if thoughts else []
    made = Generation(reasoning=thoughts, text=words, calls=draft.calls)
    written = [*thoughts, *close, *words]
    hidden = 0 if line_breaks else len(thoughts) + len(close)
    stopped = _stop(written, stops, hidden)
    calls = sum(count(c.name) + count(c.arguments) + _CALL_OVERHEAD for c in draft.calls)
    made.tokens = len(written) + calls + 1
    made.finish_reason = "tool_calls" if draft.calls else "stop"
    if stopped is not None:
        made.tokens, kept, made.stop_reason = stopped
        made.calls, made.finish_reason = (), "stop"
        _keep(made, kept)
    if limit is not None and made.tokens > limit:
        made.tokens, made.stop_reason = limit, None
        made.calls, made.finish_reason = (), "length"
        _keep(made, written[:limit])
    made.finish_reason = draft.finish_reason or made.finish_reason
    return made


def _keep(made: Generation, written: list[str]) -> None:
    if made.reasoning and THINK_CLOSE in written:
        at = written.index(THINK_CLOSE)
        made.reasoning, made.text = written[:at], written[at + 1 :]
    elif made.reasoning:
        made.reasoning, made.text, made.closed = written, [], False
    else:
        made.text = written


def _stop(
    written: list[str], stops: Sequence[str], hidden: int
) -> tuple[int, list[str], str] | None:
    """Find the first stop string: the tokens written by then, what is kept, and which it was."""
    wanted = [stop for stop in stops if stop]
    if not wanted:
        return None
    whole = "".join(written)
    first = len("".join(written[:hidden]))
    hits = [(at, stop) for stop in wanted if (at := whole.find(stop, first)) >= 0]
    if not hits:
        return None
    at, stop = min(hits)
    kept: list[str] = []
    length = tokens = 0
    for piece in written:
        if length >= at + len(stop):
            break
        if length < at:
            kept.append(piece[: at - length])
        length += len(piece)
        tokens += 1
    return tokens, kept, stop
