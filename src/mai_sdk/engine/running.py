"""Functions of the caller's, run without holding up the event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Changes", "Inbox", "Tasks", "run_function"]

ItemT = TypeVar("ItemT")


async def run_function(function: Callable[..., Any], act: Callable[[], Any]) -> Any:
    """Return what `act`, which calls `function`, returns: a plain function runs in a thread.

    Whatever the function raises is an Exception, unless the task itself is being cancelled.
    """
    try:
        if inspect.iscoroutinefunction(function):
            return await act()
        outcome = await asyncio.to_thread(_call, act)
        return await outcome if inspect.isawaitable(outcome) else outcome
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
    raise RuntimeError("what the function waited for was cancelled")


def _call(act: Callable[[], Any]) -> Any:
    """Call it; a StopIteration, which no future can carry, would never be heard of."""
    try:
        return act()
    except StopIteration as stopped:
        raise RuntimeError("the function raised StopIteration") from stopped


class Tasks:
    """Work that goes on beside a session, and ends with it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self,
        work: Coroutine[Any, Any, None],
        *,
        then: Callable[[BaseException | None], None] | None = None,
    ) -> Callable[[], object]:
        """Let `work` run, and return what cancels it.

        `then` is called once it is over, also when it was cancelled before it began: with what it
        raised, if anything.
        """
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if then is not None:
            task.add_done_callback(lambda over: then(_raised_by(over)))
        return task.cancel

    async def join(self) -> None:
        """Wait until all of it has ended; not for the one that asks for it."""
        tasks = self._tasks - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Cancel what still runs, and wait until it has ended; not the one that asks for it."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        await self.join()


class Changes:
    """Told of changes; lets one piece of work wait for the next of them."""

    def __init__(self) -> None:
        self._change = asyncio.Event()

    def note(self) -> None:
        """Say that something is other than it was."""
        self._change.set()

    async def next(self, *, within: float) -> None:
        """Return after the next change, or after so many seconds."""
        self._change.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._change.wait()


class Inbox(Generic[ItemT]):
    """What is given to one reader, in order, until it ends or fails."""

    def __init__(self) -> None:
        self._items: deque[ItemT] = deque()
        self._news, self._taken = asyncio.Event(), asyncio.Event()
        self._is_over = False
        self.failure: BaseException | None = None
        """Why it ended, where it failed."""

    def put(self, item: ItemT) -> None:
        """Give the next one."""
        self._items.append(item)
        self._news.set()

    def end(self, failure: BaseException | None = None) -> None:
        """Say that nothing more comes, and why, where something failed; only the first counts."""
        if not self._is_over:
            self._is_over, self.failure = True, failure
        self._news.set()
        self._taken.set()

    async def next(self) -> ItemT | None:
        """Return the next one; None at the end, or raise why there is none."""
        while not self._items:
            if self._is_over:
                if self.failure is not None:
                    raise self.failure
                return None
            self._news.clear()
            await self._news.wait()
        self._taken.set()
        return self._items.popleft()

    async def room(self, *, limit: int) -> None:
        """Return when no more than `limit` wait to be taken, or it is over."""
        while len(self._items) > limit and not self._is_over:
            self._taken.clear()
            await self._taken.wait()


def _raised_by(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
