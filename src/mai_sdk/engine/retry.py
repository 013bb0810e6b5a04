"""When to try again, and how long to wait first.

Rule of this file: arithmetic only. No clock and no sleep, so every retry story is a table in
`tests/engine/test_engine_retry.py`.

A failure falls in one of three classes, and the class decides (reference: the AWS and Google SRE
retry guidance):

- *not sent*: the work surely did not begin; free to repeat.
- *rejected*: the service said "not now" without working (429, 503); repeat within the quota.
- *unknown*: the request went out and nobody knows whether it ran. Repeating may pay twice, so it
  is done at most once, and the first try stays on the receipt.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mai_sdk.engine.steps import Certainty

__all__ = ["RetryPolicy", "RetryQuota", "certainty_of_status", "may_have_run"]

_REJECTED = frozenset({429, 503, 1012, 1013, 4429, 4503})
_UNKNOWN = frozenset({408, 500, 502, 504, 1000, 1001, 1005, 1006, 1008, 1011, 4408, 4500})
"""Above 999 are the codes a WebSocket is closed with: 1012 is "restarting", 1013 "later"."""


def certainty_of_status(status: int) -> Certainty | None:
    """Return the failure class of an HTTP status or close code; None if repeating cannot help.

    424 is left out on purpose: Azure uses it for a failed dependency of the same request.
    """
    if status in _REJECTED:
        return "rejected"
    if status in _UNKNOWN or 520 <= status <= 529:
        return "unknown"
    return None


def may_have_run(status: int) -> bool:
    """Say whether a refusal with this status may have done, and billed, work.

    503 is a plain "not now". 408, 424 and 499 are said by something in front of the service.
    """
    if status >= 1000:
        return status not in _REJECTED
    return (status >= 500 and status != 503) or status in {408, 424, 499}


class RetryQuota:
    """A budget of retries shared by all calls of one client, so an outage cannot triple the load.

    Every retry takes from it, every success gives a little back. The figures are the ones of the
    AWS SDKs' standard mode (500; 14 for a failure, 5 for throttling; 1 back): at 100 % failure
    1,000 calls make about 35 retries.
    """

    __slots__ = ("_left", "_lock", "capacity")

    def __init__(self, capacity: int = 500) -> None:
        self.capacity = capacity
        self._left = capacity
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """What is left of it."""
        return self._left

    def take(self, certainty: Certainty) -> bool:
        """Pay for one retry; False, and nothing taken, if there is not enough left."""
        price = 5 if certainty == "rejected" else 14
        with self._lock:
            if self._left < price:
                return False
            self._left -= price
            return True

    def give_back(self) -> None:
        """Put a little back after a success."""
        if self._left < self.capacity:
            with self._lock:
                self._left = min(self.capacity, self._left + 1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long to wait."""

    max_retries: int = 2
    """Tries after the first, whatever the failure."""
    max_unknown_retries: int = 1
    """Of those, how many may follow a failure that may have cost something."""
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    max_retry_after: float = 60.0
    """A longer wait asked for by the service is not slept through: the call fails at once and the
    error carries `retry_after`."""

    def wait_before_retry(
        self,
        certainty: Certainty,
        *,
        attempt: int,
        unknown_so_far: int,
        retry_after: float | None,
        remaining: float | None,
    ) -> float | None:
        """Return the seconds to wait before trying again, or None to give up.

        Args:
            certainty: The class of the failure just seen.
            attempt: Its number, 1 for the first.
            unknown_so_far: How many attempts of this call ended *unknown*, this one included.
            retry_after: What the service asked for, in seconds.
            remaining: What is left of the call's total time.
        """
        if attempt > self.max_retries or unknown_so_far > self.max_unknown_retries:
            return None
        if certainty == "unknown" and unknown_so_far == 0:
            raise ValueError("unknown_so_far counts this failure too")
        if retry_after is not None:
            wait = retry_after if retry_after <= self.max_retry_after else None
        else:
            wait = self._backoff(attempt)
        if wait is None or (remaining is not None and wait >= remaining):
            return None
        return wait

    def _backoff(self, attempt: int) -> float:
        """Full jitter: anywhere between 0 and the exponential bound."""
        from tenacity import RetryCallState, Retrying
        from tenacity.wait import wait_random_exponential

        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt
        return wait_random_exponential(multiplier=self.base_seconds, max=self.cap_seconds)(state)
