"""Every command and option of `mai`, with their help. Imports nothing that takes time."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any, Final

from mai_sdk._version import __version__
from mai_sdk.cli.costs_parser import add_costs
from mai_sdk.cli.exits import EXIT_CODES
from mai_sdk.cli.image_parser import add_image
from mai_sdk.cli.options import port, positive, positive_int
from mai_sdk.cli.parts import KEYS, add_call, add_where, examples
from mai_sdk.cli.prices_parser import add_prices
from mai_sdk.cli.speak_parser import add_speak
from mai_sdk.cli.talk_parser import add_talk
from mai_sdk.cli.terminal import columns
from mai_sdk.cli.transcribe_parser import add_transcribe

__all__ = ["MODULES", "build_parser"]

MODULES: Final = {
    "demo": "mai_sdk.cli.demo",
    "reason": "mai_sdk.cli.ask",
    "code": "mai_sdk.cli.ask",
    "image": "mai_sdk.cli.image",
    "transcribe": "mai_sdk.cli.transcribe",
    "speak": "mai_sdk.cli.speak",
    "talk": "mai_sdk.cli.talk",
    "models": "mai_sdk.cli.models",
    "prices": "mai_sdk.cli.prices",
    "costs": "mai_sdk.cli.costs",
    "doctor": "mai_sdk.cli.doctor",
    "emulator": "mai_sdk.cli.emulator",
}
"""The module that runs each command; it has `run(args) -> int`."""


def build_parser(*, width: int | None = None) -> argparse.ArgumentParser:
    """Return the parser; its help is `width` columns wide, or as the terminal is, up to 100."""
    page = partial(
        argparse.RawDescriptionHelpFormatter,
        width=(width or columns(most=100)) - 2,
        max_help_position=26,
    )
    parser = argparse.ArgumentParser(
        prog="mai",
        description="Microsoft's MAI models from the command line, every call priced.",
        epilog=examples(
            ("mai demo", "every capability, offline, no account"),
            ('mai reason "Why is the sky blue?"', "needs an endpoint and a key: mai doctor"),
            ('mai reason --emulator "Why?"', "the same against the built-in emulator"),
            ("mai models MAI-Thinking-1", "what is known of it, with sources"),
        )
        + _exit_codes(),
        formatter_class=page,
    )
    parser.add_argument("--version", action="version", version=f"mai {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, summary: str, about: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=about, epilog=epilog, formatter_class=page
        )

    for add in (
        _demo, _reason, _code, add_image, add_transcribe, add_speak, add_talk, _models, add_prices,
        add_costs, _doctor, _emulator,
    ):  # fmt: skip
        add(command)
    return parser


_Command = Any
"""The function that adds one command's parser."""


def _demo(command: _Command) -> None:
    demo = command(
        "demo",
        "run every capability against an emulator, priced",
        "Start the emulator on loopback, run every capability of this version against it\n"
        "over HTTP, and show what each call used, took and would have cost, and where\n"
        "each price comes from. Needs no account and no network, and bills nothing.",
        examples(("mai demo", ""), ("mai demo --json | jq .total", "the same for a program")),
    )
    demo.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _reason(command: _Command) -> None:
    _ask(command, "reason", "ask a reasoning model", "Why is the sky blue?", "MAI-Thinking-1")


def _code(command: _Command) -> None:
    _ask(command, "code", "ask a code model", "Reverse a linked list", "MAI-Code-1-Flash")


