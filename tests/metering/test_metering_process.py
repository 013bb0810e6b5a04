"""A process is called dead only where that is certain: what it had reserved is settled then."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mai_sdk.metering import process
from mai_sdk.metering.process import is_dead, this_writer


@pytest.fixture
def child():
    """A process that lives until it is told to end."""
    made = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield made
    made.communicate(b"\n", timeout=30)


def writer_of(pid: int):
    return process.Writer(*this_writer()[:2], pid, process._started(pid))


def refuse(monkeypatch, number: int) -> None:
    """Have every look into /proc/<pid>/stat fail so."""

    def read_text(path, *words, **named):
        raise OSError(number, os.strerror(number))

    this_writer()
    monkeypatch.setattr(Path, "read_text", read_text)


def test_a_process_lives_until_it_has_ended_also_as_a_zombie(child):
    writer = writer_of(child.pid)
    assert not is_dead(writer)
    assert is_dead(writer._replace(started="1"))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(writer), "a zombie writes no more"
    child.wait()
    assert is_dead(writer)


def test_too_few_open_files_and_a_hidden_process_are_no_death(child, monkeypatch):
    writer = writer_of(child.pid)
    refuse(monkeypatch, errno.EMFILE)
    assert not is_dead(writer)
    refuse(monkeypatch, errno.ENOENT)
    assert not is_dead(writer)
    refuse(monkeypatch, errno.ESRCH)
    assert is_dead(writer)


def test_who_was_not_told_when_it_started_is_asked_for_by_its_number(child):
    writer = writer_of(child.pid)
    assert not is_dead(writer._replace(started=""))
    assert not is_dead(writer._replace(boot="", started=""))
    assert is_dead(writer._replace(boot="another", started="1"))
    assert not is_dead(writer._replace(host="elsewhere", boot="another"))
