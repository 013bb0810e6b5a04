"""Many questions at once, eight at a time, with what they cost together.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import asyncio
import os

from mai_sdk import AsyncMAI, Cost, Reply
from mai_sdk.emulator import Emulator


async def ask_all(client: AsyncMAI) -> None:
    at_once = asyncio.Semaphore(8)

    async def ask(number: int) -> Reply:
        async with at_once:
            return await client.reasoning.create(f"What is {number} squared?")

    replies = await asyncio.gather(*(ask(number) for number in range(24)))
    print(f"{len(replies)} answers, the slowest in {max(r.timing.total for r in replies):.2f} s")
    print("together:", Cost.sum(reply.cost for reply in replies))


async def run() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        async with AsyncMAI() as client:
            await ask_all(client)
    else:
        async with Emulator() as emulator, emulator.async_client() as client:
            await ask_all(client)


def main() -> None:
    asyncio.run(run())


if __name__ == "__main__":
    main()