def _ask(command: _Command, name: str, summary: str, example: str, model: str) -> None:
    ask = command(
        name,
        summary,
        f"{summary.capitalize()}. The answer goes to stdout as it comes; the thoughts, and\n"
        "what the call used and cost, go to stderr. Ctrl-C ends the call and prints\n"
        "what it had cost.",
        examples(
            (f'mai {name} "{example}"', ""),
            (f"git diff | mai {name} -", "the prompt from stdin"),
            (f'mai {name} --emulator "{example}"', "offline, bills nothing"),
            (f'mai {name} --json "{example}" | jq -r .text', ""),
        )
        + f"\n{KEYS}\n",
    )
    ask.add_argument("prompt", nargs="?", metavar="PROMPT", help="the question, or - for stdin")
    ask.add_argument(
        "--model",
        metavar="NAME",
        help=f"a model, a route of mai.toml or a deployment (default: {model}, or the only route)",
    )
    ask.add_argument("--instructions", metavar="TEXT", help="the system message")
    ask.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="PATH|URL",
        help="add an image, for models that take one; may be repeated",
    )
    ask.add_argument(
        "--max-output-tokens",
        type=positive_int,
        metavar="N",
        help="the most it may write, thoughts included",
    )
    ask.add_argument("--temperature", type=float, metavar="T", help="0 to 2")
    ask.add_argument(
        "--no-stream", action="store_true", help="wait for the whole answer, then print it"
    )
    thoughts = ask.add_mutually_exclusive_group()
    thoughts.add_argument(
        "--show-reasoning",
        dest="show_reasoning",
        action="store_true",
        default=True,
        help="print visible thoughts to stderr (default)",
    )
    thoughts.add_argument(
        "--hide-reasoning",
        dest="show_reasoning",
        action="store_false",
        help="do not print thoughts",
    )
    add_call(ask)
    ask.add_argument(
        "--json", action="store_true", help="print the whole reply as one JSON object; no stream"
    )
    ask.add_argument(
        "--emulator", action="store_true", help="ask a built-in emulator; its answers are made up"
    )
    add_where(ask)


def _models(command: _Command) -> None:
    models = command(
        "models",
        "list models, or show all that is known of one",
        "List the models with their status today, surfaces and prices; or show everything\n"
        "that is known of one of them, each claim with its source and date, side by side\n"
        "where sources disagree. Nothing is fetched: it comes with the package.",
        examples(
            ("mai models", ""),
            ("mai models --modality code", ""),
            ("mai models MAI-DS-R1", "everything about one"),
        ),
    )
    models.add_argument("name", nargs="?", metavar="NAME", help="a model, in any case")
    models.add_argument(
        "--modality",
        choices=("reasoning", "code", "image", "transcribe", "voice"),
        help="only models for this kind of work",
    )
    models.add_argument("--json", action="store_true", help="print JSON")


def _doctor(command: _Command) -> None:
    doctor = command(
        "doctor",
        "check every route: settings, DNS, TLS, key, deployment",
        "Show which settings were found where (never a key), then check the way to each\n"
        "service: name, connection, certificate, key, and the deployment where it can be\n"
        "listed. Says what is wrong and what to do. Sends only requests that bill\n"
        "nothing, unless --call is given.",
        examples(
            ("mai doctor", ""),
            ("mai doctor --offline", "only look at the settings"),
            ("mai doctor --model MAI-Thinking-1 --call", "prove it with one small, billed call"),
        )
        + f"\n{KEYS}\n",
    )
    doctor.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="also check the way to this model or deployment; may be repeated",
    )
    doctor.add_argument("--offline", action="store_true", help="open no connection")
    doctor.add_argument(
        "--call",
        action="store_true",
        help="also ask each chat route for a few tokens: bills a fraction of a cent",
    )
    doctor.add_argument(
        "--timeout", type=positive, default=5.0, metavar="S", help="seconds a check (default: 5)"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    add_where(doctor)


def _emulator(command: _Command) -> None:
    emulator = command(
        "emulator",
        "serve the emulator until Ctrl-C",
        "Serve Foundry's chat and image surfaces, transcription, speech and a vLLM server\n"
        "on this machine only, until Ctrl-C. Answers are made up, and the same for the\n"
        "same seed and prompt.",
        examples(
            ("mai emulator", "prints the settings to paste"),
            ('mai emulator --fault "rate_limit; times=2"', "the next two requests get a 429"),
            ("mai emulator --list-faults", "everything that can go wrong"),
        ),
    )
    emulator.add_argument(
        "--port", type=port, default=8765, metavar="N", help="0 for any free one (default: 8765)"
    )
    emulator.add_argument("--seed", type=int, default=0, metavar="N", help="decides the answers")
    emulator.add_argument("--key", metavar="KEY", help="the key to accept (default: a known one)")
    emulator.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help='let the next request go wrong: "name; parameter=value; times=3; model=NAME"; times=0 '
        "is for every request; may be repeated",
    )
    emulator.add_argument("--list-faults", action="store_true", help="show the faults and leave")


def _exit_codes() -> str:
    lines = [f"  {code:<5}{meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["", "exit codes:", *lines, ""])
