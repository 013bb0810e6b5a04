"""`mai transcribe`: a recording into text or subtitles."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.connect import open_client
from mai_sdk.cli.exits import FAILED, OK
from mai_sdk.cli.outcome import close, described, interrupted
from mai_sdk.cli.terminal import safe
from mai_sdk.errors import CallFailed, InvalidRequest, MAIError
from mai_sdk.resources.transcript import Transcript

if TYPE_CHECKING:
    import argparse

    from mai_sdk.client import MAI

__all__ = ["run"]

_FORMS: Final = ("txt", "srt", "vtt", "json")
_BAR: Final = 30


def run(args: argparse.Namespace) -> int:
    """Transcribe, write what was said, and return the exit code."""
    form = _form(args)
    with open_client(args) as client:
        started = time.time()
        progress = _Progress()
        try:
            made = _asked(client, args, form, progress)
        except KeyboardInterrupt:
            progress.end()
            return interrupted(client, lambda entry: entry.reserved_at >= started)
        except MAIError as error:
            progress.end()
            if args.json:
                print(json.dumps({"error": described(error)}, indent=2, ensure_ascii=False))
            elif isinstance(error, CallFailed) and isinstance(error.partial, Transcript):
                _kept(error.partial, form, args.out)
            raise
        progress.end()
        return _told(made, form, args.out)


def _form(args: argparse.Namespace) -> str:
    """Return what to make of it, before anything is billed that could not be written after."""
    suffix = Path(args.out).suffix.lower().removeprefix(".") if args.out else ""
    form: str = "json" if args.json else args.to or suffix or "txt"
    if form not in _FORMS:
        raise InvalidRequest(
            f"--out: nothing is known of .{suffix} files. Say --to txt, srt, vtt or json."
        )
    if args.out and not Path(args.out).absolute().parent.is_dir():
        raise InvalidRequest(f"--out: there is no folder {Path(args.out).parent}. Make it first.")
    if args.out and Path(args.out).is_dir():
        raise InvalidRequest(f"--out: {args.out} is a folder. Name a file in it.")
    return form


def _asked(client: MAI, args: argparse.Namespace, form: str, progress: _Progress) -> Transcript:
    options: dict[str, Any] = {
        "model": args.model,
        "locale": args.locale,
        "phrases": args.phrase or None,
        "diarize": args.diarize or None,
        "timestamps": _times(client, args.model, form),
        "chunks": args.chunks,
        "at_once": args.at_once,
        "progress": progress.show if progress.wanted else None,
        "timeout": args.timeout,
        "tags": dict(args.tag),
    }
    audio = sys.stdin.buffer if args.audio == "-" else args.audio
    return client.transcribe.create(audio, **options)


def _times(client: MAI, model: str | None, form: str) -> str | None:
    """Subtitles need times, and a model that is known not to take the field gives them anyway."""
    known = client.models.get(model) if model is not None else None
    asked = form in ("srt", "vtt") and (known is None or known.can("timestamps") is not False)
    return "segment" if asked else None


def _told(made: Transcript, form: str, out: str | None) -> int:
    code = OK if _kept(made, form, out) else FAILED
    close(made)
    return code


def _kept(made: Transcript, form: str, out: str | None) -> bool:
    """Write it as asked; else print the text: it is paid for, and must not be lost."""
    try:
        _write(made, form, out)
    except BrokenPipeError:
        raise
    except InvalidRequest as error:
        why = error.message
    except OSError as error:
        why = f"{out} cannot be written: {error.strerror or error}."
    else:
        return True
    sys.stderr.write(f"mai: {why} The text is printed instead.\n")
    _write(made, "txt", None)
    return False


def _write(made: Transcript, form: str, out: str | None) -> None:
    text = made.to(form)
    if out is None:
        sys.stdout.write(safe(text, sys.stdout))
        sys.stdout.flush()
        return
    Path(out).write_text(text, encoding="utf-8", newline="\n")
    print(out)


class _Progress:
    """A bar on stderr while the file goes out; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self.wanted = sys.stderr.isatty()
        self._shown = -1

    def show(self, sent: int, total: int) -> None:
        """Draw the bar, if it has changed."""
        percent = 100 * sent // total
        if percent == self._shown:
            return
        self._shown = percent
        full = "#" * (_BAR * percent // 100)
        waiting = " waiting for the answer" if percent == 100 else ""
        sys.stderr.write(f"\r\033[K[{full:.<{_BAR}}] {percent:>3} % of {_size(total)}{waiting}")
        sys.stderr.flush()

    def end(self) -> None:
        """Take the bar away."""
        if self._shown >= 0:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
