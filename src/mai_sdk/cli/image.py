"""`mai image`: pictures drawn, edited and asked about."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.connect import open_client
from mai_sdk.cli.exits import FAILED, OK
from mai_sdk.cli.outcome import aside, close, described, interrupted, prompt_of
from mai_sdk.cli.outfile import kept
from mai_sdk.cli.terminal import complain, safe
from mai_sdk.errors import CallFailed, InvalidRequest, MAIError
from mai_sdk.resources.picture import Images

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from mai_sdk.client import MAI

__all__ = ["run"]

_NAME: Final = "image.png"


def run(args: argparse.Namespace) -> int:
    """Draw or ask, save what came, and return the exit code."""
    prompt = prompt_of(args.prompt)
    _check(args)
    with open_client(args) as client:
        started = time.time()
        try:
            return _asked(client, prompt, args) if args.ask else _drawn(client, prompt, args)
        except KeyboardInterrupt:
            return interrupted(client, lambda entry: entry.reserved_at >= started)
        except MAIError as error:
            if args.json:
                _print_json({"error": described(error), "images": _saved(error, args)})
            else:
                _show(_saved(error, args))
            raise


def _check(args: argparse.Namespace) -> None:
    """Refuse before anything is billed what could not be saved after."""
    if args.ask:
        return
    out = Path(args.out or ".")
    folder = out if out.is_dir() else out.parent
    if not folder.is_dir():
        raise InvalidRequest(f"--out: there is no folder {folder}. Make it first.")
    if not os.access(folder, os.W_OK):
        raise InvalidRequest(f"--out: nothing can be written into {folder}.")


def _drawn(client: MAI, prompt: str, args: argparse.Namespace) -> int:
    options: dict[str, Any] = {
        "model": args.model,
        "width": args.width,
        "height": args.height,
        "n": args.n,
        "auto_aspect_ratio": args.auto_aspect_ratio,
        "web_grounding": args.web_grounding,
        "background": args.background,
        "requests_per_minute": args.requests_per_minute,
        "resend_unknown": args.resend_unknown,
        "timeout": args.timeout,
        "tags": dict(args.tag),
    }
    if args.edit:
        made = client.image.edit(prompt, images=args.edit, **options)
    else:
        made = client.image.generate(prompt, **options)
    saved, code = _save(made, args.out)
    if args.json:
        _print_json({
            **made.model_dump(mode="json", exclude={"images", "raw"}),
            "images": saved,
        })  # fmt: skip
        return code
    _show(saved)
    for note in made.notes:
        aside(note)
    close(made)
    return code


def _asked(client: MAI, prompt: str, args: argparse.Namespace) -> int:
    reply = client.image.ask(
        prompt, images=args.ask, model=args.model, timeout=args.timeout, tags=dict(args.tag)
    )
    if args.json:
        print(reply.model_dump_json(indent=2))
        return OK
    print(safe(reply.text, sys.stdout))
    close(reply)
    return OK


def _saved(error: MAIError, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Save what came in spite of a failure: it was paid for."""
    came = error.partial if isinstance(error, CallFailed) else None
    return _save(came, args.out)[0] if isinstance(came, Images) else []


def _save(made: Images, out: str | None) -> tuple[list[dict[str, Any]], int]:
    """Write the files; return what is said of each, and the exit code.

    Raises:
        MAIError: One cannot be written; the call was made all the same, and is billed.
    """
    saved: list[dict[str, Any]] = []
    code = OK
    for picture, path in zip(made.images, _paths(out, len(made.images)), strict=True):
        try:
            where, why = kept(path, picture.save)
        except OSError as error:
            raise MAIError(
                f"{path} cannot be written: {error.strerror or error}. What was drawn cost "
                f"{made.cost}."
            ) from None
        if why is not None:
            complain(f"{why} What was drawn cost {made.cost}.")
            code = FAILED
        saved.append({"path": str(where), "width": picture.width, "height": picture.height})
    return saved, code


def _paths(out: str | None, count: int) -> Iterator[Path]:
    """Return where the pictures go: over what was there only if that very file was named."""
    named = out is not None and not Path(out).is_dir()
    first = Path(out or ".") if named else Path(out or ".") / _NAME
    numbered = (first.with_stem(f"{first.stem}-{number}") for number in itertools.count(1))
    names = numbered if count > 1 else itertools.chain((first,), numbered)
    return itertools.islice(names if named else (n for n in names if not n.exists()), count)


def _show(saved: Sequence[dict[str, Any]]) -> None:
    for file in saved:
        print(safe(file["path"], sys.stdout))


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
