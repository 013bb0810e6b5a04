"""200 voice sessions at once in one process, in real time: what a frame costs, how late it is.

Ours beside azure-ai-voicelive and beside websockets with json, which is the least a Python client
does. Rewrites its part of benchmarks/RESULTS.md. The server (`live_server.py`) has one core and
the client the other.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import json
import os
import select
import sys
import time
from array import array
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_server import (
    FRAME_BYTES,
    FRAME_SECONDS,
    STAMP_BYTES,
    Server,
    percentiles,
    stamp_of,
    stamped,
)
from sessions_page import BARE, OFFICIAL, OURS, WAYS, Stretch, page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sessions_page import Rounds

HERE = Path(__file__).parent
KEY = "benchmark-key"
MODEL = "gpt-realtime"
NOISE = os.urandom(FRAME_BYTES - STAMP_BYTES)
SETTLE = 0.3
"""Seconds before a measured stretch in which everything runs already."""


async def ours(stack: AsyncExitStack, port: int, got: Callable[[bytes], None]) -> Any:
    """Return what opens one session of ours, and gives how to send and what reads."""
    from mai_sdk import AsyncMAI
    from mai_sdk.wire.session_events import AudioChunk

    client = await stack.enter_async_context(
        AsyncMAI(voice_live_endpoint=f"http://127.0.0.1:{port}", voice_live_api_key=KEY)
    )

    async def open_one() -> Any:
        session = await stack.enter_async_context(client.voice.session())

        async def read() -> None:
            async for event in session:
                if isinstance(event, AudioChunk):
                    got(event.pcm)

        return session.send, read

    return open_one


async def official(stack: AsyncExitStack, port: int, got: Callable[[bytes], None]) -> Any:
    """See `ours`: azure-ai-voicelive, as its samples use it."""
    from azure.ai.voicelive.aio import connect
    from azure.ai.voicelive.models import RequestSession, ServerEventType
    from azure.core.credentials import AzureKeyCredential

    async def open_one() -> Any:
        line = await stack.enter_async_context(
            connect(
                endpoint=f"http://127.0.0.1:{port}", credential=AzureKeyCredential(KEY), model=MODEL
            )
        )
        await line.session.update(session=RequestSession(modalities=["text", "audio"]))

        async def send(audio: bytes) -> None:
            await line.input_audio_buffer.append(audio=base64.b64encode(audio).decode())

        async def read() -> None:
            async for event in line:
                if event.type == ServerEventType.RESPONSE_AUDIO_DELTA:
                    got(event.delta)

        return send, read

    return open_one


async def bare(stack: AsyncExitStack, port: int, got: Callable[[bytes], None]) -> Any:
    """See `ours`: websockets and json, with no session around them."""
    from websockets.asyncio.client import connect

    async def open_one() -> Any:
        url = f"ws://127.0.0.1:{port}/voice-live/realtime"
        line = await stack.enter_async_context(connect(url, compression=None))
        await line.send(json.dumps({"type": "session.update", "session": {}}))

        async def send(audio: bytes) -> None:
            coded = base64.b64encode(audio).decode()
            await line.send(json.dumps({"type": "input_audio_buffer.append", "audio": coded}))

        async def read() -> None:
            async for message in line:
                event = json.loads(message)
                if event["type"] == "response.audio.delta":
                    got(base64.b64decode(event["delta"]))

        return send, read

    return open_one


CONTENDERS = {BARE: bare, OFFICIAL: official, OURS: ours}


class Sessions:
    """The open sessions of one contender."""

    def __init__(self) -> None:
        self.delays: array[float] = array("d")
        self.sends: list[Callable[[bytes], Awaitable[object]]] = []
        self.readers: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def open(self, name: str, port: int, number: int) -> None:
        """Open so many, and read each."""
        open_one = await CONTENDERS[name](self._stack, port, self.got)
        for _ in range(number):
            send, read = await open_one()
            await send(stamped(0) + NOISE)
            self.sends.append(send)
            self.readers.append(asyncio.create_task(read()))
        gc.collect()
        gc.freeze()  # as a server of many sessions does: no pause for what lives as long as they
        await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Close them."""
        for reader in self.readers:
            reader.cancel()
        await asyncio.gather(*self.readers, return_exceptions=True)
        with contextlib.suppress(Exception):  # how a contender closes is not measured
            await self._stack.aclose()

    def got(self, audio: bytes) -> None:
        """Note how late a frame is that reached the user."""
        self.delays.append(time.monotonic() - stamp_of(audio))

    async def measure(self, seconds: float, *, up: bool) -> dict[str, Any]:
        """Return what a stretch took, in which frames come, and go where `up`."""
        began = time.monotonic()
        pacing = asyncio.create_task(self.pace(began, seconds)) if up else None
        await asyncio.sleep(began + SETTLE - time.monotonic())
        self.delays, cpu, since = array("d"), time.process_time(), time.monotonic()
        await asyncio.sleep(began + SETTLE + seconds - time.monotonic())
        cpu, wall = time.process_time() - cpu, time.monotonic() - since
        delays, self.delays = self.delays, array("d")
        sent = await pacing if pacing is not None else 0
        if dead := sum(reader.done() for reader in self.readers):
            raise SystemExit(f"{dead} sessions ended early.")
        return {"cpu": cpu, "wall": wall, "got": len(delays), "sent": sent,
                "down": percentiles(delays)}  # fmt: skip

    async def pace(self, began: float, seconds: float) -> int:
        """Send every session its frame when it is due, and return how many went out in time.

        One task for all of them, so that pacing itself costs next to nothing. A frame carries
        when it was due, so that a client too busy to send it is seen to be late.
        """
        step = FRAME_SECONDS / len(self.sends)
        first, number, sent = began + SETTLE, 0, 0
        while (due := began + number * step) < first + seconds:
            left = due - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            counts = due >= first
            await self.sends[number % len(self.sends)](stamped(due if counts else 0) + NOISE)
            sent += counts and time.monotonic() < first + seconds
            number += 1
            if time.monotonic() > first + seconds:
                break
            if number % 100 == 0:
                await asyncio.sleep(0)
        return sent


