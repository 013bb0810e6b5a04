"""Functions of the caller's, run without holding up the event loop."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Tasks", "run_function"]


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

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what still runs, and wait until it has ended; not the one that asks for it."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
