"""A model's status as a sentence: what an unanswered call is explained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from mai_sdk.catalog.model import Model, Status

__all__ = ["explain"]

_STAGES = {
    "announced": "was announced on {on} ({source}), and general access to it is not confirmed",
    "private_preview": "is in private preview since {on} ({source}): only subscriptions that "
    "were let in have it",
    "open_weights": "is not served by Azure",
    "preview": "is in public preview since {on} ({source})",
    "retirement_scheduled": "may be gone: its retirement was scheduled for {on} ({source})",
    "retired": "was retired on Azure on {on} ({source})",
}
_ENDED = ("retirement_scheduled", "retired")


def explain(model: Model, on: date) -> str:
    """Return one sentence on `model` as it stood on that day."""
    status = model.status(on)
    if not model.surfaces:
        said = f"{model.name} was never served by a public API"
    elif status is None:
        said = f"nothing is known of {model.name} on {on}"
    else:
        said = f"{model.name} " + _STAGES[status.stage].format(on=status.on, source=status.source)
        said += _contradictions(model, status) + _outlook(model, on)
    if model.note and (status is None or status.stage not in (*_ENDED, "preview")):
        said += f"; {model.note}"
    return said + _way_out(model, status) + "."


def _contradictions(model: Model, status: Status) -> str:
    """What other sources say of the end: another day, or that they still listed it after."""
    if status.stage not in _ENDED:
        return ""
    others = [row for row in model.statuses if row.stage == status.stage and row.on != status.on]
    day = "on" if status.stage == "retired" else "for"
    said = "".join(f", or {day} {row.on} ({row.source})" for row in others)
    seen = [row for row in model.statuses if row.seen is not None and row.stage not in _ENDED]
    last = max(seen, key=lambda row: row.seen or row.on, default=None)
    earliest = min(row.on for row in (status, *others))
    if last is not None and last.seen is not None and last.seen > earliest:
        said += f", although it was still listed on {last.seen} ({last.source})"
    return said


def _outlook(model: Model, on: date) -> str:
    """The next end that is scheduled, if it lies ahead."""
    ends = [row for row in model.statuses if row.stage == "retirement_scheduled" and row.on > on]
    end = min(ends, key=lambda row: row.on, default=None)
    return f", and its retirement is scheduled for {end.on} ({end.source})" if end else ""


def _way_out(model: Model, status: Status | None) -> str:
    """What to use instead, or what to look at."""
    if model.weights is not None:
        weights = model.weights
        return f"; its weights are open ({weights.repo}, {weights.licence}): serve it with vLLM"
    ended = status is not None and status.stage in _ENDED
    if model.successor is not None:
        kind = "its successor" if ended or not model.surfaces else "a newer one"
        return f"; {kind} is {model.successor}"
    if ended:
        return "; no successor is known"
    return "; check the name that was sent, and the region" if model.surfaces else ""
