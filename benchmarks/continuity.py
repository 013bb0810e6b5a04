"""20,000 frames of audio over a line that breaks 200 times: what arrives, in what order, how often.

The same service and the same breaks for every client: a WebSocket server that speaks as much of
the realtime dialects, or of USP, as they need, notes the number in every frame, and breaks the
connection after so many frames: by a TCP reset, a FIN, silence (it reads and answers nothing
more), close codes, and an expiry. Rewrites its part of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import itertools
import json
import os
import random
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from results import keep, markdown

FRAME_SAMPLES = 480
FRAME_BYTES = 2 * FRAME_SAMPLES
KINDS = ("reset", "fin", "half-open", "1001", "1006", "1011", "1012", "expiry")
WINDOW = 50
"""Frames that are given ahead of what has arrived: one second of speech."""


def frame(number: int) -> bytes:
    """Return 20 ms of audio that says which it is."""
    return number.to_bytes(4, "little") + bytes(FRAME_BYTES - 4)


def breaks(count: int, *, seed: int) -> list[tuple[str, int]]:
    """Return what happens to each connection, and after how many frames on it."""
    chance = random.Random(seed)
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    chance.shuffle(kinds)
    return [(kind, chance.randrange(40, 140)) for kind in kinds]


@dataclass
class Service:
    """The service: what it heard on each connection, and the breaks it has still to make."""

    plan: list[tuple[str, int]]
    heard: list[list[int]] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    reached: int = -1
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    stuck: list[Any] = field(default_factory=list)

    async def serve(self, line: Any) -> None:
        """Talk on one connection until it breaks or the client leaves."""
        from websockets.exceptions import ConnectionClosed

        mine: list[int] = []
        self.heard.append(mine)
        kind, after = self.plan.pop(0) if self.plan else ("", 1 << 60)
        with contextlib.suppress(ConnectionClosed):
            await self.greet(line)
            async for message in line:
                await self.take(line, message, mine)
                if len(mine) >= after:
                    self.happened[kind] = self.happened.get(kind, 0) + 1
                    await self.strike(line, kind)
                    return

    async def greet(self, line: Any) -> None:
        """Say that a session begins."""
        await say(line, "session.created", session={"id": f"s{len(self.heard)}"})

    async def take(self, line: Any, message: Any, mine: list[int]) -> None:
        """Hear one event of the client."""
        event = json.loads(message)
        if event["type"] == "session.update":
            await say(line, "session.updated", session={"id": "s"})
        if event["type"] == "input_audio_buffer.append":
            await self.hear(line, base64.b64decode(event["audio"]), mine)

    async def hear(self, line: Any, audio: bytes, mine: list[int]) -> None:
        """Note which frames these are, and write down each second of them."""
        for at in range(0, len(audio), FRAME_BYTES):
            number = int.from_bytes(audio[at : at + 4], "little")
            mine.append(number)
            if number > self.reached:
                self.reached = number
                self.moved.set()
        if len(mine) % 50 == 0:
            await self.turn(line, len(mine))

    async def turn(self, line: Any, heard: int) -> None:
        """Find a turn in the last half second, and write it down: so it is acknowledged."""
        item = f"i{len(self.heard)}-{heard}"
        name = "conversation.item.input_audio_transcription.completed"
        started, stopped = (heard - 25) * 20, heard * 20
        kind = "input_audio_buffer."
        await say(line, kind + "speech_started", audio_start_ms=started, item_id=item)
        await say(line, kind + "speech_stopped", audio_end_ms=stopped, item_id=item)
        await say(line, kind + "committed", item_id=item)
        await say(line, name, item_id=item, content_index=0, transcript="words")

    async def strike(self, line: Any, kind: str) -> None:
        """Break the connection."""
        raw: socket.socket = line.transport.get_extra_info("socket")
        if kind == "reset":
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.transport.abort()
        elif kind in ("fin", "1006"):
            line.transport.abort() if kind == "1006" else line.transport.close()
        elif kind == "half-open":
            line.transport.pause_reading()
            self.stuck.append(line)
            await line.wait_closed()
        elif kind == "expiry":
            await self.expire(line)
        else:
            await line.close(int(kind), "Broken on purpose")

    async def expire(self, line: Any) -> None:
        """End the session as its hour does."""
        await say(line, "error", error={"code": "session_expired", "message": "Expired."})
        await line.close(1001, "Expired")


class Recogniser(Service):
    """The same in USP, where a phrase is what acknowledges."""

    request_id = ""

    async def greet(self, line: Any) -> None:
        """Say nothing: the client begins."""

    async def take(self, line: Any, message: Any, mine: list[int]) -> None:
        """Hear one message of the client."""
        head, _, body = (
            message.partition("\r\n\r\n")
            if isinstance(message, str)
            else (message[2 : 2 + int.from_bytes(message[:2], "big")].decode(), "", message)
        )
        said = dict(each.split(":", 1) for each in head.split("\r\n") if each)
        if said["Path"] == "speech.context":
            self.request_id = said["X-RequestId"]
            await self.tell(line, "turn.start", context={"serviceTag": f"t{len(self.heard)}"})
        if said["Path"] != "audio":
            return
        audio = body[2 + len(head) :]
        if not audio:
            await self.tell(line, "speech.phrase", RecognitionStatus="EndOfDictation")
            await self.tell(line, "turn.end")
        elif audio[:4] != b"RIFF":
            await self.hear(line, audio, mine)

    async def turn(self, line: Any, heard: int) -> None:
        """Write down the last second."""
        ticks = FRAME_SAMPLES * 10_000_000 // 16_000
        await self.tell(line, "speech.hypothesis", Text="wor", Offset=(heard - 50) * ticks)
        await self.tell(
            line,
            "speech.phrase",
            RecognitionStatus="Success",
            DisplayText="Words.",
            Offset=(heard - 50) * ticks,
            Duration=50 * ticks,
        )

    async def tell(self, line: Any, path: str, **fields: Any) -> None:
        """Send a message."""
        head = f"Path:{path}\r\nX-RequestId:{self.request_id}\r\n\r\n"
        await line.send(head + json.dumps(fields))

    async def expire(self, line: Any) -> None:
        """End the session as its hour may."""
        await line.close(1001, "Expired")


async def say(line: Any, kind: str, **fields: Any) -> None:
    """Send an event."""
    await line.send(json.dumps({"type": kind, "event_id": "e", **fields}))


async def ours(url: str, service: Service, *, frames: int) -> dict[str, Any]:
    """Send the frames over `client.voice.session`."""
    from mai_sdk import AsyncMAI

    async with AsyncMAI(voice_live_endpoint=url, voice_live_api_key="benchmark-key") as client:
        session = client.voice.session(endurance=endurance())
        return await over(session, service, frames=frames)


async def ours_in_usp(url: str, service: Service, *, frames: int) -> dict[str, Any]:
    """Send the frames over `client.transcribe.session`, to the Speech service."""
    from mai_sdk import AsyncMAI

    async with AsyncMAI(speech_endpoint=url, speech_api_key="benchmark-key") as client:
        session = client.transcribe.session(surface="speech", endurance=endurance())
        return await over(session, service, frames=frames)


def endurance() -> Any:
    """Return a patience that suits a benchmark."""
    from mai_sdk.engine.live import Endurance

    return Endurance(silence_seconds=1.0, connections_per_minute=1_000_000)


async def over(session: Any, service: Service, *, frames: int) -> dict[str, Any]:
    """Send the frames over a session of ours."""
    from mai_sdk.wire.session_events import Reconnected

    begins = {1: 0}
    """Where each connection's audio begins: all before it was acknowledged."""
    async with session as call:
        hearing = call._machine.hearing  # noqa: SLF001 - to check what is sent twice

        async def read() -> None:
            async for event in call:
                if isinstance(event, Reconnected):
                    begins[event.connections] = hearing.base // FRAME_SAMPLES

        reading = asyncio.create_task(read())
        await give(call.send, service, frames=frames, until=reading)
    await reading
    again = sum(
        number < begins.get(which, 0)
        for which, one in enumerate(service.heard, start=1)
        for number in one
    )
    return {"reconnections": len(begins) - 1, "errors": 0, "acknowledged twice": again}


