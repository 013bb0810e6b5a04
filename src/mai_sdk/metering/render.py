"""A report as text: a table for a terminal, and CSV. No I/O."""

from __future__ import annotations

import csv
import io
import textwrap
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.metering.csv_cells import shown
from mai_sdk.metering.flat import COLUMNS, flat
from mai_sdk.metering.money import write_money
from mai_sdk.metering.usage import METERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.covered import PlanCost
    from mai_sdk.metering.report import Report, Repriced, Row, Share, Waste
    from mai_sdk.metering.usage import Usage

__all__ = ["csv_text", "plan_words", "repriced_words", "table"]

_COUNTED: Final = {
    "tok in": "input_tokens",
    "tok out": "output_tokens",
    "images": "images",
    "audio s": "audio_seconds",
    "chars": "characters",
}
"""Columns and the meters they count. One in whose unit nothing was counted is left out."""
_NARROWEST: Final = 60
_GAP: Final = "  "
_CUT: Final = "…"
_MARKS: Final = {"estimated": "~", "lower_bound": ">=", "unknown": ">="}
_LEAST_NEEDED_FIRST: Final = ("p95 s", "p50 s", "tries", "wasted", *_COUNTED, "calls")
_SURENESS: Final = {
    "exact": "exact",
    "estimated": "estimated",
    "lower_bound": "or more",
    "free": "because nothing was billed",
}

_WASTED: Final = {
    "failed": "that failed",
    "interrupted": "cut off or left before the end",
    "unheard": "that nobody heard",
}


def table(report: Report, *, width: int) -> str:
    """Return the report for a terminal; columns that do not fit are left out, cost never."""
    width = max(width, _NARROWEST)
    heads = [*report.by, "calls", "tries", *_counted(report), "cost", "wasted", "p50 s", "p95 s"]
    counted = heads[len(report.by) + 2 : -4]
    body = [_cells(row, [_shown(k) for k in row.keys.values()], counted) for row in report.rows]
    foot = [
        _cells(row, ["total", *[""] * (len(report.by) - 1)][: len(report.by)], counted)
        for row in report.totals
    ]
    keep = _columns_that_fit([heads, *body, *foot], keys=len(report.by), width=width)
    lines = _lay_out([heads, *body, *foot], keep=keep, keys=len(report.by), width=width)
    rule = "-" * max(map(len, lines))
    text = [lines[0], rule, *lines[1 : 1 + len(body)], rule, *lines[1 + len(body) :], ""]
    for total in report.totals:
        text += [line for share in total.shares for line in _wrap(_share(share, total), width)]
        text += [line for each in total.waste for line in _wrap(_waste(each), width)]
        if total.repriced is not None:
            text += _wrap(repriced_words(total.repriced, currency=total.cost.currency), width)
        if total.cost.reason:
            text += _wrap(total.cost.reason, width)
    for plan in report.plans:
        text += _wrap(plan_words(plan), width)
    return "\n".join(text).rstrip() + "\n"


