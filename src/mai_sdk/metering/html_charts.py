"""The charts of the page, as SVG: no script, patterns besides colours, a title in words. No I/O."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Final

from mai_sdk.metering.money import ZERO, add_money, write_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mai_sdk.metering.report import Row, Share

__all__ = ["PATTERNS", "STATUS_WORDS", "bar", "legend", "range_chart", "split_bar", "time_chart"]

STATUS_WORDS: Final = {
    "exact": "exact",
    "estimated": "estimated",
    "lower_bound": "at least this",
    "unknown": "unknown",
    "free": "nothing owed",
}
PATTERNS: Final = (
    '<svg class="defs" aria-hidden="true"><defs>'
    '<pattern id="estimated" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="ground" width="6" height="6"/>'
    '<rect class="paint" width="2.5" height="6"/></pattern>'
    '<pattern id="lower_bound" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="ground" width="6" height="6"/><circle class="paint" cx="3" cy="3" r="1.4"/>'
    "</pattern></defs></svg>"
)
"""Once on the page; the style sheet refers to them."""

_WIDE, _HIGH, _LEFT, _TOP = 960, 240, 76, 22
_MOST_DAYS: Final = 400
_SCALES: Final = (10, 12, 16, 20, 24, 32, 40, 60, 80, 100)


def legend(statuses: Iterable[str], *, with_mark: bool = False) -> str:
    """Return what each pattern means, and the question mark above a column."""
    items = "".join(
        f'<li><svg viewBox="0 0 24 14" aria-hidden="true"><rect class="{status}" x="1" y="1" '
        f'width="22" height="12"/></svg>{STATUS_WORDS[status]}</li>'
        for status in statuses
    )
    if with_mark:
        items += '<li><span class="mark">?</span> some attempts of unknown cost are not drawn</li>'
    return f'<ul class="legend">{items}</ul>'


def bar(amount: Decimal, *, most: Decimal) -> str:
    """Return a bar in a table's cell; the cell beside it has the figure."""
    width = _part(amount, of=most, length=200)
    return (
        '<svg viewBox="0 0 200 12" preserveAspectRatio="none" height="12" aria-hidden="true" '
        f'style="height:.75rem"><rect class="exact" width="{width}" height="12"/></svg>'
    )


def split_bar(shares: Sequence[Share], *, currency: str) -> str:
    """Return one bar, divided by how sure each part of the money is."""
    money = [share for share in shares if share.amount]
    total = add_money(share.amount for share in money)
    parts: list[str] = []
    x = ZERO
    for share in money:
        width = share.amount * 1000 / total
        words = f"{STATUS_WORDS[share.status]}: {write_money(share.amount, currency=currency)}"
        parts.append(
            f'<rect class="{share.status}" x="{x:.1f}" y="1" width="{max(width, Decimal(2)):.1f}" '
            f'height="26"><title>{escape(words)}</title></rect>'
        )
        x += width
    return (
        '<svg viewBox="0 0 1000 28" preserveAspectRatio="none" style="height:1.75rem" role="img" '
        f'aria-label="How sure the total is; the table below says the same.">{"".join(parts)}</svg>'
    )


def range_chart(p50: float, p95: float, *, most: float) -> str:
    """Return a line from the median to the 95th percentile, on a scale all rows share."""
    start, end = (round(196 * min(value / most, 1)) + 2 if most else 2 for value in (p50, p95))
    return (
        '<svg viewBox="0 0 200 12" aria-hidden="true" style="height:.75rem" '
        f'preserveAspectRatio="none"><line class="grid" x1="0" x2="200" y1="6" y2="6"/>'
        f'<rect class="exact" x="{start}" y="4" width="{max(end - start, 2)}" height="4"/>'
        f'<rect class="exact" x="{start - 1}" y="1" width="3" height="10"/></svg>'
    )


