"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["check_writable", "whole_file"]


def check_writable(path: str | Path) -> Path:
    """Return `path` if a file can be written there; nothing is written yet.

    Raises:
        InvalidRequest: It cannot: no such folder, a folder of that name, no permission.
    """
    target = Path(path).expanduser()
    folder = target.absolute().parent
    if target.is_dir():
        raise InvalidRequest(f"{target} is a folder: give the name of a file.")
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder} to write {target.name} into: make it.")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise InvalidRequest(f"Nothing can be written to {target}: its permissions forbid it.")
    return target


@contextmanager
def whole_file(path: str | Path) -> Generator[Path]:
    """Give the path of a new file beside `path`, which takes its place if the block ends well.

    What was never there is made for its owner only, as a ledger is; else its mode stays.

    Raises:
        InvalidRequest: Nothing can be written there.
        OSError: Writing failed; what was at `path` is as it was.
    """
    target = check_writable(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _make_private(beside, like=target)
        yield beside
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _make_private(path: Path, *, like: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()  # of a process that died, or a link somebody laid
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with suppress(FileNotFoundError):
        path.chmod(stat.S_IMODE(like.stat().st_mode))
