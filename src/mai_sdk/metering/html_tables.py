"""The tables of the page: real ones, with captions and headings a screen reader can use. No I/O."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from html import escape
from typing import TYPE_CHECKING, Final

from mai_sdk.metering.cost import ALWAYS
from mai_sdk.metering.html_charts import bar, range_chart
from mai_sdk.metering.money import ZERO, add_money, write_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mai_sdk.metering.cost import Cost, Price
    from mai_sdk.metering.report import Row

__all__ = [
    "Table",
    "brief",
    "cost_text",
    "percentile_table",
    "price_table",
    "row_table",
    "waste_table",
]

_NONE: Final = "-"
_LONG: Final = 40
_MARKS: Final = {"estimated": "≈ ", "lower_bound": "≥ ", "unknown": "≥ "}
_WASTE: Final = {
    "failed": ("Failed", "the attempt ended in an error; a retry may have followed"),
    "interrupted": ("Interrupted", "cut off, or left before its end"),
    "unheard": ("Unheard", "voice that was made and not played: the user spoke"),
}


class Table:
    """A table being written; cells are HTML, except the first, which is text."""

    def __init__(
        self, caption: str, *, heads: Sequence[str], numbers: int, is_shown: bool = True
    ) -> None:
        self._caption = caption
        self._kind = "" if is_shown else ' class="same"'
        self._heads = heads
        self._numbers = numbers
        self._rows: list[str] = []
        self._foot = ""

    def add(self, name: str, *cells: str, foot: bool = False) -> None:
        """Add a row: what it is about, `numbers` cells set to the right, then others."""
        breakable = escape(name).replace("_", "_<wbr>")
        drawn = [f'<tr><th scope="row">{breakable}</th>']
        for place, cell in enumerate(cells):
            kind = "n" if place < self._numbers else "bar" if "<svg" in cell else ""
            kind = kind or ("text" if len(cell) > _LONG else "")
            drawn.append(f'<td class="{kind}">{cell}</td>' if kind else f"<td>{cell}</td>")
        row = "".join([*drawn, "</tr>"])
        if foot:
            self._foot = row
        else:
            self._rows.append(row)

    def html(self) -> str:
        """Return it, in a region that scrolls by itself where the page is narrow."""
        heads = "".join(
            f'<th scope="col"{" class=n" if 0 < place <= self._numbers else ""}>{escape(head)}</th>'
            for place, head in enumerate(self._heads)
        )
        foot = f"<tfoot>{self._foot}</tfoot>" if self._foot else ""
        caption = escape(self._caption)
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>'
            f"<caption{self._kind}>{caption}</caption><thead><tr>{heads}</tr></thead>"
            f"<tbody>{''.join(self._rows)}</tbody>{foot}</table></div>"
        )


def brief(amount: Decimal, *, currency: str, beside: Decimal | None = None) -> str:
    """Return `amount` with as many digits as a reader wants, and as the dearest one `beside` it.

    At least two that tell are left of any amount, so that little never looks like nothing.
    """
    places = max(_places(max(amount, beside or amount)), 1 - amount.adjusted() if amount else 0)
    rounded = amount.quantize(Decimal(1).scaleb(-min(places, 9)), rounding=ROUND_HALF_EVEN)
    return f"${rounded:,f}" if currency == "USD" else f"{currency} {rounded:,f}"


def _places(amount: Decimal) -> int:
    return 2 if amount >= 10 or not amount else 3 - amount.adjusted()


def cost_text(cost: Cost, *, currency: str | None = None, beside: Decimal | None = None) -> str:
    """Return a cost as HTML: how sure it is, and all its digits to be hovered for.

    `currency` is what a cost of nothing is told in, which has none of its own.
    """
    currency = cost.currency if currency is None or cost.has_money else currency
    if cost.status == "unknown" and not cost.at_least:
        return "unknown"
    exact = escape(write_money(cost.at_least, currency=currency))
    mark = _MARKS.get(cost.status, "")
    short = escape(brief(cost.at_least, currency=currency, beside=beside))
    return f'<span title="{exact}">{mark}{short}</span>'


def row_table(rows: Sequence[Row], by: Sequence[str], *, currency: str, limit: int) -> str:
    """Return a row for each of `rows`, the first `limit` of them, and a sentence on the rest."""
    most = max((row.cost.at_least for row in rows), default=ZERO)
    total = add_money(row.cost.at_least for row in rows)
    by_meter = "meter" in by
    heads = [", ".join(by), "calls", "attempts", *(["quantity"] if by_meter else [])]
    table = Table(
        f"Spend by {', '.join(by)}, in {currency}",
        heads=(*heads, "cost", "share", ""),
        numbers=len(heads) + 1,
        is_shown=False,  # the heading above says the same
    )
    for row in rows[:limit]:
        cells = [f"{row.calls:,}", f"{row.attempts:,}"]
        if by_meter:
            counts = row.usage.meters().values() if row.keys["meter"] else ()
            cells.append(", ".join(f"{count:,}" for count in counts) or _NONE)
        cells += [cost_text(row.cost, beside=most), _percent(row.cost.at_least, of=total)]
        table.add(_name(row), *cells, bar(row.cost.at_least, most=most))
    rest = rows[limit:]
    note = ""
    if rest:
        left = brief(add_money(row.cost.at_least for row in rest), currency=currency)
        note = (
            f'<p class="note">And {len(rest):,} more, {left} together: CSV and JSON have them '
            "all.</p>"
        )
    return table.html() + note


def waste_table(total: Row) -> str:
    """Return what was spent on nothing, by why."""
    if not total.waste:
        return '<p class="soft">None: every attempt came to its end.</p>'
    table = Table(
        "Spent on attempts that came to nothing, or on voice nobody heard",
        heads=("Why", "attempts", "cost", "of all", ""),
        numbers=3,
    )
    for each in total.waste:
        name, why = _WASTE[each.kind]
        if each.seconds is not None:
            why += f" ({each.seconds:,} s)"
        share = _percent(each.cost.at_least, of=total.cost.at_least)
        cost = cost_text(each.cost, beside=total.wasted.at_least)
        table.add(name, f"{each.attempts:,}", cost, share, escape(why))
    whole = _percent(total.wasted.at_least, of=total.cost.at_least)
    together = cost_text(total.wasted, currency=total.cost.currency)
    table.add("Together", "", together, whole, "", foot=True)
    return table.html()


def percentile_table(rows: Iterable[Row], *, limit: int) -> str:
    """Return how long the answers of each model took and what they cost, the slowest first."""
    timed = sorted(
        (row for row in rows if row.p50_seconds is not None),
        key=lambda row: -(row.p50_seconds or 0),
    )
    if not timed:
        return '<p class="soft">No attempt has come to an answer.</p>'
    most = max(row.p95_seconds or 0 for row in timed)
    table = Table(
        "From the start of a call to its answer, in seconds, and the cost of one answer; rounded "
        "down by at most 2 %",
        heads=(
            "model",
            "p50 s",
            "p95 s",
            "p99 s",
            "p50 cost",
            "p95 cost",
            "p99 cost",
            "p50 to p95",
        ),
        numbers=6,
    )
    for row in timed[:limit]:
        seconds = (row.p50_seconds, row.p95_seconds, row.p99_seconds)
        costs = (row.p50_cost, row.p95_cost, row.p99_cost)
        table.add(
            _name(row),
            *(_NONE if value is None else f"{value:,.2f}" for value in seconds),
            *(_NONE if c is None else brief(c, currency=row.cost.currency) for c in costs),
            range_chart(row.p50_seconds or 0, row.p95_seconds or 0, most=most),
        )
    rest = len(timed) - limit
    note = f'<p class="note">And {rest:,} more, which were faster.</p>' if rest > 0 else ""
    return table.html() + note


def price_table(totals: Iterable[Row]) -> str:
    """Return every price that was used, with where it is from and when that was read."""
    table = Table(
        "Every price used, with its source",
        heads=("model", "quantity", "amount", "meter", "price", "holds", "source", "checked"),
        numbers=2,
    )
    found = False
    lines = [line for total in totals for line in total.cost.lines]
    for line in sorted(lines, key=lambda line: str(line.price and (line.price.model, line.meter))):
        price = line.price
        if price is None or line.amount is None:
            continue
        found = True
        table.add(
            price.model,
            f"{line.quantity:,}",
            escape(brief(line.amount, currency=price.currency)),
            escape(line.meter.replace("_", " ")),
            escape(str(price)),
            _holds(price),
            escape(price.source)
            + ("" if price.basis == "list" else " <em>(not the list price)</em>"),
            escape(price.checked),
        )
    return table.html() if found else '<p class="soft">No price was known for any of it.</p>'


def _holds(price: Price) -> str:
    if price.valid_until:
        return escape(f"{price.valid_from} to {price.valid_until}")
    return "always" if price.valid_from == ALWAYS else escape(f"since {price.valid_from}")


def _name(row: Row) -> str:
    return ", ".join("not known" if key is None else key for key in row.keys.values()) or "all"


def _percent(amount: Decimal, *, of: Decimal) -> str:
    return f"{amount * 100 / of:.1f} %" if amount and of else _NONE
