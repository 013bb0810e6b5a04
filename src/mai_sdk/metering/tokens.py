"""How many tokens a text is, before a service has said so.

Exact counts come from the service that runs the model (vLLM's /tokenize, asked by the resource) and
from usage reports. What is counted here is an estimate, and is labelled as one. Nothing here ever
uses the network.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast

from mai_sdk.metering.usage import Quantity
from mai_sdk.value import Value

__all__ = ["TokenCount", "count_with_tiktoken", "estimate_tokens"]

_BYTES_A_TOKEN: Final = 4
_TOKENS_A_MESSAGE: Final = 4

_VOCABULARIES: Final = {
    "o200k_base": (
        "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
"""Where tiktoken gets a vocabulary, which names its file on disk, and the SHA-256 it expects. A
file of another content it would delete and download again."""


class TokenCount(Value):
    """A number of tokens, and how it was come by."""

    tokens: Quantity
    basis: Literal["exact", "estimated"]
    """"exact" only where the model's own tokenizer counted."""
    method: str
    """How it was counted, and what was left out: "UTF-8 bytes / 4; 2 parts not counted"."""


def estimate_tokens(content: str | Sequence[Mapping[str, Any]]) -> TokenCount:
    """Return about how many tokens a text, or a list of chat messages, is.

    One token for every four bytes of UTF-8, rounded up, and four tokens for every message. That
    is 0.25 a letter of English, 0.5 of Greek, Cyrillic or Arabic, and 0.75 a Chinese, Japanese or
    Korean character. DeepSeek's rule of thumb for its own models, on which MAI-DS-R1 stands, is
    0.3 a letter and 0.6 a Chinese character (api-docs.deepseek.com/quick_start/token_usage): by
    it this is a sixth too low for English and a quarter too high for Chinese. Digits,
    punctuation, minified code and rare scripts take more tokens, up to one a character, so leave
    room where a limit depends on it. More text never gives fewer tokens.

    Text, names and tool calls of messages are counted; images and other parts are not, because
    what they come to is not known, and `method` says how many there were.
    """
    method = f"UTF-8 bytes / {_BYTES_A_TOKEN}"
    if isinstance(content, str):
        return TokenCount(tokens=_tokens_in(content), basis="estimated", method=method)
    tokens, skipped = 0, 0
    for message in content:
        texts, others = _texts_of(message)
        tokens += _TOKENS_A_MESSAGE + sum(map(_tokens_in, texts))
        skipped += others
    method += f" + {_TOKENS_A_MESSAGE} a message"
    if skipped:
        method += f"; {skipped} part{'s' if skipped > 1 else ''} not counted"
    return TokenCount(tokens=tokens, basis="estimated", method=method)


def count_with_tiktoken(text: str, *, encoding: str = "o200k_base") -> TokenCount | None:
    """Return the count by tiktoken, or None where it could not count without a download.

    tiktoken must be installed, and the vocabulary loaded already or on disk in the folder it
    looks in (TIKTOKEN_CACHE_DIR, else DATA_GYM_CACHE_DIR, else "data-gym-cache" in the folder for
    temporary files), whole and unchanged. No MAI model is known to use an encoding of
    tiktoken's, so the basis is "estimated": closer than counting bytes, not exact.
    """
    try:
        tiktoken = importlib.import_module("tiktoken")
        loaded = cast("dict[str, Any]", importlib.import_module("tiktoken.registry").ENCODINGS)
    except ImportError:
        return None
    if encoding not in loaded and not _is_on_disk(encoding):
        return None
    tokens = tiktoken.get_encoding(encoding).encode(text, disallowed_special=())
    return TokenCount(tokens=len(tokens), basis="estimated", method=f"tiktoken {encoding}")


def _tokens_in(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)


def _texts_of(message: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return the texts of one message, and how many of its parts are none."""
    content = message.get("content")
    parts = cast("Sequence[Any]", content) if isinstance(content, list) else [content or ""]
    texts = [part if isinstance(part, str) else _text_of_part(part) for part in parts]
    calls = cast("Sequence[Any]", message.get("tool_calls") or [])
    functions = [_inside(call, "function") for call in calls]
    said = [message.get("name"), message.get("tool_call_id"), message.get("reasoning_content")]
    said += [_inside(function, key) for function in functions for key in ("name", "arguments")]
    texts += [text for text in said if isinstance(text, str)]
    return [text for text in texts if text is not None], sum(text is None for text in texts)


def _text_of_part(part: object) -> str | None:
    text = _inside(part, "text")
    return text if isinstance(text, str) else None


def _inside(value: object, key: str) -> Any:
    return cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None


def _is_on_disk(encoding: str) -> bool:
    """Whether tiktoken would find the vocabulary where it keeps it, and keep it."""
    if encoding not in _VOCABULARIES:
        return False
    address, digest = _VOCABULARIES[encoding]
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False  # tiktoken takes this to mean: never keep, always download
    default = Path(tempfile.gettempdir()) / "data-gym-cache"
    name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    path = (Path(folder) if folder else default) / name
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False
