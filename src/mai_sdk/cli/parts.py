"""What the help of several commands has in common. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

__all__ = ["KEYS", "add_config", "add_where", "examples"]

KEYS: Final = (
    "Keys are read from the environment (MAI_FOUNDRY_API_KEY, MAI_VLLM_API_KEY ...),\n"
    "never from the command line, which others on this machine can see."
)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the services are."""
    parser.add_argument(
        "--foundry-endpoint", metavar="URL", help="the Foundry resource, in place of the settings"
    )
    parser.add_argument("--vllm-base-url", metavar="URL", help="a vLLM server, likewise")
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
