"""The options of `mai prices`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.cli.options import day, positive
from mai_sdk.cli.parts import add_config, examples

if TYPE_CHECKING:
    import argparse

__all__ = ["add_prices"]


def add_prices(command: Any) -> None:
    """Add the command."""
    prices: argparse.ArgumentParser = command(
        "prices",
        "show the prices calls are reckoned with, or check them",
        "Show every price row with its dates and its source, your own first, and which of\n"
        "those that disagree is used. With `check`, compare them with the Azure Retail\n"
        "Prices API; that needs the network, and changes nothing.",
        examples(
            ("mai prices", "every row"),
            ("mai prices MAI-Image-2.5-Flash", "of one model"),
            ("mai prices --on 2026-12-31 --json", "those that hold on a day"),
            ("mai prices check", "what Microsoft lists today"),
            ("mai prices check --file page.json", "the same, from a saved answer"),
        ),
    )
    prices.add_argument(
        "words",
        nargs="*",
        metavar="check|MODEL",
        help="a model's name; or check, to compare, and then a model's name",
    )
    prices.add_argument(
        "--on",
        type=day,
        metavar="DAY",
        help="only what holds on this day, such as 2026-12-31 (default: all, as they stand today)",
    )
    prices.add_argument("--plans", action="store_true", help="only the plans of the overlay")
    prices.add_argument("--json", action="store_true", help="print JSON, money as text")
    check = prices.add_argument_group("check")
    check.add_argument("--endpoint", metavar="URL", help="ask this in place of prices.azure.com")
    check.add_argument(
        "--filter",
        metavar="ODATA",
        help="which meters to ask for (default: serviceName eq 'Foundry Models')",
    )
    check.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        help="read a saved answer instead of asking; may be repeated, one for each page",
    )
    check.add_argument(
        "--timeout", type=positive, default=30.0, metavar="S", help="seconds for each page"
    )
    add_config(prices)
