"""The calls behind `client.reasoning` and `client.code`: whole, structured, or streamed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mai_sdk.engine.flow import attach, completed, whole
from mai_sdk.errors import CallFailed, StructuredOutputFailed
from mai_sdk.resources.plan import Ask, Plan
from mai_sdk.resources.reply import Alternative, Reply
from mai_sdk.resources.reply_reading import ReplyReading
from mai_sdk.wire.answer import Answer, Choice

if TYPE_CHECKING:
    from collections.abc import Generator

    from mai_sdk.config import Modality
    from mai_sdk.engine.steps import Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.resources.core import Core

__all__ = ["build_reply", "create", "open_stream"]

_MAX_ASKS = 3
"""How often a structured answer is asked for in all before the call fails."""


def create(
    core: Core,
    modality: Modality,
    ask: Ask,
    *,
    verb: str = "create",
    booked_as: Modality | None = None,
) -> Generator[Step, Any, Reply[Any]]:
    """Plan the call, make it, and return the reply; ask again while it does not fit its class.

    `booked_as` is the modality in the ledger, where that is another than the one that routes it.
    """
    plan = Plan.make(core, modality, ask, stream=False)
    tab = _tab(plan, verb, booked_as)
    return (yield from completed(_asked(plan, tab), tab))


def _asked(plan: Plan, tab: Tab) -> Generator[Step, Any, Reply[Any]]:
    asked = 0
    while True:
        call = plan.call()
        call.fault_of = partial(_fault, plan)
        try:
            answer = yield from whole(call, tab)
        except CallFailed as error:
            if isinstance(error.partial, Answer):
                error.partial = build_reply(error.partial, tab)
            raise
        reply = build_reply(answer, tab)
        asked += 1
        if plan.format is None or reply.tool_calls:
            return reply
        try:
            parsed = plan.format.parse(reply.text)
        except ValueError as error:
            problem = str(error)
        else:
            return reply.model_copy(update={"parsed": parsed})
        if reply.finish_reason == "length":
            problem = "it was cut off at the output limit"
        if asked == _MAX_ASKS or reply.finish_reason == "length":
            raise attach(_did_not_fit(problem, asked, reply), tab, call)
        plan = plan.asked_again(reply.message, problem)


def _fault(plan: Plan, answer: Answer) -> str | None:
    """Return what the ledger says of an answer that does not fit: it is paid for, and wasted."""
    choice = answer.choices[0] if answer.choices else Choice()
    if plan.format is None or choice.tool_calls:
        return None
    try:
        plan.format.parse(choice.text)
    except ValueError:
        return StructuredOutputFailed.__name__
    return None


def _did_not_fit(problem: str, asked: int, reply: Reply[Any]) -> StructuredOutputFailed:
    times = "once" if asked == 1 else f"{asked} times"
    return StructuredOutputFailed(
        f"Asked {times}, the model gave no answer that fits the schema; the last one: {problem}. "
        "Its text is on error.partial.",
        status=200,
        request_id=reply.request_id,
        partial=reply,
    )


def open_stream(core: Core, modality: Modality, ask: Ask) -> ReplyReading[Any]:
    """Plan a streamed call; nothing is sent yet."""
    plan = Plan.make(core, modality, ask, stream=True)

    def parse(reply: Reply[Any]) -> Reply[Any]:
        if plan.format is None or reply.finish_reason != "stop":
            return reply
        try:
            parsed = plan.format.parse(reply.text)
        except ValueError as error:
            raise _did_not_fit(str(error), 1, reply) from None
        return reply.model_copy(update={"parsed": parsed})

    tab = _tab(plan, "stream")
    return ReplyReading(
        plan.call(),
        tab,
        plan.reader(),
        estimate=plan.estimate,
        at_least=plan.at_least,
        build=build_reply,
        parse=parse,
        open_streams=core.open_streams,
    )


def build_reply(answer: Answer, tab: Tab) -> Reply[Any]:
    """Return `answer` as callers see it, with what it took."""
    receipt = tab.receipt()
    choice = answer.choices[0] if answer.choices else Choice()
    return Reply.trusted(
        text=choice.text,
        reasoning=choice.reasoning,
        tool_calls=tuple(choice.tool_calls),
        finish_reason=choice.finish_reason,
        refusal=choice.refusal,
        parsed=None,
        usage=receipt.usage,
        cost=receipt.cost,
        model=tab.route.model or answer.model,
        deployment=tab.route.deployment,
        call_id=tab.call_id,
        request_id=tab.request_id,
        attempts=len(receipt.attempts),
        timing=tab.timing(),
        receipt=receipt,
        alternatives=tuple(map(_alternative, answer.choices[1:])),
        message=choice.message,
        raw=answer.raw,
    )


def _alternative(choice: Choice) -> Alternative:
    return Alternative(
        text=choice.text,
        reasoning=choice.reasoning,
        tool_calls=tuple(choice.tool_calls),
        finish_reason=choice.finish_reason,
    )


def _tab(plan: Plan, verb: str, booked_as: Modality | None = None) -> Tab:
    return plan.core.tab(
        plan.route,
        modality=booked_as or plan.modality,
        verb=verb,
        tags=plan.tags,
        timeouts=plan.timeouts,
    )
