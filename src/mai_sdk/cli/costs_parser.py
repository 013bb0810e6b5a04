"""The options of `mai costs`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mai_sdk.cli.options import day, names, one_tag
from mai_sdk.cli.parts import add_config, examples

if TYPE_CHECKING:
    import argparse

__all__ = ["add_costs"]


def add_costs(command: Any) -> None:
    """Add the command."""
    costs: argparse.ArgumentParser = command(
        "costs",
        "report what the ledger has recorded",
        "Add up what calls used and cost, from a ledger file. Calls are recorded in one\n"
        'if MAI_LEDGER=mai.db is set, or ledger = "mai.db" in mai.toml.',
        examples(
            ("mai costs --ledger mai.db", ""),
            ("mai costs --by day,model --since 7d", "the last seven days"),
            ("mai costs --by tag:team --tag env=prod --csv", ""),
            ("mai costs --html costs.html --since 30d", "a page with charts"),
            ("mai costs --focus bill.csv", "and bill.unpriced.csv beside it"),
            ("mai costs --reprice --since 30d", "after a price was corrected"),
        ),
    )
    costs.add_argument("--ledger", metavar="PATH", help="the ledger file (default: MAI_LEDGER)")
    costs.add_argument(
        "--by",
        type=names,
        default=("model",),
        metavar="KEYS",
        help="model, modality, meter, day, deployment, surface, session, status or tag:<name>, "
        "separated by commas (default: model)",
    )
    costs.add_argument(
        "--since", type=day, metavar="WHEN", help="2026-11-01, 2026-11-01T08:00, or 7d, 24h, 30m"
    )
    costs.add_argument("--until", type=day, metavar="WHEN", help="up to this, itself not included")
    costs.add_argument(
        "--tag",
        action="append",
        default=[],
        type=one_tag,
        metavar="KEY=VALUE",
        help="only calls with this tag; may be repeated",
    )
    costs.add_argument(
        "--budgets", action="store_true", help="show what is left of the budgets in mai.toml"
    )
    costs.add_argument(
        "--reprice",
        nargs="?",
        const="",
        metavar="MODEL",
        help="price calls (of MODEL) again by the prices of their day, after a correction; what "
        "was written first is kept",
    )
    shape = costs.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON, money as text")
    shape.add_argument("--csv", action="store_true", help="print CSV, one line a row")
    _add_files(costs)
    add_config(costs)


def _add_files(costs: argparse.ArgumentParser) -> None:
    files = costs.add_argument_group(
        "files", "Written instead of a table; each is there whole or not at all."
    )
    files.add_argument(
        "--html", metavar="FILE", help="one page with charts that needs nothing else"
    )
    files.add_argument("--parquet", metavar="FILE", help="the rows; needs mai-sdk[parquet]")
    files.add_argument(
        "--focus",
        metavar="FILE",
        help="FOCUS 1.2 as CSV, a line for each meter of each attempt, --by has no say; what has "
        "no known price goes to FILE with .unpriced before its suffix",
    )
    files.add_argument(
        "--account", metavar="NAME", help="the billing account to write into --focus"
    )
