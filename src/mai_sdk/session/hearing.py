"""The user's audio of a session: where it stands, what is acknowledged, what is sent again. Pure.

The service never acknowledges `append`, names positions by the connection's own audio, and forgets
everything with the connection. So this keeps audio until it cannot be lost any more: until the turn
it belongs to is written down or answered, or, where nobody speaks, until the service has had it for
so long that speech in it would have been reported.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mai_sdk.audio.pcm import SAMPLE_BYTES
from mai_sdk.audio.ring import BufferFull, InputBuffer
from mai_sdk.errors import AudioOverflow, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Hearing", "Said"]

_MARK_MS = 100
_MARKS = 600


@dataclass(slots=True, eq=False)
class Said:
    """One stretch of the user's audio that is, or will be, an item of the conversation."""

    start: int
    """Where its audio begins, the prefix included."""
    end: int | None = None
    """Where it ends; None while it goes on."""
    item_id: str | None = None
    is_committed: bool = False
    by_us: bool = False
    """Whether our own commit ends it, so that it must be repeated with the audio."""
    ended_at: float | None = None
    """When its end was given, on the clock of the session, where our own commit ends it."""
    is_kept: bool = False
    """Whether it is written down or answered: its audio is not needed any more."""
    is_failed: bool = False
    """Whether it cannot be written down."""


