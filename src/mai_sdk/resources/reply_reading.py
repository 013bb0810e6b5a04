"""A chat answer while it is read: events, and at the end the reply. Does no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from mai_sdk.resources.reading import Reading
from mai_sdk.resources.reply import Reply
from mai_sdk.wire.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import WeakSet

    from mai_sdk.engine.call import Call
    from mai_sdk.engine.tab import Tab
    from mai_sdk.metering.usage import Usage
    from mai_sdk.resources.core import OpenStream
    from mai_sdk.wire.answer import Answer
    from mai_sdk.wire.chat import ChatReader
    from mai_sdk.wire.responses import ResponsesReader

__all__ = ["ReplyReading"]

ParsedT = TypeVar("ParsedT")


class ReplyReading(Reading[Event, Reply[ParsedT]]):
    """One chat stream."""

    def __init__(
        self,
        call: Call[Answer],
        tab: Tab,
        reader: ChatReader | ResponsesReader,
        *,
        estimate: Callable[[Answer], Usage],
        at_least: Callable[[Answer], Usage],
        build: Callable[[Answer, Tab], Reply[ParsedT]],
        parse: Callable[[Reply[ParsedT]], Reply[ParsedT]],
        open_streams: WeakSet[OpenStream],
    ) -> None:
        super().__init__(call, tab, open_streams=open_streams)
        self._reader = reader
        self._estimate = estimate
        self._at_least = at_least
        self._build = build
        self._parse = parse

    @property
    def is_over(self) -> bool:
        """Whether the terminal event has come."""
        return self._reader.is_over

    def feed(self, data: bytes) -> list[Event]:
        """Return the events in the bytes."""
        return self._reader.feed(data)

    def close(self) -> list[Event]:
        """Return the last events, or raise if the terminal one has not come."""
        return self._reader.close()

    def used(self, error: BaseException | None) -> Usage:
        """Return what was used: exactly, if the service said so of the whole answer.

        Without that, a whole answer is estimated, and a broken one cost at least what arrived.
        """
        answer = self._reader.answer
        if self._reader.has_final_usage:
            return self.call.usage_of(answer)
        return self._estimate(answer) if error is None else self._at_least(answer)

    def partial(self) -> Reply[ParsedT]:
        """Return the reply as far as it came."""
        return self._build(self._reader.answer, self.tab)

    def finished(self) -> Reply[ParsedT]:
        """Return the whole reply, parsed where a format was asked for."""
        return self._parse(self.partial())
