"""Keeps secrets and prompts out of what is shown.

Services echo what they were sent: a key in a 401, a prompt in a validation error. Whatever text
came from outside passes through here before it becomes part of an error.
"""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mai_sdk.errors import CallFailed

__all__ = ["redact", "redact_error"]

_SHORTEST_SECRET = 4
_SHORTEST_PROMPT = 8
"""Shorter texts ("Hi", "yes") would tear holes into ordinary words and give nothing away."""


def redact(text: str, *, secrets: Iterable[str], prompts: Iterable[str]) -> str:
    """Return `text` with every secret, and every prompt of some length, replaced by `***`."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    for prompt in sorted(prompts, key=len, reverse=True):
        if len(prompt) >= _SHORTEST_PROMPT:
            for form in _forms(prompt):
                text = text.replace(form, "***")
    return text


def _forms(prompt: str) -> tuple[str, ...]:
    """The prompt as it is, and as Python, JSON and HTML write it when they quote it."""
    return (
        prompt,
        repr(prompt)[1:-1],
        json.dumps(prompt)[1:-1],
        json.dumps(prompt, ensure_ascii=False)[1:-1],
        prompt.replace("\n", "\\n"),
        html.escape(prompt),
    )


def redact_error(error: CallFailed, *, secrets: Iterable[str], prompts: Iterable[str]) -> None:
    """Clean everything on `error` that a service may have written."""
    secrets, prompts = tuple(secrets), tuple(prompts)
    error.message = redact(error.message, secrets=secrets, prompts=prompts)
    error.args = (error.message,)
    for name in ("body", "code", "kind", "param"):
        value = getattr(error, name)
        if value is not None:
            setattr(error, name, redact(value, secrets=secrets, prompts=prompts))
