"""One thread of the process that writes, so that nobody else waits for a disk he need not wait for.

Jobs are done in the order they came, all that wait at once: what they write can be committed
together.
"""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Job", "Ticket", "WriterThread"]

T = TypeVar("T")

_log = logging.getLogger("mai_sdk")

_AT_ONCE: Final = 500
_EXIT_SECONDS: Final = 15
"""How long the end of the interpreter waits for what is still to be written: longer than a locked
file is waited for."""


class Ticket(Generic[T]):
    """What will have become of a job: wait for it, or be called when it is there."""

    __slots__ = ("_calls", "_error", "_gate", "_result", "is_done")

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self._calls: list[Callable[[], object]] = []
        self._result: Any = None
        self._error: Exception | None = None
        self.is_done = False
        """Whether `result` can be asked for."""

    def wait(self) -> T:
        """Block until it is done; return what it returned, or raise what it raised."""
        self.block()
        return self.result()

    def block(self) -> None:
        """Return once it is done."""
        if not self.is_done:
            with self._gate:
                pass

    @property
    def failed(self) -> Exception | None:
        """What it raised; None while it is not done, or where it went well."""
        return self._error

    def result(self) -> T:
        """Return what the job returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        result: T = self._result
        return result

    def when_done(self, call: Callable[[], object]) -> None:
        """Have `call` called once it is done: by the writer's thread, or at once."""
        self._calls.append(call)
        if self.is_done:
            self._tell()

    def done(self, result: Any, error: Exception | None = None) -> None:
        """Give the outcome to whoever waits."""
        self._result, self._error = result, error
        self.is_done = True
        self._gate.release()
        self._tell()

    def _tell(self) -> None:
        while self._calls:
            try:
                call = self._calls.pop(0)
            except IndexError:  # the other thread was quicker
                return
            _unharmed(call, "What waits for the ledger failed")


@dataclass(slots=True)
class Job:
    """Something to write, and the ticket of whoever wants to know what became of it."""

    deed: str
    """What it does, as an error would say it: "settle an attempt in"."""
    do: Callable[[Any], Any]
    ticket: Ticket[Any] = field(default_factory=Ticket)


class WriterThread:
    """Hands jobs to `work`, in batches; `work` gives every ticket its outcome before it may raise.

    The thread starts with the first job. It keeps no interpreter alive: when that ends, what was
    put is still done, and what comes later is done by whoever brings it.
    """

    def __init__(self, work: Callable[[Sequence[Job]], None], *, name: str) -> None:
        self._work = work
        self._name = name
        self.start_afresh()
        _writers.add(self)

    def start_afresh(self) -> None:
        """Forget the thread and what it had to do: after a fork both are the parent's."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._inline = False

    def put(self, job: Job) -> None:
        """Have it done after all that was put before. May be called by a finalizer."""
        if self._inline:
            with self._lock:
                self._do([job])
            return
        self._jobs.put(job)
        if self._thread is None:
            self._begin()

    def stop(self, *, within: float | None = None) -> None:
        """Return once all that was put is done; from here on jobs are done where they are put."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._inline = True
        if thread is not None:
            self._jobs.put(None)
            thread.join(within)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                self._inline = True
                self._work_off()
            else:
                self._thread = thread

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            while len(batch) < _AT_ONCE:
                try:
                    following = self._jobs.get_nowait()
                except Empty:
                    break
                if following is None:
                    self._do(batch)
                    self._work_off()
                    return
                batch.append(following)
            self._do(batch)
        self._work_off()

    def _do(self, batch: Sequence[Job]) -> None:
        _unharmed(partial(self._work, batch), "What follows a commit to the ledger failed")

    def _work_off(self) -> None:
        """Do what slipped in while the thread was ending."""
        with self._lock:
            while True:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    return
                if job is not None:
                    self._do([job])


def _unharmed(call: Callable[[], object], what: str) -> None:
    """Call it; what it raises, a log handler of the user's say, must not end a thread."""
    try:
        call()
    except Exception:  # noqa: BLE001 - others are to be served
        with suppress(Exception):
            _log.exception(what)


_writers: WeakSet[WriterThread] = WeakSet()


def _at_exit() -> None:
    for writer in list(_writers):
        writer.stop(within=_EXIT_SECONDS)


atexit.register(_at_exit)
