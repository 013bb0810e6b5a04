"""What `mai talk` shows: who said what, the meter, the totals. No I/O."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from mai_sdk.cli.layout import clip
from mai_sdk.cli.wording import brief_cost
from mai_sdk.wire.session_events import (
    AgentTranscript,
    Ended,
    Failed,
    Interrupted,
    Reconnected,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
    UserTranscript,
    Warned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.receipt import Receipt
    from mai_sdk.wire.session_events import SessionEvent

__all__ = ["Line", "Script", "facts", "meter", "totals"]

Who: TypeAlias = Literal["you", "agent", "note"]
Line: TypeAlias = tuple[Who, str]

_BAR: Final = 20
_QUIETEST_DB: Final = -60.0
_SETTLED: Final = ("completed", "cancelled")


class Script:
    """Events into lines, in the order of a conversation.

    A transcript of the user may come after the answer has begun: the answer's lines wait for it,
    until it comes or somebody speaks again.
    """

    def __init__(self) -> None:
        self.said: list[Line] = []
        """All that was said, in order."""
        self._held: list[Line] = []
        self._is_owed = False
        self._text = ""

    def wrote(self, text: str) -> list[Line]:
        """Return the lines that can be shown once the user has said something in writing."""
        return self._shown([*self._flush(), ("you", text)])

    def take(self, event: SessionEvent) -> list[Line]:
        """Return the lines that can be shown now."""
        match event:
            case SpeechEnded():
                self._is_owed = True
            case UserTranscript(final=True):
                self._is_owed = False
                mine: list[Line] = [("you", event.text)] if event.text.strip() else []
                return self._shown([*mine, *self._flush()])
            case SpeechStarted() | Ended():
                return self._shown(self._flush())
            case AgentTranscript():
                self._text += event.text
                if event.final:
                    return self._say(event.whole or self._text)
            case Interrupted():
                return self._say(self._text, _cut(event))
            case TurnDone():
                return self._say(self._text, _failed(event))
            case Reconnected():
                again = f"; {event.resent_ms / 1000:.1f} s of audio were sent again"
                return [("note", f"reconnected, because {event.why}{again}")]
            case Warned():
                return [("note", event.message)]
            case Failed():
                self._is_owed = False
                return self._shown([*self._flush(), ("note", event.error.message)])
            case _:
                pass
        return []

    def _say(self, text: str, note: str | None = None) -> list[Line]:
        self._text = ""
        if text.strip():
            self._held.append(("agent", text.strip()))
        if note is not None:
            self._held.append(("note", note))
        return [] if self._is_owed else self._shown(self._flush())

    def _flush(self) -> list[Line]:
        held, self._held = self._held, []
        return held

    def _shown(self, lines: list[Line]) -> list[Line]:
        self.said += [line for line in lines if line[0] != "note"]
        return lines


def _cut(event: Interrupted) -> str:
    heard = f"after {event.heard_ms / 1000:.1f} s" if event.heard_ms else "before it was heard"
    return f"interrupted {heard}"


def _failed(turn: TurnDone) -> str | None:
    if turn.was_interrupted or turn.status in _SETTLED:
        return None
    why = f" ({turn.reason})" if turn.reason else ""
    return f"the answer is {turn.status}{why}"


def meter(
    *, level_db: float, first_audio_ms: float | None, turns: int, cost: Cost | None, width: int
) -> str:
    """Return one line: how loud the user is, how fast the last answer came, what it all cost."""
    share = (max(level_db, _QUIETEST_DB) - _QUIETEST_DB) / -_QUIETEST_DB
    bar = "#" * min(round(share * _BAR), _BAR)
    level = f"{max(level_db, _QUIETEST_DB):>3.0f} dB"
    latency = "-" if first_audio_ms is None else f"{first_audio_ms / 1000:.2f} s"
    money = "$0" if cost is None or not turns else brief_cost(cost)
    told = "cost unknown" if money == "?" else money
    line = f"[{bar:.<{_BAR}}] {level} | first audio {latency} | {_count(turns, 'turn')} | {told}"
    return clip(line, width - 1)


def totals(total: Receipt, turns: Sequence[TurnDone], *, connections: int) -> list[str]:
    """Return what the conversation came to, one statement a line."""
    usage = total.usage
    parts = [_count(len(turns), "turn")]
    for seconds, what in (
        (usage.audio_seconds, "heard"),
        (usage.spoken_seconds, "spoken"),
        (usage.unheard_seconds, "not heard"),
    ):
        if seconds:
            parts.append(f"{seconds:,} s {what}")
    if usage.counts_in("tokens"):
        parts.append(f"{_known(usage.input_tokens)} in, {_known(usage.output_tokens)} out")
    if usage.characters:
        parts.append(f"{usage.characters:,} characters")
    parts.append(f"cost {total.cost}")
    lines = [", ".join(parts)]
    if total.cost.amount is None and total.cost.reason:
        lines.append(total.cost.reason)
    found = _latencies(turns)
    if found:
        shown = ", ".join(f"{name} {ms / 1000:.2f} s" for name, ms in found.items())
        lines.append(f"after the end of speech (median): {shown}")
    if connections > 1:
        lines.append(f"{connections} connections")
    return lines


def facts(
    total: Receipt, turns: Sequence[TurnDone], said: Sequence[Line], *, connections: int
) -> dict[str, Any]:
    """Return the conversation as JSON has it."""
    return {
        "transcript": [{"who": who, "text": text} for who, text in said],
        "turns": [_turn(turn) for turn in turns],
        "latency_ms": {
            name.replace(" ", "_"): round(ms, 1) for name, ms in _latencies(turns).items()
        },
        "connections": connections,
        "usage": total.usage.model_dump(mode="json"),
        "cost": total.cost.model_dump(mode="json"),
        "receipt": total.model_dump(mode="json"),
    }


def _turn(turn: TurnDone) -> dict[str, Any]:
    names = (
        "status", "reason", "user_text", "agent_text", "response_id", "was_interrupted",
        "listened_ms", "received_ms", "heard_ms", "first_text_ms", "first_audio_ms",
        "first_audible_ms",
    )  # fmt: skip
    cost = turn.receipt.cost if turn.receipt is not None else None
    told = cost.model_dump(mode="json") if cost is not None else None
    return {**{name: getattr(turn, name) for name in names}, "cost": told}


def _latencies(turns: Sequence[TurnDone]) -> dict[str, float]:
    """Return the median of each latency that any turn has."""
    found = {
        "first text": [turn.first_text_ms for turn in turns],
        "first audio": [turn.first_audio_ms for turn in turns],
    }
    known = {name: [ms for ms in each if ms is not None] for name, each in found.items()}
    return {name: median(each) for name, each in known.items() if each}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _known(quantity: int | None) -> str:
    return "?" if quantity is None else f"{quantity:,}"
