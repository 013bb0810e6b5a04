"""`python -m mai_sdk.cli.help > docs/cli.md`: the manual page, made from the help itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from mai_sdk.cli.parser import build_parser

if TYPE_CHECKING:
    import argparse

__all__ = ["manual"]

_HEAD = """\
# The `mai` command

<!-- Made by `python -m mai_sdk.cli.help > docs/cli.md`. -->

What `mai COMMAND --help` says, on one page. `python -m mai_sdk` is the same.
"""


def manual() -> str:
    """Return the help of every command as Markdown, 80 columns wide."""
    parser = build_parser(width=80)
    pages = [_HEAD, _section("mai", parser)]
    pages += [_section(f"mai {name}", page) for name, page in _commands(parser).items()]
    return "\n".join(pages)


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    action = next(
        each
        for each in parser._actions  # noqa: SLF001 - argparse has no public way to its commands
        if isinstance(each.choices, dict)
    )
    return cast("dict[str, argparse.ArgumentParser]", action.choices)


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    if hasattr(parser, "color"):
        setattr(parser, "color", False)  # noqa: B010 - only Python 3.14 has it, and colours help
    return f"## `{name}`\n\n```text\n{parser.format_help().rstrip()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(manual())