def time_chart(rows: Sequence[Row], *, currency: str) -> str:
    """Return columns over time: a day each, or a month each where there are many days."""
    found = {row.keys["day"]: row for row in rows if row.keys["day"]}
    names, unit = _span([day for day in found if day])
    columns: dict[str, dict[str, Decimal]] = {name: {} for name in names}
    hidden: dict[str, int] = {}
    for day, row in found.items():
        name = str(day)[: len(names[0])]
        for share in row.shares:
            before = columns[name].get(share.status, ZERO)
            columns[name][share.status] = before + share.amount
            if share.status == "unknown":
                hidden[name] = hidden.get(name, 0) + share.attempts
    top = max((add_money(each.values()) for each in columns.values()), default=ZERO)
    scale = _round_up(top)
    step = Decimal(_WIDE - _LEFT) / len(names)
    drawn = [
        _column(name, columns[name], hidden.get(name, 0), x=_LEFT + step * place, step=step,
                scale=scale, currency=currency)
        for place, name in enumerate(names)
    ]  # fmt: skip
    words = f"Spend by {unit}, {names[0]} to {names[-1]}, in {currency}. The table has the figures."
    return (
        f'<div class="scroll chart" role="region" tabindex="0" aria-label="Spend by {unit}">'
        f'<svg viewBox="0 0 {_WIDE} {_HIGH + 44}" role="img" aria-label="{escape(words)}">'
        f"{_grid(scale, currency)}{''.join(drawn)}{_dates(names, step)}</svg></div>"
    )


def _column(
    name: str,
    parts: dict[str, Decimal],
    hidden: int,
    *,
    x: Decimal,
    step: Decimal,
    scale: Decimal,
    currency: str,
) -> str:
    total = add_money(parts.values())
    width = min(max(step * 8 / 10, Decimal(1)), Decimal(64))
    x += (step - width) / 2
    y = Decimal(_TOP + _HIGH)
    drawn: list[str] = []
    for status in STATUS_WORDS:
        if parts.get(status):
            height = parts[status] * _HIGH / scale
            y -= height
            drawn.append(
                f'<rect class="{status}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"/>'
            )
    words = f"{name}: {write_money(total, currency=currency)}"
    if hidden:
        words += f", and {hidden:,} attempts of unknown cost"
        if step >= 9:
            middle = x + width / 2
            drawn.append(
                f'<text class="mark" x="{middle:.1f}" y="{y - 4:.1f}" text-anchor="middle">?</text>'
            )
    return f"<g><title>{escape(words)}</title>{''.join(drawn)}</g>" if drawn else ""


def _grid(scale: Decimal, currency: str) -> str:
    drawn: list[str] = []
    for quarter in range(5):
        y = _TOP + _HIGH - _HIGH * quarter // 4
        label = write_money((scale * quarter / 4).normalize() + 0, currency=currency)
        drawn.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDE}" y1="{y}" y2="{y}"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
        )
    return "".join(drawn)


def _dates(names: Sequence[str], step: Decimal) -> str:
    every = max(-(-len(names) // 8), 1)
    return "".join(
        f'<text x="{_LEFT + step * place + step / 2:.1f}" y="{_TOP + _HIGH + 18}" '
        f'text-anchor="middle">{names[place]}</text>'
        for place in range(every // 2, len(names), every)
    )


def _span(days: Sequence[str]) -> tuple[list[str], str]:
    """Return the days from the first to the last, or the months if there are many."""
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    count = (last - first).days + 1
    if count <= _MOST_DAYS:
        return [(first + timedelta(days=number)).isoformat() for number in range(count)], "day"
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    names: list[str] = []
    for number in range(months):
        years, month = divmod(first.month - 1 + number, 12)
        names.append(f"{first.year + years:04}-{month + 1:02}")
    return names, "month"


def _round_up(amount: Decimal) -> Decimal:
    """Return the next amount that makes a good scale, divisible by four."""
    if not amount:
        return Decimal(1)
    tenth = Decimal(1).scaleb(amount.adjusted() - 1)
    return next(tenth * many for many in _SCALES if tenth * many >= amount)


def _part(amount: Decimal, *, of: Decimal, length: int) -> str:
    return f"{max(amount * length / of, ZERO):.1f}" if of else "0"
