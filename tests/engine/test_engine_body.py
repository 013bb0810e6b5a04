import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.engine.body import Assembler
from mai_sdk.errors import AnswerTooLarge, UnreadableAnswer


def assemble(pieces, *, encoding=None, max_bytes=1 << 20):
    body = Assembler(encoding=encoding, max_bytes=max_bytes)
    whole = b"".join(body.feed(piece) for piece in pieces)
    body.close()
    return whole


@given(st.binary(max_size=2000), st.integers(1, 50), st.sampled_from(["gzip", "deflate", None]))
def test_a_body_in_any_pieces_decodes_to_the_same_bytes(data, size, encoding):
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, None: bytes}[encoding](data)
    pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
    assert assemble(pieces, encoding=encoding) == data


def test_a_body_at_the_cap_is_read_and_one_byte_more_is_refused():
    assert len(assemble([b"x" * 1000], max_bytes=1000)) == 1000
    with pytest.raises(AnswerTooLarge, match="1000 bytes"):
        assemble([b"x" * 999, b"xx"], max_bytes=1000)


def test_the_cap_counts_decoded_bytes_so_a_bomb_is_never_unpacked():
    bomb = gzip.compress(b"\0" * 50_000_000)
    body = Assembler(encoding="gzip", max_bytes=1_000_000)
    with pytest.raises(AnswerTooLarge):
        body.feed(bomb)


def test_a_cut_gzip_body_is_unreadable():
    packed = gzip.compress(b"hello" * 100)
    with pytest.raises(UnreadableAnswer, match="broke off"):
        assemble([packed[:-9]], encoding="gzip")


def test_what_is_not_gzip_though_it_says_so_is_unreadable():
    with pytest.raises(UnreadableAnswer, match="broken"):
        assemble([b"plain text"], encoding="gzip")


def test_an_encoding_nobody_asked_for_is_unreadable():
    with pytest.raises(UnreadableAnswer, match="'br'"):
        Assembler(encoding="br", max_bytes=10)