def csv_text(report: Report) -> str:
    """Return the rows as CSV; what is unknown is left empty, never 0."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*map(shown, report.by), *COLUMNS])
    for row in report.rows:
        cells = flat(row)
        written = [_written(cells[name], kind) for name, kind in COLUMNS.items()]
        writer.writerow([*map(shown, row.keys.values()), *written])
    return out.getvalue()


def _written(value: Any, kind: str) -> Any:
    if kind == "money" and value is not None:
        return format(value, "f")
    return shown(value) if kind == "text" else value


def _counted(report: Report) -> list[str]:
    """Return the columns of the units that something was counted in; tokens, if of none."""
    usages = [row.usage for row in report.rows if row.usage.meters()]
    columns = [
        column
        for column, meter in _COUNTED.items()
        if any(_counts(usage, meter) for usage in usages)
    ]
    return columns or ["tok in", "tok out"]


def _counts(usage: Usage, meter: str) -> bool:
    """Whether the usage has a say in that meter; of a released attempt every meter is 0."""
    unit = METERS[meter].unit
    return any(quantity for name, quantity in usage.meters().items() if METERS[name].unit == unit)


def _cells(row: Row, keys: list[str], counted: Sequence[str]) -> list[str]:
    return [
        *keys,
        str(row.calls),
        str(row.attempts),
        *[_quantity(row.usage, _COUNTED[column]) for column in counted],
        _money(row.cost),
        _money(row.wasted) if row.wasted.status != "free" else "-",
        _time(row.p50_seconds),
        _time(row.p95_seconds),
    ]


def _shown(key: str | None) -> str:
    if key is None:
        return "?"
    return "".join(character if character.isprintable() else "?" for character in key)


def _quantity(usage: Usage, meter: str) -> str:
    """Return how much, "?" where it is not known, "-" where it is counted in another unit."""
    quantity = usage.known(meter)
    if quantity is None:
        return "?" if usage.counts_in(METERS[meter].unit) else "-"
    return f"{quantity:,}"


def _money(cost: Cost) -> str:
    if cost.status == "unknown" and not cost.at_least:
        return "?"
    mark = _MARKS.get(cost.status, "")
    return mark + write_money(cost.at_least, currency=cost.currency)


def _time(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.2f}"


def _share(share: Share, total: Row) -> str:
    money = write_money(share.amount, currency=total.cost.currency)
    count = f"{share.attempts:,} attempt{'' if share.attempts == 1 else 's'}"
    if share.status == "unknown":
        known = f", of which {money} is known" if share.amount else ""
        most = ""
        if share.at_most is not None:
            most = f", at most {write_money(share.at_most, currency=total.cost.currency)}"
        return f"unknown for {count}{known}{most}"
    return f"{money} {_SURENESS[share.status]} for {count}"


def _waste(waste: Waste) -> str:
    count = f"{waste.attempts:,} attempt{'' if waste.attempts == 1 else 's'}"
    if waste.seconds is not None:
        count = f"{waste.seconds:,} s of voice in {count}"
    return f"wasted: {_money(waste.cost)} for {count} {_WASTED[waste.kind]}"


def repriced_words(repriced: Repriced, *, currency: str) -> str:
    """Return how much was priced again, in a sentence without its stop."""
    count = f"{repriced.attempts:,} attempt{'' if repriced.attempts == 1 else 's'}"
    after = write_money(repriced.after, currency=currency)
    before = "another currency"
    if repriced.before is not None:
        before = write_money(repriced.before, currency=currency)
    return f"priced again: {after} for {count}, at first {before}"


def plan_words(plan: PlanCost) -> str:
    """Return what a plan cost and what for, in a sentence without its stop."""
    days = f"{plan.days:,} day{'' if plan.days == 1 else 's'}"
    cost = write_money(plan.cost.at_least, currency=plan.cost.currency)
    without = " and ".join(write_money(amount, currency=name) for name, amount in plan.at_list)
    count = f"{plan.attempts:,} attempt{'' if plan.attempts == 1 else 's'}"
    instead = f", {without} without it" if without else ""
    return f"beside this, plan {_shown(plan.name)}: {cost} for {days}; it paid for {count}{instead}"


def _columns_that_fit(cells: Sequence[Sequence[str]], *, keys: int, width: int) -> list[int]:
    """Return the columns to show: the least needed go first, until the keys have room."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    keep = list(range(len(widths)))
    room = max(8, 24 // keys) if keys else 0
    columns = [column for column in _LEAST_NEEDED_FIRST if column in cells[0][keys:]]
    for name in columns:
        needed = sum(min(widths[c], room) if c < keys else widths[c] for c in keep)
        if needed + len(_GAP) * (len(keep) - 1) <= width:
            break
        keep.remove(keys + list(cells[0][keys:]).index(name))
    return keep


def _lay_out(
    cells: Sequence[Sequence[str]], *, keep: Sequence[int], keys: int, width: int
) -> list[str]:
    widths = {c: max(len(row[c]) for row in cells) for c in keep}
    over = sum(widths.values()) + len(_GAP) * (len(keep) - 1) - width
    while over > 0:
        longest = max(range(keys), key=lambda c: widths[c], default=None)
        if longest is None or widths[longest] <= 1:
            break
        widths[longest] -= 1
        over -= 1
    return [
        _GAP.join(
            _clip(row[c], widths[c]).ljust(widths[c]) if c < keys else row[c].rjust(widths[c])
            for c in keep
        ).rstrip()
        for row in cells
    ]


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + _CUT


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ")
