"""A connection opened before it is needed. No I/O."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mai_sdk.engine.flow import attach, interrupted, prepared
from mai_sdk.engine.steps import Await, Read, TransportFailed
from mai_sdk.engine.timeouts import limits_for
from mai_sdk.resources.live_speaking import shared_by, socket_call
from mai_sdk.resources.say import Say, speech_route

if TYPE_CHECKING:
    from collections.abc import Generator

    from mai_sdk.engine.pool import AsyncPool, Pool
    from mai_sdk.engine.steps import Step
    from mai_sdk.resources.core import Core

__all__ = ["warmed"]

_MAX_REFUSAL = 64 * 1024


def warmed(
    core: Core, pool: Pool | AsyncPool, *, model: str | None, version: int
) -> Generator[Step, Any, None]:
    """Open a connection and leave it in the pool; nothing is said on it, so nothing is billed.

    Raises:
        NotConfigured: No Speech resource leads to the model.
        CallFailed: There is no connection, or it was refused.
    """
    say = Say(text="text", model=model)
    route, _ = speech_route(core, say)
    call = socket_call(core, say, route, version=version)
    tab = core.tab(route, modality="voice", verb="prewarm", tags=None, timeouts=call.timeouts)
    request, token = yield from prepared(call, tab)
    limits = limits_for(call.timeouts, stream=True, remaining=tab.remaining())
    try:
        open_one = partial(pool.warm, shared_by(call), request, limits)
        refusal: Any = yield Await(open_one)
        if refusal is None:
            return
        body: bytes = yield Read(refusal, _MAX_REFUSAL, tab.remaining)
        failure = call.fail(refusal.status, refusal.headers, body)
    except TransportFailed as error:
        failure = interrupted(error, call.url)
    raise attach(failure, tab, call, token=token) from None