class Hearing:
    """See the module. Offsets count samples from the first one ever given.

    Args:
        sample_rate: Samples a second.
        capacity_seconds: How much audio is kept at most.
        sample_bytes: Of one sample.
        slack_ms: How long before what the service surely has a turn may begin that is not yet
            reported: its prefix, the speech it takes to be sure, and time to think.
    """

    def __init__(
        self,
        sample_rate: int,
        capacity_seconds: float,
        *,
        sample_bytes: int = SAMPLE_BYTES,
        slack_ms: float = 2000.0,
    ) -> None:
        self.sample_rate = sample_rate
        self.sample_bytes = sample_bytes
        self.buffer = InputBuffer(
            capacity=round(capacity_seconds * sample_rate), sample_bytes=sample_bytes
        )
        self.base = 0
        """Where the audio of this connection begins."""
        self.said: deque[Said] = deque()
        """What is not kept yet, oldest first."""
        self._slack = round(slack_ms * sample_rate / 1000)
        self._committed_to = 0
        self._marks: deque[tuple[int, float]] = deque(maxlen=_MARKS)
        self._mark_every = _MARK_MS * sample_rate // 1000

    def give(self, audio: bytes, *, now: float) -> None:
        """Keep audio the user gave.

        Raises:
            InvalidRequest: Its last sample is cut in two.
            AudioOverflow: It does not fit beside what is not acknowledged.
        """
        try:
            offset = self.buffer.append(audio)
        except BufferFull as full:
            raise AudioOverflow(
                f"{full.held / self.sample_rate:.1f} s of audio are not acknowledged by the "
                f"service, and {full.capacity / self.sample_rate:.0f} s is all that is kept, so no "
                "more was taken. The service does not listen, or a turn has no end: commit it, "
                "clear it, or raise buffer_seconds."
            ) from None
        except ValueError as cut:
            raise InvalidRequest(f"{cut}. Give whole samples.") from None
        if not self._marks or offset - self._marks[-1][0] >= self._mark_every:
            self._marks.append((offset, now))

    def given_at(self, offset: int) -> float | None:
        """Return when the audio at that offset was given; None if that is too long ago."""
        for begins, at in reversed(self._marks):
            if begins <= offset:
                return at + (offset - begins) / self.sample_rate
        return None

    def position(self, ms: float) -> int:
        """Return the offset that the service means by a time on this connection.

        It is within what was given, whatever the service says.
        """
        given = self.buffer.end - self.base
        if ms >= self.ms(given):
            return self.buffer.end
        return self.base + round(ms * self.sample_rate / 1000) if ms > 0 else self.base

    def ms(self, samples: int) -> float:
        """Return how long so many samples are."""
        return samples * 1000 / self.sample_rate

    def restart(self) -> Iterator[bytes | Said]:
        """Begin another connection: yield the audio to be sent again, and the commits within it.

        What the service detected by itself it will detect again.
        """
        ours = [each for each in self.said if each.by_us and not each.is_kept]
        for each in ours:
            each.item_id, each.is_committed = None, False
        self.said = deque(ours)
        self.base = self.buffer.start
        return self._again(tuple(ours))

    def _again(self, ours: tuple[Said, ...]) -> Iterator[bytes | Said]:
        at = self.buffer.start
        for each in ours:
            end = max(each.end or at, at)
            yield from self._between(at, end)
            yield each
            at = end
        yield from self._between(at, self.buffer.end)

    def _between(self, start: int, end: int) -> Iterator[bytes]:
        for offset, audio in self.buffer.since(start):
            if offset >= end:
                return
            yield audio[: (end - offset) * self.sample_bytes]

    def started(self, ms: float, *, item_id: str | None) -> int:
        """Note that the service heard speech begin, and return where."""
        start = self.position(ms)
        if self.said and self.said[-1].end is None:
            self.said[-1].item_id = item_id or self.said[-1].item_id
        else:
            self.said.append(Said(start, item_id=item_id))
        return start

    def stopped(self, ms: float, *, item_id: str | None) -> int:
        """Note that the service heard it end, and return where."""
        end = self.position(ms)
        one = self._find(item_id) or (self.said[-1] if self.said else None)
        if one is None:
            one = Said(end, item_id=item_id)
            self.said.append(one)
        if one.end is None:
            one.end = max(end, one.start)
        return end

    def commit(self, end: int | None = None) -> Said | None:
        """Note that we end the turn, at `end` or at the last sample; None if it has no audio.

        It is all since the last turn; or a turn the service has found, and that has no end yet.
        """
        end = self.buffer.end if end is None else end
        last = self.said[-1] if self.said else None
        if last is not None and last.end is None:
            last.end, last.by_us = end, True
        else:
            after = last.end or 0 if last is not None else 0
            start = max(self._committed_to, self.buffer.start, after)
            if start >= end:
                return None
            last = Said(start, end, by_us=True)
            self.said.append(last)
        self._committed_to = end
        return last

    def committed(self, item_id: str | None) -> Said | None:
        """Note that the service made an item of it, and return what it was."""
        one = self._find(item_id) or next((s for s in self.said if not s.is_committed), None)
        if one is None:
            return None
        one.is_committed = True
        one.item_id = item_id or one.item_id
        if one.end is None:
            one.end = self.buffer.end
        return one

    def clear(self) -> None:
        """Forget what is not committed: the caller took it back."""
        while self.said and not (self.said[-1].is_committed or self.said[-1].by_us):
            self.said.pop()
        self._committed_to = self.buffer.end
        self._acknowledge(self.buffer.end)

    def kept(self, item_id: str | None) -> Said | None:
        """Note that an item is written down, and return it; without an id, the oldest one."""
        one = self._find(item_id)
        if one is None and item_id is None:
            one = next((each for each in self.said if not each.is_kept), None)
        if one is not None:
            one.is_kept = True
            self._settle()
        return one

    def found(self, start: int | None) -> int:
        """Note that the service found speech, at `start` or nobody knows where; return where.

        It belongs to the oldest turn that is not written down, unless it begins after that.
        """
        start = self.buffer.start if start is None else max(start, self.buffer.start)
        if all(one.end is not None and one.end <= start for one in self.said):
            self.said.append(Said(start))
        return start

    def end_of(self, item_id: str | None) -> int | None:
        """Return where that item ends, or the oldest one that is not written down."""
        one = self._find(item_id) or next(iter(self.said), None)
        return None if one is None else one.end

    def written_to(self, end: int | None) -> list[Said]:
        """Note that all before `end` is written down; return our own commits that this answers.

        Without an end it was the oldest turn, wherever that is.
        """
        over: list[Said] = []
        if end is None:
            over = [self.said.popleft()] if self.said else []
        else:
            while (
                self.said
                and (self.said[0].start if self.said[0].end is None else self.said[0].end) <= end
            ):
                over.append(self.said.popleft())
            if self.said:
                self.said[0].start = max(self.said[0].start, end)
            self._acknowledge(end)
        return [one for one in over if one.by_us]

    def failed(self, item_id: str | None) -> None:
        """Note that an item cannot be written down; it may still be answered."""
        one = self._find(item_id)
        if one is not None:
            one.is_failed = True

    def answered(self, turns: Iterable[Said]) -> None:
        """Note that these were answered."""
        for one in turns:
            one.is_kept = True
        self._settle()

    def proven(self, offset: int) -> None:
        """Note that the service has everything before `offset`.

        It is acknowledged where nobody speaks; a turn of our own making ends with a commit only.
        Speech that has long ended and was made no item never will be: the service thought better.
        """
        ended = offset - 5 * self._slack
        for one in tuple(self.said):
            if one.end is not None and one.end <= ended and not (one.is_committed or one.by_us):
                self.said.remove(one)
        self._acknowledge(offset - self._slack)

    @property
    def is_open(self) -> bool:
        """Whether the user is speaking, or was and the service has not made it an item."""
        return bool(self.said) and not self.said[-1].is_committed

    def _settle(self) -> None:
        end = 0
        while self.said and (self.said[0].is_kept or self._is_passed_over):
            one = self.said.popleft()
            end = one.end if one.end is not None else one.start
        if end:
            self._acknowledge(end)

    @property
    def _is_passed_over(self) -> bool:
        """Whether nothing comes of the oldest turn, while a later one is written or answered."""
        one = self.said[0]
        is_void = one.is_failed or not (one.is_committed or one.by_us)
        return is_void and any(later.is_kept for later in self.said)

    def _acknowledge(self, offset: int) -> None:
        if self.said:
            offset = min(offset, self.said[0].start)
        self.buffer.acknowledge(min(offset, self.buffer.end))

    def _find(self, item_id: str | None) -> Said | None:
        if item_id is None:
            return None
        return next((one for one in self.said if one.item_id == item_id), None)