async def work(name: str, port: int) -> None:
    """Be one contender: an order for each line of standard input, and what came of it."""
    loop = asyncio.get_running_loop()
    sessions = Sessions()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        told: Any = None
        if "open" in order:
            await sessions.open(name, port, order["open"])
        elif "close" in order:
            await sessions.close()
            sessions = Sessions()
        else:
            told = await sessions.measure(order["seconds"], up=order["up"])
        print(json.dumps(told), flush=True)


def core(which: int) -> None:
    """Stay on one core: the server on the first, the client on the last."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[which]})


class Bench:
    """The server, and one process per contender."""

    def __init__(self, stack: ExitStack, names: Iterable[str]) -> None:
        from speech import child, heard

        self._heard = heard
        self._server = child(stack, "--serve", script=__file__)
        port = str(heard(self._server))
        self._workers = {n: child(stack, "--work", n, port, script=__file__) for n in names}

    def sample(self, name: str, number: int, ways: dict[str, float]) -> dict[str, Stretch]:
        """Return what so many sessions made of each stretch: "both", "up" or "down"."""
        worker, taken = self._workers[name], {}
        self._tell(worker, open=number)
        for way, seconds in ways.items():
            self._tell(self._server, speak=way != "up")
            told = self._tell(worker, seconds=seconds, up=way != "down")
            heard = self._tell(self._server, speak=False)
            taken[way] = Stretch(
                sessions=number,
                up=heard["up"],
                down=told["down"],
                frames=told["got"] + told["sent"],
                due=round(number * seconds / FRAME_SECONDS) * (2 if way == "both" else 1),
                cpu=told["cpu"],
            )
            time.sleep(0.2)
        self._tell(worker, close=True)
        return taken

    def _tell(self, process: Any, **order: Any) -> Any:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return self._heard(process)


def measure(
    bench: Bench, names: Iterable[str], *, sessions: int, rounds: int, ways: dict[str, float]
) -> dict[str, Rounds]:
    """Return the rounds of every contender, taken in turns."""
    samples: dict[str, Rounds] = {name: [] for name in names}
    for _ in range(rounds):
        for name, taken in samples.items():
            taken.append(bench.sample(name, sessions, ways))
    return samples


def most(bench: Bench, name: str, taken: Rounds) -> int:
    """Return how many sessions ran in real time: those of the rounds, or as many as do."""
    number, tries = taken[0]["both"].sessions, 3
    is_held = any(each["both"].is_held for each in taken)
    while tries and not is_held:
        number, tries = round(number * 0.75), tries - 1
        is_held = bench.sample(name, number, {"both": WAYS["both"]})["both"].is_held
    return number if is_held else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=200, help="at once (200)")
    parser.add_argument("--rounds", type=int, default=3, help="samples of each figure (3)")
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md alone")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=2, metavar=("NAME", "PORT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not hasattr(select, "epoll"):
        raise SystemExit("The server of this benchmark needs epoll, and so Linux.")
    if asked.serve:
        core(0)
        Server().serve()
    elif asked.work:
        import uvloop

        core(-1)
        uvloop.run(work(asked.work[0], int(asked.work[1])))
    else:
        from results import keep

        load = f"{os.getloadavg()[0]:.2f}"
        with ExitStack() as stack:
            bench = Bench(stack, CONTENDERS)
            samples = measure(
                bench, CONTENDERS, sessions=asked.sessions, rounds=asked.rounds, ways=WAYS
            )
            held = {name: most(bench, name, taken) for name, taken in samples.items()}
        text = page(samples, held, sessions=asked.sessions, load=load)
        if not asked.dry:
            keep(HERE / "RESULTS.md", text)
        print(text)


if __name__ == "__main__":
    main()
