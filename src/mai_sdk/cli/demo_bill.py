"""The bill of the demo, made from its ledger: calls, total, prices, what is not exact. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.layout import lay_out, paragraph
from mai_sdk.cli.wording import brief_cost, price_words
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mai_sdk.metering.cost import Price
    from mai_sdk.metering.ledger import Entry

__all__ = ["Bill", "demo_prices"]

_WIDTH: Final = 80
_LEGEND: Final = "~ estimated and >= at least, for the reasons below; the others are exact."


def demo_prices() -> dict[str, Any]:
    """Return a price overlay for MAI-DS-R1 on vLLM: a figure of the demo's own.

    A self-hosted model has no bill per token. What a hosting guide reckons for one is kept in the
    packaged prices as a claim that is never used; the demo uses the dearest of these, says so,
    and takes it for tokens in and out alike.
    """
    claims = [
        row
        for row in PriceBook.load().rows("MAI-DS-R1")
        if row.surface == "vllm" and row.basis == "claim"
    ]
    dearest = max(claims, key=lambda row: row.amount)
    note = (dearest.note or "").rstrip(".")
    row = {
        "model": dearest.model,
        "price": str(dearest.amount),
        "unit": dearest.unit,
        "surface": "vllm",
        "source": f"the demo's own figure, from {dearest.source}: {note}",
        "checked": dearest.checked,
        "basis": "claim",
    }
    return {"prices": [{**row, "meter": meter} for meter in ("input_tokens", "output_tokens")]}


@dataclass(frozen=True, slots=True)
class _Line:
    """One call of the bill, over all its attempts."""

    label: str
    entries: tuple[Entry, ...]

    @property
    def usage(self) -> Usage:
        return Usage.sum(entry.usage or Usage(basis="unknown") for entry in self.entries)

    @property
    def cost(self) -> Cost:
        return _sum(self.entries)

    @property
    def seconds(self) -> float:
        ended = max(entry.settled_at or entry.reserved_at for entry in self.entries)
        return ended - self.entries[0].operation.started_at


class Bill:
    """What the demo's calls used and would have cost."""

    def __init__(self, entries: Sequence[Entry], labels: Mapping[str, str]) -> None:
        calls: dict[str, list[Entry]] = {}
        for entry in entries:
            calls.setdefault(entry.operation.call_id, []).append(entry)
        self.lines = [_Line(labels[call], tuple(calls[call])) for call in labels]
        self.total = _sum(entries)
        self._tries = len(entries)

    def sections(self) -> list[tuple[str, list[str]]]:
        """Return titles and lines, no line longer than 80 characters."""
        return [
            (f"{len(self.lines)} calls in {self._tries} attempts, from the ledger", self._table()),
            ("Where the prices come from", _price_lines(self.prices())),
            ("What is not exact, and why", self._doubts()),
        ]

    def _table(self) -> list[str]:
        heads = ("call", "model", "surface", "in", "out", "ms", "cost")
        rows = [heads, *map(_cells, self.lines)]
        rows.append(("total", "", "", "", "", "", brief_cost(self.total)))
        table = lay_out(rows, right=(3, 4, 5, 6))
        rule = "-" * max(map(len, table))
        legend = paragraph(_LEGEND, width=_WIDTH)
        return [table[0], rule, *table[1:-1], rule, table[-1], "", legend]

    def prices(self) -> list[Price]:
        """Return every price row used, once, in the order of use."""
        rows = (line.price for line in self.total.lines if line.price is not None)
        return list(dict.fromkeys(rows))

    def _doubts(self) -> list[str]:
        doubts: dict[str, list[str]] = {}
        for line in self.lines:
            if line.cost.status not in ("exact", "free") and line.cost.reason:
                doubts.setdefault(line.cost.reason, []).append(line.label)
        text: list[str] = []
        for reason, labels in doubts.items():
            named = "; ".join(labels)
            text.append(paragraph(f"{named}: {reason}", width=_WIDTH, indent="- ", hanging="  "))
        return text

    def to_json(self) -> str:
        """Return everything, money as text."""
        return json.dumps(
            {
                "calls": [_described(line) for line in self.lines],
                "total": self.total.model_dump(mode="json"),
                "prices": [price.model_dump(mode="json") for price in self.prices()],
            },
            indent=2,
            ensure_ascii=False,
        )


def _sum(entries: Iterable[Entry]) -> Cost:
    return Cost.sum(
        entry.cost if entry.cost is not None else Cost.unknown("It was never settled.")
        for entry in entries
    )


def _in(usage: Usage) -> str:
    """Return what went in: tokens, "12 ch" of text, or "3 s" of audio."""
    if usage.characters:
        return f"{usage.characters:,} ch"
    if usage.audio_seconds:
        return f"{usage.audio_seconds:,} s"
    return _tokens(usage, usage.input_tokens)


def _out(usage: Usage) -> str:
    """Return what came out: tokens, of a picture too; speech and transcripts are not counted."""
    return _tokens(usage, usage.output_tokens)


def _tokens(usage: Usage, quantity: int | None) -> str:
    if quantity is None:
        return "?" if usage.counts_in("tokens") else "-"
    return f"{quantity:,}"


def _cells(line: _Line) -> tuple[str, ...]:
    operation = line.entries[-1].operation
    return (
        line.label,
        operation.model or operation.deployment or "?",
        operation.surface,
        _in(line.usage),
        _out(line.usage),
        f"{line.seconds * 1000:.0f}",
        brief_cost(line.cost),
    )


def _price_lines(prices: Sequence[Price]) -> list[str]:
    """The prices of a model that share a source, together."""
    groups: dict[tuple[str, str, str], list[Price]] = {}
    for price in prices:
        groups.setdefault((price.model, price.source, price.checked), []).append(price)
    text: list[str] = []
    for (model, source, checked), rows in groups.items():
        text.append(paragraph(f"{model:<19} {price_words(rows)}", width=_WIDTH, hanging=" " * 20))
        said = f"{source}; read {checked}"
        text.append(paragraph(said, width=_WIDTH, indent="  "))
    return text


def _described(line: _Line) -> dict[str, Any]:
    last = line.entries[-1]
    operation = last.operation
    return {
        "call": line.label,
        "call_id": operation.call_id,
        "modality": operation.modality,
        "verb": operation.verb,
        "model": operation.model,
        "deployment": operation.deployment,
        "surface": operation.surface,
        "attempts": len(line.entries),
        "status": last.status,
        "error": last.error,
        "seconds": round(line.seconds, 6),
        "usage": line.usage.model_dump(mode="json"),
        "cost": line.cost.model_dump(mode="json"),
    }
