"""`mai costs --reprice`: calls priced again after a price was corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import lay_out, paragraph
from mai_sdk.cli.terminal import columns
from mai_sdk.cli.wording import brief_cost
from mai_sdk.config import load_config
from mai_sdk.metering.prices import PriceBook
from mai_sdk.resources.costs import Costs

if TYPE_CHECKING:
    import argparse

    from mai_sdk.metering.ledger import Ledger
    from mai_sdk.metering.repricing import Repricing

__all__ = ["show_repriced"]


def show_repriced(ledger: Ledger, args: argparse.Namespace) -> int:
    """Price the calls of a ledger again and print what changed, or JSON."""
    prices = PriceBook.load(overlay=load_config(config_file=args.config).prices)
    done = Costs(ledger, prices=prices).reprice(
        since=args.since, until=args.until, model=args.reprice or None
    )
    print(done.model_dump_json(indent=2) if args.json else "\n".join(_lines(done)))
    return OK


def _lines(done: Repricing) -> list[str]:
    looked, count = f"{done.attempts:,}", f"{done.changed:,}"
    text = f"{count} of {looked} attempt{'' if done.attempts == 1 else 's'} changed."
    if done.unpriced:
        text += f" {done.unpriced:,} kept their figure, for which there is no price now."
    if done.unknown:
        text += f" {done.unknown:,} were left out: nothing ran, or nobody knows what they used."
    rows = [
        (one.model or "?", f"{one.attempts:,}", brief_cost(one.before), brief_cost(one.after))
        for one in done.models
    ]
    head = ("model", "attempts", "before", "after")
    return [
        *(lay_out([head, *rows], right=(1, 2, 3)) if rows else []),
        paragraph(text, width=columns()),
    ]
