"""The user's audio that may have to be sent again. Pure.

A service never acknowledges `append`, so whoever sends keeps what it could not do without, up to a
bound: when that is reached it is an error, because dropping audio silently is worse.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mai_sdk.audio.pcm import SAMPLE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BufferFull", "InputBuffer"]


class BufferFull(ValueError):
    """The audio does not fit in beside what is not acknowledged; none of it was taken."""

    def __init__(self, *, held: int, offered: int, capacity: int) -> None:
        super().__init__(
            f"{offered} samples do not fit: {held} of {capacity} are held and not acknowledged"
        )
        self.held = held
        """Samples held."""
        self.offered = offered
        """Samples that were to be added."""
        self.capacity = capacity
        """Samples it may hold."""


class InputBuffer:
    """Audio from the first sample not acknowledged to the last one given, in the pieces it came in.

    Offsets count samples from the first one ever given: they never start anew.
    """

    def __init__(self, *, capacity: int, sample_bytes: int = SAMPLE_BYTES) -> None:
        self.capacity = capacity
        """The most samples it holds."""
        self._sample_bytes = sample_bytes
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._start = 0
        self._end = 0

    @property
    def start(self) -> int:
        """The offset of the first sample held: everything before it is acknowledged."""
        return self._start

    @property
    def end(self) -> int:
        """The offset after the last sample given."""
        return self._end

    def __len__(self) -> int:
        """Return how many samples are held."""
        return self._end - self._start

    def append(self, audio: bytes | bytearray | memoryview) -> int:
        """Hold `audio` and return the offset of its first sample.

        Raises:
            BufferFull: It does not fit in; none of it was taken.
            ValueError: Its last sample is cut in two; none of it was taken.
        """
        samples, cut = divmod(len(audio), self._sample_bytes)
        if cut:
            raise ValueError(f"{len(audio)} bytes are no whole samples of {self._sample_bytes}")
        held = self._end - self._start
        if held + samples > self.capacity:
            raise BufferFull(held=held, offered=samples, capacity=self.capacity)
        offset = self._end
        if samples:
            self._pieces.append((offset, bytes(audio)))
            self._end = offset + samples
        return offset

    def acknowledge(self, offset: int) -> int:
        """Forget everything before `offset` and return how many samples that were.

        An offset before `start` forgets nothing: acknowledgements may come late, and never go back.

        Raises:
            ValueError: `offset` is after the last sample given.
        """
        if offset > self._end:
            raise ValueError(f"sample {offset} was never given: the last one is {self._end - 1}")
        forgotten = max(offset - self._start, 0)
        self._start += forgotten
        pieces = self._pieces
        while pieces and self._end_of(pieces[0]) <= self._start:
            pieces.popleft()
        return forgotten

    def since(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, audio) from `offset` to the end, in order and in the pieces it came in.

        Raises:
            ValueError: `offset` is acknowledged already, or was never given.
        """
        if not self._start <= offset <= self._end:
            raise ValueError(
                f"sample {offset} is not held: the buffer has {self._start} to {self._end}"
            )
        return self._from(offset)

    def _from(self, offset: int) -> Iterator[tuple[int, bytes]]:
        for piece in tuple(self._pieces):
            begins, audio = piece
            if self._end_of(piece) <= offset:
                continue
            cut = max(offset - begins, 0)
            yield begins + cut, audio[cut * self._sample_bytes :] if cut else audio

    def _end_of(self, piece: tuple[int, bytes]) -> int:
        begins, audio = piece
        return begins + len(audio) // self._sample_bytes
