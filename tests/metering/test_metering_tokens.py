"""Token counts before a call: labelled, and never by a download."""

from __future__ import annotations

import base64
import hashlib
import math
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mai_sdk.metering.tokens as module
from mai_sdk.metering.tokens import count_with_tiktoken, estimate_tokens

TINY = "https://vocabulary.invalid/tiny.tiktoken"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was about to be downloaded")

    monkeypatch.setattr("tiktoken.load.read_file", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give tiktoken an empty folder, no loaded vocabulary, and a tiny encoding of single bytes."""
    registry = pytest.importorskip("tiktoken.registry")
    load = pytest.importorskip("tiktoken.load")

    def tiny() -> dict[str, Any]:
        ranks = load.load_tiktoken_bpe(TINY, expected_hash=digest)
        return {
            "name": "tiny",
            "pat_str": r"(?s:.)",
            "mergeable_ranks": ranks,
            "special_tokens": {"<|endoftext|>": 256},
        }

    body = b"".join(base64.b64encode(bytes([n])) + f" {n}\n".encode() for n in range(256))
    digest = hashlib.sha256(body).hexdigest()
    monkeypatch.setattr(registry, "ENCODINGS", {})
    monkeypatch.setattr(registry, "ENCODING_CONSTRUCTORS", {"tiny": tiny})
    monkeypatch.setitem(module._VOCABULARIES, "tiny", (TINY, digest))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)
    (tmp_path / "the-body").write_bytes(body)
    return tmp_path


def name_of(address: str) -> str:
    return hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text())
def test_more_text_never_gives_fewer_tokens(text: str, more: str) -> None:
    count = estimate_tokens(text)
    assert 0 <= count.tokens <= estimate_tokens(text + more).tokens
    assert count.tokens == math.ceil(len(text.encode()) / 4)
    assert count.basis == "estimated"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=20))
def test_more_messages_never_give_fewer_tokens(texts: list[str], more: str) -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    longer = [*messages, {"role": "assistant", "content": more}]
    assert 0 <= estimate_tokens(messages).tokens < estimate_tokens(longer).tokens


def test_a_lone_surrogate_is_counted_and_not_fatal() -> None:
    assert estimate_tokens("\ud800").tokens == 1


def test_names_and_tool_calls_of_messages_are_counted() -> None:
    bare = estimate_tokens([{"role": "assistant", "content": None}])
    call = {"id": "1", "function": {"name": "look", "arguments": '{"at": "it"}'}}
    full = estimate_tokens([{"role": "assistant", "content": None, "tool_calls": [call]}])
    assert bare.tokens == 4
    assert full.tokens == 4 + 1 + 3


def test_parts_that_are_no_text_are_not_counted_and_the_method_says_so() -> None:
    text = {"type": "text", "text": "abcd"}
    image = {"type": "image_url", "image_url": {"url": "data:" + "x" * 1000}}
    count = estimate_tokens([{"role": "user", "content": [text, image, image]}])
    assert count.tokens == 4 + 1
    assert count.method == "UTF-8 bytes / 4 + 4 a message; 2 parts not counted"


@pytest.mark.usefixtures("no_network")
def test_without_the_vocabulary_on_disk_tiktoken_counts_nothing(cache: Path) -> None:
    assert count_with_tiktoken("hello") is None
    assert count_with_tiktoken("hello", encoding="tiny") is None
    assert count_with_tiktoken("hello", encoding="no such encoding") is None


@pytest.mark.usefixtures("no_network")
def test_with_the_vocabulary_on_disk_tiktoken_counts_and_is_still_an_estimate(cache: Path) -> None:
    (cache / "the-body").rename(cache / name_of(TINY))
    count = count_with_tiktoken("hello <|endoftext|>", encoding="tiny")
    assert count is not None
    assert (count.tokens, count.basis, count.method) == (19, "estimated", "tiktoken tiny")


@pytest.mark.usefixtures("no_network")
def test_a_vocabulary_that_tiktoken_would_download_again_is_left_alone(cache: Path) -> None:
    (cache / name_of(TINY)).write_bytes(b"spoilt")
    assert count_with_tiktoken("hello", encoding="tiny") is None
    assert (cache / name_of(TINY)).read_bytes() == b"spoilt"


@pytest.mark.usefixtures("no_network")
def test_where_tiktoken_is_told_to_keep_nothing_it_is_not_asked(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "data-gym-cache").mkdir()
    (cache / "the-body").rename(cache / "data-gym-cache" / name_of(TINY))
    monkeypatch.setattr("tempfile.tempdir", str(cache))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert count_with_tiktoken("hello", encoding="tiny") is None
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    assert count_with_tiktoken("hello", encoding="tiny") is not None


@pytest.mark.usefixtures("no_network")
def test_the_folders_are_those_tiktoken_looks_in(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "the-body").rename(cache / name_of(TINY))
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    assert count_with_tiktoken("hello", encoding="tiny") is None
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(cache))
    count = count_with_tiktoken("hello", encoding="tiny")
    assert count is not None
    assert count.tokens == 5


def test_without_tiktoken_there_is_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(module.importlib, "import_module", missing)
    assert count_with_tiktoken("hello") is None


def test_the_addresses_and_digests_are_those_of_the_installed_tiktoken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public = pytest.importorskip("tiktoken_ext.openai_public")
    asked: dict[str, str] = {}

    def note(address: str, expected_hash: str) -> dict[bytes, int]:
        asked[address] = expected_hash
        return {}

    monkeypatch.setattr(public, "load_tiktoken_bpe", note)
    for encoding in module._VOCABULARIES:
        getattr(public, encoding)()
    assert asked == dict(module._VOCABULARIES.values())
