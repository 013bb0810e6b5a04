"""What the logger `mai_sdk` says of calls: at INFO one line each, at DEBUG each attempt, too.

Names, numbers and money only. A prompt, an answer or a key cannot get in: nothing here is given
one. What the records are made of is in `extra`: `record.receipt`, or `record.attempt`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mai_sdk.engine.watching import Over
    from mai_sdk.metering.ledger import Operation
    from mai_sdk.metering.receipt import Attempt

__all__ = ["log_attempt", "log_over", "says_attempts", "says_calls"]

_log = logging.getLogger("mai_sdk")


def says_calls() -> bool:
    """Whether anybody wants a line for each call."""
    return _log.isEnabledFor(logging.INFO)


def says_attempts() -> bool:
    """Whether anybody wants a line for each attempt."""
    return _log.isEnabledFor(logging.DEBUG)


def log_over(over: Over) -> None:
    """Say how a call ended."""
    operation, receipt = over.operation, over.receipt
    attempts = len(receipt.attempts)
    _log.info(
        "%s %s: %s, %d attempt%s, %s, %.0f ms (call %s)",
        _what(operation),
        operation.verb,
        over.error or "done",
        attempts,
        "" if attempts == 1 else "s",
        receipt.cost,
        over.timing.total * 1000,
        operation.call_id,
        extra={"receipt": receipt},
    )


def log_attempt(operation: Operation, attempt: Attempt) -> None:
    """Say how an attempt was settled."""
    _log.debug(
        "%s %s attempt %d: %s, %s, %s, %.0f ms (call %s)",
        _what(operation),
        operation.verb,
        attempt.number,
        attempt.status or "no answer",
        attempt.error or attempt.state,
        attempt.cost,
        attempt.seconds * 1000,
        operation.call_id,
        extra={"attempt": attempt},
    )


def _what(operation: Operation) -> str:
    return operation.model or operation.deployment or operation.surface
