"""`mai costs --budgets`: how the budgets of mai.toml stand."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import clip, lay_out
from mai_sdk.cli.terminal import columns
from mai_sdk.config import load_config
from mai_sdk.errors import ConfigurationError
from mai_sdk.metering.budget import read_budgets
from mai_sdk.metering.budget_status import budget_statuses
from mai_sdk.metering.money import write_money

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mai_sdk.metering.budget_status import BudgetStatus
    from mai_sdk.metering.ledger import Ledger

__all__ = ["show_budgets"]

_NONE_SET = (
    "No budget is set, so nothing limits what calls may cost. Write one into mai.toml: "
    'budget = { limit = "5.00", per = "day" }.'
)


def show_budgets(ledger: Ledger, args: argparse.Namespace) -> int:
    """Print one line for each budget, or JSON.

    Raises:
        ConfigurationError: No budget is set, or one is wrong.
    """
    budgets = read_budgets(load_config(config_file=args.config).budget)
    if not budgets:
        raise ConfigurationError(_NONE_SET)
    statuses = budget_statuses(budgets, ledger=ledger, now=time.time())
    if args.json:
        print(json.dumps([_as_json(status) for status in statuses], indent=2))
        return OK
    width = columns()
    for line in _table(statuses):
        print(clip(line, width) if len(line) > width else line)
    return OK


def _table(statuses: Sequence[BudgetStatus]) -> list[str]:
    head = ("left", "of", "spent", "held", "period", "calls")
    rows = [
        (
            *(
                write_money(amount, currency=status.budget.currency)
                for amount in (status.left, status.budget.limit, status.spent, status.held)
            ),
            status.period,
            (status.budget.describe_scope(status.whose) or "all")
            + (" (warns)" if status.budget.on_limit == "warn" else ""),
        )
        for status in statuses
    ]
    return lay_out([head, *rows], right=(0, 1, 2, 3)) if rows else ["No call has used them yet."]


def _as_json(status: BudgetStatus) -> dict[str, object]:
    return {**status.model_dump(mode="json"), "left": format(status.left, "f")}
