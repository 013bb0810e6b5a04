"""Streamed speech, our client beside Microsoft's Speech SDK, against one emulator in one run.

Rewrites its part of benchmarks/RESULTS.md. Both keep their WebSocket between turns. The emulator
has every text spoken beforehand, so what is measured is the client and the line, not the voice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
VOICE = "en-US-Harper:MAI-Voice-2"
KEY = "mai-emulator-key"
V1 = "/cognitiveservices/websocket/v1"
SHORT = "Good morning.\n"
LONG = ("The quick brown fox jumps over the lazy dog, and nobody minds. " * 16).strip() + "\n"
FIRSTS, LONGS = 20, 4

OFFICIAL = "Speech SDK"
OURS, OURS_ASYNC = "mai_sdk", "mai_sdk, async"
MARKED = ("Speech SDK, word boundaries", "mai_sdk, word boundaries")
NAMES = (OFFICIAL, OURS, OURS_ASYNC, *MARKED, "mai_sdk, REST")
GOALS = ((OURS, OFFICIAL), (OURS_ASYNC, OFFICIAL), (MARKED[1], MARKED[0]))

Said = tuple[float, int]
"""Seconds to the first audio, and bytes in all."""


def ssml(text: str) -> str:
    return (
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
        f"<voice name='{VOICE}'>{text}</voice></speak>"
    )


def serve() -> None:
    """Be the server, until standard input ends."""
    from functools import lru_cache

    from mai_sdk.emulator import Emulator

    with Emulator() as emulator:
        mouth = emulator._world.mouth  # noqa: SLF001 - a benchmark may look inside
        mouth.speak = lru_cache(mouth.speak)  # type: ignore[method-assign]
        print(json.dumps(emulator.port), flush=True)
        sys.stdin.read()


def official(port: int, *, marked: bool) -> Callable[[str], Said]:
    """Speak with the Speech SDK, read as it comes."""
    import azure.cognitiveservices.speech as sdk

    config = sdk.SpeechConfig(endpoint=f"ws://127.0.0.1:{port}{V1}", subscription=KEY)
    config.speech_synthesis_voice_name = VOICE
    config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm)
    speaker = sdk.SpeechSynthesizer(speech_config=config, audio_config=None)
    marks: list[Any] = []
    if marked:
        speaker.synthesis_word_boundary.connect(lambda e: marks.append((e.text, e.audio_offset)))

    def say(text: str) -> Said:
        began, first, size = time.perf_counter(), 0.0, 0
        stream = sdk.AudioDataStream(speaker.start_speaking_ssml_async(ssml(text)).get())
        buffer = bytes(32_000)
        while got := stream.read_data(buffer):
            first = first or time.perf_counter() - began
            size += got
        return first, size

    return say


def ours(port: int, *, marked: bool, rest: bool) -> Callable[[str], Said]:
    """Speak with our client, read as it comes."""
    from mai_sdk import MAI

    endpoint = f"http://127.0.0.1:{port}"
    client = MAI(speech_endpoint=endpoint, speech_api_key=KEY, config_file=os.devnull)

    def say(text: str) -> Said:
        began, first, size = time.perf_counter(), 0.0, 0
        told: Any = text if rest else [text]
        with client.voice.stream(
            told, voice="en-US-Harper", model="MAI-Voice-2", boundaries=marked
        ) as audio:
            for piece in audio:
                first = first or time.perf_counter() - began
                size += len(piece)
        return first, size

    return say


def ours_async(port: int) -> Callable[[str], Said]:
    """Speak with our async client, on one loop."""
    from mai_sdk import AsyncMAI

    endpoint = f"http://127.0.0.1:{port}"
    client = AsyncMAI(speech_endpoint=endpoint, speech_api_key=KEY, config_file=os.devnull)
    loop = asyncio.new_event_loop()

    async def run(text: str) -> Said:
        began, first, size = time.perf_counter(), 0.0, 0
        async with client.voice.stream([text], voice="en-US-Harper", model="MAI-Voice-2") as audio:
            async for piece in audio:
                first = first or time.perf_counter() - began
                size += len(piece)
        return first, size

    return lambda text: loop.run_until_complete(run(text))


def work(name: str, port: int) -> None:
    """Be one contender: a sample for each line of standard input."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if name.startswith(OFFICIAL):
        say = official(port, marked="word" in name)
    elif name == OURS_ASYNC:
        say = ours_async(port)
    else:
        say = ours(port, marked="word" in name, rest="REST" in name)
    for _ in range(3):
        say(SHORT)
        say(LONG)
    print("null", flush=True)
    for _ in sys.stdin:
        firsts = [say(SHORT)[0] for _ in range(FIRSTS)]
        began, size = time.process_time(), 0
        for _ in range(LONGS):
            size += say(LONG)[1]
        cpu = time.process_time() - began
        sample = {"first": median(firsts) * 1e3, "cpu": cpu * 1e3 / (size / 1e6), "bytes": size}
        print(json.dumps(sample), flush=True)


