"""A session's next connection: when it is tried, with which token, and when to give up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.engine.connecting import Unconnected, connecting, secrets_of
from mai_sdk.engine.ending import Ending
from mai_sdk.session.pace import pause_before

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mai_sdk.config import Secret
    from mai_sdk.engine.connecting import Line
    from mai_sdk.engine.drive import AsyncDriver
    from mai_sdk.engine.socket import AsyncDialler, AsyncWebSocket
    from mai_sdk.session.endurance import Endurance
    from mai_sdk.session.pace import ConnectionPace

__all__ = ["Redial"]

_AGAIN: Final = 10.0
"""Seconds until a rollover that was refused is tried again: the end will need the quota, too."""


class Redial:
    """The connections of one session, one after the other."""

    def __init__(
        self,
        line: Line,
        *,
        driver: AsyncDriver,
        dialler: AsyncDialler,
        pace: ConnectionPace,
        endurance: Endurance,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
    ) -> None:
        self._line = line
        self._driver = driver
        self._dialler = dialler
        self._pace = pace
        self._endurance = endurance
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._token: Secret | None = None
        self._tries = 0
        self._is_doubted = False
        """Whether the token was refused, and another one asked for."""
        self._refused: Secret | None = None
        """The token a rollover was refused with."""
        self._roll_at = 0.0
        self._good_at = clock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What proves who is calling."""
        return secrets_of(self._line, self._token)

    def worked(self) -> None:
        """Note that a connection ended that had worked: trying again begins anew."""
        self._tries, self._good_at, self._is_doubted = 0, self._clock(), False

    async def beforehand(self) -> AsyncWebSocket | None:
        """Return a connection while another still stands; None while it may not be had.

        It is not tried so often that the end, if it comes first, finds the quota used up.
        """
        now = self._clock()
        if now < self._roll_at or self._pace.wait(now, limit=self._quota):
            return None
        try:
            return await self._dial(self._refused)
        except Unconnected as error:
            self._roll_at = now + max(_AGAIN, error.failure.retry_after or 0.0)
            self._refused = error.token if error.remedy == "reauthenticate" else None
            return None

    async def connect(self, ending: Ending | None) -> AsyncWebSocket:
        """Return another connection, or raise why there is none.

        Args:
            ending: How the one before ended; None for the first.

        Raises:
            CallFailed: Another try would not mend it, or there were enough.
        """
        is_first, asked_for = ending is None, 0.0
        if is_first:
            self._good_at = self._clock()
        while True:
            rejected, wait = None, 0.0
            if ending is not None and ending.remedy == "reauthenticate":
                if self._token is None or self._is_doubted:
                    raise ending.failure
                rejected, self._is_doubted = self._token, True
            else:
                self._tries += 1
                wait = max(pause_before(self._tries, chance=self._chance()), asked_for)
            await self._pause(wait, ending, is_first=is_first)
            try:
                return await self._dial(rejected)
            except Unconnected as error:
                failure, remedy, self._token = error.failure, error.remedy, error.token
            if remedy == "fail":
                raise failure from None
            asked_for = failure.retry_after or 0.0
            ending = Ending(failure.message, remedy, failure)

    async def _pause(self, wait: float, ending: Ending | None, *, is_first: bool) -> None:
        """Wait so long, and for the quota: another session may have been quicker meanwhile.

        Waiting for the quota is no failure of the line, so it does not count as time without one.
        """
        while True:
            if ending is not None and self._gives_up(wait, is_first=is_first):
                raise ending.failure
            held = 0.0 if is_first else self._pace.wait(self._clock(), limit=self._quota)
            if not (wait or held):
                return
            await self._sleep(max(wait, held))
            self._good_at += max(held - wait, 0.0)
            wait = 0.0

    def _gives_up(self, wait: float, *, is_first: bool) -> bool:
        if is_first and self._tries > self._line.max_retries + 1:
            return True
        return self._clock() + wait - self._good_at > self._endurance.reconnect_seconds

    @property
    def _quota(self) -> int:
        return self._endurance.connections_per_minute

    async def _dial(self, rejected: Secret | None) -> AsyncWebSocket:
        self._pace.begin(self._clock())
        flow = connecting(self._line, self._dialler, rejected=rejected)
        socket, self._token = await self._driver.run(flow)
        return socket
