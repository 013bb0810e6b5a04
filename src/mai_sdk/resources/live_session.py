"""What every live session is for its user: a block to be in, events to read, receipts. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from mai_sdk.audio.resample import Resampler
from mai_sdk.engine.live import Live
from mai_sdk.engine.redact import redact, redact_error
from mai_sdk.errors import CallFailed, MAIError
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.session_bill import Bill
from mai_sdk.session.machine import Machine
from mai_sdk.wire.session_events import Ended, Failed, Reconnected, TurnDone, Warned

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mai_sdk.engine.connecting import Line
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.live import Endurance
    from mai_sdk.engine.tab import Tab
    from mai_sdk.metering.receipt import Receipt
    from mai_sdk.resources.core import Core
    from mai_sdk.session.pace import ConnectionPace
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["LiveSession", "Switchboard"]

MachineT = TypeVar("MachineT", bound=Machine)

_NO_LIMIT: Final = Usage(basis="unknown")
"""What a turn can use at most that reads the conversation before it again."""


class Switchboard:
    """What the sessions of one client share: connections, tokens, the pace of reconnecting."""

    def __init__(self, core: Core, driver: AsyncDriver, pace: ConnectionPace) -> None:
        self.core = core
        self.driver = driver
        self.pace = pace


class LiveSession(ABC, Generic[MachineT]):
    """See the module. One task reads events; any number may send."""

    def __init__(
        self,
        machine: MachineT,
        line: Line,
        board: Switchboard,
        *,
        open_tab: Callable[[str], Tab],
        endurance: Endurance,
        sample_rate: int,
        most: Usage = _NO_LIMIT,
    ) -> None:
        self._machine = machine
        self._bill = Bill(open_tab, most=most)
        self._board = board
        self._live = Live(
            machine,
            line,
            driver=board.driver,
            dialler=board.driver.dialler,
            pace=board.pace,
            endurance=endurance,
            observe=self._observe,
        )
        self._resampler = (
            Resampler(source_rate=sample_rate, target_rate=machine.hearing.sample_rate)
            if sample_rate != machine.hearing.sample_rate
            else None
        )

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """One receipt for each turn that is over."""
        return tuple(self._bill.receipts)

    @property
    def total(self) -> Receipt:
        """What all turns so far used and cost: the sum of `receipts`."""
        return self._bill.total

    @property
    def connections(self) -> int:
        """How many connections the session has had."""
        return self._machine.connections

    async def send(self, pcm: bytes) -> None:
        """Give the next piece of the user's audio: whole 16-bit samples, of any length.

        Returns once it is on its way, or kept until there is a connection again. Audio is kept
        until the service has made use of it, and sent again, in order, on a new connection.

        Raises:
            AudioOverflow: More is kept than `buffer_seconds` allow; none of this was taken.
            BudgetExceeded: A budget has no room for another turn; it was not sent.
            InvalidRequest: A sample is cut in two, or the session is not open.
            LedgerError: The turn could not be written down; it was not sent.
            MAIError: The session failed.
        """
        self._live.check()
        audio = pcm if self._resampler is None else self._resampler.feed(pcm)
        if audio:
            await self._begin()
            self._give(audio)
        await self._live.out()

    def _flush(self) -> None:
        """Give what the resampler still holds: the last milliseconds of what was said."""
        audio = b"" if self._resampler is None else self._resampler.finish()
        if audio:
            self._bill.stand()
            self._give(audio)

    async def _begin(self) -> None:
        """See to it that a turn is written down, before anything of it is sent."""
        self._live.check()
        if not self._bill.stand().is_reserved:
            await self._board.driver.run(self._bill.stood())
            self._live.check()

    async def close(self) -> None:
        """End the session: what was said last is still waited for, where it is to be written down.

        Every turn is settled then. Events that were not read can still be read; the last one is
        `Ended`. Leaving the `async with` block does the same, except after an exception, when
        nothing is waited for.
        """
        await self._close(drain=True, reason="closed by the caller")

    async def __aenter__(self) -> Self:
        try:
            await self._live.start()
        except CallFailed as error:
            self._bill.close(None)
            raise self._with_receipt(error) from None
        self._board.core.open_streams.add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        reason = "closed by the caller" if kind is None else f"left by {kind.__name__}"
        await self._close(drain=kind is None, reason=reason)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionEvent:
        event = await self._live.next()
        if event is None:
            raise StopAsyncIteration
        return event

    def left(self) -> None:
        """Settle what is open as it stands: the client is closed, and the session with it."""
        self._live.abandon("the client was closed")
        self._bill.close(self._rest())

    async def _close(self, *, drain: bool, reason: str) -> None:
        try:
            if drain and self._live.is_running:
                with suppress(MAIError):  # it is over, and what came before is to be settled
                    self._flush()
            await self._live.aclose(reason=reason, drain=drain)
        finally:
            self._bill.close(self._rest())
            self._board.core.open_streams.discard(self)

    def _with_receipt(self, error: CallFailed) -> CallFailed:
        error.call_id, error.receipt = self._bill.session_id, self.total
        return error

    def _observe(self, event: SessionEvent) -> SessionEvent:
        """Give an event what it costs, on its way to the user, and take out what must not show."""
        if isinstance(event, Failed) and isinstance(event.error, CallFailed):
            self._clean(event.error)
            return event
        if isinstance(event, Warned):
            return replace(event, message=redact(event.message, **self._unsayable()))
        if isinstance(event, Reconnected):
            return replace(event, why=redact(event.why, **self._unsayable()))
        if isinstance(event, TurnDone):
            failed = "CallFailed" if event.status == "failed" else None
            receipt = self._bill.settle(
                self._used(event), request_id=event.response_id, error=failed
            )
            if self._has_more():
                self._bill.stand(after=True)
            return replace(event, receipt=receipt)
        if isinstance(event, Ended):
            self._bill.close(self._rest())
            if isinstance(self._live.failure, CallFailed):  # whoever sends sees it, too
                self._clean(self._with_receipt(self._live.failure))
            return replace(event, receipt=self.total)
        return event

    def _clean(self, error: CallFailed) -> None:
        redact_error(error, **self._unsayable())

    def _unsayable(self) -> dict[str, tuple[str, ...]]:
        """Return what a service may echo, and no error may show."""
        return {"secrets": self._live.secrets, "prompts": self._machine.words}

    @abstractmethod
    def _give(self, audio: bytes) -> None:
        """Hand audio to the machine."""

    @abstractmethod
    def _used(self, turn: TurnDone) -> Usage:
        """Return what a turn used."""

    @abstractmethod
    def _has_more(self) -> bool:
        """Whether another turn begins by itself."""

    @abstractmethod
    def _rest(self) -> Usage | None:
        """Return what was used and belongs to no turn; None for nothing, "unknown" for no idea."""
