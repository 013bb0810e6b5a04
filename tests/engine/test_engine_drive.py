"""Work and flows side by side, in both worlds."""

import asyncio
import threading

import pytest

from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.engine.steps import Pause, Together, Work


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Drives a flow; a Pause lets others run and waits for nothing."""

    def drive(flow):
        if request.param == "sync":
            return Driver(None, None, sleep=lambda _: None).run(flow)

        async def main():
            return await AsyncDriver(None, None, sleep=lambda _: asyncio.sleep(0)).run(flow)

        return asyncio.run(main())

    return drive


def test_work_gives_back_what_it_returns_and_raises_into_the_flow(run):
    def flow():
        one = yield Work(lambda: 1)
        try:
            yield Work(lambda: 1 // 0)
        except ZeroDivisionError:
            return one
        return None

    assert run(flow()) == 1


def test_an_event_loop_does_not_do_the_work_itself():
    def flow():
        return (yield Work(threading.current_thread))

    async def main():
        return await AsyncDriver(None, None).run(flow())

    assert asyncio.run(main()) is not threading.main_thread()


def test_flows_side_by_side_return_in_their_order(run):
    def one(number):
        for _ in range(5 - number):
            yield Pause(0)
        return number

    def flow():
        return (yield Together([one(number) for number in range(5)], 3))

    assert run(flow()) == [0, 1, 2, 3, 4]


def test_no_more_run_at_once_than_may(run):
    open_now, most, lock = [0], [0], threading.Lock()

    def one():
        with lock:
            open_now[0] += 1
            most[0] = max(most)
            most.append(open_now[0])
        yield Pause(0)
        with lock:
            open_now[0] -= 1

    def flow():
        yield Together([one() for _ in range(10)], 2)

    run(flow())
    assert max(most) <= 2


def test_the_first_to_raise_ends_it_and_the_others_can_settle(run):
    settled = []

    def bad():
        yield Pause(0)
        raise ValueError("bad")

    def good(number):
        try:
            for _ in range(50):
                yield Pause(0)
        finally:
            settled.append(number)

    def flow():
        try:
            yield Together([bad(), good(1), good(2)], 3)
        except ValueError as error:
            return str(error)
        return None

    assert run(flow()) == "bad"
    assert sorted(settled) == [1, 2]


def test_a_cancelled_flow_cancels_those_it_began_and_waits_for_them():
    settled = []

    def long(number):
        try:
            yield Pause(1)
        finally:
            settled.append(number)

    async def main():
        driver = AsyncDriver(None, None, sleep=lambda _: asyncio.Event().wait())

        def flow():
            return (yield Together([long(1), long(2)], 2))

        task = asyncio.ensure_future(driver.run(flow()))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert sorted(settled) == [1, 2]
