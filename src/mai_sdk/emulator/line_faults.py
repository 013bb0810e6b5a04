"""The faults of the line itself: resets, early closes, silence, slowness."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

from mai_sdk.emulator import bodies
from mai_sdk.emulator.faults import fault
from mai_sdk.emulator.request import Close, Pause, Reset, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mai_sdk.emulator.request import Answer, Request

__all__: list[str] = []


@fault(needs="server")
def reset(
    answer: Answer, request: Request, *, after: int | None = None, byte: int | None = None
) -> Answer:
    """Resets the connection: before the headers, after so many events, or at a byte of the body."""
    if after is None and byte is None:
        answer.steps = [Reset()]
    else:
        answer.steps = [
            *_headers_first(bodies.cut(answer.pieces, events=after, byte=byte)),
            Reset(),
        ]
    return answer


@fault(needs="server")
def close(
    answer: Answer, request: Request, *, after: int | None = None, byte: int | None = None
) -> Answer:
    """Closes the connection in the middle of a chunk: after so many events, or at a byte."""
    if byte is None and answer.stream:
        count = bodies.before_end(answer.pieces, 1 if after is None else after)
        kept, rest = answer.pieces[:count], answer.pieces[count]
        answer.steps = [*_headers_first(kept), Close(rest[: len(rest) // 2])]
    else:
        at = len(answer.body) // 2 if byte is None else byte
        answer.steps = [b"", Close(answer.body[:at])]
    return answer


@fault()
def stall(
    answer: Answer, request: Request, *, after: int | None = None, seconds: float | None = None
) -> Answer:
    """Falls silent before the headers, or after so many events, for `seconds` or until released."""
    kept = answer.pieces[: after or 0]
    first = [] if after is None else _headers_first(kept)
    answer.steps = [*first, Pause(seconds), *answer.pieces[len(kept) :]]
    return answer


@fault(fidelity="emulated")
def slow(answer: Answer, request: Request, *, bytes_per_second: float = 1000) -> Answer:
    """Writes so many bytes a second."""
    answer.steps = _dripped(answer.body, bytes_per_second)
    return answer


def _dripped(body: bytes, rate: float) -> Iterator[Step]:
    size = max(1, int(rate / 20))
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        yield Pause(len(piece) / rate)
        yield piece


@fault(needs="stream")
def keepalive_only(
    answer: Answer,
    request: Request,
    *,
    after: int = 0,
    interval: float = 0.05,
    seconds: float | None = None,
) -> Answer:
    """Sends comments and no content, every `interval` seconds, for `seconds` or until the client leaves."""  # noqa: E501 - one sentence is the table's entry
    beats = None if seconds is None else max(1, int(seconds / interval))
    beat: Iterable[Step] = (b": keep-alive\n\n", Pause(interval))
    forever = repeat(beat) if beats is None else repeat(beat, beats)
    rest = answer.pieces[after:]
    answer.steps = chain(answer.pieces[:after], chain.from_iterable(forever), rest)
    return answer


def _headers_first(pieces: list[bytes]) -> list[bytes]:
    return pieces or [b""]
