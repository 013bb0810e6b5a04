"""What every stream of events has in common: bytes to JSON, one end, one error. No I/O.

The rule for errors: **events first**. What the service sent before an error is given out by the
`feed` that read it, and the error is raised by the next `feed` or by `close`. A `feed` that has
nothing to give raises at once. `is_over` says that nothing more will come, so a caller need not
wait for bytes that never arrive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from mai_sdk.errors import CallFailed, StreamTruncated, UnreadableAnswer
from mai_sdk.wire.failures import content_filtered, failure_from_event
from mai_sdk.wire.sse import MAX_BYTES, SSEDecoder
from mai_sdk.wire.usage import read_usage

if TYPE_CHECKING:
    from mai_sdk.config.route import Surface
    from mai_sdk.wire.answer import Answer
    from mai_sdk.wire.events import Event

__all__ = ["StreamReader"]


class StreamReader(ABC):
    """Bytes in, events out, until the terminal event."""

    def __init__(
        self,
        *,
        surface: Surface,
        max_line_bytes: int = MAX_BYTES,
        max_event_bytes: int = MAX_BYTES,
        done_marker: bool = True,
    ) -> None:
        self._surface: Surface = surface
        self._decoder = SSEDecoder(max_line_bytes=max_line_bytes, max_event_bytes=max_event_bytes)
        self._needs_done = done_marker
        self.is_over = False
        """Whether nothing more will be read: the end came, or an error waits to be raised."""
        self._done = False
        self._error: CallFailed | None = None
        self._usage: Any = None
        """The last usage object; never a sum, since vLLM may repeat it on every chunk."""
        self._usage_is_final = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events these bytes complete; bytes after the end are ignored.

        Raises:
            CallFailed: The service reported an error, or sent what cannot be read; `partial` has
                the answer as far as it came. See the rule at the top of this module.
        """
        if self.is_over:
            return self._nothing_more()
        events: list[Event] = []
        take = self._take
        for text, name in self._decoder.feed(data):
            chunk: Any
            try:
                chunk = from_json(text, allow_inf_nan=False)
            except ValueError:
                chunk = None
            if chunk.__class__ is dict and name != "error" and not chunk.get("error"):
                take(chunk, name, events)
            else:
                self._unusual(text, chunk, name)
            if self.is_over:
                break
        else:
            if self._decoder.error is not None:
                self._fail(self._decoder.error)
        return events or self._nothing_more()

    def close(self) -> list[Event]:
        """Say that no more bytes come; returns what was held back, which today is nothing.

        Raises:
            StreamTruncated: The terminal event never came; `partial` has what did.
            ContentFiltered: The answer ended because the safety system stopped it. The `Finished`
                event saying so was given out before.
            CallFailed: The error that ended the stream, if `feed` did not raise it yet.
        """
        if self._error is None and not self.is_complete:
            self._fail(self._truncated())
        if self._error is None and self._is_filtered():
            self._error = content_filtered(self.answer)
        return self._nothing_more()

    @property
    def is_complete(self) -> bool:
        """Whether the answer came whole: its terminal event was read, and no error."""
        return (
            self._error is None
            and self._is_finished()
            and (self._done or (not self._needs_done and not self._decoder.close()))
        )

    @property
    def has_final_usage(self) -> bool:
        """Whether `usage` came with the end of the answer, or after it, and so is of all of it."""
        return self._usage_is_final and self.usage is not None

    @property
    def usage(self) -> dict[str, int] | None:
        """What the service last reported, as `read_usage` gives it; None if it did not (yet)."""
        return read_usage(self._usage, surface=self._surface)

    @property
    @abstractmethod
    def answer(self) -> Answer:
        """The answer as far as it came: put together anew on every call."""

    @abstractmethod
    def _take(self, chunk: dict[str, Any], name: str | None, events: list[Event]) -> None:
        """Read one JSON object and append the events it holds."""

    @abstractmethod
    def _is_finished(self) -> bool:
        """Whether the service said why the answer ended."""

    @abstractmethod
    def _is_filtered(self) -> bool:
        """Whether it ended because of the safety system."""

    def _fail(self, error: CallFailed) -> None:
        error.partial = self.answer
        self._error = error
        self.is_over = True

    def _mark_end(self) -> None:
        """Note the end marker; what follows it is ignored."""
        self._done = True
        self.is_over = True

    def _nothing_more(self) -> list[Event]:
        if self._error is not None:
            raise self._error
        return []

    def _unusual(self, text: str, chunk: Any, name: str | None) -> None:
        """Read the frames that are no ordinary object: the end, keep-alives and errors."""
        if text == "[DONE]":
            self._mark_end()
        elif name == "error" or chunk.__class__ is dict:
            said = text if chunk is None else chunk
            self._fail(failure_from_event(said, surface=self._surface))
        elif text.strip():
            self._fail(
                UnreadableAnswer(
                    "The stream holds an event that is not a JSON object, so the answer cannot be "
                    "trusted to be whole. What came before is on `partial`.",
                    status=200,
                )
            )

    def _truncated(self) -> StreamTruncated:
        if self._done:
            how = "its end marker came, but nothing said why the answer ended"
        elif self._decoder.close():
            how = "it ended inside an event"
        elif self._is_finished():
            how = "it ended without its end marker"
        else:
            how = "it ended before the answer did"
        return StreamTruncated(
            f"The stream broke off: {how}. What came is on `partial`; it is not the whole answer.",
            status=200,
        )
