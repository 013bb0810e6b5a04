"""What a caller asked for, and the check of all that needs neither route nor model. No I/O.

A type checker refuses most of this, too; whoever has none still gets a sentence, and gets it
before anything is sent. No sentence repeats a value that could be a prompt or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from mai_sdk.config import Timeouts
    from mai_sdk.resources.messages import Image, Prompt
    from mai_sdk.resources.tools import ToolLike

__all__ = ["Ask", "check_ask", "check_extras"]

# RFC 9110: section 5.6.2 (a name is a token) and 5.5 (no control character, no space around it).
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
_KEY_HEADERS = frozenset({"authorization", "api-key", "ocp-apim-subscription-key"})
_LINE_HEADERS = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(slots=True, kw_only=True)
class Ask:
    """What a caller asked for, as it was passed."""

    prompt: Prompt = field(repr=False)
    model: str | None = None
    instructions: str | None = field(default=None, repr=False)
    images: Image | Iterable[Image] = field(default=(), repr=False)
    tools: ToolLike | Iterable[ToolLike] | None = None
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Any = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_display: str | None = None
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)


def check_ask(ask: Ask) -> None:
    """Return if the plain arguments can be sent; prompt, images and tools are checked elsewhere.

    Raises:
        InvalidRequest: One cannot; the text names it.
    """
    _check_words(ask)
    if ask.max_output_tokens is not None or ask.temperature is not None:
        _check_numbers(ask.max_output_tokens, ask.temperature)
    check_extras(ask.model, ask.tags, ask.extra_headers, extra_body=ask.extra_body)


def check_extras(model: object, tags: object, extra_headers: object, **extra: object) -> None:
    """Return if what every call takes can be sent; `extra` are mappings by their arguments' names.

    Raises:
        InvalidRequest: One cannot; the text names it.
    """
    if model is not None and not (isinstance(model, str) and model.strip()):
        raise InvalidRequest(
            f"model is {_kind(model)}. Pass the name of a model, a route or a deployment, or leave "
            "it out."
        )
    if isinstance(model, str) and "\0" in model:
        raise InvalidRequest("model has a NUL character, which not every database keeps.")
    if tags is not None:
        pairs = _mapping("tags", tags).items()
        if not all(isinstance(text, str) and "\0" not in text for pair in pairs for text in pair):
            raise InvalidRequest("tags must be a mapping of text to text, without NUL.")
    for argument, fields in extra.items():
        if fields is not None and not all(
            isinstance(name, str) for name in _mapping(argument, fields)
        ):
            raise InvalidRequest(f"{argument} has a name that is no text.")
    if extra_headers is not None:
        for name, value in _mapping("extra_headers", extra_headers).items():
            _check_header(name, value)


def _check_words(ask: Ask) -> None:
    choice: Any = ask.tool_choice
    if choice is not None and not isinstance(choice, (str, Mapping)):
        raise InvalidRequest(f"tool_choice is {_kind(choice)}. It is a text or a mapping.")
    display: Any = ask.reasoning_display
    if display is not None and not isinstance(display, str):
        raise InvalidRequest(f'reasoning_display is {_kind(display)}. It is "encrypted" or absent.')


def _check_numbers(limit: object, temperature: object) -> None:
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise InvalidRequest(f"max_output_tokens is {_kind(limit)}. It is a whole number.")
        if limit < 1:
            raise InvalidRequest(f"max_output_tokens is {limit}. It is a whole number from 1 up.")
    if temperature is not None:
        if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
            raise InvalidRequest(f"temperature is {_kind(temperature)}. It is a number.")
        if not 0 <= temperature <= 2:
            raise InvalidRequest(f"temperature is {temperature}. It lies between 0 and 2.")


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise InvalidRequest(
            "extra_headers has a name that cannot be sent. Use ASCII letters, digits and hyphens."
        )
    if name.lower() in _KEY_HEADERS:
        raise InvalidRequest(
            f"extra_headers has {name!r}, which authenticates. Keys go only where they belong: use "
            "the key settings, such as foundry_api_key, or credential."
        )
    if name.lower() in _LINE_HEADERS:
        raise InvalidRequest(f"extra_headers has {name!r}, which the connection sets itself.")
    if not isinstance(value, str):
        raise InvalidRequest(f"The header {name!r} is {_kind(value)}. Its value must be text.")
    if not _HEADER_VALUE.fullmatch(value):
        raise InvalidRequest(
            f"The header {name!r} cannot be sent: its value has a line break, a space at its end, "
            "a control character or one outside ASCII."
        )


def _mapping(name: str, value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} is {_kind(value)}. Pass a mapping, such as a dict.")
    return cast("Mapping[str, Any]", value)


def _kind(value: object) -> str:
    return "blank" if isinstance(value, str) and not value.strip() else f"a {type(value).__name__}"
