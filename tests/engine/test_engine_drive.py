"""Work, and flows side by side, in both worlds."""

import asyncio
import threading

import pytest

from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.engine.steps import Pause, Together, Work


def flow(value, *, pauses=1, log=None):
    try:
        for _ in range(pauses):
            yield Pause(1)
    except BaseException as error:
        if log is not None:
            log.append((value, type(error).__name__))
        raise
    if isinstance(value, Exception):
        raise value
    return value


def together(flows, at_once):
    return (yield Together(flows, at_once))


def sync(flows, at_once, sleep=lambda _: None):
    return Driver(None, None, sleep=sleep).run(together(flows, at_once))


def awaited(flows, at_once, sleep=None):
    async def nothing(_):
        await asyncio.sleep(0)

    return asyncio.run(
        AsyncDriver(None, None, sleep=sleep or nothing).run(together(flows, at_once))
    )


@pytest.mark.parametrize("run_all", [sync, awaited])
@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_every_outcome_comes_back_in_its_place(run_all, at_once):
    lost = ValueError("lost")
    flows = [flow(1), flow(lost), flow(3, pauses=3), flow(4)]
    assert run_all(flows, at_once) == [1, lost, 3, 4]


@pytest.mark.parametrize("run_all", [sync, awaited])
def test_one_alone_is_one_of_many(run_all):
    assert run_all([flow(1)], 8) == [1]


def test_sync_flows_really_run_at_the_same_time_but_not_more_than_allowed():
    meeting = threading.Barrier(3, timeout=5)
    flows = [flow(number) for number in range(6)]
    assert sync(flows, 3, sleep=lambda _: meeting.wait()) == list(range(6))


def test_async_flows_are_no_more_at_once_than_allowed():
    running, most = 0, 0

    async def sleep(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    awaited([flow(number, pauses=2) for number in range(6)], 3, sleep)
    assert most == 3


def test_an_interruption_stops_flows_that_have_not_begun():
    begun = []

    def interrupted(_):
        raise KeyboardInterrupt

    def noted(number):
        begun.append(number)
        yield Pause(1)

    with pytest.raises(KeyboardInterrupt):
        sync([noted(number) for number in range(5)], 1, sleep=interrupted)
    assert begun == [0]


def test_an_interruption_lets_what_is_on_its_way_end_and_nothing_else_begin():
    begun, both, over = [], threading.Barrier(2, timeout=5), threading.Event()
    main = threading.current_thread()

    def sleep(_):
        both.wait()
        if threading.current_thread() is main:
            raise KeyboardInterrupt
        over.wait(5)

    def noted(number):
        begun.append(number)
        yield Pause(1)

    with pytest.raises(KeyboardInterrupt):
        sync([noted(number) for number in range(5)], 2, sleep=sleep)
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("mai-beside"):
            thread.join(5)
    assert sorted(begun) == [0, 1]


def test_where_no_more_threads_can_be_started_those_there_are_do_the_work(monkeypatch):
    def none_left(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    assert sync([flow(number) for number in range(3)], 3) == [0, 1, 2]


def test_a_cancellation_reaches_every_async_flow():
    log = []

    async def main():
        async def forever(_):
            await asyncio.Event().wait()

        driver = AsyncDriver(None, None, sleep=forever)
        flows = [flow(number, log=log) for number in range(3)]
        task = asyncio.ensure_future(driver.run(together(flows, 8)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert sorted(log) == [(number, "CancelledError") for number in range(3)]


@pytest.mark.parametrize(
    "drive",
    [
        lambda flow: Driver(None, None).run(flow),
        lambda flow: asyncio.run(AsyncDriver(None, None).run(flow)),
    ],
)
def test_work_gives_back_what_it_returns_and_raises_into_the_flow(drive):
    def flow():
        one = yield Work(lambda: 1)
        try:
            yield Work(lambda: 1 // 0)
        except ZeroDivisionError:
            return one
        return None

    assert drive(flow()) == 1


def test_an_event_loop_does_not_do_the_work_itself():
    def flow():
        return (yield Work(threading.current_thread))

    done_by = asyncio.run(AsyncDriver(None, None).run(flow()))
    assert done_by is not threading.main_thread()


def test_what_interrupts_a_flow_on_another_thread_is_raised_here():
    meeting = threading.Barrier(2, timeout=5)
    main = threading.current_thread()

    def sleep(_):
        meeting.wait()
        if threading.current_thread() is not main:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync([flow(1), flow(2)], 2, sleep=sleep)


def test_what_a_cancelled_task_left_being_made_is_undone():
    begun, go_on, undone = threading.Event(), threading.Event(), threading.Event()

    def make():
        begun.set()
        go_on.wait(5)
        return "a file"

    def making():
        yield Work(make, lambda made: undone.set() if made == "a file" else None)

    async def main():
        task = asyncio.ensure_future(AsyncDriver(None, None).run(making()))
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await asyncio.to_thread(undone.wait, 5)

    asyncio.run(main())


def test_work_done_as_its_task_is_cancelled_is_undone_too():
    done, undone = threading.Event(), []

    def make():
        done.set()
        return "made"

    def flow():
        return (yield Work(make, undone.append))

    async def main():
        task = asyncio.ensure_future(AsyncDriver(None, None).run(flow()))
        await asyncio.sleep(0)
        assert done.wait(5)  # and the loop has not heard of it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert undone == ["made"]
