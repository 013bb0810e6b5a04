"""What a Postgres server has to say when something fails, as a LedgerError. No I/O.

The server's own sentence is repeated, and never what it says about a row or its values.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg

from mai_sdk.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Generator

    from mai_sdk.errors import LedgerReason

__all__ = ["ledger_error"]

_LOCKED: Final = "another program has held it locked for 10 seconds. Find it, and call again."
_GONE: Final = "check that the server runs and lets this user in, then call again."
_FAULTS: Final[dict[str, tuple[LedgerReason, str]]] = {
    "08": ("unreachable", _GONE),
    "22": ("refused", "the row does not fit."),
    "23": ("refused", "the row does not fit."),
    "25006": ("read_only", "it cannot be written. Give the address of the primary server."),
    "40001": ("locked", _LOCKED),
    "40P01": ("locked", _LOCKED),
    "42501": ("read_only", "give the user the schema mai_sdk, and the right to write there."),
    "53100": ("full", "the server's disk is full. Make room, and call again."),
    "53": ("unreachable", "the server has no room for more. Close connections, and call again."),
    "55P03": ("locked", _LOCKED),
    "57014": ("locked", _LOCKED),
    "57": ("unreachable", _GONE),
    "XX": ("damaged", "the database is damaged. See the server's log."),
}
"""By SQLSTATE or its class (postgresql.org/docs/current/errcodes-appendix.html): what it is, and
what to do about it."""


@contextmanager
def ledger_error(deed: str, place: str) -> Generator[None]:
    """Raise what Postgres has to say as a LedgerError: a sentence, and its `reason`."""
    try:
        yield
    except psycopg.Error as error:
        reason, advice = _fault(error)
        raise LedgerError(
            f"Could not {deed} the ledger {place} ({_said(error)}): {advice}", reason=reason
        ) from error
    except UnicodeError as error:
        raise LedgerError(
            f"Could not {deed} the ledger {place}: the row does not fit (a text in it is not "
            f"Unicode).",
            reason="refused",
        ) from error


def _fault(error: psycopg.Error) -> tuple[LedgerReason, str]:
    code = error.sqlstate or ""
    if not code and isinstance(error, psycopg.OperationalError):
        return "unreachable", _GONE
    if not code and isinstance(error, psycopg.DataError):
        return _FAULTS["22"]
    return _FAULTS.get(code) or _FAULTS.get(code[:2]) or ("other", "see the server's log.")


def _said(error: psycopg.Error) -> str:
    """Return the first sentence alone: a DETAIL may show the row."""
    said = error.diag.message_primary or str(error).partition("\nDETAIL")[0]
    return " ".join(said.split()) or type(error).__name__
