"""The words of a failure, taken out of whatever body they came in. No I/O.

Whatever leaves here may be shown and logged: what the service repeats of the caller's input
(vLLM's validation errors do) is cut off, keys are masked, control characters are gone, and the
length is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mai_sdk.wire.shapes import as_list, as_object

__all__ = ["Said", "clean", "read_said"]

_MAX_MESSAGE = 400
# What follows these words, to the end of the line, is the caller's own input.
_ECHO = re.compile(r",?\s*(?:['\"]input['\"]\s*:|\binput_value\s*=).*")
_KEY = re.compile(r"(?i)\b(bearer\s+|api[-_ ]?key(?: provided)?\s*[:=]\s*|sk-)[^\s'\",;)]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a service said about a failure, field by field; None where it said nothing."""

    message: str | None = None
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    reason: str | None = None
    """The code inside Azure's `innererror`, which is the more exact one."""

    @property
    def number(self) -> int | None:
        """The code as an HTTP failure status, where it is one."""
        if self.code is not None and self.code.isascii() and self.code.isdigit():
            number = int(self.code[:4])
            return number if 400 <= number <= 599 else None
        return None

    @property
    def words(self) -> set[str]:
        """Code, reason and kind in one spelling: lower case, without separators."""
        return {
            re.sub(r"[\W_]", "", word).lower()
            for word in (self.code, self.reason, self.kind)
            if word
        }


def clean(text: str, *, limit: int = _MAX_MESSAGE) -> str:
    """Return text fit to be shown: one line, no control characters, no keys, not too long."""
    shown = "".join(char if char.isprintable() else " " for char in text[: limit * 8])
    text = " ".join(shown.split())
    text = _KEY.sub(lambda match: match[1] + "***", text)
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def read_said(raw: Any) -> Said | None:
    """Return what a parsed body says; None if it has none of the known shapes.

    Known are: an `error` object or text, FastAPI's `detail` text or list, `message` and `code` at
    the top, a bare text, and a list of any of these (its first entry counts).
    """
    if isinstance(raw, str):
        return Said(message=_message(raw)) if raw.strip() else None
    if entries := as_list(raw):
        return read_said(entries[0])
    body = as_object(raw)
    error = body.get("error")
    if isinstance(error, str):
        return Said(message=_message(body.get("message")) or _message(error), code=_text(error))
    if isinstance(error, dict):
        return _fields(as_object(error))
    if body.get("detail"):
        return Said(message=_detail(body["detail"]))
    if any(body.get(name) is not None for name in ("message", "code", "type")):
        return _fields(body)
    return None


def _fields(error: dict[str, Any]) -> Said:
    inner = as_object(error.get("innererror") or error.get("inner_error"))
    return Said(
        message=_message(error.get("message")),
        code=_text(error.get("code")),
        kind=_text(error.get("type")),
        param=_text(error.get("param")),
        reason=_text(inner.get("code")),
    )


def _detail(detail: Any) -> str | None:
    """Return FastAPI's `detail`, a text or a list of {loc, msg, input}, without the input."""
    if isinstance(detail, str):
        return _message(detail)
    parts: list[str] = []
    for entry in map(as_object, as_list(detail)[:5]):
        path = ".".join(str(step) for step in as_list(entry.get("loc")))
        said = str(entry.get("msg") or entry.get("type") or "not valid")
        parts.append(f"{path}: {said}" if path else said)
    return _message("; ".join(parts))


def _message(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return clean("\n".join(_ECHO.sub("", line) for line in value.split("\n"))) or None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return clean(str(value), limit=100)