def child(stack: ExitStack, *command: str, script: str = __file__) -> Any:
    process = subprocess.Popen(
        [sys.executable, str(Path(script).resolve()), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
        env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", str(HERE))},
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def heard(process: Any) -> Any:
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} ended early; what it said is above.")
    return json.loads(line)


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """Return the samples of every contender, taken in turns."""
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        port = str(heard(child(stack, "--serve")))
        workers = {name: child(stack, "--work", name, port) for name in NAMES}
        for worker in workers.values():
            heard(worker)
        for _ in range(rounds):
            for name, worker in workers.items():
                worker.stdin.write("go\n")
                worker.stdin.flush()
                samples[name].append(heard(worker))
    return samples


def rows(samples: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    yield "|  | first audio, ms: best | median | CPU, ms/MB: best | median |"
    yield "|---|---:|---:|---:|---:|"
    for name, taken in samples.items():
        figures = [[one[key] for one in taken] for key in ("first", "cpu")]
        shown = [f"{of(values):.2f}" for values in figures for of in (min, median)]
        yield f"| {name} | {' | '.join(shown)} |"


def goals(samples: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    for ours_, theirs in GOALS:
        for key, what in (("first", "time to first audio"), ("cpu", "CPU per MB")):
            ratio = min(s[key] for s in samples[ours_]) / min(s[key] for s in samples[theirs])
            met = "met" if ratio <= 1 else "NOT MET"
            yield f"- {what}, {ours_} / {theirs}: {ratio:.2f} of at most 1.00, {met}"


PAGE = """# Streamed speech

Written by `make bench` (`benchmarks/speech.py`); do not edit.

{day}, {cores} cores, Python {python}, azure-cognitiveservices-speech {sdk},
websockets {websockets}; {rounds} rounds, in turns, against one emulator.

First audio: the median of {firsts} short turns on a warm connection, from the call to the first
piece in hand. CPU: the client process's, all its threads, over {longs} turns of a minute of 24 kHz
samples, which come in frames of 100 ms.

{rows}

## Goals

{goals}

## What these numbers do not prove

Nothing about the real service, whose first audio takes hundreds of milliseconds. No TLS. What the
emulator does between a request and its first frame is in every figure of the first column alike.
"""


def page(samples: dict[str, list[dict[str, float]]], rounds: int) -> str:
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        python=sys.version.split()[0],
        sdk=version("azure-cognitiveservices-speech"),
        websockets=version("websockets"),
        rounds=rounds,
        firsts=FIRSTS,
        longs=LONGS,
        rows="\n".join(rows(samples)),
        goals="\n".join(goals(samples)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="samples of each figure (10)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=2, metavar=("NAME", "PORT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
    elif asked.work:
        work(asked.work[0], int(asked.work[1]))
    else:
        from results import keep

        text = page(measure(asked.rounds), asked.rounds)
        keep(HERE / "RESULTS.md", text)
        print(text)


if __name__ == "__main__":
    main()
