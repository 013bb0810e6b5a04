"""Bodies made whole: joined, decompressed, and never more than a cap.

We ask for no compression (`Accept-Encoding: identity`): answers are short, and a stream must not
wait in a compressor. Proxies compress anyway, so gzip and deflate are read, with the cap on what
comes out, not on what went in.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from mai_sdk.errors import AnswerTooLarge, UnreadableAnswer

__all__ = ["Assembler", "decoder_for"]


class _Decoder(Protocol):
    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...


def decoder_for(encoding: str | None) -> _Decoder | None:
    """Return what undoes a Content-Encoding; None for none.

    Raises:
        UnreadableAnswer: The encoding was not asked for and is not gzip or deflate.
    """
    name = (encoding or "identity").strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, told by the header
    raise UnreadableAnswer(
        f"The answer came compressed as {name[:40]!r}, which was not asked for. A proxy on the way "
        "changes answers; have it pass them through."
    )


class Assembler:
    """Takes a body in pieces and gives it decoded, refusing to grow past `max_bytes`."""

    __slots__ = ("_decoder", "_left", "_max_bytes")

    def __init__(self, *, encoding: str | None, max_bytes: int) -> None:
        self._decoder = decoder_for(encoding) if encoding else None
        self._max_bytes = max_bytes
        self._left = max_bytes

    def feed(self, data: bytes) -> bytes:
        """Return what `data` decodes to.

        Raises:
            AnswerTooLarge: More than `max_bytes` came out in all.
            UnreadableAnswer: The compressed data is broken.
        """
        if self._decoder is not None:
            try:
                data = self._decoder.decompress(data, self._left + 1)
            except zlib.error:
                data, broken = b"", True
            else:
                broken = False
            if broken:
                raise UnreadableAnswer("The answer's compression is broken, so it cannot be read.")
        self._left -= len(data)
        if self._left < 0:
            raise AnswerTooLarge(
                f"The answer is larger than {self._max_bytes} bytes once decoded; it was dropped."
            )
        return data

    def close(self) -> None:
        """Note that the body has ended.

        Raises:
            UnreadableAnswer: It ended inside compressed data.
        """
        if self._decoder is not None and not self._decoder.eof:
            raise UnreadableAnswer("The answer broke off inside its compressed data.")
