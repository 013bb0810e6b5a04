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
import json
import os
import select
import sys
import time
from array import array
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

from live_server import (
    FRAME_BYTES,
    FRAME_SECONDS,
    STAMP_BYTES,
    Server,
    percentiles,
    stamp_of,
    stamped,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

HERE = Path(__file__).parent
KEY = "benchmark-key"
MODEL = "gpt-realtime"
LIMIT_MS = 20.0
"""How late a frame may be, of 99 in 100: its own length."""
WAYS = {"both": 3.0, "up": 1.0, "down": 1.0}
"""What is measured, and for how many seconds."""
BARE, OFFICIAL, OURS = "websockets + json", "azure-ai-voicelive", "mai_sdk"

Rounds: TypeAlias = "list[dict[str, Stretch]]"

NOISE = os.urandom(FRAME_BYTES - STAMP_BYTES)
SETTLE = 0.5
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


@dataclass(frozen=True)
class Stretch:
    """What so many sessions made of a while."""

    sessions: int
    up: dict[str, float]
    """Delays of the frames sent, in ms; empty where none was."""
    down: dict[str, float]
    frames: int
    """Sent and received in time."""
    due: int
    cpu: float

    @property
    def frame_cpu(self) -> float:
        """CPU of the client a frame, in µs."""
        return self.cpu / self.frames * 1e6

    @property
    def p99(self) -> float:
        """The worse one of both directions, in ms."""
        return max(each.get("p99", 0.0) for each in (self.up, self.down))

    @property
    def is_held(self) -> bool:
        """Whether it went on in real time."""
        return self.p99 < LIMIT_MS and self.frames > 0.99 * self.due


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
    names: Iterable[str], *, sessions: int, rounds: int, ways: dict[str, float]
) -> tuple[dict[str, Rounds], dict[str, int]]:
    """Return the rounds of every contender, taken in turns, and how many sessions it held."""
    samples: dict[str, Rounds] = {name: [] for name in names}
    held: dict[str, int] = {}
    with ExitStack() as stack:
        bench = Bench(stack, samples)
        for _ in range(rounds):
            for name, taken in samples.items():
                taken.append(bench.sample(name, sessions, ways))
        for name, taken in samples.items():
            number = sessions
            is_held = any(each["both"].is_held for each in taken)
            while not is_held and number > sessions // 2:
                number = round(number * 0.85)
                is_held = bench.sample(name, number, {"both": ways["both"]})["both"].is_held
            held[name] = number if is_held else 0
    return samples, held


PAGE = """# Voice sessions at once

Written by `make bench` (`benchmarks/sessions.py`); do not edit.

{day}, {cores} cores, Python {python}, {versions}; {rounds} rounds, in turns, against one server in
a process of its own, on a core of its own. Load average before the run: {load}.

{sessions} sessions in one process, on one event loop and one core. Each sends 20 ms of 24 kHz
samples 50 times a second and is sent as much, as JSON with base64 over a WebSocket without TLS or
compression. `websockets + json` has no session around it: no types, no buffer, no reconnection,
no receipts. It is the least that a Python client does.

## CPU of the client, µs a frame

{cpu}

## How late a frame is, ms

Both ways at once, the round with the best p99. Down: from the server's send to the event in the
user's hand. Up: from when the frame was due, in the client, to the server's receipt. The last
columns say the median p99 of the rounds, the worse direction, and how many sessions ran in real
time, with a p99 below {limit:.0f} ms.

{late}

## Goals

{goals}

## What these numbers do not prove

Nothing about the real service, a network or TLS. Loopback charges the sender for much of what the
receiver's kernel does. All sessions of a process share one core, so what is late is what waits for
it: near a whole core, whatever else the machine does shows in the p99.
"""


def best(samples: Rounds, way: str) -> Stretch:
    """Return the round that cost least a frame."""
    return min((each[way] for each in samples), key=lambda one: one.frame_cpu)


def cpu_rows(samples: dict[str, Rounds]) -> list[list[str]]:
    """Return the first table."""
    heads = [f"{way}: {of}" for way in WAYS for of in ("best", "median")]
    rows = [["", *heads]]
    for name, taken in samples.items():
        row = [name]
        for way in WAYS:
            usual = median(each[way].frame_cpu for each in taken)
            row += [f"{best(taken, way).frame_cpu:.1f}", f"{usual:.1f}"]
        rows.append(row)
    return rows


def late_rows(samples: dict[str, Rounds], held: dict[str, int]) -> list[list[str]]:
    """Return the second table."""
    whats = ("p50", "p99", "max")
    heads = [f"{way} {what}" for way in ("down", "up") for what in whats]
    rows = [["", *heads, "median p99", "real time"]]
    for name, taken in samples.items():
        one = min((each["both"] for each in taken), key=lambda each: each.p99)
        figures = [each[what] for each in (one.down, one.up) for what in whats]
        figures.append(median(each["both"].p99 for each in taken))
        rows.append([name, *(f"{figure:.1f}" for figure in figures), str(held[name] or "none")])
    return rows


def goals(samples: dict[str, Rounds], held: dict[str, int], sessions: int) -> Iterator[str]:
    """Say which goals are met."""
    met = "met" if held[OURS] >= sessions else "NOT MET"
    p99 = min(each["both"].p99 for each in samples[OURS])
    yield f"- {sessions} sessions of mai_sdk in real time: p99 {p99:.1f} ms of {LIMIT_MS:.0f}, {met}"
    for way, theirs, limit in (*((way, OFFICIAL, 1.0) for way in WAYS), ("both", BARE, 1.25)):
        ratio = best(samples[OURS], way).frame_cpu / best(samples[theirs], way).frame_cpu
        met = "met" if ratio <= limit else "NOT MET"
        yield f"- CPU a frame, {way}, mai_sdk / {theirs}: {ratio:.2f} of at most {limit:.2f}, {met}"


def page(samples: dict[str, Rounds], held: dict[str, int], *, sessions: int, load: str) -> str:
    """Return the part of benchmarks/RESULTS.md about sessions."""
    from results import markdown

    packages = ("azure-ai-voicelive", "aiohttp", "websockets", "mai-sdk")
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        python=sys.version.split()[0],
        versions=", ".join(f"{name} {version(name)}" for name in packages),
        rounds=len(samples[OURS]),
        load=load,
        sessions=sessions,
        limit=LIMIT_MS,
        cpu=markdown(cpu_rows(samples)),
        late=markdown(late_rows(samples, held)),
        goals="\n".join(goals(samples, held, sessions)),
    )


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
        core(-1)
        asyncio.run(work(asked.work[0], int(asked.work[1])))
    else:
        from results import keep

        load = f"{os.getloadavg()[0]:.2f}"
        samples, held = measure(CONTENDERS, sessions=asked.sessions, rounds=asked.rounds, ways=WAYS)
        text = page(samples, held, sessions=asked.sessions, load=load)
        if not asked.dry:
            keep(HERE / "RESULTS.md", text)
        print(text)


if __name__ == "__main__":
    main()