async def openais(url: str, service: Service, *, frames: int) -> dict[str, Any]:
    """Send the frames over openai's realtime client, with its automatic reconnection on."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="benchmark-key", base_url=f"{url}/v1", max_retries=0)
    again, errors = [], []
    connection = await client.realtime.connect(
        model="m",
        on_reconnecting=lambda event: again.append(event),
        max_retries=50,
        initial_delay=0.01,
        max_delay=0.1,
        max_queue_size=64 * 1024 * 1024,
        websocket_connection_options={"ping_interval": 0.5, "ping_timeout": 0.5},
    ).enter()

    async def read() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            async for _ in connection:
                pass

    async def send(audio: bytes) -> None:
        coded = base64.b64encode(audio).decode()
        try:
            await connection.send({"type": "input_audio_buffer.append", "audio": coded})
        except Exception as error:  # noqa: BLE001 - whatever the caller would see
            errors.append(error)

    reading = asyncio.create_task(read())
    await give(send, service, frames=frames, until=reading)
    await connection.close()
    await asyncio.wait((reading,), timeout=2)
    reading.cancel()
    await client.close()
    return {"reconnections": len(again), "errors": len(errors), "acknowledged twice": None}


CLIENTS = {"mai_sdk": ours, "mai_sdk, USP": ours_in_usp, "openai": openais}


async def give(send: Any, service: Service, *, frames: int, until: Any) -> None:
    """Give the frames, never far ahead of what arrived, and wait until the last one is there."""
    floor = 0
    for number in range(frames):
        while number - max(service.reached, floor) > WINDOW and not until.done():
            service.moved.clear()
            try:
                await asyncio.wait_for(service.moved.wait(), 3)
            except TimeoutError:
                floor = number  # what was given is lost, and nothing more of it will come
        if until.done():
            return
        await send(frame(number))
        if number % 10 == 0:
            await asyncio.sleep(0.002)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            while service.reached < frames - 1:
                service.moved.clear()
                await service.moved.wait()


async def measure(name: str, *, frames: int, disruptions: int, seed: int) -> dict[str, Any]:
    """Return what one client made of it."""
    from websockets.asyncio.server import serve

    kind = Recogniser if CLIENTS[name] is ours_in_usp else Service
    service = kind(breaks(disruptions, seed=seed))
    async with serve(
        service.serve, "127.0.0.1", 0, max_size=None, ping_interval=None, close_timeout=0.2
    ) as server:
        port = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        told = await CLIENTS[name](f"http://127.0.0.1:{port}", service, frames=frames)
        seconds = time.monotonic() - began
        for line in service.stuck:
            line.transport.abort()
    everything = [number for one in service.heard for number in one]
    gaps = 0
    reached = -1
    for one in service.heard:
        if one:
            gaps += one[0] > reached + 1
            reached = max(reached, one[-1])
    return {
        "client": name,
        "frames": frames,
        "disruptions": sum(service.happened.values()),
        "kinds": service.happened,
        "lost": frames - len(set(everything)),
        "disordered": sum(
            later != earlier + 1
            for one in service.heard
            for earlier, later in itertools.pairwise(one)
        ),
        "gaps": gaps,
        "sent twice": len(everything) - len(set(everything)),
        "seconds": round(seconds, 1),
        **told,
    }


HEADS = ("client", "frames", "disruptions", "reconnections", "lost", "disordered", "sent twice",
         "acknowledged twice", "errors", "seconds")  # fmt: skip

PAGE = """# Voice sessions over lines that break

