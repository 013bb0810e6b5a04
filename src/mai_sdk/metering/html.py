"""A report as one page: totals, charts, tables, prices and their sources. No I/O but our own files.

Whatever comes from a caller or a service (names, tags, reasons) is escaped; nothing is loaded.
"""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from mai_sdk.metering.html_charts import PATTERNS, legend, split_bar, time_chart
from mai_sdk.metering.html_tables import (
    Table,
    brief,
    cost_text,
    percentile_table,
    price_table,
    row_table,
    waste_table,
)
from mai_sdk.metering.money import write_money
from mai_sdk.metering.render import plan_words, repriced_words

if TYPE_CHECKING:
    from datetime import datetime

    from mai_sdk.metering.report import Report, Row

__all__ = ["page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report, *, title: str, made_at: datetime | None) -> str:
    """Return the page."""
    body = [
        _header(report, title=title, made_at=made_at),
        "<main>",
        *(_total(total) for total in report.totals),
        *(f'<p class="note">{escape(_sentence(plan_words(plan)))}.</p>' for plan in report.plans),
    ]
    if report.totals[0].attempts:
        body += _sections(report)
    body += ["</main>", _FOOTER]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n"
        f"{PATTERNS}\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def _header(report: Report, *, title: str, made_at: datetime | None) -> str:
    lines = [_period(report)]
    if report.tags:
        lines.append("Only calls tagged " + ", ".join(f"{k}={v}" for k, v in report.tags.items()))
    if made_at is not None:
        lines.append(f"Made {made_at:%Y-%m-%d %H:%M %Z}".rstrip())
    said = " · ".join(escape(line) for line in lines)
    return f'<header>\n<h1>{escape(title)}</h1>\n<p class="soft">{said}</p>\n</header>'


def _period(report: Report) -> str:
    days = sorted(row.keys["day"] or "" for row in report.rows_by("day"))
    start = f"{report.since:%Y-%m-%d %H:%M}" if report.since else days[0] if days else ""
    end = f"{report.until:%Y-%m-%d %H:%M}" if report.until else days[-1] if days else ""
    if not start and not end:
        return "Nothing is recorded."
    if start == end:
        return f"{start} (UTC)"
    return f"{start or 'the beginning'} to {end or 'now'} (UTC)"


def _counted(attempts: int) -> str:
    return f"{attempts:,} attempt{'' if attempts == 1 else 's'}"


def _total(total: Row) -> str:
    currency = total.cost.currency
    unknown = next((share for share in total.shares if share.status == "unknown"), None)
    more = ""
    if unknown is not None:
        more = f"and {_counted(unknown.attempts)} of unknown cost"
        if unknown.at_most is not None:
            more += f", at most {brief(unknown.at_most, currency=currency)}"
    cards = [
        ("Spent", cost_text(total.cost), more),
        ("Calls", f"{total.calls:,}", _counted(total.attempts)),
        (
            "Wasted",
            cost_text(total.wasted, currency=currency),
            "failed, interrupted, or never heard",
        ),
    ]
    if total.p50_seconds is not None:
        slow = "" if total.p95_seconds is None else f"95 of 100 within {total.p95_seconds:,.2f} s"
        cards.append(("Median answer", f"{total.p50_seconds:,.2f} s", slow))
    drawn = "".join(
        f'<div class="card"><dt>{name}</dt><dd>{value}'
        f"{f'<small>{escape(note)}</small>' if note else ''}</dd></div>"
        for name, value, note in cards
    )
    parts = [f'<section>\n<h2>Total in {escape(currency)}</h2>\n<dl class="cards">{drawn}</dl>']
    money = [share for share in total.shares if share.amount]
    if money:
        parts.append(split_bar(total.shares, currency=currency))
        parts.append(legend(share.status for share in money))
    parts.append(_shares(total))
    return "\n".join([*parts, "</section>"])


def _shares(total: Row) -> str:
    table = Table(
        "How sure the total is",
        heads=("Status", "Attempts", "Amount", "At most"),
        numbers=3,
    )
    for share in total.shares:
        most = "no limit known"
        if share.at_most is not None:
            most = write_money(share.at_most, currency=total.cost.currency)
        table.add(
            share.status.replace("_", " "),
            f"{share.attempts:,}",
            write_money(share.amount, currency=total.cost.currency)
            if share.amount or share.status != "unknown"
            else "unknown",
            most,
        )
    reason = f'<p class="note">{escape(total.cost.reason)}</p>' if total.cost.reason else ""
    if total.repriced is not None:
        words = repriced_words(total.repriced, currency=total.cost.currency)
        reason += f'<p class="note">{escape(_sentence(words))}.</p>'
    return table.html() + reason


def _sections(report: Report) -> list[str]:
    parts: list[str] = []
    several = len(report.totals) > 1
    for total in report.totals:
        currency = total.cost.currency
        suffix = f", in {currency}" if several else ""
        days = sorted(
            (row for row in report.rows_by("day") if row.cost.currency == currency),
            key=lambda row: row.keys["day"] or "",
        )
        if any(row.keys["day"] for row in days):
            kinds = {share.status for row in days for share in row.shares if share.amount}
            parts += [
                f"<section>\n<h2>Spend by day{suffix}</h2>",
                time_chart(days, currency=currency),
                legend(
                    (s for s in ("exact", "estimated", "lower_bound", "unknown") if s in kinds),
                    with_mark=any(share.status == "unknown" for share in total.shares),
                ),
                "<details><summary>The figures of each day</summary>",
                row_table(days, ("day",), currency=currency, limit=400),
                "</details>\n</section>",
            ]
        views: list[tuple[str, ...]] = [("model",), ("modality",), ("meter",)]
        if report.by and report.by not in {("day",), *views}:
            views.insert(0, report.by)
        for by in views:
            rows = report.rows if by == report.by else report.rows_by(*by)
            mine = [row for row in rows if row.cost.currency == currency]
            named = escape(", ".join(by))
            parts += [f"<section>\n<h2>Spend by {named}{suffix}</h2>"]
            parts += [row_table(mine, by, currency=currency, limit=40), "</section>"]
        parts += [f"<section>\n<h2>Wasted spend{suffix}</h2>", waste_table(total), "</section>"]
    parts += [
        "<section>\n<h2>How long answers took, and what one cost</h2>",
        percentile_table(report.rows_by("model"), limit=50),
        "</section>",
        "<section>\n<h2>Prices used</h2>",
        price_table(report.totals),
        "</section>",
    ]
    return parts


_FOOTER = (
    "<footer><p>Computed from what was recorded of each attempt and from dated prices, each with "
    "its source above. It is not an invoice: discounts, commitments and taxes are not in it. "
    "Unknown is never counted as 0. ≈ estimated, ≥ at least this much; all others are exact. "
    "Figures are shown rounded; CSV, JSON and Parquet have them to the billionth.</p></footer>"
)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
