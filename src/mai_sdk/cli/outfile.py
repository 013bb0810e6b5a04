"""Files that what was paid for goes into: refused beforehand, or saved elsewhere after all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_file", "kept"]


def check_file(path: Path) -> None:
    """Refuse before anything is billed what could not be written after.

    Raises:
        InvalidRequest: It is a folder, there is no folder for it, or nothing may be written there.
    """
    if path.is_dir():
        raise InvalidRequest(f"--out: {path} is a folder. Give a file's name in it.")
    if not path.parent.is_dir():
        raise InvalidRequest(f"--out: there is no folder {path.parent}. Make it first.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidRequest(f"--out: nothing can be written to {path}.")


def kept(path: Path, save: Callable[[Path], Any]) -> tuple[Path, str | None]:
    """Save what was paid for; return where it is, and why that is not where it was to be.

    What cannot be written there goes into a folder of its own among the temporary files.

    Raises:
        OSError: It cannot be written there either; as the first attempt raised it.
    """
    try:
        save(path)
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror or error}."
        try:
            elsewhere = Path(tempfile.mkdtemp(prefix="mai-")) / (path.name or "file")
            save(elsewhere)
        except OSError:
            raise error from None
        return elsewhere, f"{why} It is kept as {elsewhere}."
    return path, None
