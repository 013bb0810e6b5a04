"""Keeps secrets and prompts out of what is shown.

Services echo what they were sent: a key in a 401, a prompt in a validation error. Whatever text
came from outside passes through here before it becomes part of an error.

An echo is seldom the text itself: white space was collapsed, quotes were escaped, the middle was
left out, the end was cut. So both sides are compared with white space made equal, and every long
enough piece of what must not show counts, not only the whole.
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
_SECRET_PIECE = 8
_PROMPT_PIECE = 24
"""So many consecutive characters are an echo also where the rest of the text is missing."""


def redact(text: str, *, secrets: Iterable[str], prompts: Iterable[str]) -> str:
    """Return `text` with every secret and prompt, and every long piece of one, as `***`.

    A text in which nothing was found comes back as it was; else its white space is collapsed.
    """
    return _redact(text, secrets=tuple(secrets), forms=_forms(prompts))


def redact_error(error: CallFailed, *, secrets: Iterable[str], prompts: Iterable[str]) -> None:
    """Clean everything on `error` that a service may have written."""
    secrets, forms = tuple(secrets), _forms(prompts)
    error.message = _redact(error.message, secrets=secrets, forms=forms)
    error.args = (error.message,)
    for name in ("body", "code", "kind", "param"):
        value = getattr(error, name)
        if value is not None:
            setattr(error, name, _redact(value, secrets=secrets, forms=forms))


def _redact(text: str, *, secrets: tuple[str, ...], forms: frozenset[str]) -> str:
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    text = _hide(text, secrets, shortest=_SECRET_PIECE, piece=_SECRET_PIECE)
    return _hide(text, forms, shortest=_SHORTEST_PROMPT, piece=_PROMPT_PIECE)


def _forms(prompts: Iterable[str]) -> frozenset[str]:
    """The prompts as they are, and as Python, JSON and HTML write them when they quote them."""
    return frozenset(
        _flat(form)
        for prompt in set(prompts)
        for form in (
            prompt,
            repr(prompt)[1:-1],
            json.dumps(prompt)[1:-1],
            json.dumps(prompt, ensure_ascii=False)[1:-1],
            prompt.replace("\n", "\\n"),
            html.escape(prompt),
            html.escape(prompt, quote=False),
            html.escape(prompt).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        )
    )


def _flat(text: str) -> str:
    """Return the text as `wire.said.clean` leaves it: one line, no control characters."""
    text = " ".join(text.split())
    if not text.isprintable():
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text


def _hide(text: str, needles: Iterable[str], *, shortest: int, piece: int) -> str:
    """Replace each needle of `shortest` to `piece` characters, and each `piece` of a longer one."""
    flat = _flat(text)
    grams = {flat[at : at + piece] for at in range(len(flat) - piece + 1)}
    found: set[str] = set()
    for needle in needles:
        if shortest <= len(needle) < piece:
            found.add(needle)
        elif len(needle) >= piece:
            found |= _shared(grams, needle, piece)
    hidden = bytearray(len(flat))
    for part in found:
        at = flat.find(part)
        while at >= 0:
            hidden[at : at + len(part)] = b"\1" * len(part)
            at = flat.find(part, at + 1)
    return _masked(flat, hidden) if any(hidden) else text


def _shared(grams: set[str], needle: str, piece: int) -> set[str]:
    """Return those of `grams`, each `piece` long, that occur in `needle`.

    Wherever a gram lies in the needle, it covers a whole block that begins at a multiple of half
    its length. Only blocks are looked up, so a megabyte takes milliseconds; around a block that is
    known, each place a gram may begin is tried. The work is bounded by the needle's length.
    """
    half = piece // 2
    blocks = {gram[at : at + half] for gram in grams for at in range(half + 1)}
    return {
        gram
        for block in range(0, len(needle) - half + 1, half)
        if needle[block : block + half] in blocks
        for begin in range(max(0, block - half), block + 1)
        if (gram := needle[begin : begin + piece]) in grams
    }


def _masked(flat: str, hidden: bytearray) -> str:
    shown: list[str] = []
    for at, char in enumerate(flat):
        if not hidden[at]:
            shown.append(char)
        elif at == 0 or not hidden[at - 1]:
            shown.append("***")
    return "".join(shown)
