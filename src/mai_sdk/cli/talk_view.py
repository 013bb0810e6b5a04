"""`mai talk` on the terminal: lines as they are said, a meter beneath them, totals at the end."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.outcome import aside
from mai_sdk.cli.talk_lines import Script, facts, meter, totals
from mai_sdk.cli.talk_progress import Progress
from mai_sdk.cli.terminal import columns, fitted, ink_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.cli.talk_lines import Line
    from mai_sdk.resources.conversations import Call
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["View"]

_EVERY_S: Final = 0.1
_WIDTH: Final = 80


class View:
    """Shows a conversation. Transcripts go to stdout; the meter, notes and totals to stderr."""

    def __init__(
        self,
        *,
        most_turns: int | None,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.progress = Progress(most_turns=most_turns, clock=clock)
        self.call: Call | None = None
        """The session, once it is made."""
        self._script = Script()
        self._is_quiet = quiet
        self._clock = clock
        self._has_meter = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._is_drawn = False
        self._drawn_at = -math.inf
        self._level_db = -math.inf

    def take(self, event: SessionEvent) -> None:
        """Show what is to be shown of an event."""
        self.progress.take(event)
        self._show(self._script.take(event))

    def wrote(self, text: str) -> None:
        """Show what the user says in writing."""
        self._show(self._script.wrote(text))

    def loud(self, level_db: float) -> None:
        """Draw the meter with how loud the user is, unless it was drawn just now."""
        now = self._clock()
        self._level_db = max(level_db, self._level_db)
        if not self._has_meter or now - self._drawn_at < _EVERY_S:
            return
        call, progress = self.call, self.progress
        line = meter(
            level_db=self._level_db,
            first_audio_ms=progress.first_audio_ms,
            turns=len(progress.turns),
            cost=call.total.cost if call is not None else None,
            width=min(columns(), _WIDTH),
        )
        self._level_db, self._drawn_at, self._is_drawn = -math.inf, now, True
        sys.stderr.write(f"\r\033[K{ink_for(sys.stderr).paint(line, 'dim')}")
        sys.stderr.flush()

    def note(self, text: str) -> None:
        """Show something that is not said."""
        if not self._is_quiet:
            self._clear()
            aside(text)

    def end(self) -> None:
        """Take the meter away, and show what it all came to."""
        self._clear()
        if self._is_quiet or self.call is None:
            return
        for line in totals(self.call.total, self.progress.turns, connections=self.call.connections):
            aside(line)

    def facts(self) -> dict[str, Any]:
        """Return it all as JSON has it."""
        if self.call is None:
            return {}
        return facts(
            self.call.total,
            self.progress.turns,
            self._script.said,
            connections=self.call.connections,
        )

    def _show(self, lines: list[Line]) -> None:
        if lines and not self._is_quiet:
            self._clear()
            for line in lines:
                self._write(line)

    def _write(self, line: Line) -> None:
        who, text = line
        if who == "note":
            aside(text)
            return
        said = f"{who}: {' '.join(text.split())}"
        said = fitted(said, sys.stdout, hanging=" " * (len(who) + 2))
        styles = ("bold",) if who == "you" else ()
        sys.stdout.write(ink_for(sys.stdout).paint(said, *styles) + "\n")
        sys.stdout.flush()

    def _clear(self) -> None:
        if self._is_drawn:
            self._is_drawn, self._drawn_at = False, -math.inf
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
