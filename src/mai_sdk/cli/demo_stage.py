"""Where the acts of the demo play: its client, its emulator, and what is shown of them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.layout import Flow, paragraph, span
from mai_sdk.cli.terminal import ink_for
from mai_sdk.cli.wording import brief_usage
from mai_sdk.wire.events import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from mai_sdk.cli.demo_bill import Bill
    from mai_sdk.client import MAI, AsyncMAI
    from mai_sdk.emulator import Emulator
    from mai_sdk.metering.ledger import Ledger
    from mai_sdk.resources.reply import Reply
    from mai_sdk.resources.speech import Speech
    from mai_sdk.resources.transcript import Transcript
    from mai_sdk.wire.events import Event

__all__ = ["WIDTH", "Stage"]

WIDTH: Final = 80
_INDENT: Final = "    "


class Stage:
    """Shows what an act does, and remembers which calls were whose."""

    def __init__(
        self,
        *,
        emulator: Emulator,
        client: MAI,
        settings: Mapping[str, Any],
        ledger: Ledger,
        folder: Path,
        quiet: bool,
    ) -> None:
        self.emulator = emulator
        self.client = client
        self.folder = folder
        """Where files are saved."""
        self.labels: dict[str, str] = {}
        """What each call is called in the bill, by call id."""
        self._settings = settings
        self._ledger = ledger
        self._quiet = quiet
        self._ink = ink_for(sys.stdout)
        self._acts = 0

    def async_client(self) -> AsyncMAI:
        """Return an async client with the same routes, prices and ledger."""
        return self.emulator.async_client(**self._settings)

    @contextmanager
    def act(self, title: str, code: str, *labels: str) -> Generator[None, None, None]:
        """Show the act's title and the line of code it is about; label its calls, in order."""
        self._acts += 1
        self._print(f"\n{self._ink.paint(f'{self._acts:>2}  {title}', 'bold')}")
        self._print(self._ink.paint(f"{_INDENT}{code}", "green"))
        yield
        calls = dict.fromkeys(entry.operation.call_id for entry in self._ledger.entries())
        new = [call for call in calls if call not in self.labels]
        self.labels.update(zip(new, labels, strict=True))

    def say(self, text: str, *styles: str, lines: int = 2) -> None:
        """Show a text, wrapped, up to so many lines."""
        wrapped = [
            line
            for source in text.strip().splitlines()
            if source.strip()
            for line in _wrapped(source)
        ]
        shown = wrapped[:lines]
        if len(wrapped) > lines:
            shown[-1] = f"{shown[-1][: WIDTH - 2]} …"
        self._print("\n".join(self._ink.paint(line, *styles) for line in shown))

    def reply(self, reply: Reply[Any], *, lines: int = 2) -> None:
        """Show an answer and what it took."""
        self.say(reply.text, lines=lines)
        self.took(reply)

    def took(self, reply: Reply[Any] | Speech | Transcript, more: str = "") -> None:
        """Show what a call used and cost."""
        parts = [brief_usage(reply.usage), span(reply.timing.total), str(reply.cost)]
        if reply.attempts > 1:
            parts.append(f"{reply.attempts} attempts")
        self.say(", ".join([*parts, more] if more else parts), "dim")

    @contextmanager
    def streaming(self) -> Generator[_Ticker, None, None]:
        """Show events as they come."""
        ticker = _Ticker(self)
        yield ticker
        ticker.end()

    def opening(self) -> None:
        """Say what is about to be seen."""
        self._print(f"{self._ink.paint('mai demo', 'bold')}: every capability, every call priced.")
        self.say(
            f"Every call below goes over real HTTP to the emulator on {self.emulator.url}. "
            "Its answers are made up; usage, errors and prices are as the real services have them. "
            "No account is needed, and nothing is billed.",
            lines=4,
        )

    def closing(self, bill: Bill, *, seconds: float) -> None:
        """Show the bill."""
        self._print("")
        for title, lines in bill.sections():
            self._print(self._ink.paint(title, "bold"))
            self._print("\n".join(lines) + "\n")
        self._print(
            f"{seconds:.1f} seconds, no account. With an endpoint and a key the same code talks\n"
            "to Foundry, or to your own vLLM server: `mai doctor` says what to set."
        )

    def _print(self, text: str) -> None:
        self.write(f"{text}\n")

    def write(self, text: str, *styles: str) -> None:
        """Show a piece of text as it is."""
        if not self._quiet and text:
            sys.stdout.write(self._ink.paint(text, *styles))
            sys.stdout.flush()


class _Ticker:
    """Writes a stream to the stage: thoughts after a bar, then the answer."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._thoughts = Flow(width=WIDTH, indent=f"{_INDENT}| ")
        self._answer = Flow(width=WIDTH, indent=_INDENT)
        self._thinking = False
        self._ended = False
        self.pieces = 0
        """How many pieces of text have come."""

    def show(self, event: Event) -> None:
        """Write what can be written of an event."""
        if isinstance(event, ReasoningDelta):
            self._thinking = True
            self._stage.write(self._thoughts.feed(event.text.replace("\n", " ")), "dim")
        elif isinstance(event, TextDelta):
            self._end_thoughts()
            self.pieces += 1
            text = event.text.lstrip("\n") if self.pieces == 1 else event.text
            self._stage.write(self._answer.feed(text))

    def _end_thoughts(self) -> None:
        if self._thinking:
            self._stage.write(f"{self._thoughts.end()}\n", "dim")
            self._thinking = False

    def end(self, mark: str = "") -> None:
        """Write the last word."""
        if not self._ended:
            self._ended = True
            self._end_thoughts()
            self._stage.write(f"{self._answer.feed(mark)}{self._answer.end()}\n")


def _wrapped(source: str) -> list[str]:
    """Lines of at most WIDTH; what is indented, such as code, keeps its indentation."""
    inside = len(source) - len(source.lstrip(" "))
    indent = _INDENT + " " * min(inside, 20)
    return paragraph(source.strip(), width=WIDTH, indent=indent).splitlines()
