"""`mai speak`: a text spoken into a file, or the voices there are."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.catalog import Catalog
from mai_sdk.cli.connect import open_client
from mai_sdk.cli.exits import FAILED, OK
from mai_sdk.cli.layout import lay_out
from mai_sdk.cli.outcome import close, described, interrupted, prompt_of
from mai_sdk.cli.outfile import check_file, kept
from mai_sdk.cli.terminal import complain
from mai_sdk.errors import InvalidRequest, MAIError
from mai_sdk.wire.formats import SHORT_NAMES
from mai_sdk.wire.ssml import SSML

if TYPE_CHECKING:
    import argparse

    from mai_sdk.client import MAI
    from mai_sdk.resources.speech import Speech

__all__ = ["run"]

_DEFAULT_FILE: Final = "speech"
_SUFFIXES: Final = {"ulaw": "mulaw", "raw": "pcm"}


def run(args: argparse.Namespace) -> int:
    """Speak, write the file, and return the exit code."""
    if args.voices:
        return _voices(args)
    text = prompt_of(args.text)
    if args.out == "-" and args.json:
        raise InvalidRequest("--json and --out - would both write to stdout. Give --out a file.")
    if args.out != "-":
        check_file(Path(args.out or f"{_DEFAULT_FILE}.wav"))
    with open_client(args) as client:
        started = time.time()
        try:
            speech = client.voice.synthesize(SSML(text) if args.ssml else text, **_options(args))
        except KeyboardInterrupt:
            return interrupted(client, lambda entry: entry.reserved_at >= started)
        except MAIError as error:
            if args.json:
                print(json.dumps({"error": described(error)}, indent=2, ensure_ascii=False))
            raise
    where, why = _write(speech, args.out)
    if args.json:
        facts = speech.model_dump(mode="json", exclude={"audio", "raw"})
        print(json.dumps({"file": where, **facts}, indent=2, ensure_ascii=False))
    else:
        seconds = speech.audio_seconds
        close(speech, *(() if seconds is None else (f"{seconds:.1f} s of audio",)), where)
    if why is not None:
        complain(f"{why} The text was spoken, and cost {speech.cost}.")
    return OK if why is None else FAILED


def _options(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "voice": args.voice,
        "model": args.model,
        "format": args.format or _format_of(args.out),
        "style": args.style,
        "rate": args.rate,
        "language": args.language,
        "timeout": args.timeout,
        "tags": dict(args.tag),
    }


def _format_of(out: str | None) -> str:
    """Return the format a file's name asks for."""
    suffix = Path(out or "").suffix.lower().removeprefix(".")
    suffix = _SUFFIXES.get(suffix, suffix)
    return suffix if suffix in SHORT_NAMES else "wav"


def _write(speech: Speech, out: str | None) -> tuple[str, str | None]:
    """Write the file; return what it is called, and why that is not what it was to be called.

    Raises:
        InvalidRequest: It cannot be written; the call was made all the same, and is billed.
    """
    if out == "-":
        sys.stdout.buffer.write(speech.audio)
        sys.stdout.buffer.flush()
        return "stdout", None
    path = Path(out or f"{_DEFAULT_FILE}{speech.suffix}")
    try:
        where, why = kept(path, speech.save)
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror or error}. The text was spoken, and cost "
            f"{speech.cost}."
        ) from None
    return str(where), why


def _voices(args: argparse.Namespace) -> int:
    """List the voices: those of the catalog, or with `--live` those of the service."""
    rows: list[dict[str, Any]]
    if args.live:
        with open_client(args) as client:
            rows = _listed(client, args)
    else:
        known = Catalog.load().voices(locale=args.locale, model=args.model)
        rows = [
            {
                "name": voice.name,
                "gender": voice.gender,
                "models": list(voice.models),
                "styles": list(voice.styles),
                "source": voice.source,
                "checked": voice.checked.isoformat(),
            }
            for voice in known
        ]
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return OK
    table = [(row["name"], row["gender"] or "", ", ".join(row["models"])) for row in rows]
    print("\n".join(lay_out([("voice", "gender", "models"), *table])))
    if not args.live:
        print(f"\n{len(rows)} known offline; others may be asked for, too. --json has the sources.")
    return OK


def _listed(client: MAI, args: argparse.Namespace) -> list[dict[str, Any]]:
    return [
        {
            "name": voice.name,
            "gender": voice.gender,
            "models": [voice.model] if voice.model else [],
            "styles": list(voice.styles),
        }
        for voice in client.voice.voices(locale=args.locale, model=args.model)
    ]
