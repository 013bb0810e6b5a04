"""Several pictures side by side within a quota, and what is left where one of them fails.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import asyncio
import os

from mai_sdk import AsyncMAI, Images
from mai_sdk.emulator import Emulator
from mai_sdk.errors import CallFailed


async def draw(client: AsyncMAI, requests_per_minute: float) -> None:
    try:
        made = await client.image.generate(
            "a mountain lake", n=4, requests_per_minute=requests_per_minute
        )
    except CallFailed as error:
        print(type(error).__name__, error)
        if not isinstance(error.partial, Images):
            raise
        made = error.partial  # what came was paid for, so it is here
    sizes = [f"{picture.width}x{picture.height}" for picture in made.images]
    print(f"{len(sizes)} of 4 came: {', '.join(sizes)}; {made.attempts} attempts, {made.cost}")


async def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        async with AsyncMAI() as client:
            await draw(client, 2)  # the smallest quota Microsoft grants
    else:
        async with Emulator() as emulator, emulator.async_client() as client:
            emulator.fault("content_filter", shape="mai")
            await draw(client, 6000)


if __name__ == "__main__":
    asyncio.run(main())
