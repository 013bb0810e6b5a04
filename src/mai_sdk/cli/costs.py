"""`mai costs`: a report from the ledger file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mai_sdk.cli.budgets import show_budgets
from mai_sdk.cli.exits import OK
from mai_sdk.cli.repriced import show_repriced
from mai_sdk.cli.terminal import columns
from mai_sdk.config import load_config
from mai_sdk.errors import ConfigurationError, InvalidRequest
from mai_sdk.metering.focus_file import unpriced_path
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.money import write_money
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.whole_file import check_writable, whole_file
from mai_sdk.resources.costs import Costs

if TYPE_CHECKING:
    import argparse

    from mai_sdk.metering.report import Report

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Print the report, or write the files that are asked for."""
    place = _ledger(args)
    _check_files(args)
    ledger = open_ledger(place)
    try:
        if args.budgets:
            return show_budgets(ledger, args)
        prices = PriceBook.load(overlay=load_config(config_file=args.config).prices)
        costs = Costs(ledger, prices=prices)
        if args.reprice is not None:
            return show_repriced(ledger, args)
        report = _report(costs, args)
        written = _write_files(report, costs, args)
    finally:
        ledger.close()
    if written and not (args.json or args.csv):
        print("\n".join(written))
    elif args.json:
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


def _check_files(args: argparse.Namespace) -> None:
    """Refuse what could not be written, before anything is."""
    if args.account is not None and args.focus is None:
        raise InvalidRequest("--account goes with --focus FILE.")
    targets = [Path(each) for each in (args.html, args.parquet, args.focus) if each is not None]
    if args.focus is not None:
        targets.append(unpriced_path(args.focus))
    for target in targets:
        check_writable(target)
    if len({target.expanduser().absolute() for target in targets}) < len(targets):
        raise InvalidRequest("Two of the files have the same name: give each its own.")


def _write_files(report: Report, costs: Costs, args: argparse.Namespace) -> list[str]:
    """Write what is asked for; return a line for each file."""
    said: list[str] = []
    if args.html is not None:
        with whole_file(args.html) as file:
            file.write_text(report.to_html(made_at=datetime.now(UTC)), encoding="utf-8")
        said.append(f"{args.html}: the report as a page")
    if args.parquet is not None:
        report.to_parquet(args.parquet)
        said.append(f"{args.parquet}: {len(report.rows):,} rows")
    if args.focus is not None:
        files = costs.write_focus(
            args.focus,
            since=args.since,
            until=args.until,
            tags=dict(args.tag),
            account=args.account,
        )
        billed = ", ".join(
            write_money(amount, currency=currency) for currency, amount in files.billed.items()
        )
        said.append(
            f"{files.path}: {files.rows:,} rows of FOCUS 1.2, together {billed or 'nothing'}"
        )
        said.append(f"{files.unpriced_path}: {files.unpriced_rows:,} rows without a known price")
    return said
