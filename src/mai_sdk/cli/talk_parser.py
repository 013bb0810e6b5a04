"""The options of `mai talk`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.cli.options import positive_int
from mai_sdk.cli.parts import KEYS, add_call, add_live, examples

if TYPE_CHECKING:
    import argparse

__all__ = ["add_talk"]


def add_talk(command: Any) -> None:
    """Add the command."""
    talk: argparse.ArgumentParser = command(
        "talk",
        "have a conversation with a voice",
        "Talk with a MAI voice: by microphone and loudspeaker (extra: mai-sdk[audio]),\n"
        "or by files. What both say goes to stdout; a meter of level, latency and cost,\n"
        "and what it all came to, go to stderr. Ctrl-C hangs up.",
        examples(
            ("mai talk", "microphone and loudspeaker"),
            ("mai talk --in question.wav --out answer.wav", "files, in real time"),
            ('mai talk --text "Hello there." --out answer.wav', "in writing, answered aloud"),
            ('mai talk --emulator --text "Hello there."', "offline, bills nothing"),
            ("mai talk --in question.wav --json | jq .cost", ""),
        )
        + f"\n{KEYS}\n",
    )
    _add_ends(talk)
    talk.add_argument(
        "--engine",
        choices=("live", "cascade"),
        default="live",
        help="live: over Voice Live (default); cascade: MAI models alone, put together here",
    )
    talk.add_argument("--voice", metavar="NAME", help="as en-US-Harper (default)")
    talk.add_argument(
        "--model", metavar="NAME", help="the MAI model that speaks (default: the engine's)"
    )
    talk.add_argument(
        "--brain", metavar="NAME", help="the model or route that thinks (default: the engine's)"
    )
    talk.add_argument(
        "--ears", metavar="NAME", help="with --engine cascade: the model or route that hears"
    )
    talk.add_argument("--instructions", metavar="TEXT", help="what the agent is, how it behaves")
    talk.add_argument("--turns", type=positive_int, metavar="N", help="hang up after N answers")
    add_call(talk)
    talk.add_argument("--json", action="store_true", help="print one JSON object, at the end")
    talk.add_argument(
        "--emulator", action="store_true", help="talk with a built-in emulator; it makes up answers"
    )
    add_live(talk)


def _add_ends(talk: argparse.ArgumentParser) -> None:
    said = talk.add_mutually_exclusive_group()
    said.add_argument(
        "--in",
        dest="audio",
        metavar="FILE",
        help="say what is in this WAV file (16 bits, any rate), or - for stdin, then silence",
    )
    said.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="TEXT",
        help="say this in writing; may be repeated, each a turn",
    )
    talk.add_argument(
        "--out",
        metavar="FILE",
        help="the WAV file for what was heard of the answers (default: answer.wav; none with a "
        "microphone)",
    )
    talk.add_argument(
        "--fast",
        action="store_true",
        help="with --in: as fast as it is taken; a second question may interrupt an answer",
    )
    talk.add_argument(
        "--push-to-talk",
        action="store_true",
        help="you end your turns, and no pause does: with Enter; with --in, at its end",
    )
