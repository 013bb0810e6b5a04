"""`mai doctor`: what is set, and whether the way to each service is open."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.catalog import Catalog
from mai_sdk.cli.checks import Check
from mai_sdk.cli.connect import settings_of
from mai_sdk.cli.examine import examine
from mai_sdk.cli.exits import CONFIGURATION, FAILED, OK, TRY_IT
from mai_sdk.cli.found import found_settings, targets_of
from mai_sdk.cli.layout import lay_out, paragraph
from mai_sdk.cli.probe import Probe
from mai_sdk.cli.terminal import columns, ink_for
from mai_sdk.config import load_config
from mai_sdk.engine.engine import Engine
from mai_sdk.errors import CallFailed, NotConfigured
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.resources.core import Core

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from mai_sdk.cli.found import Setting, Target
    from mai_sdk.config import Route

__all__ = ["run"]

_CHAT: Final = frozenset({"foundry", "openai-v1", "azure-inference", "vllm"})
_MARKS: Final = {"ok": ("ok", "green"), "failed": ("FAILED", "red"), "unsure": ("?", "yellow")}


def run(args: argparse.Namespace) -> int:
    """Check everything, print it, and return 0 only if nothing is wrong."""
    given = settings_of(args)
    config = load_config(**given)
    catalog = Catalog.load(overlay=config.models)
    core = Core(config, catalog, Engine(ledger=MemoryLedger(), prices=PriceBook.load()))
    settings = found_settings(config, given, os.environ)
    targets = targets_of(core, args.model, settings)
    page = _Page(as_json=args.json)
    page.settings(settings)
    with closing(Probe(timeout=args.timeout)) as probe:
        for target in targets:
            page.target(target)
            for check in _checks(target, args, probe, given):
                page.check(check)
    page.end(offline=args.offline)
    if not targets:
        return _nothing_configured(core)
    return FAILED if page.failed else OK


def _nothing_configured(core: Core) -> int:
    try:
        core.route(None, "reasoning")
    except NotConfigured as error:
        sys.stderr.write(f"mai: {error.message}\n{TRY_IT}\n")
    return CONFIGURATION


def _checks(
    target: Target, args: argparse.Namespace, probe: Probe, given: Mapping[str, Any]
) -> Iterator[Check]:
    route = target.route
    if route is None:
        yield Check(name="settings", outcome="failed", found="incomplete", advice=target.problem)
        return
    yield Check(name="settings", outcome="ok", found=_described(route))
    if args.offline:
        return
    outcome = "ok"
    for check in examine(route, probe):
        outcome = check.outcome
        yield check
    askable = route.deployment is not None or route.surface == "vllm"
    if args.call and outcome != "failed" and route.surface in _CHAT and askable:
        yield _called(route, given)


def _described(route: Route) -> str:
    parts = [route.surface, route.endpoint]
    if route.deployment:
        parts.append(f"deployment {route.deployment}")
    if route.model and route.model != route.deployment:
        parts.append(f"model {route.model}")
    return ", ".join(parts)


def _called(route: Route, given: Mapping[str, Any]) -> Check:
    """Ask for a few tokens: the one proof that all of it works."""
    from mai_sdk.client import MAI

    settings: dict[str, Any] = {**given, "routes": {"mai-doctor": route}, "max_retries": 0}
    try:
        with MAI(**settings) as client:
            reply = client.reasoning.create(
                "Answer with the word OK.",
                model="mai-doctor",
                max_output_tokens=16,
                tags={"mai": "doctor"},
            )
    except CallFailed as error:
        found = f"{type(error).__name__}" + (f" ({error.status})" if error.status else "")
        return Check(name="call", outcome="failed", found=found, advice=error.message)
    return Check(name="call", outcome="ok", found=f"answered, {reply.cost}")


class _Page:
    """What is printed as it is found out, or kept for one JSON object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self.failed = 0
        self._unsure = 0
        self._checked = 0
        self._as_json = as_json
        self._ink = ink_for(sys.stdout)
        self._kept: dict[str, Any] = {"ok": False, "settings": [], "targets": []}

    def _say(self, text: str) -> None:
        if not self._as_json:
            print(text, flush=True)

    def settings(self, settings: Sequence[Setting]) -> None:
        self._kept["settings"] = [{**asdict(s), "name": s.name.strip()} for s in settings]
        self._say(self._ink.paint("Settings", "bold"))
        rows = [(each.name, each.value or "not set", each.source) for each in settings]
        for each, line in zip(settings, lay_out(rows), strict=True):
            self._say(f"  {line}" if each.value else self._ink.paint(f"  {line}", "dim"))
            for note in each.notes:
                self._say(paragraph(note, width=columns(), indent="      "))

    def target(self, target: Target) -> None:
        self._kept["targets"].append({"name": target.name, "checks": []})
        self._say(f"\n{self._ink.paint(target.name, 'bold')}")

    def check(self, check: Check) -> None:
        self._checked += 1
        self.failed += check.outcome == "failed"
        self._unsure += check.outcome == "unsure"
        self._kept["targets"][-1]["checks"].append(asdict(check))
        mark, colour = _MARKS[check.outcome]
        head = f"  {self._ink.paint(f'{mark:<6}', colour)}  {check.name:<12} "
        self._say(head + check.found)
        if check.advice:
            for line in check.advice.splitlines():
                self._say(paragraph(line, width=columns(), indent=" " * 10))

    def end(self, *, offline: bool) -> None:
        if self._as_json:
            self._kept["ok"] = bool(self._checked) and not self.failed
            print(json.dumps(self._kept, indent=2, ensure_ascii=False))
            return
        if not self._checked:
            print("\nThere is nothing to check.")
            return
        left = " No connection was opened." if offline else ""
        if self._unsure:
            left += f" {self._unsure} could not be told."
        verdict = (
            self._ink.paint(f"{self.failed} of {self._checked} checks failed.", "red", "bold")
            if self.failed
            else self._ink.paint("Nothing is wrong.", "green")
        )
        print(f"\n{verdict}{left}")
