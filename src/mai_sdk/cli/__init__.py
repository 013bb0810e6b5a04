"""The `mai` command: finds the command, runs it, and turns whatever happens into an exit code.

A command's own module is imported only when it runs, so that `mai --help` answers at once.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

from mai_sdk.cli.exits import BROKEN_PIPE, INTERRUPTED, TRY_IT, USAGE, code_of
from mai_sdk.cli.parser import MODULES, build_parser
from mai_sdk.cli.terminal import fitted
from mai_sdk.errors import MAIError, NotConfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; see `exits` for what each means.

    Args:
        argv: The words after `mai`; those of this process if omitted.
    """
    _tolerate_characters(sys.stdout, sys.stderr)
    parser = build_parser()
    try:
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help()
            return USAGE
        code: int = import_module(MODULES[args.command]).run(args)
        sys.stdout.flush()
    except SystemExit as end:  # argparse has printed help, the version, or what is wrong
        return end.code if isinstance(end.code, int) else USAGE
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("\nmai: interrupted.\n")
        return INTERRUPTED
    except MAIError as error:
        _explain(error)
        return code_of(error)
    return code


def _explain(error: MAIError) -> None:
    """Write what went wrong, and what it cost, to stderr."""
    details: Any = error
    lines = [f"mai: {error.message}"]
    if (receipt := getattr(details, "receipt", None)) is not None:
        tries = f"{details.attempts} attempt{'' if details.attempts == 1 else 's'}"
        lines.append(f"     cost so far: {receipt.cost}, {tries}")
        if details.request_id:
            lines[-1] += f", request {details.request_id}"
    if isinstance(error, NotConfigured):
        lines.append(TRY_IT)
    shown = (fitted(line, sys.stderr, hanging=" " * 5) for line in lines)
    sys.stderr.write("\n".join(shown) + "\n")


def _tolerate_characters(*streams: TextIO) -> None:
    """A terminal that cannot show a character gets "?" instead of a traceback."""
    for stream in streams:
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[attr-defined]  # files have it
