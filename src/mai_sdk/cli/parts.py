"""What the help of several commands has in common. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.cli.options import one_tag, positive

if TYPE_CHECKING:
    import argparse

__all__ = ["KEYS", "add_call", "add_config", "add_live", "add_speech", "add_where", "examples"]

KEYS: Final = (
    "Keys are read from the environment (MAI_FOUNDRY_API_KEY, MAI_VLLM_API_KEY ...),\n"
    "never from the command line, which others on this machine can see."
)


def add_call(parser: argparse.ArgumentParser) -> None:
    """Add the options of every paid call."""
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=one_tag,
        metavar="KEY=VALUE",
        help="keep this with the call's cost; may be repeated",
    )
    parser.add_argument("--timeout", type=positive, metavar="S", help="seconds for the whole call")


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where chat and pictures are."""
    parser.add_argument(
        "--foundry-endpoint", metavar="URL", help="the Foundry resource, in place of the settings"
    )
    parser.add_argument("--vllm-base-url", metavar="URL", help="a vLLM server, likewise")
    _add_sign_in(parser)


def add_speech(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where speech is."""
    parser.add_argument(
        "--speech-endpoint", metavar="URL", help="the Speech resource, in place of the settings"
    )
    parser.add_argument("--speech-region", metavar="NAME", help="its region, likewise")
    _add_sign_in(parser)


def add_live(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where conversations are held."""
    parser.add_argument(
        "--voice-live-endpoint",
        metavar="URL",
        help="the resource for Voice Live, in place of the settings",
    )
    _add_sign_in(parser)


def _add_sign_in(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--entra",
        action="store_true",
        help="sign in with azure-identity where no key is set (extra: mai-sdk[entra])",
    )
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which mai.toml to read."""
    parser.add_argument(
        "--config", metavar="FILE", help="read this in place of MAI_CONFIG or ./mai.toml"
    )


def examples(*lines: tuple[str, str]) -> str:
    """Return commands and what they are for, in two columns."""
    room = max(len(line) for line, _ in lines) + 2
    shown = [f"  {line:{room}}{note}".rstrip() for line, note in lines]
    return "\n".join(["examples:", *shown, ""])
