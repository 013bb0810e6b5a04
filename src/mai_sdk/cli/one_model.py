"""Everything that is known of one model, as a page: each claim with its source. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mai_sdk.cli.layout import paragraph
from mai_sdk.metering.money import write_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from mai_sdk.catalog import Model
    from mai_sdk.cli.terminal import Ink
    from mai_sdk.metering.cost import Price

__all__ = ["one_model"]

_BASIS = {
    "list": "",
    "other_channel": "what another channel asks",
    "claim": "a claim, never used for a cost",
}


@dataclass(frozen=True, slots=True)
class _Claim:
    """One line of the page and where it comes from."""

    name: str
    value: str
    source: str
    checked: object
    note: str | None = None
    contested: bool = False


def one_model(model: Model, prices: Sequence[Price], *, on: date, width: int, ink: Ink) -> str:
    """Return the page; a claim that another source contradicts carries a "!"."""
    use = f"  {model.modality}: {model.use}" if model.use else f"  {model.modality}"
    facts = (
        ("surfaces", ", ".join(model.surfaces) or "none"),
        ("also called", ", ".join(model.aliases)),
        ("newer", model.successor or ""),
    )
    lines = [
        paragraph(ink.paint(model.name, "bold") + use, width=width, hanging="  "),
        "",
        paragraph(model.explain(on), width=width),
        "",
        *(f"{name:<12} {value}" for name, value in facts if value),
    ]
    sections = _sections(model, prices)
    for title, claims in sections:
        lines += ["", ink.paint(title, "bold")]
        room = max(len(claim.name) for claim in claims)
        for claim in claims:
            lines += _lines(claim, room=room, width=width, ink=ink)
    if any(claim.contested for _, claims in sections for claim in claims):
        lines += ["", "! Sources disagree; every claim is shown."]
    return "\n".join(lines)


def _lines(claim: _Claim, *, room: int, width: int, ink: Ink) -> list[str]:
    name = f"{'!' if claim.contested else ' '} {claim.name:<{room}}  " if room else "  "
    note = f"{claim.note.rstrip('.')}; " if claim.note else ""
    said = f"{note}{claim.source}; checked {claim.checked}"
    return [
        paragraph(claim.value, width=width, indent=name, hanging=" " * len(name)),
        ink.paint(paragraph(said, width=width, indent="      "), "dim"),
    ]


def _sections(model: Model, prices: Sequence[Price]) -> list[tuple[str, list[_Claim]]]:
    """Every section that has a claim in it."""
    limits = _contested((row.name, row.value) for row in model.limits)
    dates = _contested((row.stage, row.on) for row in model.statuses)
    able = _contested((row.name, row.value) for row in model.capabilities)
    weights = () if model.weights is None else (model.weights,)
    sections = [
        (
            "Weights",
            [_Claim(w.repo, f"{w.licence}, {w.precision}", w.source, w.checked) for w in weights],
        ),
        (
            "Architecture",
            [_Claim("", r.value, r.source, r.checked, r.note) for r in model.architecture],
        ),
        (
            "Status",
            [
                _Claim(str(r.on), _stage(r.stage, r.seen), r.source, r.checked, r.note,
                       r.stage in dates)
                for r in sorted(model.statuses, key=lambda row: row.on)
            ],
        ),
        (
            "Limits",
            [
                _Claim(r.name, f"{r.value:,}", r.source, r.checked, r.note, r.name in limits)
                for r in model.limits
            ],
        ),
        (
            "Quota",
            [_Claim(r.name, _tiers(r.tiers), r.source, r.checked, r.note) for r in model.rates],
        ),
        (
            "Abilities",
            [
                _Claim(r.name, r.value, r.source, r.checked, r.note, r.name in able)
                for r in model.capabilities
            ],
        ),
        ("Prices", _prices(prices)),
    ]  # fmt: skip
    return [(title, claims) for title, claims in sections if claims]


def _contested(claims: Iterable[tuple[str, object]]) -> set[str]:
    """The names that two rows give different values for."""
    return {name for name, count in Counter(name for name, _ in set(claims)).items() if count > 1}


def _stage(stage: str, seen: date | None) -> str:
    return stage.replace("_", " ") + (f", still listed on {seen}" if seen else "")


def _tiers(tiers: dict[str, int]) -> str:
    return ", ".join(f"{tier}: {count:,}" for tier, count in tiers.items())


def _prices(rows: Sequence[Price]) -> list[_Claim]:
    """One claim for each price, whatever the number of surfaces it holds on."""
    surfaces: dict[Price, list[str]] = {}
    for row in rows:
        held = surfaces.setdefault(row.model_copy(update={"surface": None}), [])
        held += [row.surface] if row.surface else []
    doubts = _contested(
        ((f"{row.meter} {row.valid_from} {on}", row.amount) for row, on in surfaces.items()
         if row.basis == "list")
    )  # fmt: skip
    return [
        _Claim(
            row.meter,
            _price(row, on),
            row.source,
            row.checked,
            "; ".join(part for part in (_BASIS[row.basis], (row.note or "").rstrip(".")) if part),
            f"{row.meter} {row.valid_from} {on}" in doubts,
        )
        for row, on in surfaces.items()
    ]


def _price(row: Price, surfaces: list[str]) -> str:
    money = write_money(row.amount, currency=row.currency)
    since = "" if row.valid_from.startswith("0001") else f", from {row.valid_from}"
    until = f" to {row.valid_until}" if row.valid_until else ""
    where = f", on {' and '.join(surfaces)}" if surfaces else ""
    return f"{money} per {row.unit}{since}{until}{where}"
