"""The calls behind `client.transcribe`: a recording sent whole, by its URL, or in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mai_sdk.engine.flow import whole_operation
from mai_sdk.engine.steps import Together, Work
from mai_sdk.errors import AuthenticationFailed, CallFailed, MAIError, NotFound, PermissionDenied
from mai_sdk.resources.listening import Listening, Sent
from mai_sdk.resources.pieces import cut_up
from mai_sdk.resources.recording import Recording, close_all, open_recording
from mai_sdk.resources.stitching import Done, build_transcript, stitch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from mai_sdk.engine.steps import Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.listening_ask import ListeningAsk, Progress
    from mai_sdk.resources.pieces import Cut
    from mai_sdk.resources.transcript import Transcript

__all__ = ["transcribe"]

_HOPELESS = (AuthenticationFailed, PermissionDenied, NotFound)
"""What would befall every other piece, too."""


def transcribe(core: Core, ask: ListeningAsk) -> Generator[Step, Any, Transcript]:
    """Plan the call, make it, and return the transcript."""
    plan = Listening.plan(core, ask)
    tab = _tab(plan)
    if plan.request.audio_url is not None:
        answer = yield from whole_operation(plan.call(None), tab)
        return build_transcript(answer, tab, duration_ms=None)
    recording: Recording = yield Work(partial(open_recording, ask.audio), Recording.close)
    try:
        longer = recording.seconds is None or recording.seconds > (ask.chunks or 0)
        if ask.chunks is not None and longer:
            return (yield from _in_pieces(plan, recording, tab, seconds=ask.chunks))
        return (yield from _whole(plan, recording, tab))
    finally:
        recording.close()


def _whole(plan: Listening, recording: Recording, tab: Tab) -> Generator[Step, Any, Transcript]:
    counted = _Counted(plan.ask.progress, [0], recording.size)
    sent = Sent(
        filename=recording.filename,
        size=recording.size,
        read=lambda: counted.through(0, recording.read(0, recording.size)),
        seconds=recording.seconds,
    )
    plan.warn(sent)
    answer = yield from whole_operation(plan.call(sent), tab)
    known = None if recording.seconds is None else round(recording.seconds * 1000)
    return build_transcript(answer, tab, duration_ms=known)


def _in_pieces(
    plan: Listening, recording: Recording, tab: Tab, *, seconds: float
) -> Generator[Step, Any, Transcript]:
    cuts, files = yield Work(
        partial(cut_up, recording, seconds=seconds), lambda made: close_all(made[1])
    )
    try:
        counted = _Counted(plan.ask.progress, [0] * len(cuts), sum(cut.size for cut in cuts))
        stem = Path(recording.filename).stem
        job = _Job(plan, tab)
        flows = [
            job.piece(cut, _sent(cut, f"{stem}-{place + 1}.wav", counted, place), place)
            for place, cut in enumerate(cuts)
        ]
        outcomes: list[Done | Exception] = yield Together(flows, plan.ask.at_once)
    finally:
        close_all(files)
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    if len(done) < len(outcomes):  # what the caller's own code raised; all else a piece returns
        raise next(outcome for outcome in outcomes if isinstance(outcome, Exception))
    made = stitch(done)
    failed = next((each for each in done if each.error is not None), None)
    if failed is None or failed.error is None:
        return made
    ours = failed.error.__cause__
    if ours is not None and not any(each.answer for each in done):  # nothing is lost with it
        raise ours
    raise _with_the_others(failed.error, done.index(failed) + 1, made)


@dataclass(slots=True)
class _Job:
    """What the pieces of one recording share."""

    plan: Listening
    begun: Tab
    """Of the call they are part of: its time holds for all of them."""
    hopeless: bool = False
    """Whether what befell one piece would befall every other, so that no more are sent."""

    def piece(self, cut: Cut, sent: Sent, place: int) -> Generator[Step, Any, Done]:
        """Return the flow that sends one piece; a failure is part of what it returns."""
        tab = _tab(self.plan)
        tab.started, tab.deadline = self.begun.started, self.begun.deadline
        return self._sent(cut, sent, tab, place)

    def _sent(self, cut: Cut, sent: Sent, tab: Tab, place: int) -> Generator[Step, Any, Done]:
        done = Done(place=place, offset_ms=cut.offset_ms, duration_ms=cut.duration_ms, tab=tab)
        if self.hopeless:
            return done
        self.plan.warn(sent)
        try:
            done.answer = yield from whole_operation(self.plan.call(sent), tab)
        except CallFailed as error:
            done.error = error
            self.hopeless = self.hopeless or isinstance(error, _HOPELESS)
        except MAIError as error:  # ledger or file: what the others say must not be lost with it
            done.error = CallFailed(error.message, call_id=tab.call_id)
            done.error.__cause__ = error
            self.hopeless = True
        except BaseException:
            self.hopeless = True
            raise
        return done


def _sent(cut: Cut, filename: str, counted: _Counted, place: int) -> Sent:
    return Sent(
        filename=filename,
        size=cut.size,
        read=lambda: counted.through(place, cut.read()),
        seconds=cut.duration_ms / 1000,
    )


def _with_the_others(error: CallFailed, number: int, made: Transcript) -> CallFailed:
    """Give the error the transcript of the other pieces, and the receipt over all."""
    count = len(made.pieces)
    error.message = (
        f"Piece {number} of {count} failed, after {made.pieces[number - 1].offset_ms / 1000:.0f} "
        f"seconds of the audio; what the others say is on error.partial. {error.message}"
    )
    error.args = (error.message,)
    error.partial = made
    error.receipt = made.receipt
    return error


@dataclass(slots=True)
class _Counted:
    """Tells how much of the audio was sent, over all pieces; a new try begins anew."""

    progress: Progress | None
    sent: list[int]
    total: int

    def through(self, place: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces, and tell after each that it was taken."""
        self._count(place, 0)
        for data in pieces:
            yield data
            self._count(place, self.sent[place] + len(data))

    def _count(self, place: int, sent: int) -> None:
        self.sent[place] = sent
        if self.progress is not None:
            self.progress(sum(self.sent), self.total)


def _tab(plan: Listening) -> Tab:
    return plan.core.tab(
        plan.route,
        modality="transcribe",
        verb="create",
        tags=plan.ask.tags,
        timeouts=plan.timeouts,
    )
