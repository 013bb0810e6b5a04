"""`mai reason` and `mai code`: one question, answered on the terminal."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.connect import open_client
from mai_sdk.cli.exits import INTERRUPTED, OK
from mai_sdk.cli.layout import span
from mai_sdk.cli.terminal import ink_for, safe
from mai_sdk.cli.wording import brief_usage
from mai_sdk.errors import CallFailed, InvalidRequest, MAIError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.events import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from mai_sdk.client import MAI
    from mai_sdk.metering.ledger import Entry
    from mai_sdk.resources.chat import Chat
    from mai_sdk.resources.picture import Images
    from mai_sdk.resources.reply import Reply
    from mai_sdk.resources.speech import Speech

__all__ = ["close_with", "described", "interrupted", "run", "text_given"]


def run(args: argparse.Namespace) -> int:
    """Ask, print the answer, and return the exit code."""
    prompt = text_given(args.prompt)
    with open_client(args) as client:
        chat: Chat = client.reasoning if args.command == "reason" else client.code
        started = time.time()
        try:
            if args.json:
                return _as_json(chat, prompt, args)
            if args.no_stream:
                return _whole(chat, prompt, args)
        except KeyboardInterrupt:
            return interrupted(client, lambda entry: entry.reserved_at >= started)
        return _streamed(client, chat, prompt, args)


def text_given(given: str | None) -> str:
    """Return the text on the command line, or that on stdin for "-" and where none is given.

    Raises:
        InvalidRequest: Nothing is given, and stdin is a terminal.
    """
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise InvalidRequest("There is no prompt. Give one, or - to read it from stdin.")
    return sys.stdin.read()


def _options(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "model": args.model,
        "instructions": args.instructions,
        "images": args.image,
        "max_output_tokens": args.max_output_tokens,
        "temperature": args.temperature,
        "timeout": args.timeout,
        "tags": dict(args.tag),
    }


def _as_json(chat: Chat, prompt: str, args: argparse.Namespace) -> int:
    try:
        reply = chat.create(prompt, **_options(args))
    except MAIError as error:
        print(json.dumps({"error": described(error)}, indent=2, ensure_ascii=False))
        raise
    print(reply.model_dump_json(indent=2))
    return OK


def described(error: MAIError) -> dict[str, Any]:
    """Return an error as JSON shows it, with its receipt."""
    described: dict[str, Any] = {"type": type(error).__name__, "message": error.message}
    if isinstance(error, CallFailed):
        fields = ("status", "code", "request_id", "retry_after", "call_id")
        described |= {name: getattr(error, name) for name in fields}
        described["receipt"] = error.receipt.model_dump(mode="json") if error.receipt else None
    return described


def _whole(chat: Chat, prompt: str, args: argparse.Namespace) -> int:
    reply = chat.create(prompt, **_options(args))
    answer, thoughts = _Answer(), _Thoughts()
    if args.show_reasoning and reply.reasoning:
        thoughts.write(reply.reasoning)
    thoughts.end()
    answer.write(reply.text)
    answer.end()
    close_with(reply, *_ended(reply))
    return OK


def _streamed(client: MAI, chat: Chat, prompt: str, args: argparse.Namespace) -> int:
    stream = chat.stream(prompt, **_options(args))
    answer, thoughts = _Answer(), _Thoughts()
    try:
        with stream:
            for event in stream:
                if isinstance(event, TextDelta):
                    thoughts.end()
                    answer.write(event.text)
                elif isinstance(event, ReasoningDelta) and args.show_reasoning:
                    thoughts.write(event.text)
    except KeyboardInterrupt:
        thoughts.end()
        answer.end()
        return interrupted(client, lambda entry: entry.operation.call_id == stream.call_id)
    except CallFailed:
        thoughts.end()
        answer.end()
        raise
    thoughts.end()
    answer.end()
    close_with(stream.reply, *_ended(stream.reply))
    return OK


class _Answer:
    """Writes the answer to stdout as it comes, and ends it with one line break."""

    def __init__(self) -> None:
        self._last = ""

    def write(self, text: str) -> None:
        sys.stdout.write(safe(text, sys.stdout))
        sys.stdout.flush()
        self._last = text[-1:] or self._last

    def end(self) -> None:
        if self._last not in ("", "\n"):
            sys.stdout.write("\n")
            sys.stdout.flush()


class _Thoughts:
    """Writes thoughts to stderr: dim on a terminal, else every line after "| "."""

    def __init__(self) -> None:
        self._ink = ink_for(sys.stderr)
        self._fresh = True
        self._open = False

    def write(self, text: str) -> None:
        self._open = True
        for line in safe(text, sys.stderr).splitlines(keepends=True):
            mark = "| " if self._fresh and not self._ink.on else ""
            sys.stderr.write(mark + self._ink.paint(line, "dim"))
            self._fresh = line.endswith("\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._open:
            sys.stderr.write("\n" if self._fresh else "\n\n")
            self._open, self._fresh = False, True


def close_with(reply: Reply[Any] | Images | Speech, *more: str) -> None:
    """Say on stderr who answered, and what it used, took and cost."""
    parts = [
        reply.model or reply.deployment or "model unknown",
        reply.receipt.surface,
        brief_usage(reply.usage),
        span(reply.timing.total),
        str(reply.cost),
        *more,
    ]
    if reply.attempts > 1:
        parts.append(f"{reply.attempts} attempts")
    ink = ink_for(sys.stderr)
    sys.stderr.write(ink.paint(f"[{', '.join(parts)}]", "dim") + "\n")
    if reply.cost.amount is None and reply.cost.reason:
        sys.stderr.write(ink.paint(f"[{reply.cost.reason}]", "dim") + "\n")


def _ended(reply: Reply[Any]) -> tuple[str, ...]:
    return () if reply.finish_reason in (None, "stop") else (f"ended by {reply.finish_reason}",)


def interrupted(client: MAI, ours: Callable[[Entry], bool]) -> int:
    """Say what the call had cost when it was broken off: the ledger knows."""
    used, cost = _spent(entry for entry in client.costs.entries() if ours(entry))
    sys.stderr.write(f"\nmai: interrupted after {brief_usage(used)}; cost so far: {cost}\n")
    return INTERRUPTED


def _spent(entries: Iterable[Entry]) -> tuple[Usage, Cost]:
    settled = [(entry.usage, entry.cost) for entry in entries]
    used = Usage.sum(usage or Usage(basis="unknown") for usage, _ in settled)
    open_cost = Cost.unknown("It was still running.")
    return used, Cost.sum(cost if cost is not None else open_cost for _, cost in settled)
