"""Which process reserved an attempt, and whether it still lives."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Writer", "is_dead", "lives", "this_writer"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


class Writer(NamedTuple):
    """A process: a pid alone would be another process's tomorrow."""

    host: str
    boot: str
    """Which start of the machine, and which of its tables of pids; empty where it is not told."""
    pid: int
    started: str
    """When the process was started, in the system's own count; empty where it is not told."""


@lru_cache(maxsize=1)
def _writer(pid: int) -> Writer:
    try:
        started = _started(pid)
    except OSError:
        started = ""
    return Writer(platform.node(), _boot(), pid, started)


def this_writer() -> Writer:
    """Return who this process is; its child after a fork is another."""
    return _writer(os.getpid())


def is_dead(writer: Writer) -> bool:
    """Return whether it is certain that the process is gone; of another host it never is."""
    host, boot, _, _ = this_writer()
    if writer.host != host:
        return False
    start, _, pids = writer.boot.partition(" ")
    start_now, _, pids_now = boot.partition(" ")
    if not (start and start_now and writer.started):  # one of us was not told
        return not _exists(writer.pid)
    if start != start_now:
        return True
    if pids != pids_now:  # another container: its pids mean nothing here
        return False
    try:
        return _started(writer.pid) != writer.started
    except FileNotFoundError:  # it may be another user's, and hidden (hidepid in proc(5))
        return not _exists(writer.pid)
    except ProcessLookupError:
        return True
    except OSError:  # such as too many open files: that says nothing of the process
        return False


def lives(writer: Writer) -> bool:
    """Return whether it is certain that the process is there; of another host it never is."""
    host, boot, _, _ = this_writer()
    return (writer.host, writer.boot) == (host, boot) and boot != "" and not is_dead(writer)


def _boot() -> str:
    try:
        return f"{_BOOT_ID.read_text().strip()} {_PIDS.readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when the process was started (proc(5), field 22 of stat).

    A zombie is dead, and has no start: it writes no more.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _exists(pid: int) -> bool:
    """Return whether there is such a process; where that cannot be asked, say that there is."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