Written by `make bench` (`benchmarks/continuity.py`); do not edit.

{day}, {cores} cores, Python {python}, {versions}.

Each client sends 20 ms frames of audio that say their number, and each connection is broken after
40 to 140 of them: {kinds}.

{rows}

*Lost*: frames that no connection of the service ever saw. *Disordered*: a frame after one that is
not the one before it, on one connection. *Sent twice*: seen by more than one connection, which is
right for audio the service may have lost with the connection. *Acknowledged twice*: of these, the
ones sent before the last acknowledgement; openai's client keeps none. *Errors*: raised by `send`.

## Goals

{goals}

## What these numbers do not prove

Nothing about the real service, which breaks less often and in ways of its own. The silence after
which a line counts as dead was shortened for all, so that a half-open one is noticed in a second.
"""


def page(rows: list[dict[str, Any]]) -> str:
    """Return the part of benchmarks/RESULTS.md about lines that break."""
    of_ours = [row for row in rows if row["client"].startswith("mai_sdk")]
    kinds = ", ".join(f"{count} by {kind}" for kind, count in sorted(of_ours[0]["kinds"].items()))
    goals = [
        f"- {name}, {row['client']}: {row[name]:,} of at most 0, "
        f"{'NOT MET' if row[name] else 'met'}"
        for row in of_ours
        for name in ("lost", "disordered", "acknowledged twice")
    ]
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        python=sys.version.split()[0],
        versions=", ".join(f"{name} {version(name)}" for name in ("mai-sdk", "openai")),
        kinds=kinds,
        rows=table(rows),
        goals="\n".join(goals),
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as they are shown."""
    shown = [[_shown(row[head]) for head in HEADS] for row in rows]
    return markdown([list(HEADS), *shown])


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--disruptions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=tuple(CLIENTS), help="and leave RESULTS.md alone")
    asked = parser.parse_args()
    rows = [
        asyncio.run(
            measure(name, frames=asked.frames, disruptions=asked.disruptions, seed=asked.seed)
        )
        for name in ([asked.only] if asked.only else CLIENTS)
    ]
    if asked.only:
        print(table(rows))
        return
    text = page(rows)
    keep(Path(__file__).parent / "RESULTS.md", text)
    print(text)


if __name__ == "__main__":
    main()
