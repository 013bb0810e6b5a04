"""What a session costs: one row in the ledger for each turn, reserved before its work begins."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import MAIError
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.receipt import Receipt
from mai_sdk.metering.tokens import estimate_tokens
from mai_sdk.metering.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from mai_sdk.engine.steps import Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.wire.live_parts import TokenUsage
    from mai_sdk.wire.session_events import TurnDone

__all__ = ["Bill", "usage_of_turn"]

_TOKENS_HEARD = 10
_TOKENS_SPOKEN = 20
"""Audio tokens a second, in and out, by the pages of Voice Live (2026-09): about."""


class Bill:
    """The receipts of one session."""

    def __init__(self, open_tab: Callable[[str], Tab], *, most: Usage) -> None:
        self.receipts: list[Receipt] = []
        """One for each turn, in order."""
        self.session_id = uuid7()
        """Our own id for the session."""
        self._open_tab = open_tab
        self._tab: Tab | None = None
        self._is_closed = False
        self._nothing = open_tab(self.session_id).receipt()
        self._most = most
        """What one turn can use at most."""

    def stand(self, *, after: bool = False) -> Tab:
        """See to it that a turn is reserved: what follows may be billed.

        Nothing may be sent before `stood` has returned; `after` says that it was sent already, and
        so no budget can refuse it.

        Raises:
            BudgetExceeded: A budget has no room for another turn, and that is known at once.
            LedgerError: It could not be written down, and that is known at once.
        """
        if self._tab is None:
            tab = self._open_tab(self.session_id)
            tab.reserve(lambda: self._most, after=after)
            self._tab = tab
        return self._tab

    def stood(self) -> Generator[Step, Any, None]:
        """Wait until the turn that stands is written down.

        Raises:
            BudgetExceeded: There is no room for it in a budget; nothing may be sent.
            LedgerError: It could not be written down; nothing may be sent.
        """
        tab = self._tab
        if tab is None:
            return
        try:
            yield from tab.reserved()
        except MAIError as error:
            if self._tab is tab:
                self._tab = None
            tab.over(type(error).__name__)
            raise

    def begun(self, request_id: str | None) -> None:
        """Note that the service works at the turn."""
        if self._tab is not None:
            self._tab.answered(request_id)
            self._tab.sent()

    def settle(self, usage: Usage | None, *, request_id: str | None, error: str | None) -> Receipt:
        """Return the receipt of a turn that is over; without usage, nobody knows what it was."""
        tab, self._tab = self._tab, None
        if tab is None:
            tab = self._open_tab(self.session_id)
            tab.reserve(lambda: self._most, after=True)
        tab.request_id = request_id
        tab.settle(usage, error=error)
        tab.over(error)
        receipt = tab.receipt()
        self.receipts.append(receipt)
        return receipt

    def close(self, rest: Usage | None) -> None:
        """Settle what is reserved: with what was used of it, or as released where that is None.

        What was used since the last turn is billed also where nothing was reserved for it, as for
        audio that was sent again after a connection was lost. Only the first time counts.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if rest is not None and (self._tab is not None or rest.basis != "unknown"):
            known = None if rest.basis == "unknown" else rest
            self.settle(known, request_id=None, error=None)
            return
        tab, self._tab = self._tab, None
        if tab is not None:
            tab.settle(None, released=True)
            tab.over()

    @property
    def total(self) -> Receipt:
        """What all turns so far used and cost."""
        attempts = tuple(attempt for each in self.receipts for attempt in each.attempts)
        return Receipt(
            call_id=self.session_id,
            model=self._nothing.model,
            deployment=self._nothing.deployment,
            surface=self._nothing.surface,
            attempts=attempts,
            usage=Usage.sum(attempt.usage for attempt in attempts),
            cost=Cost.sum(attempt.cost for attempt in attempts),
            unrecorded=next((each.unrecorded for each in self.receipts if each.unrecorded), None),
        )


def usage_of_turn(turn: TurnDone) -> Usage:
    """Return what a turn of a conversation used.

    Where the service reports no tokens, as for an answer that was cut off, they are counted from
    what was heard and said; that is the least it can have been, since the conversation before it
    was read, too.
    """
    reported: TokenUsage | None = getattr(turn.raw, "usage", None)
    heard_ms = turn.received_ms if turn.heard_ms is None else turn.heard_ms
    unheard = floor((turn.received_ms - heard_ms) / 1000) if turn.was_interrupted else 0
    seconds = {
        "audio_seconds": ceil(turn.listened_ms / 1000),
        "spoken_seconds": ceil(turn.received_ms / 1000),
        "unheard_seconds": max(unheard, 0),
    }
    if reported is None or (reported.input_tokens is None and reported.output_tokens is None):
        heard = ceil(turn.listened_ms * _TOKENS_HEARD / 1000)
        spoken = ceil(turn.received_ms * _TOKENS_SPOKEN / 1000)
        written = estimate_tokens(turn.agent_text or "").tokens if turn.agent_text else 0
        tokens = {
            "input_tokens": heard,
            "audio_input_tokens": heard,
            "output_tokens": spoken + written,
            "audio_output_tokens": spoken,
        }
        return Usage.from_meters({**tokens, **seconds}, basis="lower_bound")
    return Usage.from_meters({**_tokens(reported), **seconds})


def _tokens(reported: TokenUsage) -> dict[str, int]:
    """Return the tokens by what they were; a cached one is of no other kind, as prices have it."""
    into, out = reported.input_token_details, reported.output_token_details
    cached = into.cached_tokens_details if into is not None else None
    counts = {
        "input_tokens": reported.input_tokens,
        "output_tokens": reported.output_tokens,
        "cached_input_tokens": into.cached_tokens if into is not None else None,
        "reasoning_tokens": out.reasoning_tokens if out is not None else None,
        "audio_output_tokens": out.audio_tokens if out is not None else None,
    }
    for kind in ("text", "audio", "image"):
        number = getattr(into, f"{kind}_tokens", None)
        if number is not None:
            of_these: int = getattr(cached, f"{kind}_tokens", None) or 0
            counts[f"{kind}_input_tokens"] = max(number - of_these, 0)
    return {name: count for name, count in counts.items() if count is not None and count >= 0}
