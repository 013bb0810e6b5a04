"""The options of `mai image`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.cli.options import positive, positive_int
from mai_sdk.cli.parts import KEYS, add_call, add_where, examples

if TYPE_CHECKING:
    import argparse

__all__ = ["add_image"]


def add_image(command: Any) -> None:
    """Add the command."""
    image: argparse.ArgumentParser = command(
        "image",
        "draw, edit or ask about pictures",
        "Draw a picture from words, edit pictures, or ask about them. Pictures are saved\n"
        "as PNG files, and their paths go to stdout, as does an answer; what the call\n"
        "used and cost goes to stderr. One picture takes the service 30 to 110 seconds.",
        examples(
            ('mai image "a lake at dawn" --out lake.png', ""),
            ('mai image "make it night" --edit lake.png', "--edit may be repeated"),
            ('mai image "What is this?" --ask lake.png', "asks a model that sees"),
            ('mai image --emulator "a lake"', "offline, bills nothing"),
            ('mai image "a lake" -n 3 --json | jq .cost.amount', ""),
        )
        + f"\n{KEYS}\n",
    )
    image.add_argument(
        "prompt", nargs="?", metavar="PROMPT", help="what is to be seen or known, or - for stdin"
    )
    of = image.add_mutually_exclusive_group()
    of.add_argument(
        "--edit",
        action="append",
        default=[],
        metavar="FILE",
        help="a PNG or JPEG to be edited; may be repeated",
    )
    of.add_argument(
        "--ask",
        action="append",
        default=[],
        metavar="FILE",
        help="a picture to be asked about, or its address; may be repeated",
    )
    image.add_argument(
        "--model",
        metavar="NAME",
        help="a model, a route of mai.toml or a deployment (default: MAI-Image-2.6, or the only "
        "route; with --ask, MAI-Code-1.1-Flash)",
    )
    image.add_argument(
        "--width", type=positive_int, metavar="PX", help="768 or more; with --height"
    )
    image.add_argument("--height", type=positive_int, metavar="PX", help="likewise, with --width")
    image.add_argument(
        "-n", type=positive_int, default=1, metavar="N", help="how many; each is billed"
    )
    image.add_argument(
        "--out",
        metavar="PATH",
        help="the file to write, or a folder; more than one picture are numbered (default: "
        "image.png, or the next free number)",
    )
    _add_choices(image)
    add_call(image)
    image.add_argument(
        "--json", action="store_true", help="print one JSON object: paths, usage, cost, receipt"
    )
    image.add_argument(
        "--emulator", action="store_true", help="ask a built-in emulator; its pictures are made up"
    )
    add_where(image)


def _add_choices(image: argparse.ArgumentParser) -> None:
    image.add_argument("--background", choices=("transparent", "opaque"), help="MAI-Image-2.7 only")
    image.add_argument(
        "--auto-aspect-ratio",
        action="store_true",
        default=None,
        help="let the model choose the shape; MAI-Image-2.6 only",
    )
    image.add_argument(
        "--web-grounding",
        action="store_true",
        default=None,
        help="let it search the web first; MAI-Image-2.6 only",
    )
    image.add_argument(
        "--requests-per-minute",
        type=positive,
        metavar="N",
        help="the deployment's quota, for -n to stay within",
    )
    image.add_argument(
        "--resend-unknown",
        action="store_true",
        help="ask once more where nobody knows whether it was drawn: may be billed twice",
    )
