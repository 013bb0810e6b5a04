"""`mai emulator`: the services of this package on loopback, until Ctrl-C."""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING, Any

from mai_sdk.cli.exits import OK
from mai_sdk.cli.layout import paragraph
from mai_sdk.cli.terminal import columns
from mai_sdk.emulator import EMULATOR_KEY, FAULTS, Emulator
from mai_sdk.emulator.faults import from_header
from mai_sdk.errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    import argparse

__all__ = ["run"]

_WHICH = ("times", "path", "model")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if args.list_faults:
        print(_faults())
        return OK
    emulator = Emulator(seed=args.seed, port=args.port, key=args.key or EMULATOR_KEY)
    for order in args.fault:
        _order(emulator, order)
    try:
        emulator.start()
    except OSError as error:
        raise ConfigurationError(
            f"Port {args.port} on 127.0.0.1 cannot be used: {error}. Give another with --port, "
            "or 0 for any free one."
        ) from None
    try:
        print(_welcome(emulator), flush=True)
        Event().wait()
    except KeyboardInterrupt:
        print(f"\nStopped after {len(emulator.journal)} requests.")
    finally:
        emulator.stop()
    return OK


def _welcome(emulator: Emulator) -> str:
    setting = "set" if os.name == "nt" else "export"
    settings = {
        "MAI_FOUNDRY_ENDPOINT": emulator.url,
        "MAI_FOUNDRY_API_KEY": emulator.key,
        "MAI_SPEECH_ENDPOINT": emulator.url,
        "MAI_SPEECH_API_KEY": emulator.key,
        "MAI_VLLM_BASE_URL": emulator.url,
    }
    lines = [f"  {setting} {name}={value}" for name, value in settings.items()]
    return "\n".join(
        [
            f"The emulator listens on {emulator.url}, for this machine only.",
            "",
            f"  foundry          {emulator.url}/mai/v1",
            f"  openai-v1        {emulator.url}/openai/v1",
            f"  azure-inference  {emulator.url}/models",
            f"  speech           {emulator.url}/tts",
            f"                   {emulator.url}/speechtotext",
            f"  vllm             {emulator.url}/v1",
            "",
            "In another terminal:",
            "",
            *lines,
            '  mai reason "Why is the sky blue?"',
            '  mai speak "Hello there."',
            "",
            "Ctrl-C stops it.",
        ]
    )


def _order(emulator: Emulator, order: str) -> None:
    """Script one fault: its own parameters, and which requests it befalls.

    Raises:
        InvalidRequest: There is no such fault, or it has no such parameter.
    """
    parts = [part.strip() for part in order.split(";") if part.strip()]
    which = {
        key.strip(): value.strip()
        for key, equals, value in (part.partition("=") for part in parts[1:])
        if equals and key.strip() in _WHICH
    }
    own = [part for part in parts if part.partition("=")[0].strip() not in _WHICH]
    try:
        fault = from_header("; ".join(own))
        emulator.fault(fault.fault.name, **_times(which), **dict(fault.parameters))
    except ValueError as error:
        raise InvalidRequest(f"--fault {order!r}: {error}") from None


def _times(which: dict[str, str]) -> dict[str, Any]:
    selected: dict[str, Any] = dict(which)
    if "times" in which:
        selected["times"] = int(which["times"]) or None
    return selected


def _faults() -> str:
    lines: list[str] = []
    for name, fault in sorted(FAULTS.items()):
        given = ", ".join(f"{key}={value!r}" for key, value in fault.parameters.items())
        lines.append(f"{name}  ({given})" if given else name)
        lines.append(paragraph(fault.about, width=columns(), indent="    "))
    lines += [
        "",
        'For one request, a client may also send the header x-mai-emulator-fault: "name".',
    ]
    return "\n".join(lines)
