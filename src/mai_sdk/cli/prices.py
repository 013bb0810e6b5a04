"""`mai prices`: every price row, its source and its standing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import paragraph
from mai_sdk.cli.price_plans import show_plans
from mai_sdk.cli.prices_check import check_prices
from mai_sdk.cli.terminal import columns, ink_for
from mai_sdk.config import load_config
from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.standing import listed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import date

    from mai_sdk.cli.terminal import Ink
    from mai_sdk.metering.cost import Price
    from mai_sdk.metering.standing import Listed

__all__ = ["run"]

_BASES: Final = {
    "list": "Microsoft's list",
    "other_channel": "what another channel asks",
    "claim": "a claim",
}
_STANDINGS: Final = {
    "used": "used",
    "overruled": "not used: another row goes before it",
    "claim": "not used: a claim",
    "ended": "no longer",
    "later": "not yet",
}
_ENOUGH: Final = 24
"""Columns in which a standing can be said beside its price."""
_ALWAYS: Final = "0001-01-01"


def run(args: argparse.Namespace) -> int:
    """Print the rows, the plans, or how the rows compare with Azure's."""
    checking = args.words[:1] == ["check"]
    names = args.words[checking:]
    if len(names) > 1:
        raise InvalidRequest(f"Name one model, not {len(names)}: {', '.join(names)}.")
    model = names[0] if names else None
    book = PriceBook.load(overlay=load_config(config_file=args.config).prices)
    today = datetime.now(UTC).date()
    on = args.on.date() if args.on is not None else today
    if model is not None and not book.rows(model):
        raise InvalidRequest(f"There is no price row for {model!r}. `mai prices` shows all.")
    if checking:
        return check_prices(book, args, model=model, on=on, today=today)
    if args.plans:
        return show_plans(book, args, on=on)
    rows = [
        row
        for row in listed(book, on=on, model=model)
        if args.on is None or row.standing not in {"ended", "later"}
    ]
    if args.json:
        print(json.dumps([_as_json(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(rows, on=on)))
    return OK


def _as_json(row: Listed) -> dict[str, Any]:
    return {
        **row.price.model_dump(mode="json"),
        "is_overlay": row.is_overlay,
        "standing": row.standing,
        "disagrees_with": [each.model_dump(mode="json") for each in row.disagrees_with],
    }


def _text(rows: Sequence[Listed], *, on: date) -> list[str]:
    ink = ink_for(sys.stdout)
    text: list[str] = []
    for is_overlay, title in ((True, "Your prices, which win"), (False, "Packaged prices")):
        mine = [row for row in rows if row.is_overlay == is_overlay]
        if mine:
            text += [ink.paint(title, "bold"), ""]
        for model in dict.fromkeys(row.price.model for row in mine):
            text.append(ink.paint(model, "bold"))
            for row in mine:
                if row.price.model == model:
                    text += _row(row, ink=ink)
            text.append("")
    if not text:
        return [f"No price holds on {on}."]
    foot = f"As they stand on {on}. Your own rows go into the file MAI_PRICES names."
    return [*text, paragraph(foot, width=columns())]


def _row(row: Listed, *, ink: Ink) -> list[str]:
    price, width = row.price, columns()
    shade = {"used": "green", "overruled": "yellow"}.get(row.standing, "dim")
    if row.disagrees_with:
        shade = "yellow"
    room = width - 4
    head = f"  {price.meter:20} {price!s:24} "
    beside = width - len(head)
    words = paragraph(_standing(row), width=beside if beside > _ENOUGH else room).splitlines()
    if beside > _ENOUGH:
        lines = [head + ink.paint(words[0], shade)]
        lines += [" " * len(head) + ink.paint(word, shade) for word in words[1:]]
    else:
        lines = [head.rstrip(), *("    " + ink.paint(word, shade) for word in words)]
    details = [f"{_BASES[price.basis]}, {_when(price)}, {_where(row)}"]
    details += [f"{price.source}; checked {price.checked}", price.note or ""]
    return [
        *lines,
        *(paragraph(each, width=room, indent="    ", hanging="      ") for each in details if each),
    ]


def _standing(row: Listed) -> str:
    if not row.disagrees_with:
        return _STANDINGS[row.standing]
    others = ", ".join(str(each) for each in row.disagrees_with)
    if row.standing == "used":
        return f"CONFLICT: used, as the dearest; others say {others}"
    return f"CONFLICT: not used, others say {others}"


def _when(price: Price) -> str:
    since = "always" if price.valid_from == _ALWAYS else f"from {price.valid_from}"
    return since + (f" until {price.valid_until}" if price.valid_until else "")


def _where(row: Listed) -> str:
    if row.price.surface:
        return f"on {row.price.surface}"
    return "on every surface" if row.is_overlay else "on every surface not self-hosted"
