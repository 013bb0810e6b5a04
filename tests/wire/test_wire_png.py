"""The size of a PNG, from its header alone."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.emulator.png import encode
from mai_sdk.wire.png import PNG_SIGNATURE, png_size


def header(width, height):
    return PNG_SIGNATURE + b"\0\0\0\x0dIHDR" + struct.pack(">II", width, height)


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))
def test_any_size_a_header_can_hold_is_read(width, height):
    assert png_size(header(width, height) + b"whatever") == (width, height)


@given(st.binary(max_size=40))
def test_no_bytes_are_mistaken_or_fatal(data):
    assert png_size(data) is None or data.startswith(PNG_SIGNATURE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xe0 a JPEG, and long enough to have a size",
        header(0, 5),
        header(5, 0),
        header(5, 5)[:-1],
        PNG_SIGNATURE + b"\0\0\0\x0dIDAT" + bytes(8),
    ],
)
def test_what_has_no_size_has_none(data):
    assert png_size(data) is None


def test_what_the_emulator_writes_is_read():
    assert png_size(encode([bytes(6), bytes(6), bytes(6)], width=2, height=3)) == (2, 3)
