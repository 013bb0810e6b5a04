"""`mai talk`: a conversation with a voice, over microphone and loudspeaker or over files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from mai_sdk.cli.connect import open_async_client
from mai_sdk.cli.exits import FAILED, INTERRUPTED, OK
from mai_sdk.cli.outcome import described
from mai_sdk.cli.outfile import check_file, kept
from mai_sdk.cli.talk_ends import FileEnd, TextEnd
from mai_sdk.cli.talk_sound import question_of
from mai_sdk.cli.talk_view import View
from mai_sdk.cli.terminal import complain
from mai_sdk.errors import InvalidRequest, MAIError
from mai_sdk.wire.session_events import AudioChunk, Interrupted, TurnDone

if TYPE_CHECKING:
    import argparse

    from mai_sdk.cli.talk_ends import End
    from mai_sdk.resources.conversations import Call

__all__ = ["run"]

_ANSWER: Final = "answer.wav"


def run(args: argparse.Namespace) -> int:
    """Talk until it is over, print what it came to, and return the exit code."""
    out = _out(args)
    end = _end(args)
    view = View(most_turns=args.turns, quiet=args.json)
    code, failure = OK, None
    try:
        asyncio.run(_talk(args, end, view))
        trouble = None if args.microphone else view.progress.trouble
        if trouble is not None:
            raise MAIError(trouble)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except MAIError as error:
        failure = error
    view.end()
    where, why = _saved(out, end)
    if why is not None:
        complain(why)
    if args.json:
        told = {"error": described(failure)} if failure is not None else {}
        print(json.dumps({**told, "file": where, **view.facts()}, indent=2, ensure_ascii=False))
    elif where is not None:
        print(where)
    if failure is not None:
        raise failure
    if code == INTERRUPTED:
        complain("interrupted.")
    return FAILED if why is not None and code == OK else code


def _out(args: argparse.Namespace) -> Path | None:
    """Return where the answers go, before anything is billed that could not be written after."""
    args.microphone = args.audio is None and not args.text
    if args.engine == "live" and args.ears is not None:
        raise InvalidRequest("--ears is for --engine cascade: over Voice Live, MAI hears anyway.")
    if args.fast and args.audio is None:
        raise InvalidRequest("--fast is for --in: nobody speaks faster than that.")
    if args.push_to_talk and args.text:
        raise InvalidRequest("--push-to-talk is for audio: each --text is a turn of its own.")
    if args.out is None and args.microphone:
        return None
    out = Path(args.out or _ANSWER)
    check_file(out)
    return out


def _end(args: argparse.Namespace) -> End:
    """Return who speaks and listens."""
    if args.text:
        if not all(text.strip() for text in args.text):
            raise InvalidRequest("--text: the text is empty, so there is nothing to be said.")
        return TextEnd(args.text)
    if args.audio is None:
        from mai_sdk.cli.sound_device import DeviceEnd

        return DeviceEnd(push_to_talk=args.push_to_talk, cancels_echo=args.engine == "live")
    try:
        data = sys.stdin.buffer.read() if args.audio == "-" else Path(args.audio).read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"--in: {args.audio} cannot be read: {error.strerror or error}."
        ) from None
    pcm, rate = question_of(data, name="stdin" if args.audio == "-" else args.audio)
    return FileEnd(pcm, sample_rate=rate, fast=args.fast, push_to_talk=args.push_to_talk)


def _options(args: argparse.Namespace, end: End) -> dict[str, Any]:
    """Return what the session is asked for: only what was given, so that its defaults hold."""
    given = {
        "engine": args.engine if args.engine != "live" else None,
        "instructions": args.instructions,
        "voice": args.voice,
        "model": args.model,
        "brain": args.brain,
        "ears": args.ears,
        "tags": dict(args.tag) or None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    return {**asked, "sample_rate": end.sample_rate, **end.options}


async def _talk(args: argparse.Namespace, end: End, view: View) -> None:
    """Hold the conversation.

    Raises:
        MAIError: It failed, or took longer than `--timeout`.
    """
    async with open_async_client(args) as client:
        call: Call = cast("Any", client.voice).session(**_options(args, end))
        view.call = call
        limit = asyncio.timeout(args.timeout)
        try:
            async with limit, call:
                await _hold(call, end, view)
        except TimeoutError:
            if not limit.expired():
                raise
            raise MAIError(
                f"The conversation was not over after {args.timeout:g} seconds (--timeout), and "
                "was ended."
            ) from None


async def _hold(call: Call, end: End, view: View) -> None:
    """Read the events while the user speaks, who hangs up."""

    async def user() -> None:
        try:
            await end.speak(call, view)
        except Exception:
            await call.close()
            raise
        await call.close()

    speaking = asyncio.create_task(user())
    try:
        async for event in call:
            if isinstance(event, AudioChunk):
                end.hear(event)
            elif isinstance(event, Interrupted):
                end.stop()
            elif isinstance(event, TurnDone):
                end.answered()
            view.take(event)
        await speaking
    finally:
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError, MAIError):
            await speaking


def _saved(out: Path | None, end: End) -> tuple[str | None, str | None]:
    """Save what was heard; return where, and why it is not where it was to be.

    Raises:
        MAIError: It cannot be written anywhere; it was paid for all the same.
    """
    if out is None or not end.recording.pcm:
        return None, None
    try:
        where, why = kept(out, lambda path: path.write_bytes(end.recording.wav()))
    except OSError as error:
        raise MAIError(
            f"{out} cannot be written: {error.strerror or error}. The answers were spoken, and are "
            "lost."
        ) from None
    return str(where), why
