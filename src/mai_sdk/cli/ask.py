"""`mai reason` and `mai code`: one question, answered on the terminal."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.connect import open_client
from mai_sdk.cli.exits import OK
from mai_sdk.cli.outcome import close, described, interrupted, prompt_of
from mai_sdk.cli.terminal import ink_for, safe
from mai_sdk.errors import CallFailed, MAIError
from mai_sdk.wire.events import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    import argparse

    from mai_sdk.client import MAI
    from mai_sdk.resources.chat import Chat

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Ask, print the answer, and return the exit code."""
    prompt = prompt_of(args.prompt)
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


def _whole(chat: Chat, prompt: str, args: argparse.Namespace) -> int:
    reply = chat.create(prompt, **_options(args))
    answer, thoughts = _Answer(), _Thoughts()
    if args.show_reasoning and reply.reasoning:
        thoughts.write(reply.reasoning)
    thoughts.end()
    answer.write(reply.text)
    answer.end()
    close(reply)
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
    close(stream.reply)
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
