"""Which exit code means what: one table, shown by `mai --help`."""

from __future__ import annotations

from typing import Final

from mai_sdk.errors import (
    BudgetExceeded,
    ConfigurationError,
    InvalidRequest,
    LedgerError,
    MAIError,
    RateLimited,
)

__all__ = [
    "BROKEN_PIPE",
    "BUDGET",
    "CONFIGURATION",
    "EXIT_CODES",
    "FAILED",
    "INTERRUPTED",
    "OK",
    "TRY_IT",
    "USAGE",
    "code_of",
]

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CONFIGURATION: Final = 3
RATE_LIMITED: Final = 4
BUDGET: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

EXIT_CODES: Final = {
    OK: "done",
    FAILED: "the call failed, or a check found something wrong (doctor, prices check)",
    USAGE: "the command line or the request is wrong; nothing was sent",
    CONFIGURATION: "a setting, key or ledger is missing or wrong; nothing was sent",
    RATE_LIMITED: "the service said to slow down, also after waiting and trying again",
    BUDGET: "a budget has no room for the call; nothing was sent",
    INTERRUPTED: "interrupted with Ctrl-C; what the call had cost was printed",
    BROKEN_PIPE: "whoever read the output went away",
}
"""Code to meaning."""

TRY_IT: Final = "     On this command line: `mai demo`, or add --emulator to `mai reason`."
"""What someone with nothing configured can do at once."""

_BY_ERROR: Final = (
    (RateLimited, RATE_LIMITED),
    (InvalidRequest, USAGE),
    (ConfigurationError, CONFIGURATION),
    (LedgerError, CONFIGURATION),
    (BudgetExceeded, BUDGET),
)


def code_of(error: MAIError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAILED)
