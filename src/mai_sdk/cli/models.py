"""`mai models`: what the catalog and the price book know, as a table or of one model in full."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mai_sdk.catalog import Catalog
from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import lay_out
from mai_sdk.cli.one_model import one_model
from mai_sdk.cli.terminal import columns, ink_for
from mai_sdk.config import load_config
from mai_sdk.errors import InvalidRequest
from mai_sdk.metering.money import write_money
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.rates import rate_for

if TYPE_CHECKING:
    import argparse
    from datetime import date
    from pathlib import Path

    from mai_sdk.catalog import Model
    from mai_sdk.metering.cost import Price
    from mai_sdk.metering.rates import Rate

__all__ = ["run"]

_STAGES = {
    "announced": "announced",
    "private_preview": "private preview",
    "open_weights": "open weights",
    "preview": "preview",
    "retirement_scheduled": "retirement due",
    "retired": "retired",
}
_SHORT = {
    "input_tokens": "in",
    "text_input_tokens": "in",
    "image_input_tokens": "in",
    "output_tokens": "out",
    "image_output_tokens": "out",
    "images": "an image",
    "audio_seconds": "an hour",
    "characters": "/1M chars",
}
"""Of two meters with the same word, the dearer is shown. Cached input is left to the page."""
_FOOT = (
    "Prices on {today}, of tokens for a million of them; ~ where they are not from\n"
    "Microsoft's own list, or sources disagree. `mai models NAME` has every claim\n"
    "with its source and date."
)


def run(args: argparse.Namespace) -> int:
    """Print the list, or one model."""
    config = load_config()
    catalog = Catalog.load(overlay=config.models)
    prices = PriceBook.load(overlay=_path(config.prices))
    today = datetime.now(UTC).date()
    if args.name is not None:
        model = catalog.get(args.name)
        if model is None:
            raise InvalidRequest(_unknown(catalog, args.name))
        if args.json:
            print(json.dumps(_facts(model, prices, today), indent=2, ensure_ascii=False))
        else:
            ink = ink_for(sys.stdout)
            print(one_model(model, prices.rows(model.name), on=today, width=columns(), ink=ink))
        return OK
    models = catalog.models(args.modality)
    if args.json:
        facts = [_facts(model, prices, today) for model in models]
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print(_table(models, prices, today))
    return OK


def _path(given: Any) -> Path | Any:
    if isinstance(given, str):
        from pathlib import Path

        return Path(given)
    return given


def _unknown(catalog: Catalog, name: str) -> str:
    near = catalog.suggest(name)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`mai models` lists all."
    return f"The catalog knows no model {name!r}. {hint} It may be called all the same."


def _facts(model: Model, prices: PriceBook, today: date) -> dict[str, Any]:
    status = model.status(today)
    return {
        **model.model_dump(mode="json"),
        "status_today": None if status is None else status.model_dump(mode="json"),
        "explanation": model.explain(today),
        "prices": [row.model_dump(mode="json") for row in prices.rows(model.name)],
    }


def _table(models: tuple[Model, ...], prices: PriceBook, today: date) -> str:
    ink = ink_for(sys.stdout)
    rows = [("model", "status", "surfaces", "price today")]
    rows += [
        (
            model.name,
            _STAGES.get(status.stage, "?") if (status := model.status(today)) else "?",
            _surfaces(model),
            _price(model, prices, today),
        )
        for model in models
    ]
    lines = [_fit(line) for line in lay_out(rows)]
    text = [ink.paint(lines[0], "bold")]
    for number, (model, line) in enumerate(zip(models, lines[1:], strict=True)):
        if number == 0 or model.modality != models[number - 1].modality:
            text += ["", ink.paint(model.modality, "bold")]
        shade = ("dim",) if model.is_retired(today) else ()
        text.append(ink.paint(line, *shade))
    return "\n".join([*text, "", _FOOT.format(today=today)])


def _fit(line: str) -> str:
    """Return the line, cut at the terminal's edge without touching its columns."""
    width = max(columns(), 60)
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _surfaces(model: Model) -> str:
    if not model.surfaces:
        return "-"
    more = len(model.surfaces) - 1
    return model.surfaces[0] + (f" +{more}" if more else "")


def _price(model: Model, prices: PriceBook, today: date) -> str:
    rates = _rates(model, prices, today)
    dearest: dict[str, Price] = {}
    for rate in sorted(rates, key=lambda rate: rate.price.amount):
        if rate.price.meter in _SHORT:
            dearest[_SHORT[rate.price.meter]] = rate.price
    if not dearest:
        return "self-hosted" if model.surfaces[:1] == ("vllm",) else "-"
    doubt = "~" if any(rate.doubt for rate in rates) else ""
    shown = (
        f"{write_money(price.amount, currency=price.currency)}{'' if word[0] == '/' else ' '}{word}"
        for word, price in dearest.items()
    )
    return doubt + ", ".join(shown)


def _rates(model: Model, prices: PriceBook, today: date) -> list[Rate]:
    """The rates in effect on the model's first surface."""
    surface = model.surfaces[0] if model.surfaces else "foundry"
    rows = prices.rows(model.name)
    meters = dict.fromkeys(row.meter for row in rows)
    found = (
        rate_for((row for row in rows if row.meter == meter), surface=surface, on=today)
        for meter in meters
    )
    return [rate for rate in found if rate is not None]
