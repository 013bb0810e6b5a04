"""The pictures of one call: a request for each, side by side, and what becomes of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.engine.flow import completed, whole
from mai_sdk.engine.steps import Pause, Together
from mai_sdk.errors import (
    AuthenticationFailed,
    CallFailed,
    ConnectionFailed,
    ContentFiltered,
    MAIError,
    NotFound,
    PermissionDenied,
    RequestRejected,
    ServiceUnavailable,
    TimedOut,
)
from mai_sdk.metering.receipt import Timing
from mai_sdk.resources.image_plan import ImageAsk, ImagePlan
from mai_sdk.resources.image_size import size_notes
from mai_sdk.resources.picture import Images, Picture
from mai_sdk.wire.png import png_size

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from mai_sdk.engine.steps import Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.resources.core import Core
    from mai_sdk.wire.images import Drawn

__all__ = ["Drawing"]

_AT_ONCE: Final = 8
"""How many requests of one call are on their way at a time; quotas begin at 2 a minute."""

_POLL_SECONDS: Final = 1.0
_NOBODY_KNOWS: Final = (ConnectionFailed, TimedOut, ServiceUnavailable)
_FOR_GOOD: Final = (AuthenticationFailed, PermissionDenied, NotFound, RequestRejected)


class Drawing:
    """One call for `n` pictures. The service draws one a request, so it makes `n` requests.

    All have one call id and one receipt; each has its own tab, retries and row in the ledger.
    """

    def __init__(self, core: Core, ask: ImageAsk, *, verb: str) -> None:
        """Plan it; nothing is sent yet.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The ask is wrong as it stands.
        """
        self._plan = ImagePlan.make(core, ask)
        self._call = self._plan.call()
        self._tab = core.tab(
            self._plan.route,
            modality="image",
            verb=verb,
            tags=ask.tags,
            timeouts=self._plan.timeouts,
        )
        self._tabs = [self._tab, *(self._tab.beside() for _ in range(ask.n - 1))]
        self._refused: CallFailed | None = None
        """What no request of this call will get past."""

    def flow(self) -> Generator[Step, Any, Images]:
        """Draw them all, and return them if all came.

        Raises:
            CallFailed: One did not come, or more; those that did are on `partial`.
        """
        return (yield from completed(self._drawn(), self._tab))

    def _drawn(self) -> Generator[Step, Any, Images]:
        flows = [self._one(tab) for tab in self._tabs]
        outcomes: list[Drawn | Exception] = yield Together(flows, _AT_ONCE)
        came = [
            (drawn, tab.request_id)
            for drawn, tab in zip(outcomes, self._tabs, strict=True)
            if not isinstance(drawn, Exception)
        ]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        images = self._together(came)
        if not failures:
            return images
        raise self._failed(failures, images if came else None)

    def _one(self, tab: Tab) -> Generator[Step, Any, Drawn]:
        yield from self._wait_for_turn()
        if self._refused is not None:
            raise self._refused
        try:
            return (yield from whole(self._call, tab))
        except CallFailed as error:
            if isinstance(error, _FOR_GOOD) and not isinstance(error, ContentFiltered):
                self._refused = error
            raise

    def _wait_for_turn(self) -> Generator[Step, Any, None]:
        """Wait within the pace that was given, but not for what is refused meanwhile."""
        pace = self._plan.ask.requests_per_minute
        if pace is None:
            return
        wait = self._plan.core.wait_for_turn(self._plan.route, requests_per_minute=pace)
        while wait > 0 and self._refused is None and not self._tab.is_over():
            yield Pause(min(wait, _POLL_SECONDS))
            wait -= _POLL_SECONDS

    def _together(self, came: Sequence[tuple[Drawn, str | None]]) -> Images:
        receipt, tab, plan = self._tab.receipt(), self._tab, self._plan
        pictures = [
            picture for drawn, request_id in came for picture in _pictures(drawn, request_id)
        ]
        notes = [
            note
            for picture in pictures
            for note in size_notes(plan.asked_size, plan.sent_size, png_size(picture.data))
        ]
        return Images(
            images=tuple(pictures),
            notes=tuple(dict.fromkeys(notes)),
            usage=receipt.usage,
            cost=receipt.cost,
            model=tab.route.model or next((drawn.model for drawn, _ in came), None),
            deployment=tab.route.deployment,
            call_id=tab.call_id,
            request_id=receipt.attempts[-1].request_id if receipt.attempts else None,
            attempts=len(receipt.attempts),
            timing=self._timing(),
            receipt=receipt,
            raw=tuple(drawn.raw for drawn, _ in came),
        )

    def _timing(self) -> Timing:
        timings = [tab.timing() for tab in self._tabs]
        firsts = [timing.first_byte for timing in timings if timing.first_byte is not None]
        first = min(firsts, default=None)
        return Timing(
            queued=min(timing.queued for timing in timings),
            first_byte=first,
            first_content=first,
            total=self._tab.elapsed(),
        )

    def _failed(self, failures: Sequence[Exception], partial: Images | None) -> Exception:
        """Return the first failure, with the receipt over all requests and what came in spite."""
        failure = next((e for e in failures if isinstance(e, CallFailed)), failures[0])
        if not isinstance(failure, CallFailed):
            if partial is None:
                return failure
            said = failure.message if isinstance(failure, MAIError) else type(failure).__name__
            failure = CallFailed(said, call_id=self._tab.call_id)
            failure.__cause__ = failures[0]
        failure.partial = partial
        failure.receipt = self._tab.receipt()
        words = [failure.message, *self._of_how_many(len(failures)), *self._not_repeated(failure)]
        failure.message = " ".join(words)
        failure.args = (failure.message,)
        return failure

    def _of_how_many(self, failed: int) -> list[str]:
        n = self._plan.ask.n
        if n == 1:
            return []
        if failed == n:
            return [f"None of the {n} pictures came."]
        return [f"{n - failed} of {n} pictures came: they are on error.partial."]

    def _not_repeated(self, failure: CallFailed) -> list[str]:
        attempts = failure.receipt.attempts if failure.receipt is not None else ()
        lost = isinstance(failure, _NOBODY_KNOWS) and any(a.state == "unknown" for a in attempts)
        if not lost or self._plan.ask.resend_unknown:
            return []
        why = "It may have been drawn, and billed, so it was not sent again"
        return [f"{why}: resend_unknown=True allows that once."]


def _pictures(drawn: Drawn, request_id: str | None) -> list[Picture]:
    pictures: list[Picture] = []
    for data, revised in zip(drawn.images, drawn.revised_prompts, strict=True):
        width, height = png_size(data) or (None, None)
        pictures.append(
            Picture(
                data=data,
                width=width,
                height=height,
                revised_prompt=revised,
                request_id=request_id,
            )
        )
    return pictures
