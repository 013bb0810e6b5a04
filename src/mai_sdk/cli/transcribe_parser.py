"""The options of `mai transcribe`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.cli.options import positive, positive_int
from mai_sdk.cli.parts import KEYS, add_call, add_speech, examples

if TYPE_CHECKING:
    import argparse

__all__ = ["add_transcribe"]


def add_transcribe(command: Any) -> None:
    """Add the command."""
    listen: argparse.ArgumentParser = command(
        "transcribe",
        "turn a recording into text or subtitles",
        "Have a recording transcribed. The text goes to stdout, or into --out; how far\n"
        "the upload is, and what the call used and cost, go to stderr. The file is read\n"
        "while it is sent, however large it is.",
        examples(
            ("mai transcribe meeting.wav", ""),
            ("mai transcribe talk.mp3 --out talk.srt", "subtitles: the suffix says so"),
            ("mai transcribe call.wav --diarize", "who said what"),
            ("mai transcribe day.wav --chunks 600", "in pieces of ten minutes"),
            ("mai transcribe meeting.wav --emulator", "offline; it knows its own speech only"),
        )
        + f"\n{KEYS}\n",
    )
    listen.add_argument(
        "audio", metavar="FILE", help="a recording, its http(s) address, or - for stdin"
    )
    listen.add_argument(
        "--to",
        choices=("txt", "srt", "vtt", "json"),
        help="what to make of it (default: what the suffix of --out says, else txt)",
    )
    listen.add_argument("--out", metavar="PATH", help="write it there instead of to stdout")
    listen.add_argument(
        "--model",
        metavar="NAME",
        help="a model or a route of mai.toml (default: MAI-Transcribe-2, or the only route)",
    )
    listen.add_argument(
        "--locale", metavar="TAG", help="the language spoken, as en-US (default: it is found)"
    )
    listen.add_argument(
        "--phrase",
        action="append",
        default=[],
        metavar="TEXT",
        help="a name or term that is likely to come up; may be repeated",
    )
    listen.add_argument("--diarize", action="store_true", help="tell speakers apart")
    listen.add_argument(
        "--chunks",
        type=positive,
        metavar="S",
        help="cut a longer recording in its pauses, into pieces of so many seconds at most",
    )
    listen.add_argument(
        "--at-once",
        type=positive_int,
        default=4,
        metavar="N",
        help="how many pieces are sent side by side (default: 4)",
    )
    add_call(listen)
    listen.add_argument(
        "--json",
        action="store_true",
        help="print everything as one JSON object, also a failure",
    )
    listen.add_argument("--emulator", action="store_true", help="ask a built-in emulator")
    add_speech(listen)
