"""`mai demo`: every capability of this version against the emulator, and the bill for it."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.connect import apart
from mai_sdk.cli.demo_acts import ACTS
from mai_sdk.cli.demo_bill import Bill, demo_prices
from mai_sdk.cli.demo_stage import Stage
from mai_sdk.cli.exits import OK
from mai_sdk.emulator import Emulator

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]

_PACE = 1500.0
"""Tokens a second: some ten times a real model, so that a stream is seen to be one."""

_ROUTES: dict[str, dict[str, str]] = {
    "MAI-Code-1.1-Flash": {
        "surface": "openai-v1",
        "deployment": "MAI-Code-1.1-Flash",
        "model": "MAI-Code-1.1-Flash",
    },
    "code-responses": {
        "surface": "openai-v1",
        "api": "responses",
        "deployment": "MAI-Code-1.1-Flash",
        "model": "MAI-Code-1.1-Flash",
    },
}


def run(args: argparse.Namespace) -> int:
    """Play every act, then print the bill."""
    started = time.monotonic()
    settings: dict[str, Any] = {**apart(), "routes": _ROUTES, "prices": demo_prices()}
    ledger = settings["ledger"]
    folder = Path(tempfile.mkdtemp(prefix="mai-demo-"))
    with Emulator(tokens_per_second=_PACE) as emulator, emulator.client(**settings) as client:
        stage = Stage(
            emulator=emulator, client=client, settings=settings, ledger=ledger, folder=folder,
            quiet=args.json,
        )  # fmt: skip
        stage.opening()
        for act in ACTS:
            act(stage)
        bill = Bill(list(ledger.entries()), stage.labels)
    if args.json:
        shutil.rmtree(folder)  # nobody was told of it
        print(bill.to_json())
    else:
        stage.closing(bill, seconds=time.monotonic() - started)
    return OK
