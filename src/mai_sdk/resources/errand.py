"""One call of an official client: however many requests it makes, they are one operation.

The client marks where its call begins and ends; the transport below it, which sees only requests,
finds the errand in the context it runs in. No I/O.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.engine.tab import Tab

__all__ = ["Errand", "current_errand"]


class Passing(Protocol):
    """An answer that may not be settled yet."""

    def abandoned(self) -> None:
        """Settle it as it stands, if it is not settled."""
        ...


class Errand:
    """The tab that the attempts of one call share.

    Args:
        is_alone: Whether its first request is all there is of it, because nobody says where the
            call ends: the client below was taken out and used by itself.
    """

    def __init__(self, *, is_alone: bool = False) -> None:
        self._is_alone = is_alone
        self._tab: Tab | None = None
        self._answer: Passing | None = None

    def tab(self, open_tab: Callable[[], Tab]) -> Tab:
        """Return the call's tab for its next attempt; the one before it is over."""
        self._rest()
        if self._tab is None:
            self._tab = open_tab()
        return self._tab

    def holds(self, answer: Passing) -> None:
        """Note that an answer is on its way to the caller."""
        self._answer = answer

    def failed(self, error: str | None) -> None:
        """Note that an attempt failed, which the client may try again."""
        if self._is_alone and self._tab is not None:
            self._tab.over(error)

    def ended(self, error: BaseException) -> None:
        """Note that the client gave up; what the last attempt met is why."""
        self._rest()
        if self._tab is not None:
            attempts = self._tab.receipt().attempts
            last = attempts[-1].error if attempts else None
            self._tab.over(last or type(error).__name__)

    def _rest(self) -> None:
        """Settle an answer that was neither read nor closed."""
        if self._answer is not None:
            self._answer.abandoned()
            self._answer = None


_current: ContextVar[Errand | None] = ContextVar("mai_sdk_errand", default=None)


def current_errand() -> ContextVar[Errand | None]:
    """Return the variable that holds the errand of the running call; None outside of one."""
    return _current
