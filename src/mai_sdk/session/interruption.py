"""Barge-in: what an interruption cuts, and what the service is told of it. Pure.

The model must remember what was heard, no more. So the service is told the milliseconds that were
played: at most what arrived, never 0, and once for each item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mai_sdk.wire.live_client_events import ConversationItemTruncate
from mai_sdk.wire.session_events import Interrupted

if TYPE_CHECKING:
    from typing import Literal

    from mai_sdk.audio.playback import Heard
    from mai_sdk.session.agent import Agent

__all__ = ["interrupt"]


def interrupt(
    agent: Agent, *, by: Literal["user", "caller"], is_asked: bool
) -> tuple[Interrupted, list[ConversationItemTruncate]] | None:
    """Stop the agent; return what the user and the service are told, or None where it was silent.

    Args:
        agent: Stopped: no more of what it says is given out.
        by: Whose doing it is.
        is_asked: Whether an answer was asked for that has not begun.
    """
    under_way = {one.id: one for one in agent.answers.open.values() if not one.is_stopped}
    growing = [
        heard
        for answer in under_way.values()
        for item_id in answer.items
        if (heard := agent.playback.heard(item_id)) is not None and not heard.stopped
    ]
    cut = agent.stop()
    if not (under_way or cut or (is_asked and by == "caller")):
        return None
    reports = {heard.item_id: heard for heard in (*growing, *cut)}
    first = cut[0] if cut else (growing[-1] if growing else None)
    known = first.response_id if first is not None else None
    told = Interrupted(
        response_id=known or next(iter(under_way), None),
        item_id=first.item_id if first is not None else None,
        heard_ms=first.heard_ms if first is not None else 0.0,
        received_ms=first.received_ms if first is not None else 0.0,
        by=by,
    )
    truncations = (
        _truncation(heard, grows=heard.response_id in under_way, agent=agent)
        for heard in reports.values()
    )
    return told, [each for each in truncations if each is not None]


def _truncation(heard: Heard, *, grows: bool, agent: Agent) -> ConversationItemTruncate | None:
    ends = int(heard.heard_ms)
    if ends < 1 or not (grows or heard.heard_ms < heard.received_ms):
        return None  # nothing was heard, or all there is
    if not grows and not agent.answers.is_over(heard.response_id or ""):
        return None  # an item of an earlier connection, which this one does not have
    return ConversationItemTruncate(
        item_id=heard.item_id, content_index=heard.content_index, audio_end_ms=ends
    )
