"""What a cascade costs: the receipts of ears, brain and mouth, joined turn by turn.

Each part is a call of its own in the ledger, reserved and settled by the code that makes it; the
id of the session finds them together. Here nothing is written, only added up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CascadeBill"]


class _Call(Protocol):
    @property
    def receipt(self) -> Receipt: ...


class CascadeBill:
    """The receipts of one session."""

    def __init__(self, session_id: str, *, model: str | None) -> None:
        self.receipts: list[Receipt] = []
        """One for each turn, in order; the last one may be for what was in no turn."""
        self._session_id = session_id
        self._model = model
        self._open: dict[str, list[_Call]] = {}
        self._joined: set[str] = set()

    def made(self, response_id: str, call: _Call) -> None:
        """Note that a call is made for the answer."""
        self._open.setdefault(response_id, []).append(call)

    def settle(self, response_id: str | None, heard: Iterable[Receipt]) -> Receipt:
        """Return the receipt of a turn that is over, with what the ears took for it."""
        calls = self._open.pop(response_id, []) if response_id is not None else []
        return self._join([*heard, *(call.receipt for call in calls)])

    def close(self, heard: Iterable[Receipt]) -> None:
        """Join what is in no turn: the ears' receipts, silence included, and calls still open."""
        rest = [*heard, *(call.receipt for calls in self._open.values() for call in calls)]
        self._open.clear()
        if any(attempt.id not in self._joined for each in rest for attempt in each.attempts):
            self._join(rest)

    @property
    def total(self) -> Receipt:
        """What all turns so far used and cost."""
        return self._receipt(self._session_id, self.receipts)

    def _join(self, parts: list[Receipt]) -> Receipt:
        fresh = [
            each.model_copy(
                update={"attempts": tuple(a for a in each.attempts if a.id not in self._joined)}
            )
            for each in parts
        ]
        joined = self._receipt(f"{self._session_id}-{len(self.receipts) + 1}", fresh)
        self._joined.update(attempt.id for attempt in joined.attempts)
        self.receipts.append(joined)
        return joined

    def _receipt(self, call_id: str, parts: list[Receipt]) -> Receipt:
        attempts = tuple(attempt for each in parts for attempt in each.attempts)
        return Receipt(
            call_id=call_id,
            model=self._model,
            deployment=None,
            surface="cascade",
            attempts=attempts,
            usage=Usage.sum(attempt.usage for attempt in attempts),
            cost=Cost.sum(attempt.cost for attempt in attempts),
            unrecorded=next((each.unrecorded for each in parts if each.unrecorded), None),
        )
