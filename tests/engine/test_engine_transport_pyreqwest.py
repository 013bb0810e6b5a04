"""What reqwest does not do by itself: let the process end."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ENDS = """
import asyncio, sys
from mai_sdk import AsyncMAI

async def main():
    async with AsyncMAI(
        foundry_endpoint=sys.argv[1], foundry_api_key=sys.argv[2], transport="pyreqwest"
    ) as client:
        print((await client.reasoning.create("Why?", model="MAI-Thinking-1")).cost.status)

asyncio.run(main())
"""


def test_a_process_that_ends_right_after_its_answer_ends_well(emulator):
    def run(_):
        arguments = [sys.executable, "-c", ENDS, emulator.url, emulator.key]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(4) as several:
        assert set(several.map(run, range(24))) == {(0, "exact\n", "")}
