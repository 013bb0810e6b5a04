"""`mai costs`: a report from the ledger file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mai_sdk.cli.budgets import show_budgets
from mai_sdk.cli.exits import OK
from mai_sdk.cli.terminal import columns
from mai_sdk.config import load_config
from mai_sdk.errors import ConfigurationError, InvalidRequest
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.resources.costs import Costs

if TYPE_CHECKING:
    import argparse

    from mai_sdk.metering.report import Report

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    place = _ledger(args)
    ledger = open_ledger(place)
    try:
        if args.budgets:
            return show_budgets(ledger, args)
        report = _report(Costs(ledger), args)
    finally:
        ledger.close()
    if args.json:
        print(report.to_json())
    elif args.csv:
        sys.stdout.write(report.to_csv())
    elif report.totals[0].attempts == 0:
        print(f"Nothing is recorded in {place} for what was asked.")
    else:
        sys.stdout.write(report.to_table(width=columns()))
    return OK


def _ledger(args: argparse.Namespace) -> str:
    """Return where the ledger is; looking into one never makes it.

    Raises:
        ConfigurationError: None is configured, or the file is not there.
    """
    place = args.ledger if args.ledger is not None else load_config(config_file=args.config).ledger
    if place is None:
        raise ConfigurationError(
            "No ledger is configured, so nothing was kept: by default a ledger lives in memory "
            "and ends with its process. To keep one, set MAI_LEDGER=mai.db, or write "
            'ledger = "mai.db" into mai.toml; to read one, give --ledger PATH.'
        )
    text = str(place)
    path = Path(text.removeprefix("sqlite:///")).expanduser()
    if "://" not in text.removeprefix("sqlite:///") and not path.is_file():
        raise ConfigurationError(
            f"There is no ledger at {path}. It is made by the first call of a client that is given "
            "this path; check the path, and the folder it is relative to."
        )
    return text


def _report(costs: Costs, args: argparse.Namespace) -> Report:
    try:
        return costs.report(by=args.by, since=args.since, until=args.until, tags=dict(args.tag))
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
